"""The text formats of motif files: what stands in them, line by line.

Each reader is given the lines of a file and yields its motifs in order. A name, its
matrix and its width are read from one section of the file, so that none can take
another's; whatever is not as the format says is an error with the line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_MATRIX = "letter-probability matrix"
# What may stand behind a matrix in a file of MEME; a blank line may, too.
_MEME_END = re.compile(r"\s*$|---|\*\*\*|URL|log-odds matrix|Motif|MEME|ALPHABET|#")
_PROTEIN = "ACDEFGHIKLMNPQRSTVWY"


class Parsed(NamedTuple):
    """A motif as it stands in a file.

    `matrix` has the shape (len(letters), width), in the order of `letters`; `places`
    says where each of its columns is. Counts are numbers of any size.
    """

    key: str
    other: str
    letters: str
    matrix: NDArray[np.float64]
    places: list[str]
    is_counts: bool


class Section(NamedTuple):
    """Some lines of a file and what to call their motif in errors."""

    lines: list[tuple[int, str]]
    motif: str

    def error(self, what: str, line: int | None = None) -> ValueError:
        return ValueError(
            f"line {line or self.lines[0][0]}, motif {self.motif!r}: {what}"
        )

    def numbers(self, fields: list[str], n: int | None, line: int) -> list[float]:
        """Fields as numbers, `n` of them."""
        for field in fields:
            if not _NUMBER.fullmatch(field):
                raise self.error(f"{field!r} is not a number.", line)
        if not fields or n not in (None, len(fields)):
            raise self.error(f"{len(fields)} number(s), where {n or 1} stand.", line)
        return [float(field) for field in fields]


Lines = list[tuple[int, str]]


def find_format(lines: Lines) -> Callable[[Lines], Iterator[Parsed]] | None:
    """Which reader a file is for, by what it holds; its name does not matter."""
    if any(re.match(r"MEME version|MOTIF\s", line) for _, line in lines):
        return read_meme
    if any(re.match(r"P[0O]\s", line) for _, line in lines):
        return read_transfac
    first = next((line for _, line in lines if line.strip() and line[0] != "#"), "")
    if first.startswith(">"):
        titles = [line for _, line in lines if line.startswith(">")]
        return read_homer if any(map(_is_homer, titles)) else read_jaspar
    return None


def read_meme(lines: Lines) -> Iterator[Parsed]:
    """MEME, minimal or full, also of DREME and STREME."""
    letters = _meme_alphabet(lines)
    before, *sections = _sections(lines, r"MOTIF(\s|$)")
    for number, line in before:
        if line.lower().startswith(_MATRIX):
            raise ValueError(f"line {number}: a matrix before any MOTIF line.")
    for section in sections:
        number, title = section[0]
        # Full files go on with "width = ...".
        names = re.sub(r"\s+width\s*=.*", "", title).split()[1:]
        if not names:
            raise ValueError(f"line {number}: a MOTIF line without an identifier.")
        yield _meme_motif(Section(section, names[0]), " ".join(names[1:]), letters)


def _meme_alphabet(lines: Lines) -> str | None:
    found = None
    for number, line in lines:
        if not line.startswith("ALPHABET"):
            continue
        match = re.fullmatch(r"ALPHABET\s*=\s*([A-Za-z]+)\s*", line)
        letters = match[1].upper() if match else ""
        if not match or len(set(letters)) < len(letters):
            raise ValueError(
                f"line {number}: {line.strip()!r} is not ALPHABET= and letters, each "
                "once; definitions of alphabets are not read."
            )
        if found not in (None, letters):
            raise ValueError(f"line {number}: the alphabet was {found} before.")
        found = letters
    return found


def _meme_motif(section: Section, other: str, letters: str | None) -> Parsed:
    heads = [
        i
        for i, (_, line) in enumerate(section.lines)
        if line.lower().startswith(_MATRIX)
    ]
    if len(heads) != 1:
        found = f"{len(heads)} matrices" if heads else "no letter-probability matrix"
        raise section.error(f"it has {found}, where one stands.")
    number, head = section.lines[heads[0]]
    stated = dict(re.findall(r"(alength|w)\s*=\s*(\S+)", head))
    rest = section.lines[heads[0] + 1 :]
    rows = list(
        itertools.takewhile(
            lambda row: not _MEME_END.match(row[1]),
            itertools.dropwhile(lambda row: not row[1].strip(), rest),
        )
    )
    if not rows:
        raise section.error("its matrix has no rows.", number)
    if letters is None:
        letters = _PROTEIN if len(rows[0][1].split()) == 20 else "ACGT"
    values = [section.numbers(row.split(), len(letters), n) for n, row in rows]
    behind = [(n, row) for n, row in rest if n > rows[-1][0] and row.strip()]
    if behind and all(map(_NUMBER.fullmatch, behind[0][1].split())):
        raise section.error("numbers behind the end of its matrix.", behind[0][0])
    for name, n in (("w", len(values)), ("alength", len(letters))):
        if stated.get(name, str(n)) != str(n):
            what = "rows" if name == "w" else "letters"
            raise section.error(
                f"{name}= {stated[name]}, but its matrix has {n} {what}.", number
            )
    places = [f"line {n}" for n, _ in rows]
    return Parsed(section.motif, other, letters, np.array(values).T, places, False)


def _is_homer(title: str) -> bool:
    """HOMER's third field, the threshold, is what JASPAR has not."""
    fields = title.rstrip().split("\t")
    return len(fields) > 2 and _NUMBER.fullmatch(fields[2].strip()) is not None


