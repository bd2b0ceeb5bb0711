"""Affinity: the effect of a motif's sites from the best to those like background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from tangermeme.utils import PackedSequence

from .._core.designs import run_patterns
from .._core.letters import (
    GAP,
    RandomState,
    as_generator,
    as_seed,
    check_count,
    check_sequences,
    resolve_alphabet,
)
from .._core.motif import Motif, MotifLike
from .._core.options import document
from .._core.patterns import Pattern, resolve_start
from .._core.results import GIAResult
from ..motifs.matrices import check_frequencies

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options

_Values = NDArray[np.float64]
# Letters that a PPM has never seen count as if they were seen this often.
_LEAST = 1e-3
# Sites that are drawn at each level, of which the nearest are taken.
_DRAWN = 2000
# The stream of the seed that draws them, and how sharp the sharpest draws are.
_SITE_STREAM, _SHARPEST = 4, 50.0


@document
def affinity_response(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motif: MotifLike,
    n_levels: int = 10,
    start: int | None = None,
    *,
    n_sites: int = 5,
    frequencies: ArrayLike | None = None,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Does the model follow affinity: do better sites of a motif do more?

    Sites of one matrix are placed, from its best to those that are like background. A
    site's score is its log2 odds, how much more likely the motif makes its letters
    than the background does: for a factor that binds by it, up to a constant, minus
    the energy of binding. `statistics.affinity_fit` says whether the effect follows,
    and where it stops growing.

    Parameters
    ----------
    {model}

    motif: str, torch.Tensor or numpy.ndarray
        Probabilities (a PPM), or letters of which some stand for several (IUPAC).
        Letters rarer than 0.001 score as if they were that likely; a gap keeps the
        letters of the background and scores nothing.

    n_levels: int, optional
        Levels of score, in equal steps from the best site to the mean score of
        background letters. Default is 10.

    start: int or None, optional
        The 0-based first base of the sites; None is the centre. Default is None.

    n_sites: int, optional
        Different sites of each level: of 2,000 that are drawn with this mean score
        those nearest to it, or all if fewer are different, such as at the best.
        Default is 5.

    frequencies: array-like or None, shape=(len(alphabet),), optional
        Of the letters of the background. None is those of `X`. Default is None.

    {options}

    Returns
    -------
    result: GIAResult
        One condition for each site. `conditions` has the columns `motif`, `level` (1 is
        that of the background), `score` (bits), `site` (its letters) and `control`.

    Raises
    ------
    ValueError, TypeError
        If the motif is no PPM, runs past X or has letters outside the alphabet, an
        option is out of range, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = affinity_response(model, X, "GATWR", n_levels=3, random_state=0)
    >>> result.conditions["site"].iloc[-1]
    'GATAA'
    """
    letters, seed = resolve_alphabet(model, alphabet), as_seed(random_state)
    check_sequences(X, letters)
    check_count("n_levels", n_levels, 2)
    check_count("n_sites", n_sites)
    parsed = Motif.parse(motif, letters)
    ppm = _as_graded(parsed)
    resolve_start(start, len(parsed), X.shape[-1])
    background = check_frequencies(
        _frequencies(X) if frequencies is None else frequencies, len(letters)
    )
    table, sites = _draw_sites(ppm, background, n_levels, n_sites, seed)
    codes = np.full((len(sites), 1, len(parsed)), GAP, np.int8)
    codes[:, 0, parsed.ppm.any(axis=0)] = sites
    motifs = [Motif(letters, site) for site in codes]
    table.insert(0, "motif", parsed.label)
    table["site"] = [site.label for site in motifs]
    return run_patterns(
        model,
        X,
        [[Pattern(site, start)] for site in motifs],
        table.assign(control="none"),
        alphabet=letters,
        random_state=seed,
        **options,
    )


def _as_graded(motif: Motif) -> _Values:
    """Probabilities of the positions that are no gaps, none 0."""
    ppm = motif.ppm
    if not motif.is_drawn:
        raise ValueError(
            f"`motif` {motif.label!r} is letters, all of whose sites are the same; a "
            "PPM, or letters for several such as W, is needed."
        )
    floored = np.maximum(ppm[:, ppm.any(axis=0)], _LEAST)
    graded: _Values = floored / floored.sum(axis=0)
    return graded


def _frequencies(X: torch.Tensor | PackedSequence) -> _Values:
    """Of the letters in the backgrounds; none 0."""
    dense = X.to_one_hot() if isinstance(X, PackedSequence) else X
    counts = dense.sum(dim=(0, 2)).to(torch.float64).cpu().numpy() + 1
    shares: _Values = counts / counts.sum()
    return shares


def _draw_sites(
    ppm: _Values, background: _Values, n_levels: int, n_sites: int, seed: int
) -> tuple[pd.DataFrame, list[NDArray[np.int8]]]:
    """Levels and scores, lowest first, and the letters of each site.

    Sites of a level are drawn from the background, each letter weighted by 2 to the
    power of a multiple of its score; the multiple 0 is the background, 1 the motif.
    """
    scores = np.log2(ppm / background[:, None])
    lowest, highest = float(background @ scores.sum(axis=1)), scores.max(axis=0).sum()
    rng = as_generator(seed, _SITE_STREAM)
    rows, sites = [], []
    seen: set[bytes] = set()
    for number, level in enumerate(np.linspace(lowest, highest, n_levels), start=1):
        drawn = _draw_at(scores, background, level, rng)
        if number == n_levels:
            drawn = scores.argmax(axis=0)[None].astype(np.int8)
        reached = scores[drawn, np.arange(drawn.shape[1])].sum(axis=1)
        # Different sites, in the order in which they were drawn.
        _, first = np.unique(drawn, axis=0, return_index=True)
        first = np.sort(first)
        nearest = np.argsort(np.abs(reached[first] - level).round(9), kind="stable")
        fresh = [i for i in first[nearest] if drawn[i].tobytes() not in seen]
        for i in sorted(fresh[:n_sites], key=reached.__getitem__):
            seen.add(drawn[i].tobytes())
            rows.append({"level": number, "score": float(reached[i])})
            sites.append(drawn[i])
    return pd.DataFrame(rows), sites


def _draw_at(
    scores: _Values, background: _Values, level: float, rng: np.random.Generator
) -> NDArray[np.int8]:
    """Sites of which the mean score is this level."""

    def tilted(power: float) -> _Values:
        odds = background[:, None] * 2.0 ** (power * (scores - scores.max(axis=0)))
        shares: _Values = odds / odds.sum(axis=0)
        return shares

    def miss(power: float) -> float:
        return float((tilted(power) * scores).sum()) - level

    power = 0.0 if miss(0) >= 0 else _SHARPEST
    if miss(0) < 0 < miss(_SHARPEST):
        power = float(brentq(miss, 0, _SHARPEST))
    cumulative = tilted(power).cumsum(axis=0)[:-1]
    uniform = rng.random((_DRAWN, 1, scores.shape[1]))
    codes: NDArray[np.int8] = (uniform >= cumulative).sum(axis=1).astype(np.int8)
    return codes
