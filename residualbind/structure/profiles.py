"""Structure profiles: how likely each base of an RNA is paired, or in which loop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.progress import progress
from tangermeme_gia.structure.processes import count_jobs, require_vienna

from ..data.encoding import check_bases, decode_sequences, encode_sequences
from .folding import ENERGIES, ROWS, SHORTEST, FoldSettings, Profile, fold
from .profile_cache import ProfileCache

# To be raised when the same settings give other values, so that caches are not mixed.
RECIPE_VERSION = 1
# Sequences in a file of the cache: some seconds of work.
_CACHE_CHUNK = 4096


def structure_profiles(
    sequences: Sequence[str] | torch.Tensor,
    kind: str = "PHIME",
    *,
    length: int | None = 41,
    energies: str = "turner1999",
    temperature: float = 37.0,
    n_jobs: int | None = None,
    cache_folder: str | Path | None = None,
    verbose: bool = False,
) -> torch.Tensor:
    """How likely is each base of an RNA paired, and if not, in which kind of loop?

    Probabilities over all structures a sequence can fold into, from ViennaRNA's
    partition function: the "PU" and "PHIME" inputs of the paper. The default energies
    give the values of the modified RNAplfold programs that the field used with
    RNAcompete (ViennaRNA 1.8.4, window as long as the probe) to 0.003. Each sequence
    is folded whole, alone and once, however often it occurs.

    Folding takes place in processes of its own, which stay for the next call:
    ViennaRNA's parameters, which are global, are never changed in this one. Needs
    ViennaRNA: `pip install "tangermeme-gia[vienna]"`.

    Parameters
    ----------
    sequences: sequence of str, or torch.Tensor, shape=(n, 4 or more, length)
        RNA or DNA as letters, read as `encode_sequences` does, or one-hot, of which
        the first four channels are looked at. Zero columns at the ends are padding.
        Those between bases are N: a base that is there and cannot pair.

    kind: str, optional
        "PU" for paired and unpaired, or "PHIME" for paired and in a hairpin loop, an
        internal loop or bulge, a multiloop, or external. "sampled" is what ThermoNet
        reads: six structures, of which each has nine features, 1 or 0, and its share
        of 100 structures drawn by their probability. The five most frequent come first
        and then the mean of the others; features are hairpin, internal, multi, paired
        and external, and the ends of runs of the first four (1, and a half for the base
        beside it within the run). A sequence has the same draws each time.
        Default is "PHIME".

    length: int or None, optional
        Columns of the profiles of letters, which are centred as by
        `encode_sequences`; None is the longest sequence. A tensor keeps its own.
        Default is 41.

    energies: str, optional
        "turner1999" with the correction for dangling ends that reproduces ViennaRNA
        1.8.4, "turner1999-as-given" by ViennaRNA, or its own default, "turner2004".
        Default is "turner1999".

    temperature: float, optional
        In degrees Celsius, from 0 to 100. Default is 37.

    n_jobs: int or None, optional
        Processes to fold in. None is one for each core. Default is None.

    cache_folder: str, Path or None, optional
        Folder for the profiles, found again by sequence, settings and ViennaRNA's
        version. It is written as folding goes on, so that an interrupted call
        resumes. Default is None, which keeps nothing.

    verbose: bool, optional
        Whether to show a progress bar. Default is False.

    Returns
    -------
    profiles: torch.Tensor, shape=(n, 2, 5 or 60, length), dtype=torch.float32
        Probabilities, which sum to 1 at every base and N, and are 0 at padding; or
        features and shares.

    Raises
    ------
    ValueError
        If an option is not allowed, a sequence has fewer than 5 bases, none of which
        could pair, or a tensor is not one-hot; also as `encode_sequences`.
    TypeError
        If `sequences` is neither strings nor a tensor.
    ImportError
        If ViennaRNA is not installed.
    RuntimeError
        If a folding process fails.

    Warns
    -----
    UserWarning
        If files of the cache are damaged: they are removed, and their sequences
        folded again. Also as `encode_sequences`.

    Examples
    --------
    >>> profiles = structure_profiles(["GGGGAAAACCCC", "ACACACAC"], "PU", length=12)
    >>> profiles.shape
    torch.Size([2, 2, 12])
    >>> (profiles[:, 0] > 0.5).int()
    tensor([[1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1],
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], dtype=torch.int32)
    """
    settings = check_settings(kind, energies, temperature)
    n_jobs = count_jobs(n_jobs)
    if isinstance(sequences, torch.Tensor):
        X = sequences
        check_bases(X, "sequences")
    else:
        X = encode_sequences(sequences, length)
    require_vienna("`structure_profiles`")
    letters = decode_sequences(X)
    check_long_enough(letters, "sequences")
    table = _look_up(letters, settings, n_jobs, cache_folder, verbose)
    return arrange_profiles(X, letters, table, settings.kind)


def check_settings(kind: str, energies: str, temperature: float) -> FoldSettings:
    """The settings, if they are allowed; a ValueError otherwise."""
    for name, value, allowed in (
        ("kind", kind, tuple(ROWS)),
        ("energies", energies, ENERGIES),
    ):
        if value not in allowed:
            raise ValueError(
                f"`{name}`={value!r} must be one of {', '.join(map(repr, allowed))}."
            )
    if isinstance(temperature, bool) or not isinstance(temperature, int | float):
        raise TypeError(f"`temperature`={temperature!r} must be a number.")
    if not (math.isfinite(temperature) and 0 <= temperature <= 100):
        raise ValueError(
            f"`temperature`={temperature} must be from 0 to 100 degrees Celsius."
        )
    return FoldSettings(kind, energies, float(temperature))


def check_long_enough(letters: Sequence[str], name: str) -> None:
    """Raise unless every sequence could have a pair."""
    for row, sequence in enumerate(letters):
        if len(sequence) < SHORTEST:
            raise ValueError(
                f"`{name}`[{row}] has {len(sequence)} bases, too few to fold: a pair "
                f"around the shortest loop needs {SHORTEST}."
            )


def arrange_profiles(
    X: torch.Tensor, letters: Sequence[str], table: Mapping[str, Profile], kind: str
) -> torch.Tensor:
    """Each sequence's profiles in the columns where X has the sequence.

    Parameters
    ----------
    X: torch.Tensor, shape=(n, 4 or more, length)
        One-hot sequences.

    letters: sequence of str
        What `decode_sequences` gives for them.

    table: mapping of str to numpy.ndarray
        The profiles of each of them.

    kind: str
        "PU", "PHIME" or "sampled".

    Returns
    -------
    profiles: torch.Tensor, shape=(n, 2, 5 or 60, length), dtype=torch.float32
        On the CPU; 0 at padding.
    """
    n, _, length = X.shape
    known = (X[:, : len(RNA)] != 0).any(dim=1)
    first = known.int().argmax(dim=1).tolist()
    profiles = np.zeros((n, ROWS[kind], length), dtype=np.float32)
    for row, (start, sequence) in enumerate(zip(first, letters, strict=True)):
        profiles[row, :, start : start + len(sequence)] = table[sequence]
    return torch.from_numpy(profiles)


def _look_up(
    letters: Sequence[str],
    settings: FoldSettings,
    n_jobs: int,
    cache_folder: str | Path | None,
    verbose: bool,
) -> dict[str, Profile]:
    """The profiles of each sequence, from the cache or folded and put there."""
    distinct = list(dict.fromkeys(letters))
    cache, table = None, dict[str, Profile]()
    if cache_folder is not None and distinct:
        cache = ProfileCache(Path(cache_folder), describe_settings(settings))
        table = cache.read(distinct)
    missing = [sequence for sequence in distinct if sequence not in table]
    unsaved: dict[str, Profile] = {}
    try:
        with progress(len(missing), "sequences", verbose) as update:
            for sequence, profile in fold(missing, settings, n_jobs):
                table[sequence] = unsaved[sequence] = profile
                update(1)
                if cache is not None and len(unsaved) >= _CACHE_CHUNK:
                    cache.write(unsaved)
                    unsaved = {}
    finally:
        # Also after an interrupt: what was folded need not be folded again.
        if cache is not None:
            cache.write(unsaved)
    return table


def describe_settings(settings: FoldSettings) -> dict[str, Any]:
    """All that decides on a profile besides the sequence, in JSON types."""
    import RNA

    return {
        **settings._asdict(),
        "recipe": RECIPE_VERSION,
        "viennarna": RNA.__version__,
    }
