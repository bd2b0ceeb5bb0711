"""Files of tensors with texts beside them (safetensors): the same bytes each time."""

from __future__ import annotations

import json
import math
import mmap
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as tensors_to_bytes

# Python names it from 3.13 on.
_NO_RESERVE = 0x4000


def tensor_file(
    tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]
) -> bytes:
    """The content of a file; tensors are whole, and none shares its memory.

    Examples
    --------
    >>> tensor_file({"y": torch.zeros(2)}, {"unit": "nM"}) == tensor_file(
    ...     {"y": torch.zeros(2)}, {"unit": "nM"}
    ... )
    True
    """
    written = tensors_to_bytes(dict(tensors), dict(metadata))
    # safetensors writes the metadata in random order, which would give every file
    # of the same content another checksum: 8 bytes of length, a JSON header, the data.
    end = 8 + int.from_bytes(written[:8], "little")
    header = json.loads(written[8:end]) | {"__metadata__": dict(metadata)}
    return _header(header) + written[end:]


def _header(header: Mapping[str, Any]) -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


class Place(NamedTuple):
    """Where in a file the numbers of a tensor are."""

    offset: int
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def row_bytes(self) -> int:
        """Bytes of an index of the first axis."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize


class Layout(NamedTuple):
    """The beginning of a file of tensors, where they are in it, and its bytes."""

    header: bytes
    places: list[Place]
    size: int


def file_layout(
    stem: str,
    kinds: Sequence[tuple[torch.dtype, tuple[int, ...]]],
    metadata: Mapping[str, str],
) -> Layout:
    """A file for tensors whose numbers are written later.

    One is called `stem`, several `stem.0`, `stem.1`, ...

    Examples
    --------
    >>> layout = file_layout("y", [(torch.float32, (3, 5))], {})
    >>> layout.size - len(layout.header), layout.places[0].row_bytes
    (60, 20)
    """
    names = [stem] if len(kinds) == 1 else [f"{stem}.{i}" for i in range(len(kinds))]
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    places, end = [Place(0, shape, dtype) for dtype, shape in kinds], 0
    # Those of the longest numbers first, so that all lie where processors read them.
    for i in sorted(range(len(kinds)), key=lambda i: -kinds[i][0].itemsize):
        place, first = places[i], end
        places[i] = place._replace(offset=first)
        end += place.row_bytes * place.shape[0]
        offsets = {"shape": [*place.shape], "data_offsets": [first, end]}
        entries[names[i]] = {"dtype": _dtype_name(place.dtype), **offsets}
    header = _header(entries)
    moved = [place._replace(offset=len(header) + place.offset) for place in places]
    return Layout(header, moved, len(header) + end)


def mapped_tensors(path: Path, places: Sequence[Place]) -> list[torch.Tensor]:
    """Tensors that stay in their file; what is written into them stays in memory."""
    with path.open("rb") as file:
        if sys.platform == "linux":
            # The whole may be larger than memory, of which it needs none.
            flags = mmap.MAP_PRIVATE | _NO_RESERVE
            prot = mmap.PROT_READ | mmap.PROT_WRITE
            mapped = mmap.mmap(file.fileno(), 0, flags=flags, prot=prot)
        else:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return [
        torch.frombuffer(
            mapped,
            dtype=place.dtype,
            count=math.prod(place.shape),
            offset=place.offset,
        ).reshape(place.shape)
        for place in places
    ]


def _dtype_name(dtype: torch.dtype) -> str:
    """What safetensors calls it."""
    written = tensors_to_bytes({"": torch.empty(0, dtype=dtype)})
    name: str = json.loads(written[8 : 8 + int.from_bytes(written[:8], "little")])[""][
        "dtype"
    ]
    return name


def read_tensor_file(
    path: Path, *, with_tensors: bool = True
) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """The texts of a file, and its tensors on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    ValueError
        If it is of another kind, damaged or cut off.
    """
    if not path.is_file():
        raise FileNotFoundError(f"`path`={str(path)!r}: there is no such file.")
    with path.open("rb"):  # an error that is not of its content
        pass
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = file.metadata() or {}
            # Copies, because the tensors handed out may be views of the mapped file.
            names = file.keys() if with_tensors else ()
            return header, {name: file.get_tensor(name).clone() for name in names}
    except SafetensorError as error:
        raise ValueError(
            f"`path`={str(path)!r} is not a safetensors file, or it is damaged: {error}"
        ) from error
