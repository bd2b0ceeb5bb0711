"""Which blocks of conditions are finished: a line for each, with its checksum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple


class Finished(NamedTuple):
    """Conditions that are built, one after the other, and the SHA-256 of their bytes.

    Examples
    --------
    >>> Finished(0, 8, "c0ffee").as_line()
    b'{"first": 0, "last": 8, "sha256": "c0ffee"}\\n'
    """

    first: int
    last: int
    sha256: str

    @property
    def part(self) -> slice:
        """The conditions."""
        return slice(self.first, self.last)

    def as_line(self) -> bytes:
        """What stands in the file."""
        return json.dumps(self._asdict()).encode() + b"\n"


def read_finished(path: Path, n_built: int) -> list[Finished]:
    """The blocks of a file, as far as their lines are whole."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    blocks = [_read_line(line) for line in lines]
    return [
        block
        for block in blocks
        if block is not None and 0 <= block.first < block.last <= n_built
    ]


def _read_line(line: bytes) -> Finished | None:
    try:
        held = Finished(**json.loads(line))
        return Finished(int(held.first), int(held.last), str(held.sha256))
    except (ValueError, TypeError, OverflowError):  # cut off, or no such line
        return None
