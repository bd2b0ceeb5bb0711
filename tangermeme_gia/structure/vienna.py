"""A program that folds sequences with ViennaRNA; `processes` runs it.

ViennaRNA's energy parameters and model settings are global to a process. In a process
of its own they are ViennaRNA's defaults, whatever the caller has loaded, and the
caller's stay as they are. It imports nothing of this package, so that it starts in a
fraction of a second.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import Literal

import numpy as np
import RNA
from numpy.typing import NDArray

# What is asked beyond structure and free energy: nothing, the probability that each
# base is unpaired, that of each pair of bases, or those of the pairs listed.
Wanted = Literal["structure", "unpaired", "matrix"] | NDArray[np.int64]
# Structure, free energy, and what else was wanted.
Fold = tuple[str, float, NDArray[np.float64] | None]


def fold(sequence: str, wanted: Wanted) -> Fold:
    """The minimum-free-energy structure of a sequence, and what else is wanted."""
    compound = RNA.fold_compound(sequence)
    structure, single = compound.mfe()
    # Energies are hundredths, in single precision.
    energy = round(single, 2)
    if isinstance(wanted, str) and wanted == "structure":
        return structure, energy, None
    # Without this the sums over the structures of a long sequence overflow.
    compound.exp_params_rescale(energy)
    compound.pf()
    upper = np.array(compound.bpp())[1:, 1:]
    matrix = upper + upper.T
    if not isinstance(wanted, str):
        return structure, energy, matrix[wanted[:, 0], wanted[:, 1]]
    if wanted == "matrix":
        return structure, energy, matrix
    return structure, energy, np.clip(1 - matrix.sum(axis=1), 0, 1)


def main() -> None:
    """Answer the tasks of stdin on stdout, until there are no more.

    A task is a list of sequences of A, C, G, U and N and one of what is wanted of each.
    """
    # Whatever else writes to stdout must not come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        try:
            sequences, wanted = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        folds = [fold(s, w) for s, w in zip(sequences, wanted, strict=True)]
        pickle.dump(folds, answers)
        answers.flush()


if __name__ == "__main__":
    main()
