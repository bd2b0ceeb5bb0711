"""What the patterns of TF-MoDISco contribute."""

from __future__ import annotations

from pathlib import Path

import torch

from .._core.modisco import read_patterns


def read_cwms(path: str | Path) -> dict[str, torch.Tensor]:
    """What does each pattern of TF-MoDISco contribute, position by position?

    Contribution weight matrices are to be drawn or compared, never placed: motifs to
    place are the same patterns as probabilities, from `read_motifs`.

    Parameters
    ----------
    path: str or Path
        `modisco_results.h5`, plain or gzipped.

    Returns
    -------
    cwms: dict of str to torch.Tensor, dtype=float64, shape=(4, length)
        By the names of `read_motifs`, such as "pos_patterns.pattern_0", and trimmed
        alike: from the first to the last position whose summed absolute contributions
        reach 0.3 of the largest.

    Raises
    ------
    ValueError
        If the file is no result of TF-MoDISco, or damaged, with the key.

    OSError, ImportError
        If the file cannot be read, or h5py is not installed.

    Examples
    --------
    >>> import h5py, tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with h5py.File(f"{folder}/modisco_results.h5", "w") as file:
    ...         pattern = file.create_group("pos_patterns/pattern_0")
    ...         pattern["sequence"] = np.eye(4)
    ...         pattern["contrib_scores"] = np.diag([0.1, 2, 1, 0.2])
    ...     read_cwms(f"{folder}/modisco_results.h5")["pos_patterns.pattern_0"]
    tensor([[0., 0.],
            [2., 0.],
            [0., 1.],
            [0., 0.]], dtype=torch.float64)
    """
    return {p.name: torch.from_numpy(p.cwm) for p in read_patterns(Path(path))}
