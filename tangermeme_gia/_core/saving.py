"""Results as files: one of tensors, with all that is no tensor as JSON beside them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .above import provided
from .as_json import Tensors, from_json, to_json
from .identity import tensors_checksum
from .storage import write_atomically
from .tensor_files import read_tensor_file, tensor_file

FORMAT = "tangermeme-gia result"
FORMAT_VERSION = 1
# The header of a file is limited; the text of a long one lies beside the tensors.
_LONGEST_TEXT = 1 << 23
_TEXT = "result"


def result_file(result: Any) -> bytes:
    """The content of the file that keeps a result.

    Raises
    ------
    TypeError
        If it holds something that would not come back.
    """
    return value_file(result, FORMAT, "`result`")


def value_file(value: Any, kind: str, where: str) -> bytes:
    """The content of a file of some kind, of all that `to_json` takes."""
    tensors: Tensors = {}
    text = json.dumps(to_json(value, tensors, where), separators=(",", ":"))
    metadata = {
        "format": kind,
        "format_version": str(FORMAT_VERSION),
        "package_version": provided("version"),
    }
    if len(text) <= _LONGEST_TEXT:
        metadata[_TEXT] = text
    else:
        tensors[_TEXT] = torch.from_numpy(np.frombuffer(text.encode(), np.uint8).copy())
    metadata["checksum"] = tensors_checksum(tensors, metadata)
    return tensor_file(tensors, metadata)


def save(result: Any, path: str | os.PathLike[str]) -> None:
    """Write a result to a file, whole or not at all."""
    write_atomically(Path(path), result_file(result))


def load(path: str | os.PathLike[str]) -> Any:
    """What did an experiment measure, so that nothing has to be predicted again?

    Parameters
    ----------
    path: str or path-like
        A file that `result.save`, or a command's ``--save``, has written; or a folder
        of an experiment's `save_to`, or a command's ``--save-to``.

    Returns
    -------
    result: GIAResult, KmerScan, MotifScan, Grammar or another
        As it was saved, with tensors on the CPU. Of a folder `y_afters` stays in its
        file, of which memory holds what is read (it is read once, to compare
        checksums); what is written into the tensor stays in memory.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    ValueError
        If it is no file or folder of a result, one of a newer version, damaged, cut
        off or not finished; it says which file, and how many conditions are there.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from tangermeme_gia import GIAResult
    >>> y = torch.zeros(3, 1)
    >>> result = GIAResult(y, y[:, None] + 1, pd.DataFrame({"starts": [(3, 10)]}))
    >>> with TemporaryDirectory() as folder:
    ...     result.save(f"{folder}/sites.gia")
    ...     load(f"{folder}/sites.gia").conditions["starts"].tolist()
    [(3, 10)]
    """
    if Path(path).is_dir():
        return provided("effects folder")(path).result()
    return read_value(Path(path), FORMAT, "result")


def read_value(path: Path, kind: str, only: str) -> Any:
    """What a file of some kind keeps, which is `only` of one kind of `to_json`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load`.
    """
    source = f"`path`={str(path)!r}"
    header, tensors = read_tensor_file(path)
    _check_format(source, header, kind)
    checksum = header.pop("checksum", None)
    if checksum != tensors_checksum(tensors, header):
        raise ValueError(
            f"{source} is damaged: its numbers or what it says of them are not those "
            "that were saved. Save or copy it again."
        )
    try:
        text = header.get(_TEXT)
        if text is None:
            text = tensors[_TEXT].numpy().tobytes().decode()
        return from_json({only: json.loads(text)[only]}, tensors)
    # Its content is what was written, but not by `save`.
    except Exception as error:
        raise ValueError(
            f"{source} holds no result that this version of tangermeme-gia can read "
            f"(it was written by {header.get('package_version', 'none')}): "
            f"{type(error).__name__} {error}"
        ) from error


def _check_format(source: str, header: dict[str, str], kind: str) -> None:
    if header.get("format") != kind:
        raise ValueError(
            f"{source} is a safetensors file, but holds no result; one is written by "
            "`result.save`."
        )
    version = header.get("format_version", "")
    if not version.isdecimal():
        raise ValueError(f"{source} has format version {version!r}, not a number.")
    if int(version) > FORMAT_VERSION:
        raise ValueError(
            f"{source} has format version {version}, but this version of "
            f"tangermeme-gia reads up to {FORMAT_VERSION}; install a newer one."
        )
