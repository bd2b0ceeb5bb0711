"""Tables, plain or gzipped, read so that every error names the file and line.

pandas parses the numbers; what it would let pass in silence (short and long rows,
duplicate columns, booleans, blank lines) is checked here.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray

from .read_once import read_once
from .text import PathLike, read_bytes

# The texts of a score that was not measured.
NOT_MEASURED = ("", "NA", "na", "NaN", "nan", "NAN")

_WHITESPACE = r"\s+"
# Infinity is a number here: it has an error of its own.
_NUMBER = re.compile(
    r"\s*[+-]?(inf(inity)?|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)\s*", re.IGNORECASE | re.ASCII
)
_BLOCK = 1 << 24


@dataclass(frozen=True)
class TextTable:
    """A table whose rows all have as many fields as there are columns."""

    path: str
    columns: tuple[str, ...]
    separator: str
    data: bytes
    n_header: int
    n_rows: int

    def place(self, row: int) -> str:
        """Where a row (0-based) is, for errors: file and line."""
        return f"{self.path}, line {row + self.n_header + 1}"

    def require(self, *columns: str, argument: str | None = None) -> None:
        """Raise a ValueError that names what is there if a column is missing.

        It also names the argument that asks for the columns, if there is one.
        """
        missing = [name for name in columns if name not in self.columns]
        if missing:
            there = ", ".join(map(repr, self.columns[:10]))
            more = f" and {len(self.columns) - 10} more" if self.columns[10:] else ""
            raise ValueError(
                f"{f'`{argument}`: ' if argument else ''}{self.path} has no column "
                f"{missing[0]!r}; its columns are {there}{more}."
            )

    def read(
        self, texts: Sequence[str], scores: Sequence[str], dtype: DTypeLike = np.float32
    ) -> tuple[list[list[str]], NDArray[Any]]:
        """Some columns of text and some of numbers, in one pass.

        Parameters
        ----------
        texts, scores: sequence of str
            The columns.

        dtype: data type, optional
            That of the numbers. Default is numpy.float32.

        Returns
        -------
        texts: list of list of str
            Each column of text, without white space around the values.

        y: numpy.ndarray, shape=(n, len(scores))
            The numbers; what was not measured is NaN.

        Raises
        ------
        ValueError
            If a column is missing, a score is no number or is infinite, or a quote
            is not closed.
        """
        self.require(*texts, *scores)
        frame = self._parse(texts, scores)
        y = np.empty((len(frame), len(scores)), dtype=dtype)
        with np.errstate(over="ignore"):  # what overflows is found below
            for i, column in enumerate(scores):
                values = frame[column]
                if values.dtype.kind not in "iuf":
                    values = self._numbers(column)
                y[:, i] = values.to_numpy(dtype=np.float64)
        if np.isinf(y).any():
            row, i = np.argwhere(np.isinf(y))[0]
            raise ValueError(
                f"{self.place(row)}: the score in column {scores[i]!r} is infinite or "
                f"too large for {8 * y.itemsize} bits; scores are finite, or NA if not "
                "measured."
            )
        return [[t.strip() for t in frame[column].tolist()] for column in texts], y

    def _numbers(self, column: str) -> pd.Series[float]:
        """A column that pandas does not take for numbers: say why."""
        texts = self._parse([column], [])[column]
        for row, text in enumerate(texts.tolist()):
            if text not in NOT_MEASURED and not _NUMBER.fullmatch(text):
                raise ValueError(
                    f"{self.place(row)}: {text!r} in column {column!r} is not a "
                    "number; a score that was not measured is NA, NaN or empty."
                )
        return texts.mask(texts.isin(NOT_MEASURED), "nan").astype(float)

    def _parse(self, texts: Sequence[str], scores: Sequence[str]) -> pd.DataFrame:
        with warnings.catch_warnings():
            # A column of mixed types is reported with its line instead.
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            try:
                frame = pd.read_csv(
                    io.BytesIO(self.data),
                    sep=self.separator,
                    header=None,
                    names=list(self.columns),
                    index_col=False,
                    usecols=[*texts, *scores],
                    skiprows=self.n_header,
                    dtype=dict.fromkeys(texts, str),
                    na_values={name: list(NOT_MEASURED) for name in scores},
                    keep_default_na=False,
                    skip_blank_lines=False,
                )
            except pd.errors.ParserError as error:
                self._check_quotes()
                raise ValueError(f"{self.path}: {error}") from None
        if len(frame) != self.n_rows:
            self._check_quotes()
            raise ValueError(
                f"{self.path}: {self.n_rows} lines were read as {len(frame)} rows."
            )
        return frame

    def _check_quotes(self) -> None:
        for i, line in enumerate(self.data.split(b"\n")):
            if line.count(b'"') % 2:
                raise ValueError(
                    f"{self.path}, line {i + 1}: a quote is not closed in its line."
                )


@read_once
def open_table(
    path: PathLike, *, sep: str | None = None, columns: Sequence[str] | None = None
) -> TextTable:
    """Read and check a table.

    Parameters
    ----------
    path: str or Path
        The file, plain or gzipped.

    sep: str or None, optional
        What separates fields: one character, or white space of any width, r"\\s+".
        None is a tab if the first line has one, else a comma if it has one, else
        white space. Default is None.

    columns: sequence of str or None, optional
        Names of the columns of a file without a header. None takes them from the
        first line. Default is None.

    Returns
    -------
    table: TextTable

    Raises
    ------
    ValueError
        If the file is empty or damaged, has a column twice, or a line has more or
        fewer fields than there are columns.
    """
    if sep is not None and sep != _WHITESPACE and len(sep) != 1:
        raise ValueError(f"`sep`={sep!r} must be one character or {_WHITESPACE!r}.")
    data = read_bytes(path)
    n_header = 0 if columns is not None else 1
    header = data.partition(b"\n")[0].decode(errors="replace")
    if sep is None:
        # A header of one word is one column, whose empty lines are empty fields.
        others = "\t" if len(header.split()) == 1 else _WHITESPACE
        sep = next((c for c in "\t," if c in header), others)
    if columns is None:
        columns = [name.strip() for name in _fields(header, sep)]
        repeated = [name for name, n in Counter(columns).items() if n > 1]
        if repeated:
            raise ValueError(f"{path}, line 1: column {repeated[0]!r} is there twice.")
    n_rows = data.count(b"\n") + 1 - n_header
    if n_rows == 0:
        raise ValueError(f"{path} has a header but no rows.")
    table = TextTable(str(path), tuple(columns), sep, data, n_header, n_rows)
    _check_lines(table)
    return table


def column_names(names: str | Sequence[str], argument: str) -> tuple[str, ...]:
    """One or more names as a tuple; an error calls them by the name of the argument."""
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"`{argument}`={names} must name one or more columns, each once."
        )
    return names


def _fields(line: str, sep: str) -> list[str]:
    if sep == _WHITESPACE:
        return re.findall(r"[^ \t]+", line)  # as pandas does
    return next(csv.reader([line], delimiter=sep), [])


def _check_lines(table: TextTable) -> None:
    expected = len(table.columns)
    starts, counts = _count_fields(table.data, table.separator)
    stops = np.append(starts[1:], len(table.data) + 1) - 1
    for i in np.flatnonzero(counts != expected).tolist():
        line = table.data[starts[i] : stops[i]].decode()
        n = len(_fields(line, table.separator))  # quotes may hold separators
        if not line.strip():
            raise ValueError(f"{table.path}, line {i + 1} is blank.")
        if n != expected:
            hint = ""
            if expected == 1:
                hint = (
                    f" Line 1 names one column, {table.columns[0]!r}, as fields are "
                    f"between {table.separator!r}."
                )
            elif table.separator == "," and n > expected:
                hint = " A decimal comma separates fields, too."
            raise ValueError(
                f"{table.path}, line {i + 1} has {n} field(s) where {expected} are "
                f"expected.{hint}"
            )


def _count_fields(data: bytes, sep: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offset of every line and its number of fields, ignoring quotes."""
    starts, counts = [], []
    offset = 0
    while offset < len(data):
        end = data.find(b"\n", offset + _BLOCK) + 1 or len(data)
        block = np.frombuffer(data, dtype=np.uint8, count=end - offset, offset=offset)
        lines = np.flatnonzero(block[:-1] == ord("\n")) + 1
        lines = np.concatenate([[0], lines])
        if sep == _WHITESPACE:
            space = (block == ord(" ")) | (block == ord("\t")) | (block == ord("\n"))
            marks = ~space
            marks[1:] &= space[:-1]
            first = 0
        else:
            marks = block == ord(sep)
            first = 1
        starts.append(lines + offset)
        counts.append(np.add.reduceat(marks, lines, dtype=np.int64) + first)
        offset = end
    return np.concatenate(starts), np.concatenate(counts)
