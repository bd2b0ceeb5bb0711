"""Whether the results of a task are there, and are those that would come out again."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tangermeme.predict import predict

from .._core.identity import environment, model_checksum, tensors_checksum
from .._core.motif import Motif
from .._core.patterns import place
from .._core.precision import agree
from .._core.storage import write_atomically
from ..backgrounds.profiles import profile_background
from ..report.store import Probe, Store
from ..sweep.tasks import Done
from .options import Asked, ask

_SEQUENCES, _MOTIFS = 6, 2
_QUESTION = "question"
# Columns of a table that say what an effect is, and how it is called in a headline.
_INTERVAL = ("effect", "low", "high")
_IN_HEADLINE = ("effect", "effect_low", "effect_high")


class Kept:
    """What a task's results follow from, beside them.

    They hold as long as words, files they name, environment, weights and code of the
    model and its sequences are the same, the files that were written have not changed,
    and the model says of some sequences what it said.

    Parameters
    ----------
    folder: Path
        Of the task.

    words: sequence of str
        Of its command.

    options: mapping
        What the command's parser makes of them.

    files: tuple of Path
        What the command writes.
    """

    def __init__(
        self,
        folder: Path,
        words: Sequence[str],
        options: Mapping[str, Any],
        files: tuple[Path, ...],
    ) -> None:
        self._store = Store(folder / "results")
        self._words, self._options, self._files = list(words), options, files

    def holds(self) -> bool:
        """Whether nothing has to be done again; what is of another question goes."""
        asked = ask(self._options) if "model" in self._options else None
        now, probe = self._fingerprint(asked), _probe(asked)
        if not self._is_as_before(now, probe):
            for path in self._files:
                if path.is_dir():  # effects that would be gone on with
                    shutil.rmtree(path)
            self._written.unlink(missing_ok=True)
            self._store.save(_QUESTION, {}, now, probe)
            return False
        if not self._written.exists():
            return False
        return bool(json.loads(self._written.read_text()) == self._checksums())

    def note(self) -> None:
        """Keep which files are written now."""
        write_atomically(self._written, json.dumps(self._checksums()).encode())

    @property
    def _written(self) -> Path:
        return self._store.folder / "written.json"

    def _checksums(self) -> list[str | None]:
        return [_checksum(path) for path in self._files]

    def _is_as_before(self, now: dict[str, str], probe: Probe) -> bool:
        """Whether the same was asked, of a model that said the same."""
        if self._store.changes(_QUESTION, now) != []:
            return False
        before = self._store.load(_QUESTION).probe
        same = before.X.shape == probe.X.shape and bool((before.X == probe.X).all())
        return same and (not len(probe.X) or agree(before.y, probe.y))

    def _fingerprint(self, asked: Asked | None) -> dict[str, str]:
        of = {
            "words": json.dumps(self._words),
            "named": json.dumps(list(_named_files(self._words))),
            "environment": environment(),
        }
        if asked is None:
            return of
        inputs = asked.inputs
        held = {"X": inputs.X, "profile": inputs.profile, "scores": inputs.scores}
        tensors = {name: one for name, one in held.items() if one is not None}
        own = {"model": model_checksum(asked.model), "data": tensors_checksum(tensors)}
        return of | own


def headline(table: Path, reused: bool) -> Done:
    """The largest effect of a table, if it has any, and how many rows it has."""
    read = pd.read_parquet if table.suffix == ".parquet" else pd.read_table
    rows: pd.DataFrame = read(table)
    said: dict[str, Any] = {"conditions": len(rows)}
    if "effect" in rows and rows["effect"].notna().any():
        row = rows.iloc[int(rows["effect"].abs().fillna(-1).argmax())]
        words = ("motif", "kmer", "patterns", "condition", "output")
        said |= {name: str(row[name]) for name in words if name in rows}
        known = [name for name in _INTERVAL if name in rows]
        names = dict(zip(_INTERVAL, _IN_HEADLINE, strict=True))
        said |= {names[name]: float(row[name]) for name in known}
    return Done(said, reused)


def _probe(asked: Asked | None) -> Probe:
    """Some sequences as they are, and with motifs that the command names."""
    if asked is None:
        return Probe(torch.zeros(0, dtype=torch.int8), torch.zeros(0))
    inputs = asked.inputs
    if inputs.X is not None:
        X = inputs.X[:_SEQUENCES].to(torch.int8)
    else:
        assert inputs.profile is not None
        drawn = profile_background(inputs.profile, _SEQUENCES, asked.seed)
        X = drawn.to(torch.int8)
    parts = [X]
    for motif, start in list(_sites(list(asked.given.values())))[:_MOTIFS]:
        site = [(motif, start)]
        parts.append(place(X, site, inputs.alphabet, random_state=asked.seed))
    X = torch.cat(parts)
    return Probe(X, _predictions(asked, X))


def _sites(value: Any) -> Iterator[tuple[Motif, int | None]]:
    """Motifs in options, each with its start."""
    if isinstance(value, Motif):
        yield value, None
    elif isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Motif):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _sites(part)


def _predictions(asked: Asked, X: torch.Tensor) -> torch.Tensor:
    """All that the model says of sequences, a row each."""
    y = predict(asked.model, X, **{"batch_size": 64, **asked.prediction})
    outputs = y if isinstance(y, (list, tuple)) else [y]
    return torch.cat([each.double().flatten(1) for each in outputs], dim=1)


def _named_files(words: Sequence[str]) -> Iterator[str | None]:
    """Checksums of the files that words name, some with a name of what is in them."""
    for word in words:
        for path in (Path(word), Path(word.rpartition(":")[0])):
            if path.is_file():
                yield _checksum(path)
                break


def _checksum(path: Path) -> str | None:
    """Of a file, or of the files in a folder; none of what is not there."""
    if path.is_dir():
        parts = {p.name: _checksum(p) for p in sorted(path.iterdir())}
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
