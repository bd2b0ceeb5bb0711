"""Synthetic RNAcompete experiments whose binding rules and effect sizes are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.letters import (
    GAP_LETTER,
    RNA,
    RandomState,
    as_generator,
    as_seed,
    check_count,
)
from tangermeme_gia._core.short import in_short

from ..data.rnacompete import RNAcompete
from .hairpins import MIN_LOOP
from .probes import (
    LENGTH_SHARES,
    START,
    STEMS,
    draw_design,
    draw_probes,
    one_hot_probes,
    spell_probes,
)
from .truth import Truth, require_number


@in_short
@dataclass(frozen=True, eq=False, repr=False)
class Simulation:
    """A simulated RNAcompete experiment and the truth behind it.

    Parameters
    ----------
    X: torch.Tensor, shape=(n, 4, length), dtype=torch.int8
        One-hot probes in the order A, C, G, U, centred, with zero columns as padding.

    y: torch.Tensor, shape=(n, 1), dtype=torch.float32
        Measured scores: `components["score"]` plus noise.

    sets: numpy.ndarray of str, shape=(n,)
        "A" or "B", as in the RNAcompete design.

    experiments: tuple of str
        The name of each column of `y`.

    sequences: tuple of str
        The probes' letters.

    truth: Truth
        What the simulated protein binds; it scores any other sequences too.

    components: pandas.DataFrame, n rows
        `truth.components(X)`: what makes up each probe's noise-free score.

    design: pandas.DataFrame, n rows
        How each probe was made: its `length`, the number of `copies` of the motif
        planted in it, and its designed `hairpin`: "none", "empty" (no copy planted),
        or the part with the copy, "loop" or "stem".
    """

    X: torch.Tensor
    y: torch.Tensor
    sets: NDArray[np.str_]
    experiments: tuple[str, ...]
    sequences: tuple[str, ...]
    truth: Truth
    components: pd.DataFrame
    design: pd.DataFrame

    @property
    def data(self) -> RNAcompete:
        """The probes and their scores, as a reader returns them."""
        return RNAcompete(self.X, self.y, self.sets, self.experiments)


def simulate_rnacompete(
    n: int = 20_000,
    truth: Truth | None = None,
    *,
    copies: Sequence[float] = (0.6, 0.25, 0.1, 0.05),
    hairpin_fraction: float = 0.2,
    stems: Sequence[str] = STEMS,
    lengths: Mapping[int, float] | int | None = None,
    length: int = 41,
    set_a_fraction: float = 0.5,
    random_state: RandomState = 0,
) -> Simulation:
    """What would RNAcompete measure for a protein whose preferences are known?

    Probes have the lengths and starts of RNAcompete 2013 and otherwise uniformly
    random letters, which cover 7-mers about evenly, as that pool was designed to.
    Because a pool of some ten thousand holds too few chance sites to learn from,
    copies of the motif are planted: 0, 1, 2, ... at random places that do not
    overlap, or one copy, in loop or stem, of designed hairpins (a third of which get
    none). Noise-free scores then follow from the letters alone (see `Truth`),
    whether a site was planted or arose by chance; the noise is Gaussian.

    Probes, sets and noise are drawn from separate streams: changing an effect size
    or the noise keeps the probes, and the errors but for their scale.

    Parameters
    ----------
    n: int, optional
        Number of probes in both sets together. Default is 20,000.

    truth: Truth or None, optional
        What is bound, how strongly, and how noisy the measurement is. Copies of a
        matrix are drawn from its probabilities. None is `Truth()`: UGCAUG with an
        effect of 8, and what else `Truth` says. Default is None.

    copies: sequence of float, optional
        Shares of the unstructured probes with 0, 1, 2, ... planted copies.
        Default is (0.6, 0.25, 0.1, 0.05).

    hairpin_fraction: float, optional
        Fraction of probes with a designed hairpin. Default is 0.2.

    stems: sequence of str, optional
        5' arms of the designed hairpins; N stands for a random base pair. Networks
        learn the preference for loops of a few recurring stems; for the general
        rule, of which `stems=["NNNNNNNN"]` is a test, they need far more probes.
        Default is four stems, `STEMS`.

    lengths: dict, int or None, optional
        Share of each probe length, or one length for all. None is the mix of
        RNAcompete 2013: `LENGTH_SHARES`. Default is None.

    length: int, optional
        Columns of `X`; the left half of the padding is rounded down. Default is 41.

    set_a_fraction: float, optional
        Fraction of the probes in set A. Default is 0.5.

    random_state: int, numpy Generator or None, optional
        Seed. Default is 0.

    Returns
    -------
    simulation: Simulation
        Probes `X` and their `sequences`, scores `y`, `sets`, `experiments` (one,
        "simulated"), and all of these as the `data` that a reader returns; the `truth`,
        the `components` of each noise-free score, and the `design` of each probe:
        length, copies and hairpin.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is outside its range, shares do not sum
        to 1, or copies or hairpins do not fit into the shortest probe.

    Examples
    --------
    >>> truth = Truth(motif="GCUGGC", loop_preference=6.0)
    >>> simulation = simulate_rnacompete(1000, truth)
    >>> simulation.X.shape, simulation.y.shape, simulation.truth.loop_preference
    (torch.Size([1000, 4, 41]), torch.Size([1000, 1]), 6.0)
    """
    truth = Truth() if truth is None else truth
    if not isinstance(truth, Truth):
        raise TypeError(f"`truth`={truth!r} must be a Truth, as Truth(motif='UGCAUG').")
    check_count("n", n, 1)
    seed = as_seed(random_state)
    shares = _check_lengths(lengths, length)
    _check_fraction("set_a_fraction", set_a_fraction)
    _check_fraction("hairpin_fraction", hairpin_fraction)
    copy_shares = _check_shares("copies", copies)
    arms = _check_stems(stems, truth) if hairpin_fraction > 0 else ()
    _check_room(truth, copy_shares, arms, min(shares))

    probe_rng, set_rng, noise_rng = (as_generator(seed, i) for i in range(3))
    design = draw_design(probe_rng, n, shares, copy_shares, hairpin_fraction)
    codes = draw_probes(probe_rng, design, truth.probabilities, arms, truth.max_loop)
    X = one_hot_probes(codes, design["length"].to_numpy(), length)
    components = truth.components(X)
    score = components["score"].to_numpy() + truth.noise * noise_rng.standard_normal(n)
    in_a = set_rng.permutation(n) < round(n * set_a_fraction)
    return Simulation(
        X=X,
        y=torch.from_numpy(score.astype(np.float32)).unsqueeze(1),
        sets=np.where(in_a, "A", "B"),
        experiments=("simulated",),
        sequences=spell_probes(codes),
        truth=truth,
        components=components,
        design=design,
    )


def _check_lengths(
    lengths: Mapping[int, float] | int | None, length: int
) -> dict[int, float]:
    check_count("length", length, 1)
    if lengths is None:
        lengths = LENGTH_SHARES
    if not isinstance(lengths, Mapping):
        check_count("lengths", lengths, START)
        lengths = {lengths: 1.0}
    for probe_length in lengths:
        check_count("lengths", probe_length, START)
    shares = _check_shares("lengths", list(lengths.values()))
    longest = max(lengths)
    if longest > length:
        raise ValueError(
            f"`length`={length} is shorter than the longest probe, {longest}; give "
            f"`lengths` of at most {length}."
        )
    pairs = zip(lengths, shares.tolist(), strict=True)
    return {int(probe_length): share for probe_length, share in pairs if share > 0}


def _check_shares(name: str, shares: Sequence[float]) -> NDArray[np.float64]:
    if not np.iterable(shares):
        raise TypeError(f"`{name}`={shares!r} must be a sequence of shares.")
    for share in shares:
        require_number(name, share)
    values = np.asarray(shares, dtype=np.float64)
    if len(values) == 0 or values.min() < 0 or abs(values.sum() - 1) > 1e-6:
        raise ValueError(
            f"`{name}` has the shares {values.tolist()}; they must not be negative and "
            "must sum to 1."
        )
    return np.asarray(values / values.sum())


def _check_fraction(name: str, fraction: float) -> None:
    require_number(name, fraction)
    if not 0 <= fraction <= 1:
        raise ValueError(f"`{name}`={fraction} must be from 0 to 1.")


def _check_stems(stems: Sequence[str], truth: Truth) -> tuple[str, ...]:
    if isinstance(stems, str) or not all(isinstance(stem, str) for stem in stems):
        raise TypeError(f"`stems`={stems!r} must be a sequence of strings.")
    if len(stems) == 0:
        raise ValueError("`stems` is empty; give one or set `hairpin_fraction`=0.")
    checked = tuple(stem.upper().replace("T", "U") for stem in stems)
    shortest = max(truth.stem_pairs, truth.log_odds.shape[1])
    for stem in checked:
        if set(stem) - {*RNA, GAP_LETTER}:
            raise ValueError(f"`stems` holds {stem!r}; allowed are A, C, G, U, T, N.")
        if len(stem) < shortest:
            raise ValueError(
                f"`stems` holds {stem!r} of {len(stem)} nt; at least {shortest} are "
                "needed to be a stem (`stem_pairs`) and to hold the motif."
            )
    return checked


def _check_room(
    truth: Truth,
    copy_shares: NDArray[np.float64],
    stems: Sequence[str],
    shortest: int,
) -> None:
    """Raise unless copies and hairpins fit into the shortest probe."""
    width, room = truth.log_odds.shape[1], shortest - START
    most = int(np.flatnonzero(copy_shares).max())
    if most * width > room:
        raise ValueError(
            f"`copies` plants up to {most} copies of a motif of {width} nt, but the "
            f"shortest probe has room for {room // width} behind its start."
        )
    loop = max(MIN_LOOP, width)
    if stems and loop > truth.max_loop:
        raise ValueError(
            f"`max_loop`={truth.max_loop} is too short for a motif of {width} nt in "
            "the loop; raise it or set `hairpin_fraction`=0."
        )
    longest = max((2 * len(stem) + loop for stem in stems), default=0)
    if longest > room:
        raise ValueError(
            f"`stems` make hairpins of up to {longest} nt with the motif in the loop, "
            f"but the shortest probe has room for {room} behind its start; shorten "
            "them, give longer `lengths`, or set `hairpin_fraction`=0."
        )
