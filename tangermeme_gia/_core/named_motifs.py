"""Motifs by where they stand: `jaspar.meme:Gata1`, or a file with one motif."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from .motif import Motif, MotifLike
from .motif_files import read_motifs
from .spelling import values_of_letters

# One of several: a list, a mapping whose keys are the names, or all of a file.
MotifsLike: TypeAlias = (
    Sequence[MotifLike] | Mapping[str, MotifLike] | str | os.PathLike[str]
)
# Identifiers begin with a name that people use: GATA1_HUMAN.H11MO.0.A, GATA3(Zf)/...
_HEAD = re.compile(r"[^(/._]+")
_MOST_SHOWN = 3


def locate(word: str | os.PathLike[str]) -> tuple[Path, str] | None:
    """The file and the name of a motif in FILE:NAME, split at the last colon that ends
    an existing file; of FILE without a name "". None if there is no such file.

    Examples
    --------
    >>> locate("GATA") is None
    True
    """
    text = os.fspath(word)
    ends = [len(text), *(i for i in range(len(text) - 1, 0, -1) if text[i] == ":")]
    for end in ends:
        path = _as_file(text[:end])
        if path is not None:
            return path, text[end + 1 :]
    return None


def find_motif(word: str | os.PathLike[str], alphabet: tuple[str, ...]) -> Motif:
    """The one motif that FILE:NAME means, or FILE if there is one motif in it.

    Raises
    ------
    ValueError
        If there is no such file, or no such motif, or one of several is meant.
    """
    located = locate(word)
    if located is None:
        text = os.fspath(word)
        raise ValueError(
            f"`motif` {text!r} is not of the letters {', '.join(alphabet)}, and there "
            f"is no file {text.rpartition(':')[0] or text!r}."
        )
    path, name = located
    motifs = _read(path, alphabet)
    if name:
        return pick_motif(motifs, name, path)
    if len(motifs) > 1:
        raise ValueError(
            f"`motif` {os.fspath(word)!r} holds {len(motifs):,} motifs, and one is "
            f"needed: give its name behind a colon, as in {path}:{next(iter(motifs))}."
        )
    (motif,) = motifs.values()
    return motif


def named_motifs(
    motifs: MotifsLike,
    alphabet: tuple[str, ...],
    argument: str = "motifs",
    consensus: bool = False,
) -> tuple[list[str], list[Motif]]:
    """What several motifs are called, and the motifs: of a list, a mapping or a file.

    Parameters
    ----------
    motifs: sequence or mapping of motifs, or path
        A list, a mapping by names, a file whose motifs are all meant, or the one of
        FILE:NAME. In a list, the words behind a file of several are names in it.

    alphabet: tuple of str
        Letters in channel order.

    argument: str, optional
        What messages call them. Default is "motifs".

    consensus: bool, optional
        Whether PPMs become their most likely letters. Default is False.

    Raises
    ------
    ValueError, TypeError
        If there is none, or it is neither a file nor a list.
    """
    if isinstance(motifs, (str, os.PathLike)):
        found = _of_file(motifs, alphabet, argument)
    elif not isinstance(motifs, (Sequence, Mapping)):
        raise TypeError(
            f"`{argument}` is of type {type(motifs).__name__}; it must be a list or "
            "dict of motifs or the path of a motif file."
        )
    elif len(motifs) == 0:
        raise ValueError(f"`{argument}` is empty; at least one is needed.")
    elif isinstance(motifs, Mapping):
        found = [Motif.parse(motif, alphabet) for motif in motifs.values()]
    else:
        found = _of_list(motifs, alphabet)
    if consensus:
        found = [motif.consensus() for motif in found]
    if isinstance(motifs, Mapping):
        return list(motifs), found
    return [motif.label for motif in found], found


def pick_motif(motifs: Mapping[str, Motif], name: str, path: Path) -> Motif:
    """The motif of a file by its identifier, title or another name that only it has.

    Raises
    ------
    ValueError
        If there is none, with those that are close, or several have the name.
    """
    if name in motifs:
        return motifs[name]
    others = {key: _other_names(key, motif) for key, motif in motifs.items()}
    for fold in (str, str.casefold):
        keys = [k for k, own in others.items() if fold(name) in map(fold, (k, *own))]
        if len(keys) == 1:
            return motifs[keys[0]]
        if keys:
            raise ValueError(
                f"`motif` {name!r} is {_listed(keys)} in {path}; give one of these "
                "identifiers."
            )
    known = {n.casefold(): n for key, own in others.items() for n in (*own, key)}
    close = [n for n in known if name.casefold() in n]
    close += get_close_matches(name.casefold(), known, n=_MOST_SHOWN)
    near = list(dict.fromkeys(known[n] for n in close))
    hint = f"close are {_listed(near)}" if near else "none is close"
    raise ValueError(
        f"`motif` {name!r} is none of the {len(motifs):,} motif(s) in {path}; {hint}."
    )


def _of_list(motifs: Sequence[MotifLike], alphabet: tuple[str, ...]) -> list[Motif]:
    """Each by itself, or first a file of several: all of them, or those named then."""
    first, *names = motifs
    located = None
    if isinstance(first, (str, os.PathLike)) and not _are_letters(first, alphabet):
        located = locate(first)
    if located is not None and not located[1]:
        path = located[0]
        read = _read(path, alphabet)
        if not names:
            return list(read.values())
        if len(read) > 1:
            return [
                pick_motif(read, name, path)
                if isinstance(name, str) and locate(name) is None
                else Motif.parse(name, alphabet)
                for name in names
            ]
    return [Motif.parse(motif, alphabet) for motif in motifs]


def _are_letters(word: str | os.PathLike[str], alphabet: tuple[str, ...]) -> bool:
    try:
        return isinstance(word, str) and bool(values_of_letters(word, alphabet).size)
    except ValueError:
        return False


def _of_file(
    word: str | os.PathLike[str], alphabet: tuple[str, ...], argument: str
) -> list[Motif]:
    located = locate(word)
    if located is None:
        raise ValueError(
            f"`{argument}`={os.fspath(word)!r} is not a file; pass a list to give a "
            "single one."
        )
    path, name = located
    read = _read(path, alphabet)
    return [pick_motif(read, name, path)] if name else list(read.values())


def _as_file(text: str) -> Path | None:
    path = Path(text)
    try:
        path = path.expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # no name that a file can have
        return None


def _other_names(key: str, motif: Motif) -> list[str]:
    """What people call it beside its identifier: words of its title, its head."""
    names = [motif.name, *motif.name.split()]
    names += _HEAD.findall(key)[:1]
    tail = key.rpartition(".")[2]
    names += [] if tail.isdecimal() else [tail]
    return list(dict.fromkeys(names))


def _listed(names: Iterable[str]) -> str:
    first, *rest = (repr(name) for name in names)
    shown = ", ".join([first, *rest[: _MOST_SHOWN - 1]])
    more = len(rest) - _MOST_SHOWN + 1
    return f"{shown} and {more:,} more" if more > 0 else shown


def _read(path: Path, alphabet: tuple[str, ...]) -> dict[str, Motif]:
    """The motifs of a file, read once while it stays as it is."""
    stat = path.stat()
    state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return _read_once(path.absolute(), state, path, alphabet)


@lru_cache(maxsize=8)
def _read_once(
    _: Path, state: tuple[int, ...], path: Path, alphabet: tuple[str, ...]
) -> dict[str, Motif]:
    return read_motifs(path, alphabet=alphabet)
