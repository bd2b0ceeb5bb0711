"""Control motifs: what a motif's length or letters alone would do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from .motif_codes import GAP_LETTER, Motif

CONTROLS = ("random", "shuffled")


def control_motif(
    motif: Motif, kind: str, alphabet: Sequence[str], rng: np.random.Generator
) -> Motif:
    """A motif of the same length that lacks the order, or the letters, of a motif.

    Parameters
    ----------
    motif: str, torch.Tensor or numpy.ndarray
        The motif; gaps stay where they are.

    kind: str
        "random", uniformly random letters, or "shuffled", the motif's own letters (or
        columns) permuted.

    alphabet: sequence of str
        Letters in channel order.

    rng: numpy.random.Generator
        Where the draw comes from.

    Returns
    -------
    control: str or torch.Tensor
        A string for random ones and for strings; otherwise of the motif's kind. It is
        unlike the motif wherever a draw in a hundred is.

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
    length = motif.shape[-1]
    if kind == "random":
        return _control_string("A" * length, kind, alphabet, rng)
    order = rng.permutation(length)
    return torch.as_tensor(motif)[..., torch.from_numpy(order)]


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
    for _ in range(100):
        if kind == "random":
            letters[places] = rng.choice(list(alphabet), size=len(places))
        else:
            letters[places] = rng.permutation(letters[places])
        control = "".join(letters.tolist())
        if control != motif:
            break
    return control
