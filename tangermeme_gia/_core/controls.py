"""Control motifs: what a motif's length or letters alone would do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from .letters import GAP_LETTER, one_hot
from .motif_codes import Motif

CONTROLS = ("random", "shuffled")


def control_motif(
    motif: Motif, kind: str, alphabet: Sequence[str], rng: np.random.Generator
) -> Motif:
    """A motif of the same length that lacks the order, or the letters, of a motif.

    Parameters
    ----------
    motif: str, torch.Tensor or numpy.ndarray
        The motif; gaps (N, zero columns) stay where they are.

    kind: str
        "random", uniformly random letters, or "shuffled", the motif's own letters (or
        columns) permuted. Where each background has its own motif, all get the same
        random letters, or the same permutation.

    alphabet: sequence of str
        Letters in channel order.

    rng: numpy.random.Generator
        Where the draw comes from.

    Returns
    -------
    control: str or torch.Tensor
        A string for a string, a tensor of the same shape otherwise. It is unlike the
        motif wherever a draw in a hundred is.

    Raises
    ------
    ValueError
        If the kind is unknown.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> control_motif("TGNATG", "shuffled", "ACGT", rng)
    'AGNTTG'
    """
    if kind not in CONTROLS:
        raise ValueError(f"`kind`={kind!r} must be one of {list(CONTROLS)}.")
    if isinstance(motif, str):
        return _control_string(motif, kind, alphabet, rng)
    columns = torch.as_tensor(motif).detach().cpu()
    control = columns
    for _ in range(100):
        control = _control_columns(columns, kind, rng)
        if not torch.equal(control, columns):
            break
    return control


def with_controls(
    motif: Motif, n_controls: int, alphabet: Sequence[str], seed: int
) -> list[tuple[Motif, str]]:
    """A motif, then its controls, each with what the column `control` says.

    Raises
    ------
    ValueError
        If the number of controls of each kind is not 0 or a positive integer.

    Examples
    --------
    >>> with_controls("GATA", 1, "ACGT", 0)
    [('GATA', 'none'), ('TGGC', 'random 1'), ('AGTA', 'shuffled 1')]
    """
    if type(n_controls) is not int or n_controls < 0:
        raise ValueError(
            f"`n_controls`={n_controls!r} must be 0 or a positive integer."
        )
    motifs: list[tuple[Motif, str]] = [(motif, "none")]
    for number, kind in enumerate(CONTROLS):
        for i in range(n_controls):
            rng = np.random.default_rng([seed, number, i])
            control = control_motif(motif, kind, alphabet, rng)
            motifs.append((control, f"{kind} {i + 1}"))
    return motifs


def _control_string(
    motif: str, kind: str, alphabet: Sequence[str], rng: np.random.Generator
) -> str:
    gaps = GAP_LETTER not in alphabet
    places = [i for i, x in enumerate(motif) if not (gaps and x == GAP_LETTER)]
    letters = np.array(list(motif))
    control = motif
    for _ in range(100):
        if kind == "random":
            letters[places] = rng.choice(list(alphabet), size=len(places))
        else:
            letters[places] = rng.permutation(letters[places])
        control = "".join(letters.tolist())
        if control != motif:
            break
    return control


def _control_columns(
    motif: torch.Tensor, kind: str, rng: np.random.Generator
) -> torch.Tensor:
    """A control of a one-hot or a PPM, shape=(..., n_letters, k)."""
    rows = motif.reshape(-1, *motif.shape[-2:])
    n_letters, length = rows.shape[1:]
    written = (rows != 0).any(dim=1).numpy()
    counts = written.sum(axis=1)
    control = torch.zeros_like(rows)
    # The same for every background, so that a motif that only moves keeps its control.
    letters = rng.integers(n_letters, size=length)
    keys = rng.random(length)
    for count in np.unique(counts):
        same = np.flatnonzero(counts == count)
        places = np.nonzero(written[same])[1].reshape(len(same), count)
        if kind == "random":
            columns = one_hot(letters[:count], n_letters).expand(len(same), -1, -1)
        else:
            sources = torch.from_numpy(places[:, np.argsort(keys[:count])])
            index = sources[:, None].expand(-1, n_letters, -1)
            columns = rows[same].gather(2, index)
        index = torch.from_numpy(places)[:, None].expand(-1, n_letters, -1)
        control[same] = control[same].scatter(2, index, columns.to(control))
    return control.reshape(motif.shape)