def read_homer(lines: Lines) -> Iterator[Parsed]:
    """HOMER: a title of consensus, name and threshold, then a row for each position."""
    for number, title, rows in _titled(lines):
        consensus, *fields = title[1:].rstrip().split("\t")
        key = (fields[0].strip() if fields else "") or consensus.strip()
        section = Section([(number, title), *rows], key)
        if not _is_homer(title):
            raise section.error(
                "a title of HOMER is consensus, name and threshold, between tabs."
            )
        if not rows:
            raise section.error("it has no matrix.")
        values = [section.numbers(row.split(), 4, n) for n, row in rows]
        places = [f"line {n}" for n, _ in rows]
        yield Parsed(key, "", "ACGT", np.array(values).T, places, False)


def read_jaspar(lines: Lines) -> Iterator[Parsed]:
    """JASPAR: a title, then counts in a row for each letter, which may be named."""
    for number, title, rows in _titled(lines):
        key, _, other = title[1:].strip().partition(" ")
        key, _, tabbed = key.partition("\t")
        section = Section([(number, title), *rows], key)
        if not key:
            raise section.error("a title without an identifier.")
        if len(rows) != 4:
            raise section.error(
                f"it has {len(rows)} rows; JASPAR has one for each of A, C, G and T "
                "(and a title of HOMER has a threshold as third field)."
            )
        named: dict[str, list[float]] = {}
        for (n, row), letter in zip(rows, "ACGT", strict=True):
            match = re.fullmatch(r"\s*([ACGTUacgtu]?)\s*(\[?)([^\[\]]*)(\]?)\s*", row)
            if match is None or (match[2] == "") != (match[4] == ""):
                raise section.error(f"{row.strip()!r} is no row of counts.", n)
            letter = match[1].upper() or letter
            if letter in named:
                raise section.error(f"a second row of {letter}.", n)
            width = len(next(iter(named.values()), [])) or None
            named[letter] = section.numbers(match[3].split(), width, n)
        letters = "ACGU" if "U" in named else "ACGT"
        if _is_turned(named, rows):
            raise section.error(
                "each of its rows sums to 1, as of a probability for each letter at "
                "one position; the rows of JASPAR are those of A, C, G and T."
            )
        if set(named) != set(letters):
            raise section.error(f"rows of {', '.join(named)} are not {letters}.")
        matrix = np.array([named[letter] for letter in letters])
        places = [f"lines {rows[0][0]} to {rows[-1][0]}"] * matrix.shape[1]
        other = f"{tabbed} {other}".strip()
        yield Parsed(key, " ".join(other.split()), letters, matrix, places, True)


