"""Motif matrices: counts, probabilities, log odds, and the information they hold.

PFM are counts, PPM probabilities, PWM log odds. All have tangermeme's shape
(len(alphabet), length), as models take sequences; only what is drawn is a data frame
with one row per position, as logomaker takes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from .._core.letters import (
    DNA,
    SUM_TOLERANCE,
    as_float64,
    check_alphabet,
    complement_channels,
)
from .._core.motif import Motif as Motif
from .._core.spelling import values_of_letters

Matrix: TypeAlias = ArrayLike | torch.Tensor
Values: TypeAlias = NDArray[np.float64]


@overload
def reverse_complement(motif: Motif, alphabet: Sequence[str] = ...) -> Motif: ...
@overload
def reverse_complement(motif: str, alphabet: Sequence[str] = ...) -> str: ...
@overload
def reverse_complement(
    motif: torch.Tensor, alphabet: Sequence[str] = ...
) -> torch.Tensor: ...
@overload
def reverse_complement(
    motif: NDArray[Any], alphabet: Sequence[str] = ...
) -> NDArray[Any]: ...
def reverse_complement(
    motif: str | torch.Tensor | NDArray[Any] | Motif, alphabet: Sequence[str] = DNA
) -> str | torch.Tensor | NDArray[Any] | Motif:
    """How does a motif read on the other strand?

    Parameters
    ----------
    motif: str, torch.Tensor, numpy.ndarray or Motif
        Letters and N, any one-hot or PPM of shape (..., len(alphabet), k), or one of
        `read_motifs`.

    alphabet: sequence of str, optional
        The letters of DNA or of RNA in any order. Default is DNA.

    Returns
    -------
    motif: str, torch.Tensor, numpy.ndarray or Motif
        The reverse complement, of the kind and shape given.

    Raises
    ------
    ValueError
        If the alphabet is neither DNA nor RNA, or the motif does not fit it.

    Examples
    --------
    >>> reverse_complement("GATTNA")
    'TNAATC'
    >>> reverse_complement("UGCAUG", "ACGU")
    'CAUGCA'
    """
    letters = check_alphabet(alphabet)
    if isinstance(motif, Motif):
        return Motif.parse(motif, letters).reverse_complement()
    if isinstance(motif, str):
        other = Motif(letters, values_of_letters(motif, letters)).reverse_complement()
        return other.letters
    channels = list(complement_channels(letters))
    if motif.ndim < 2 or motif.shape[-2] != len(letters):
        raise ValueError(
            f"`motif` has shape {tuple(motif.shape)}; it must be (..., {len(letters)}, "
            f"k) for `alphabet` {', '.join(letters)}."
        )
    if isinstance(motif, torch.Tensor):
        return motif.flip(-1)[..., channels, :]
    # PyTorch takes no array that is read backwards.
    return np.ascontiguousarray(motif[..., channels, ::-1])


def information_content(
    ppm: Matrix, background: ArrayLike | None = None
) -> torch.Tensor:
    """How many bits does each position of a motif tell?

    Parameters
    ----------
    ppm: array-like, shape=(len(alphabet), length)
        Probabilities; a zero column is an unknown base and tells nothing.

    background: array-like or None, shape=(len(alphabet),), optional
        Frequencies of the letters outside motifs; the information is then the relative
        entropy against them. None is uniform, which gives up to
        log2(len(alphabet)) bits. Default is None.

    Returns
    -------
    bits: torch.Tensor, dtype=float64, shape=(length,)

    Raises
    ------
    ValueError
        If the PPM or the background does not hold probabilities.

    Examples
    --------
    >>> information_content([[1.0, 0.5], [0.0, 0.5], [0.0, 0.0], [0.0, 0.0]])
    tensor([2., 1.], dtype=torch.float64)
    """
    probabilities = check_ppm(ppm, gaps=True)
    frequencies = torch.from_numpy(check_frequencies(background, len(probabilities)))
    terms = torch.special.xlogy(probabilities, probabilities / frequencies[:, None])
    bits: torch.Tensor = terms.sum(dim=0) / np.log(2)
    # Rounding may leave a column equal to the background a hair below 0.
    return bits.clamp(min=0)


def information_logo(
    ppm: Matrix,
    alphabet: Sequence[str] = DNA,
    background: ArrayLike | None = None,
) -> pd.DataFrame:
    """A motif as a logo: letters as high as their share of the position's bits.

    Parameters
    ----------
    ppm: array-like, shape=(len(alphabet), length)
        Probabilities.

    alphabet: sequence of str, optional
        Letters in channel order. Default is DNA.

    background: array-like or None, shape=(len(alphabet),), optional
        As for `information_content`. Default is None.

    Returns
    -------
    logo: pandas.DataFrame, shape=(length, len(alphabet))
        Heights in bits; one row per position.

    Raises
    ------
    ValueError
        If the PPM does not fit the alphabet or does not hold probabilities.

    Examples
    --------
    >>> information_logo([[0.5, 1.0], [0.5, 0.0], [0.0, 0.0], [0.0, 0.0]])
         A    C    G    T
    0  0.5  0.5  0.0  0.0
    1  2.0  0.0  0.0  0.0
    """
    letters = list(alphabet)
    probabilities = check_ppm(ppm, n_letters=len(letters), gaps=True)
    heights = probabilities * information_content(probabilities, background)
    return logo_frame(heights, letters)


def logo_frame(matrix: Matrix, alphabet: Sequence[str] = DNA) -> pd.DataFrame:
    """A matrix as logomaker draws it: a row for each position, a column per letter.

    Parameters
    ----------
    matrix: array-like, shape=(len(alphabet), length)
        Heights of the letters.

    alphabet: sequence of str, optional
        Letters in channel order. Default is DNA.

    Returns
    -------
    logo: pandas.DataFrame, shape=(length, len(alphabet))

    Raises
    ------
    ValueError
        If the shape does not fit the alphabet, or a number is missing.

    Examples
    --------
    >>> logo_frame([[1, 0, 0], [0, 2, 0], [0, 0, 0], [0, 0, 3]], alphabet="ACGU")
         A    C    G    U
    0  1.0  0.0  0.0  0.0
    1  0.0  2.0  0.0  0.0
    2  0.0  0.0  0.0  3.0
    """
    heights = _as_matrix(matrix, "matrix")
    if len(heights) != len(alphabet):
        raise ValueError(
            f"`matrix` has shape {heights.shape}; its first axis must be the "
            f"{len(alphabet)} letters of `alphabet`."
        )
    logo: pd.DataFrame = pd.DataFrame(heights.T, columns=list(alphabet))
    return logo


def pfm_to_ppm(
    pfm: Matrix, pseudocount: float = 0.0, background: ArrayLike | None = None
) -> torch.Tensor:
    """Position frequency matrix (counts) to position probability matrix.

    Parameters
    ----------
    pfm: array-like, shape=(len(alphabet), length)
        Counts, or any weights of 0 or more.

    pseudocount: float, optional
        Count added to every column, shared out by the background. Default is 0.

    background: array-like or None, shape=(len(alphabet),), optional
        Frequencies of the letters outside motifs. None is uniform. Default is None.

    Returns
    -------
    ppm: torch.Tensor, dtype=float64, shape=(len(alphabet), length)

    Raises
    ------
    ValueError
        If a count is negative or missing, or a column has none at all.

    Examples
    --------
    >>> pfm_to_ppm([[3, 0], [1, 0], [0, 0], [0, 4]], pseudocount=4)
    tensor([[0.5000, 0.1250],
            [0.2500, 0.1250],
            [0.1250, 0.1250],
            [0.1250, 0.6250]], dtype=torch.float64)
    """
    counts = _as_matrix(pfm, "pfm")
    if (counts < 0).any() or not pseudocount >= 0:
        raise ValueError(
            f"`pfm` and `pseudocount`={pseudocount} must not hold negative counts."
        )
    frequencies = check_frequencies(background, len(counts))
    counts = counts + pseudocount * frequencies[:, None]
    totals = counts.sum(axis=0)
    if not totals.all():
        raise ValueError(
            f"`pfm` has no counts at position {np.argmin(totals)}; pass a "
            "`pseudocount` above 0."
        )
    return torch.from_numpy(counts / totals)


def pwm_to_ppm(pwm: Matrix, background: ArrayLike | None = None) -> torch.Tensor:
    """Position weight matrix (log2 odds) to position probability matrix.

    Columns are scaled to sum to 1, so that weights known only up to a constant per
    column are read too.

    Parameters
    ----------
    pwm: array-like, shape=(len(alphabet), length)
        Log2 odds; minus infinity is an impossible letter.

    background: array-like or None, shape=(len(alphabet),), optional
        Frequencies the odds are against. None is uniform. Default is None.

    Returns
    -------
    ppm: torch.Tensor, dtype=float64, shape=(len(alphabet), length)

    Raises
    ------
    ValueError
        If a number is missing or plus infinity, or a column allows no letter.

    Examples
    --------
    >>> pwm_to_ppm([[1.0], [0.0], [0.0], [-float("inf")]])
    tensor([[0.5000],
            [0.2500],
            [0.2500],
            [0.0000]], dtype=torch.float64)
    """
    weights = torch.tensor(_as_matrix(pwm, "pwm", finite=False))
    best = weights.max(dim=0).values
    if not torch.isfinite(best).all():
        raise ValueError("`pwm` must have a finite weight in every column, and no NaN.")
    frequencies = torch.from_numpy(check_frequencies(background, len(weights)))
    return pfm_to_ppm(torch.exp2(weights - best) * frequencies[:, None])


def check_ppm(
    ppm: Matrix,
    name: str = "ppm",
    *,
    n_letters: int | None = None,
    gaps: bool = False,
) -> torch.Tensor:
    """A position probability matrix as a float64 tensor, checked.

    Parameters
    ----------
    ppm: array-like, shape=(len(alphabet), length)
        Probabilities.

    name: str, optional
        What to call it in errors. Default is "ppm".

    n_letters: int or None, optional
        Size of the alphabet; None takes any. Default is None.

    gaps: bool, optional
        Whether zero columns are allowed. Default is False.

    Returns
    -------
    ppm: torch.Tensor, dtype=float64, shape=(len(alphabet), length)

    Raises
    ------
    ValueError
        If the shape does not fit, or a column does not hold probabilities that sum to
        1 within 0.002.

    TypeError
        If it is a data frame, whose rows are positions.

    Examples
    --------
    >>> check_ppm([[0.25], [0.75]]).shape
    torch.Size([2, 1])
    """
    values = _as_matrix(ppm, name)
    if n_letters is not None and len(values) != n_letters:
        raise ValueError(
            f"`{name}` has shape {values.shape}; its first axis must be the "
            f"{n_letters} letters of the alphabet."
        )
    totals = values.sum(axis=0)
    wrong = (np.abs(totals - 1) > SUM_TOLERANCE) | (values < 0).any(axis=0)
    if gaps:
        wrong &= values.any(axis=0)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(
            f"`{name}`, of shape {values.shape}, sums to {totals[i]:.6g} at position "
            f"{i}; it must be (len(alphabet), length), with probabilities that sum to "
            "1 in every column. `pfm_to_ppm` converts counts."
        )
    return torch.tensor(values)


def check_frequencies(background: ArrayLike | None, n_letters: int) -> Values:
    """Background frequencies that sum to 1, checked; None is uniform.

    Raises
    ------
    ValueError
        If they are not one positive number per letter, or do not sum to 1.

    Examples
    --------
    >>> check_frequencies(None, 4)
    array([0.25, 0.25, 0.25, 0.25])
    """
    if background is None:
        return np.full(n_letters, 1 / n_letters)
    frequencies = as_float64(background, "background")
    if (
        frequencies.shape != (n_letters,)
        or not (frequencies > 0).all()
        or abs(frequencies.sum() - 1) > SUM_TOLERANCE
    ):
        raise ValueError(
            f"`background`={background!r} must hold {n_letters} frequencies above 0 "
            "that sum to 1."
        )
    normalised: Values = frequencies / frequencies.sum()
    return normalised


def _as_matrix(matrix: Matrix, name: str, *, finite: bool = True) -> Values:
    if isinstance(matrix, pd.DataFrame):
        raise TypeError(
            f"`{name}` is a data frame, with a row for each position; pass "
            "`frame.to_numpy().T`, of shape (len(alphabet), length)."
        )
    values = as_float64(matrix, name)
    if values.ndim != 2 or not values.size:
        raise ValueError(
            f"`{name}` has shape {values.shape}; it must be (len(alphabet), length)."
        )
    if finite and not np.isfinite(values).all():
        raise ValueError(f"`{name}` holds NaN or infinity.")
    return values
