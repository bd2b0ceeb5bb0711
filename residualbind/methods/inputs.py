"""What a method reads: letters, or letters and structure, from whatever is there."""

from __future__ import annotations

from pathlib import Path

import torch

from tangermeme_gia._core.letters import RNA

from ..structure.folding import ROWS
from ..structure.profiles import structure_profiles

# The kind of structure beside the letters, by the number of channels.
KINDS = {len(RNA) + rows: kind for kind, rows in ROWS.items()}


def as_channels(
    X: torch.Tensor,
    channels: int,
    *,
    cache_folder: str | Path | None = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> torch.Tensor:
    """The input of so many channels of these probes.

    Parameters
    ----------
    X: torch.Tensor, shape=(n, 4, 6, 9 or 64, length)
        One-hot sequences, and structure behind the first four channels.

    channels: int
        4, 6, 9 or 64. Structure that is not there is predicted by ViennaRNA.

    cache_folder, n_jobs, verbose: optional
        As of `structure_profiles`.

    Returns
    -------
    X: torch.Tensor, shape=(n, channels, length)

    Raises
    ------
    ImportError
        If ViennaRNA is needed and not installed.

    Examples
    --------
    >>> as_channels(torch.zeros(2, 9, 41), 4).shape
    torch.Size([2, 4, 41])
    """
    if X.shape[1] == channels:
        return X
    letters = X[:, : len(RNA)]
    if channels == len(RNA):
        return letters
    profiles = structure_profiles(
        letters,
        KINDS[channels],
        cache_folder=cache_folder,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    return torch.cat([letters.float(), profiles.to(X.device)], dim=1)