def _is_turned(named: dict[str, list[float]], rows: Lines) -> bool:
    """Whether four rows without letters are four positions, as in ATtRACT's files."""
    matrix = np.array([*named.values()])
    if matrix.shape[1] != 4 or any(re.match(r"\s*[A-Za-z]", row) for _, row in rows):
        return False
    rows_sum, columns_sum = (np.abs(matrix.sum(axis) - 1) < 0.03 for axis in (1, 0))
    return bool(rows_sum.all() and not columns_sum.all())


def read_transfac(lines: Lines) -> Iterator[Parsed]:
    """TRANSFAC: records that end in //, with the counts of a position in a line."""
    record: Lines = []
    for number, line in lines:
        if not line.startswith("//"):
            record.append((number, line))
            continue
        parsed = _transfac_motif(record)
        if parsed:
            yield parsed
        record = []
    if any(line.strip() for _, line in record):
        raise ValueError(
            f"line {record[0][0]}: a record that does not end in //; is the file cut "
            "off?"
        )


def _transfac_motif(record: Lines) -> Parsed | None:
    fields: dict[str, str] = {}
    for _, line in record:
        fields.setdefault(line[:2], line[2:].strip())
    names = [fields[code] for code in ("AC", "ID", "NA") if fields.get(code)]
    heads = [i for i, (_, line) in enumerate(record) if re.match(r"P[0O]\s", line)]
    if not names and not heads:  # the head of a file
        return None
    key = names[0].split()[0] if names else ""
    section = Section(record, key)
    if not names or len(heads) != 1:
        raise section.error(
            f"a record has AC (or ID) and one matrix; found {names} and {len(heads)}."
        )
    number, head = record[heads[0]]
    letters = "".join(head.split()[1:]).upper()
    if sorted(letters) not in (sorted("ACGT"), sorted("ACGU")):
        raise section.error(f"{head.strip()!r} names no A, C, G and T.", number)
    rest = record[heads[0] + 1 :]
    rows = list(itertools.takewhile(lambda row: re.match(r"\d", row[1]), rest))
    values = []
    for i, (n, row) in enumerate(rows):
        position, *counts = row.split()
        if not re.fullmatch(r"[0-9]{1,9}", position):
            raise section.error(f"{position!r} is no position.", n)
        if int(position) - i != int(rows[0][1].split()[0]):
            raise section.error(f"position {position} does not follow on.", n)
        if counts and counts[-1].isalpha():
            counts.pop()  # the consensus
        values.append(section.numbers(counts, 4, n))
    if not values:
        raise section.error("its matrix has no rows.", number)
    for n, line in rest[len(rows) :]:
        if re.match(r"\d", line):
            raise section.error("numbers behind the end of its matrix.", n)
    places = [f"line {n}" for n, _ in rows]
    other = " ".join(names[-1].split()) if len(names) > 1 else ""
    return Parsed(key, other, letters, np.array(values).T, places, True)


def _sections(lines: Lines, title: str) -> list[Lines]:
    """What precedes the first title, then each title with the lines below it."""
    found: list[Lines] = [[]]
    for number, line in lines:
        if re.match(title, line):
            found.append([])
        found[-1].append((number, line))
    return found


def _titled(lines: Lines) -> Iterator[tuple[int, str, Lines]]:
    """Line, title and rows of the motifs of a file whose titles begin with '>'."""
    _, *sections = _sections(lines, ">")
    for (number, title), *rows in sections:
        kept = [(n, row) for n, row in rows if row.strip() and row[0] != "#"]
        yield number, title, kept
