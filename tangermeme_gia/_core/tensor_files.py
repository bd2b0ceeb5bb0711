"""Files of tensors with texts beside them (safetensors): the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as tensors_to_bytes


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
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + written[end:]


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
