"""Folding many RNA sequences as RNAcompete data are: energies, contexts, settings."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tangermeme_gia.structure.processes import run_task

# What each kind of profile tells about a base, in the order of the model's channels.
CONTEXTS = {
    "PU": ("paired", "unpaired"),
    "PHIME": ("paired", "hairpin", "internal", "multi", "external"),
}
# ThermoNet's structures drawn at random: each has nine features and its share.
N_SAMPLED, N_FEATURES = 6, 9
ROWS = {kind: len(names) for kind, names in CONTEXTS.items()}
ROWS["sampled"] = N_SAMPLED * (N_FEATURES + 1)
_TASKS = {"PU": "pairedness", "PHIME": "contexts", "sampled": "sampled"}
ENERGIES = ("turner1999", "turner1999-as-given", "turner2004")
# A hairpin loop has three bases at least, so that fewer than five cannot pair.
SHORTEST = 5

# Pair types come in the order CG, GC, GU, UG, AU, UA in ViennaRNA's parameter files.
_GC = 1
# The rows of each are the 5' neighbours N, A, C, G, U.
_NEIGHBOURS = 5
_G_AND_U = (3, 4)

# A sequence's profiles, shape=(contexts, length).
Profile = NDArray[np.float32]


class FoldSettings(NamedTuple):
    """What, besides its letters, decides on the profiles of a sequence."""

    kind: str = "PHIME"
    energies: str = "turner1999"
    temperature: float = 37.0


def fold(
    sequences: Sequence[str], settings: FoldSettings, n_jobs: int
) -> Iterator[tuple[str, Profile]]:
    """Fold sequences of A, C, G, U and N, at least five letters each.

    Parameters
    ----------
    sequences: sequence of str
        Each is folded once for every time it is given.

    settings: FoldSettings
        What to compute, and how.

    n_jobs: int
        Processes to fold in. They stay for the next call.

    Yields
    ------
    folded: tuple
        Each sequence with its profiles, shape=(contexts, length), in order.

    Raises
    ------
    RuntimeError
        If a process fails.
    """
    given = [(sequence, settings.temperature) for sequence in sequences]
    parameters = _parameters(settings.energies)
    answers = run_task(_TASKS[settings.kind], given, n_jobs, parameters)
    for sequence, profile in zip(sequences, answers, strict=True):
        yield sequence, profile.astype(np.float32)


def smooth_dangles(parameters: str) -> str:
    """Turner 1999 parameters that fold as ViennaRNA 1.8.4 did.

    That version smoothed dangling ends in another way. Two hundredths of a kcal/mol
    less for mismatches at a GC pair with G or U on the 5' side, in multiloops and
    outside, reproduces its probabilities to 0.003 instead of 0.016.
    """
    lines = parameters.splitlines()
    for section in ("mismatch_multi", "mismatch_exterior"):
        start = lines.index(f"# {section}") + 1
        # A comment comes first, with the letters of the columns.
        start += lines[start].startswith("/*")
        for neighbour in _G_AND_U:
            row = start + _GC * _NEIGHBOURS + neighbour
            numbers = [int(number) - 2 for number in lines[row].split()]
            lines[row] = " ".join(map(str, numbers))
    return "\n".join(lines) + "\n"


@functools.cache
def _parameters(energies: str) -> str | None:
    """The text of energy parameters; None is ViennaRNA's default."""
    if energies == "turner2004":
        return None
    import RNA

    given: str = RNA.parameter_set_rna_turner1999
    return given if energies == "turner1999-as-given" else smooth_dangles(given)
