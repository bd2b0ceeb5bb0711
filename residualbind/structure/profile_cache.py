"""Structure profiles on disk, found again by sequence and settings."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as bytes_to_arrays
from safetensors.numpy import save as arrays_to_bytes

from tangermeme_gia._core.storage import write_atomically

from .folding import Profile

_SUFFIX = ".safetensors"
_SETTINGS = "settings.json"


class ProfileCache:
    """Profiles of sequences, as files of some thousand sequences each.

    A file is named by the SHA-256 of its content, so that a damaged one is noticed,
    and written in one step, so that an interrupted run leaves whole files; several
    processes may write at the same time.

    Parameters
    ----------
    folder: Path
        Where the profiles of all settings are; made if it does not exist.

    settings: mapping
        All that decides on a profile besides the sequence, in JSON types. Each has a
        folder of its own.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        text = json.dumps(dict(settings), sort_keys=True)
        name = f"{settings['kind']}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / _SETTINGS).exists():
            write_atomically(self.folder / _SETTINGS, text.encode() + b"\n")

    def read(self, sequences: Iterable[str]) -> dict[str, Profile]:
        """The profiles of those of the sequences that are here.

        Warns
        -----
        UserWarning
            If files are damaged. They are removed, and what they held is missing.
        """
        wanted, found = set(sequences), dict[str, Profile]()
        damaged = []
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            if len(found) == len(wanted):
                break
            try:
                held = _unpack(path)
            except ValueError:
                damaged.append(path)
                continue
            found |= {s: profile for s, profile in held.items() if s in wanted}
        if damaged:
            for path in damaged:
                path.unlink(missing_ok=True)
            warnings.warn(
                f"`cache_folder`: {len(damaged)} file(s) were damaged and were "
                f"removed, such as {damaged[0]}; their sequences are folded again.",
                UserWarning,
                stacklevel=3,
            )
        return found

    def write(self, profiles: Mapping[str, Profile]) -> None:
        """Add a file with these profiles."""
        if profiles:
            content = _pack(profiles)
            name = hashlib.sha256(content).hexdigest() + _SUFFIX
            write_atomically(self.folder / name, content)


def _pack(profiles: Mapping[str, Profile]) -> bytes:
    letters = np.frombuffer("".join(profiles).encode(), dtype=np.uint8)
    sizes = np.array([len(sequence) for sequence in profiles], dtype=np.int64)
    values = np.concatenate(list(profiles.values()), axis=1)
    arrays: dict[str, NDArray[Any]]
    arrays = {"letters": letters, "sizes": sizes, "values": values}
    return bytes(arrays_to_bytes(arrays))


def _unpack(path: Path) -> dict[str, Profile]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # removed by another process, which found it damaged
        return {}
    if hashlib.sha256(content).hexdigest() != path.stem:
        raise ValueError("the content is not what the name says")
    arrays = bytes_to_arrays(content)
    text = arrays["letters"].tobytes().decode("ascii")
    ends = np.cumsum(arrays["sizes"])
    parts = np.split(arrays["values"], ends[:-1], axis=1)
    starts = ends - arrays["sizes"]
    return {
        text[start:end]: part
        for start, end, part in zip(starts.tolist(), ends.tolist(), parts, strict=True)
    }
