"""Reader of FASTA files: probes and genomes, plain or gzipped."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import NamedTuple

from .read_once import read_once
from .text import PathLike, decode, text_blocks

# Letters, and what stands for gaps and ends.
_LETTERS = f"{string.ascii_letters}*-.".encode()
_SPACE = string.whitespace.encode()


class FastaRecord(NamedTuple):
    """A sequence as it stands in a file: its name, and its letters of any case."""

    name: str
    letters: bytes


@read_once
def read_fasta_sequences(path: PathLike) -> tuple[list[str], list[str]]:
    """Read the names and sequences of a FASTA file, plain or gzipped.

    Returns
    -------
    names: list of str
        The first word of each title; they may repeat.

    sequences: list of str
        The letters as they stand, of any case.

    Raises
    ------
    ValueError
        If the file is empty, damaged or not FASTA, with the line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "probes.fa")
    ...     _ = path.write_text(">p1 first\\nAGAGG\\nACU\\n\\n>p2\\nagauc\\n")
    ...     read_fasta_sequences(path)
    (['p1', 'p2'], ['AGAGGACU', 'agauc'])
    """
    records = list(fasta_records(path))
    return [r.name for r in records], [r.letters.decode() for r in records]


def fasta_records(path: PathLike) -> Iterator[FastaRecord]:
    """The sequences of a FASTA file one by one, so that a genome is never held.

    Lines may be of any length, and blank; no index is read, nor written beside the
    file. Names may repeat: who uses them must check. Raises as `read_fasta_sequences`.
    """
    texts = _split(path)
    before = next(texts)
    if before.strip():
        line = before[: -len(before.lstrip())].count(b"\n")
        raise ValueError(f"{path}, line {line}: a FASTA file starts with '>'.")
    line, is_empty = 1 + before.count(b"\n"), True
    for text in texts:
        yield _record(text, path, line)
        line, is_empty = line + 1 + text.count(b"\n"), False
        del text  # a chromosome is not held while the next is read
    if is_empty:
        raise ValueError(f"{path} is empty.")


def _split(path: PathLike) -> Iterator[bytes]:
    """What precedes the first title, then each title with its lines."""
    pieces: list[bytes] = []
    lead = b"\n"  # as before every other title
    for block in text_blocks(path):
        goes_on, *others = (lead + block).split(b"\n>")
        lead = b""
        pieces.append(goes_on)
        for other in others:
            text = b"".join(pieces)
            pieces = [other]  # a chromosome is not held twice
            yield text
            del text
    yield b"".join(pieces)


def _record(text: bytes, path: PathLike, line: int) -> FastaRecord:
    end = text.find(b"\n") if b"\n" in text else len(text)
    letters = text[end:].translate(None, _SPACE)
    others = letters.translate(None, _LETTERS)
    if others:
        place = line + text.count(b"\n", 0, text.index(others[:1], end))
        sign = chr(others[0]) if others[0] < 128 else "a byte that is no letter"
        raise ValueError(f"{path}, line {place}: {sign!r} in a sequence.")
    name = decode(text[:end], path, line)
    if not letters:
        raise ValueError(f"{path}, line {line}: {name!r} has no sequence.")
    return FastaRecord((name.split() or [""])[0], letters)
