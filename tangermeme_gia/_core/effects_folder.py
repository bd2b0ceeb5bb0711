"""A folder that raw effects are written into as conditions finish.

`result.safetensors` says what was asked and holds the outputs before, and
`y_afters.safetensors` those after, condition by condition: a whole file with room for
all from the start, so that a full disk is found before a model is asked, and no copy is
made at the end. A block of conditions counts from the moment when its line, with its
checksum, stands in `finished.jsonl`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .above import provided
from .conditions import runs_of_equal
from .finished import Finished, read_finished
from .outputs import Outputs, as_heads
from .readings import numbers_of
from .saving import read_value, value_file
from .storage import only_one, reserve, write_atomically
from .tensor_files import Layout, Place, file_layout, mapped_tensors

FORMAT = "tangermeme-gia effects"
_MANIFEST, _AFTERS = "result.safetensors", "y_afters.safetensors"
_FINISHED, _LOCK = "finished.jsonl", ".lock"
_AXES = "conditions, backgrounds, then those of an output"
_AGAIN = "The same call with this folder as `save_to` computes what is missing."
# Bytes of a file that are read at a time.
_READ = 1 << 22

Numbers = NDArray[np.int64]


class Begun(NamedTuple):
    """What a folder holds beside the outputs after.

    Parameters
    ----------
    asked: dict of str to str
        Checksums of what the effects follow from, by what it is.

    y_before: torch.Tensor or list of torch.Tensor
        Outputs of the backgrounds.

    conditions: pandas.DataFrame
        The table.

    built: numpy.ndarray of int
        For each condition, which of those that are predicted it is.

    beside: dict
        What a result has beside its fields: labels, clusters, regions, length.
    """

    asked: dict[str, str]
    y_before: Outputs
    conditions: pd.DataFrame
    built: Numbers
    beside: dict[str, Any]


class EffectsFolder:
    """Outputs of conditions in a folder, written and read.

    Parameters
    ----------
    path: str or path-like
        The folder.

    Raises
    ------
    TypeError, ValueError
        If it is no path, or a file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike):
            raise TypeError(
                f"`save_to` is of type {type(path).__name__}; it must be the path of a "
                "folder, or None."
            )
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"{self._named} is a file; give a folder.")

    @property
    def _named(self) -> str:
        return f"`save_to`={str(self.path)!r}"

    @property
    def is_begun(self) -> bool:
        """Whether it says what was asked."""
        return (self.path / _MANIFEST).exists()

    @contextmanager
    def held(self) -> Iterator[None]:
        """The folder for one process; gone again if nothing was begun.

        Raises
        ------
        ValueError
            If another process holds it.

        OSError
            If something cannot be written there, with `save_to` and the file.
        """
        otherwise = ValueError(
            f"{self._named} is being written by another run; give another folder, or "
            "wait."
        )
        was_there = self.path.exists()
        with self._named_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        try:
            with only_one(self.path / _LOCK, otherwise):
                self._check_content()
                try:
                    yield
                finally:
                    if not self.is_begun:
                        (self.path / _AFTERS).unlink(missing_ok=True)
        finally:
            if not was_there and {each.name for each in self.path.iterdir()} <= {_LOCK}:
                (self.path / _LOCK).unlink(missing_ok=True)
                self.path.rmdir()

    def check_asked(self, asked: Mapping[str, str]) -> Begun:
        """What the folder holds, if the same was asked for.

        Raises
        ------
        ValueError
            If something else was, with what differs.
        """
        begun = self.read()
        before = begun.asked
        keys = list(dict.fromkeys([*asked, *before]))
        other = [key for key in keys if before.get(key) != asked.get(key)]
        if other:
            advice = "Give another folder, or delete this one."
            if "conditions" in other:
                advice += " An integer `random_state` makes the same draws again."
            raise ValueError(
                f"{self._named} holds effects of another call: it had other "
                f"{' and '.join(other)}. {advice}"
            )
        return begun

    def begin(self, begun: Begun) -> None:
        """Make room for all conditions, and say what was asked.

        Raises
        ------
        OSError
            If there is not as much room, with `save_to` and the file.
        """
        header, _, size = _layout(begun)
        with self._named_errors(self.path / _AFTERS):
            reserve(self.path / _AFTERS, header, size - len(header))
        (self.path / _FINISHED).unlink(missing_ok=True)
        self.describe(begun)

    def describe(self, begun: Begun) -> None:
        """Write what is known beside the outputs after."""
        content = value_file(begun._asdict(), FORMAT, "`conditions`")
        with self._named_errors(self.path / _MANIFEST):
            write_atomically(self.path / _MANIFEST, content)

    def keep_regions(self, regions: pd.DataFrame | None) -> None:
        """Add where on a genome the backgrounds are from."""
        begun = self.read()
        beside = {**begun.beside, "regions": regions}
        self.describe(begun._replace(beside=beside))

    def read(self) -> Begun:
        """What is known beside the outputs after.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such file, or it is damaged.
        """
        held = read_value(self.path / _MANIFEST, FORMAT, "dict")
        try:
            return Begun(**held)
        except TypeError as error:
            raise ValueError(
                f"`path`={str(self.path / _MANIFEST)!r} is damaged: {error}"
            ) from error

    def write(self, begun: Begun, part: slice, heads: list[torch.Tensor]) -> None:
        """Write a block: some in a row of the conditions that are built.

        `heads` hold the outputs of each condition that is one of them, in order,
        shape=(n_conditions, n, ...).

        Raises
        ------
        OSError
            If that fails, with `save_to` and the file; earlier blocks stay.
        """
        numbers, digest = numbers_of(begun.built, part), hashlib.sha256()
        path = self.path / _AFTERS
        with self._named_errors(path), path.open("r+b") as file:
            for place, head in zip(_layout(begun).places, heads, strict=True):
                data = _bytes_of(head)
                digest.update(data)
                at = 0
                for offset, size in _spans(place, numbers):
                    file.seek(offset)
                    file.write(data[at : at + size])
                    at += size
            file.flush()
            os.fsync(file.fileno())
        line = Finished(part.start, part.stop, digest.hexdigest()).as_line()
        path = self.path / _FINISHED
        with self._named_errors(path), path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def mend(self, begun: Begun) -> NDArray[np.bool_]:
        """Which of the conditions that are predicted are there.

        Blocks whose bytes are not those of their checksum do not count any more.
        """
        header, _, size = _layout(begun)
        path = self.path / _AFTERS
        with self._named_errors(path):
            if not path.is_file():
                reserve(path, header, size - len(header))
            with path.open("r+b") as file:
                file.truncate(size)
                file.write(header)
        good = [
            block for block in self._finished(begun) if self._is_whole(begun, block)
        ]
        with self._named_errors(self.path / _FINISHED):
            lines = b"".join(block.as_line() for block in good)
            write_atomically(self.path / _FINISHED, lines)
        return _done(begun, good)

    def result(self) -> Any:
        """The result of a finished folder, which is read once, to compare checksums.

        Raises
        ------
        FileNotFoundError, ValueError
            If it holds none, not all of one, or a damaged one.
        """
        if not self.is_begun:
            raise FileNotFoundError(
                f"`path`={str(self.path)!r} is no folder of `save_to`: in it there is "
                f"no such file as {_MANIFEST}."
            )
        begun = self.read()
        self._check_file(begun)
        blocks = self._finished(begun)
        done = _done(begun, blocks)
        if not done.all():
            n_there = int(done[begun.built].sum())
            raise ValueError(
                f"`path`={str(self.path)!r} is not finished: {n_there} of "
                f"{len(begun.built)} conditions are there. {_AGAIN}"
            )
        for block in blocks:
            if not self._is_whole(begun, block):
                numbers = numbers_of(begun.built, block.part)
                raise ValueError(
                    f"`path`={str(self.path / _AFTERS)!r} is damaged: the outputs of "
                    f"{len(numbers)} conditions, the first number {numbers[0]}, are "
                    f"not those that were written. {_AGAIN}"
                )
        return self.mapped(begun)

    def mapped(self, begun: Begun) -> Any:
        """The result of a folder that is known to be whole."""
        tensors = mapped_tensors(self.path / _AFTERS, _layout(begun).places)
        afters = [tensor.transpose(0, 1) for tensor in tensors]
        is_one = isinstance(begun.y_before, torch.Tensor)
        y_afters = afters[0] if is_one else afters
        fields = begun.y_before, y_afters, begun.conditions
        return provided("result GIAResult")(*fields, **begun.beside)

    def _check_content(self) -> None:
        """Raise if something else than the files of a run lies here."""
        known = {_MANIFEST, _AFTERS, _FINISHED, _LOCK}
        names = {each.name for each in self.path.iterdir()}
        # Of a run that was killed while it wrote one.
        other = sorted(n for n in names - known if not n.endswith(".tmp"))
        if other and not self.is_begun:
            raise ValueError(
                f"{self._named} holds other files, such as {other[0]!r}; give a folder "
                "that is empty or not there yet."
            )

    def _check_file(self, begun: Begun) -> None:
        header, _, size = _layout(begun)
        path = self.path / _AFTERS
        source = f"`path`={str(path)!r}"
        if not path.is_file():
            raise FileNotFoundError(f"{source}: there is no such file. {_AGAIN}")
        with path.open("rb") as file:
            is_begun_so = file.read(len(header)) == header
        if path.stat().st_size != size or not is_begun_so:
            raise ValueError(f"{source} is damaged or cut off. {_AGAIN}")

    def _finished(self, begun: Begun) -> list[Finished]:
        return read_finished(self.path / _FINISHED, int(begun.built.max()) + 1)

    def _is_whole(self, begun: Begun, block: Finished) -> bool:
        numbers, digest = (
            numbers_of(begun.built, block.part),
            hashlib.sha256(),
        )
        with (self.path / _AFTERS).open("rb") as file:
            for place in _layout(begun).places:
                for offset, size in _spans(place, numbers):
                    file.seek(offset)
                    for start in range(0, size, _READ):
                        digest.update(file.read(min(_READ, size - start)))
        return digest.hexdigest() == block.sha256

    @contextmanager
    def _named_errors(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            said = error.strerror or str(error)
            raise OSError(
                error.errno, f"`save_to` cannot be written: {said}", str(path)
            ) from error


def _layout(begun: Begun) -> Layout:
    """The file of outputs after: conditions first, so that a block lies together."""
    heads = as_heads(begun.y_before)
    shapes = [(len(begun.built), *head.shape) for head in heads]
    kinds = [(h.dtype, shape) for h, shape in zip(heads, shapes, strict=True)]
    return file_layout("y_afters", kinds, {"format": FORMAT, "axes": _AXES})


def _spans(place: Place, numbers: Numbers) -> Iterator[tuple[int, int]]:
    """Offset and bytes of each run of conditions in a file."""
    for first, last in runs_of_equal(numbers - np.arange(len(numbers))):
        yield (
            place.offset + int(numbers[first]) * place.row_bytes,
            (last - first) * place.row_bytes,
        )


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    data: memoryview = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data
    return data


def _done(begun: Begun, blocks: list[Finished]) -> NDArray[np.bool_]:
    done = np.zeros(int(begun.built.max()) + 1, dtype=bool)
    for block in blocks:
        done[block.part] = True
    return done
