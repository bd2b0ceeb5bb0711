"""The planted truth of simulated RNAcompete data: binding with known effects."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import nn

from tangermeme_gia._core.letters import RNA, check_count, check_sequences

from .hairpins import MIN_LOOP, find_hairpins
from .motifs import Motif, motif_log_odds, motif_probabilities, parse_motif

_CHUNK = 8192


@dataclass(frozen=True)
class Truth:
    """What does the simulated protein bind, and how strongly?

    The score of a sequence is linear in five amounts that can be read off the
    sequence, so that every effect is in score units and is what an experiment of
    global importance analysis measures:

    ========================================= ===================================
    experiment                                true value
    ========================================= ===================================
    best motif in an unstructured background  `motif_effect`
    k sites further apart than `min_spacing`  k * `motif_effect`
    interaction of two best sites with s      -`spacing_penalty` *
    bases between, s < `min_spacing`          (1 - s / `min_spacing`)
    a site in the loop, minus unstructured    `loop_preference`
    a site in the stem, minus unstructured    -`stem_penalty`
    one more G or C at the 3' end             `gc_effect`
    ========================================= ===================================

    Sites. A window whose every column holds a base is a site of strength 1 where it
    matches a string (N matches every base). With a matrix it is a site where its
    log-odds exceed `site_threshold` times the best ones, and its strength rises
    linearly from 0 there to 1 at the best. Strengths add; overlapping windows count
    each.

    Spacing. A site loses `spacing_penalty` * (1 - s / `min_spacing`) to the most
    crowding site on its 5' side, times both strengths; s is the number of bases
    between them, and overlapping sites have s = 0.

    Structure. A stem is a run of at least `stem_pairs` stacked Watson-Crick pairs
    around `max_loop` or fewer (and at least three) nucleotides; its loop is what the
    run encloses, except what pairs itself. A site gains `loop_preference` times the
    fraction of its bases in a loop, and loses `stem_penalty` times that in a stem.
    Sites that are nearly self-complementary, as UGCAUG, sometimes pair with each
    other (AUGCAU with AUGCAU); set both effects to 0 to study spacing alone.

    GC. Each G or C among the last `gc_window` bases adds `gc_effect`. Padding and N,
    zero columns, are no bases.

    Parameters
    ----------
    motif: str or array-like, shape=(4, length), optional
        The bound motif: letters A, C, G, U (or T) and N, or a matrix in the channel
        order A, C, G, U, as `ppm` of a motif gives it. Columns that sum to 1
        are probabilities (PPM), anything else must be log-odds (PWM); it is kept as
        nested tuples. Default is "UGCAUG", the motif of RBFOX1.

    motif_effect: float, optional
        Effect of a site of strength 1. Default is 8.

    site_threshold: float, optional
        Fraction of a matrix's best log-odds above which a window is a site; without
        meaning for a string. Default is 0.5.

    spacing_penalty: float, optional
        Loss of the second of two adjacent sites; negative for cooperation.
        Default is 4.

    min_spacing: int, optional
        Bases between two sites from which on nothing is lost. Default is 6.

    loop_preference: float, optional
        Gain of a site that lies in a loop. Default is 4.

    stem_penalty: float, optional
        Loss of a site that lies in a stem. Default is 4.

    stem_pairs: int, optional
        Fewest stacked pairs that make a stem. Of random probes, 0.2 % have a stem of
        eight by chance and 3 % one of six; RNAcompete's pool, which avoids them, has
        none and 0.1 %. Default is 8.

    max_loop: int, optional
        Longest loop, in nucleotides. Default is 12.

    gc_effect: float, optional
        Effect of each G or C at the 3' end. Default is 0.3.

    gc_window: int, optional
        Bases at the 3' end that count. Default is 7.

    baseline: float, optional
        Score of a sequence without any of these. Default is 0.

    noise: float, optional
        Standard deviation of the measurement; it is no part of `score`. Default is 1,
        as in the RNAcompete tables RNCMPT00001 and RNCMPT00002, where most probes are
        unbound and the scores' interquartile range is 1.4.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is outside the range given here.

    Examples
    --------
    >>> from tangermeme.utils import one_hot_encode
    >>> truth = Truth(motif="UGCAUG", motif_effect=8, gc_effect=0.5)
    >>> X = one_hot_encode("AAAAUGCAUGAAAAAAAAAC", alphabet=["A", "C", "G", "U"])
    >>> truth.score(X[None])
    tensor([[8.5000]])
    """

    motif: Motif = "UGCAUG"
    motif_effect: float = 8.0
    site_threshold: float = 0.5
    spacing_penalty: float = 4.0
    min_spacing: int = 6
    loop_preference: float = 4.0
    stem_penalty: float = 4.0
    stem_pairs: int = 8
    max_loop: int = 12
    gc_effect: float = 0.3
    gc_window: int = 7
    baseline: float = 0.0
    noise: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "motif", parse_motif(self.motif))
        for name, lowest in _INTEGERS.items():
            check_count(name, getattr(self, name), lowest)
        for name in (*_EFFECTS, "baseline", "noise", "site_threshold"):
            require_number(name, getattr(self, name))
        if self.noise < 0:
            raise ValueError(f"`noise`={self.noise} must not be negative.")
        if not 0 <= self.site_threshold < 1:
            raise ValueError(
                f"`site_threshold`={self.site_threshold} must be at least 0 and below "
                "1."
            )

    @property
    def log_odds(self) -> NDArray[np.float64]:
        """The motif as a PWM in bits, shape=(4, length); 1 per letter of a string."""
        return motif_log_odds(self.motif)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Letter probabilities of a bound site, shape=(4, length): the motif as a PPM.

        A PPM is returned as given; log-odds are read against equal base frequencies.
        """
        return motif_probabilities(self.motif)

    @property
    def consensus(self) -> str:
        """The best site's letters; N where all four are equally good."""
        log_odds = self.log_odds
        best = [RNA[i] for i in log_odds.argmax(axis=0)]
        flat = np.ptp(log_odds, axis=0) == 0
        return "".join("N" if f else b for f, b in zip(flat, best, strict=True))

    def model(self) -> TruthModel:
        """The noise-free score as an nn.Module, for every tangermeme function."""
        return TruthModel(self)

    def score(self, X: torch.Tensor | ArrayLike) -> torch.Tensor:
        """The noise-free score of any sequences.

        Parameters
        ----------
        X: torch.Tensor or array-like, shape=(-1, 4, length)
            One-hot sequences of any length; padding and N are zero columns.

        Returns
        -------
        y: torch.Tensor, shape=(-1, 1), dtype=torch.float32

        Raises
        ------
        ValueError
            If `X` is not one-hot of that shape or is shorter than the motif.
        """
        model = self.model()
        batches = [model(batch) for batch in _batches(_as_one_hot(X))]
        return torch.cat(batches) if batches else torch.zeros((0, 1))

    def components(self, X: torch.Tensor | ArrayLike) -> pd.DataFrame:
        """What makes up the noise-free score of each sequence?

        Parameters
        ----------
        X: torch.Tensor or array-like, shape=(-1, 4, length)
            One-hot sequences of any length; padding and N are zero columns.

        Returns
        -------
        components: pandas.DataFrame, n rows
            The amounts `n_sites`, `strength` (sum over sites), `crowding`, `loop`,
            `stem` and `gc`; the terms they contribute in score units, `motif_term`,
            `spacing_term`, `hairpin_term` and `gc_term`; and `score`, the terms' sum
            plus the baseline.

        Raises
        ------
        ValueError
            If `X` is not one-hot of that shape or is shorter than the motif.
        """
        model = self.model()
        X = _as_one_hot(X)
        rows = [torch.stack(model.amounts(batch)) for batch in _batches(X)]
        amounts = torch.cat(rows, dim=1) if rows else torch.zeros((6, 0))
        table: pd.DataFrame
        table = pd.DataFrame(amounts.double().numpy().T, columns=list(Amounts._fields))
        table = table.astype({"n_sites": np.int64, "gc": np.int64})
        table["motif_term"] = self.motif_effect * table["strength"]
        table["spacing_term"] = -self.spacing_penalty * table["crowding"]
        table["hairpin_term"] = (
            self.loop_preference * table["loop"] - self.stem_penalty * table["stem"]
        )
        table["gc_term"] = self.gc_effect * table["gc"]
        terms = ["motif_term", "spacing_term", "hairpin_term", "gc_term"]
        table["score"] = self.baseline + table[terms].sum(axis=1)
        return table


