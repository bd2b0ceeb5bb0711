"""What raw effects follow from, as checksums by which a later run knows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import torch

from .as_json import Tensors, to_json
from .conditions import Design, runs_of_equal
from .identity import DIGEST, VERSION, describe, model_checksum, tensors_checksum

if TYPE_CHECKING:
    from .engine import Engine

# Backgrounds and conditions that are looked at together.
_ROWS, _CONDITIONS = 4096, 256


def what_is_asked(engine: Engine, design: Design) -> dict[str, str]:
    """Checksums of all that the outputs of a design follow from, but for rounding.

    How they are computed (batches, device, memory) is not among it. What conditions
    place is seen on the first and the last of the backgrounds.
    """
    asked = dict(engine.caller.question)
    args = {str(i): arg for i, arg in enumerate(engine.rows.args or [])}
    clusters = None if engine.clusters is None else engine.clusters.tolist()
    return {
        "`model`": model_checksum(asked.pop("model")),
        "`X`": _checksum_of_rows(engine),
        "`args`": tensors_checksum(args),
        "`clusters`": _described(clusters),
        "conditions": _checksum_of_design(engine, design),
        **{f"`{name}`": _described(value) for name, value in asked.items()},
    }


def _described(value: Any) -> str:
    parts = describe(strict=False, value=value)
    told = {name: part for name, part in parts.items() if not name.startswith(VERSION)}
    return _digest([json.dumps(told, sort_keys=True).encode()])


def _checksum_of_rows(engine: Engine) -> str:
    n = len(engine.X)
    return _digest(
        _letters(engine.rows.one_hot(slice(first, min(first + _ROWS, n))))
        for first in range(0, n, _ROWS)
    )


def _checksum_of_design(engine: Engine, design: Design) -> str:
    """Of the table, and of the sequences of all conditions on two backgrounds."""

    def parts() -> Iterator[bytes]:
        tensors: Tensors = {}
        table = to_json(design.conditions, tensors, "`conditions`")
        yield json.dumps(table).encode()
        yield tensors_checksum(tensors).encode()
        yield design.lengths.tobytes()
        if design.columns is not None:
            yield design.columns.tobytes()
        for row in sorted({0, len(engine.X) - 1}):
            rows = slice(row, row + 1)
            X = engine.rows.one_hot(rows, any_device=design.any_device)
            for first, last in runs_of_equal(design.lengths):
                for at in range(first, last, _CONDITIONS):
                    some = slice(at, min(at + _CONDITIONS, last))
                    yield _letters(design.build(X, rows, some))

    return _digest(parts())


def _letters(X: torch.Tensor) -> bytes:
    return X.to("cpu", torch.int8).contiguous().numpy().tobytes()


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return DIGEST + digest.hexdigest()