_EFFECTS = (
    "motif_effect",
    "spacing_penalty",
    "loop_preference",
    "stem_penalty",
    "gc_effect",
)
_INTEGERS = {"min_spacing": 1, "stem_pairs": 2, "max_loop": MIN_LOOP, "gc_window": 0}


class Amounts(NamedTuple):
    """How much of each effect a sequence carries, shape=(n,) each."""

    n_sites: torch.Tensor
    strength: torch.Tensor
    crowding: torch.Tensor
    loop: torch.Tensor
    stem: torch.Tensor
    gc: torch.Tensor


class TruthModel(nn.Module):
    """Which score would an error-free model of the simulated protein give?

    It maps one-hot sequences of any length to `Truth.score`, so that an experiment
    on it gives the values a trained model should reproduce. Gradients pass through
    the strength of a matrix's sites and the GC amount; which bases pair is
    piecewise constant.

    Parameters
    ----------
    truth: Truth
        The planted truth.

    Examples
    --------
    >>> import torch
    >>> Truth(baseline=2.0).model()(torch.zeros(5, 4, 41)).squeeze(1)
    tensor([2., 2., 2., 2., 2.])
    """

    kernel: torch.Tensor

    def __init__(self, truth: Truth) -> None:
        super().__init__()
        self.truth = truth
        kernel = truth.log_odds
        best = float(kernel.max(axis=0).sum())
        exact = isinstance(truth.motif, str)
        self.floor = best - 1.0 if exact else truth.site_threshold * best
        self.range = best - self.floor
        weight = torch.tensor(kernel, dtype=torch.float32).unsqueeze(0)
        self.register_buffer("kernel", weight)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Score sequences, shape=(-1, 4, length), without noise; shape=(-1, 1)."""
        truth, amounts = self.truth, self.amounts(X)
        score = (
            truth.baseline
            + truth.motif_effect * amounts.strength
            - truth.spacing_penalty * amounts.crowding
            + truth.loop_preference * amounts.loop
            - truth.stem_penalty * amounts.stem
            + truth.gc_effect * amounts.gc
        )
        return score.unsqueeze(1)

    def amounts(self, X: torch.Tensor) -> Amounts:
        """Measure what each sequence, shape=(-1, 4, length), carries of each effect."""
        width = self.kernel.shape[-1]
        if X.ndim != 3 or X.shape[1] != len(RNA) or X.shape[2] < width:
            raise ValueError(
                f"`X` has shape {tuple(X.shape)}; expected (n, 4, length) with a "
                f"length of at least {width}, that of the motif."
            )
        X = X if X.is_floating_point() else X.to(torch.float32)
        is_base = X.sum(dim=1) > 0.5
        strength = self._strength(X, is_base)
        loop, stem = find_hairpins(
            X, is_base, self.truth.stem_pairs, self.truth.max_loop
        )
        return Amounts(
            n_sites=(strength > 0).sum(dim=1).to(X.dtype),
            strength=strength.sum(dim=1),
            crowding=self._crowding(strength),
            loop=(strength * _window_mean(loop, width, X.dtype)).sum(dim=1),
            stem=(strength * _window_mean(stem, width, X.dtype)).sum(dim=1),
            gc=_gc_at_3_prime_end(X, is_base, self.truth.gc_window),
        )

    def _strength(self, X: torch.Tensor, is_base: torch.Tensor) -> torch.Tensor:
        """Strength of the site starting at each position, shape=(n, positions)."""
        width = self.kernel.shape[-1]
        log_odds = F.conv1d(X, self.kernel.to(X.dtype)).squeeze(1)
        whole = is_base.unfold(1, width, 1).all(dim=2)
        return F.relu((log_odds - self.floor) / self.range) * whole

    def _crowding(self, strength: torch.Tensor) -> torch.Tensor:
        width, min_spacing = self.kernel.shape[-1], self.truth.min_spacing
        neighbour = torch.zeros_like(strength)
        for distance in range(1, min(width + min_spacing, strength.shape[1])):
            loss = 1 - max(distance - width, 0) / min_spacing
            upstream = F.pad(loss * strength[:, :-distance], (distance, 0))
            neighbour = torch.maximum(neighbour, upstream)
        return (strength * neighbour).sum(dim=1)


def _window_mean(mask: torch.Tensor, width: int, dtype: torch.dtype) -> torch.Tensor:
    return F.avg_pool1d(mask.to(dtype).unsqueeze(1), width, stride=1).squeeze(1)


def _gc_at_3_prime_end(
    X: torch.Tensor, is_base: torch.Tensor, window: int
) -> torch.Tensor:
    rank = is_base.flip(1).cumsum(dim=1).flip(1)
    at_end = is_base & (rank <= window)
    return ((X[:, 1] + X[:, 2]) * at_end).sum(dim=1)


def _batches(X: torch.Tensor) -> Iterator[torch.Tensor]:
    """Parts whose intermediate results fit into a few hundred megabytes."""
    size = max(1, _CHUNK * 41 // max(X.shape[2], 1))
    for first in range(0, X.shape[0], size):
        yield X[first : first + size].to(torch.float32)


def _as_one_hot(X: torch.Tensor | ArrayLike) -> torch.Tensor:
    if not isinstance(X, torch.Tensor):
        values = np.asarray(X)
        if values.dtype.kind not in "biuf":
            raise TypeError(f"`X` of type {type(X).__name__} must hold numbers.")
        X = torch.tensor(values)
    X = X.detach().cpu()
    check_sequences(X, RNA, may_be_empty=True)
    return X


def require_number(name: str, value: object) -> None:
    """Raise unless an argument is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"`{name}`={value!r} must be a number.")
    if not math.isfinite(value):
        raise ValueError(f"`{name}`={value} must be finite.")
