"""Do the intervals cover and the tests reject as often as they say?

    python benchmarks/calibration.py [--repetitions 10000] [--seed 0]

Sections that take long are repeated less often: `repetitions` and `mc_error` say how
often, and how well that is known. Simulated local importances with a known mean stand
in for an experiment that is repeated thousands of times. `rate` is the share of
repetitions, in per cent, in which the interval holds the truth (figure `coverage`, 95
asked) or the test finds something (`rejection`, 5 asked where nothing is there), with
its Monte Carlo standard error; `inside` says whether it lies within 94-96 or 4-6.
`below` and `above` are the shares of intervals that lie wholly on that side of the
truth. For `false discoveries` at most 5 are asked, for `assurance` at least 90, and
`bias`, in standard errors of all backgrounds, should be 0 within noise. Rows that are
not `claimed` measure a limit of a method, or show what goes wrong without
one.

The skewed distributions enclose what real models give: the local importances of four
6-mers under the DeepBind models of MBNL1 and QKI, on a profile of RNAcompete probes,
have a skewness of 0.1 to 2.5 in size. "ReLU" effects are 0 on most backgrounds and
exponential on a share of them, as where a model answers above a threshold only.
"""

from __future__ import annotations

import argparse
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy
import torch
from numpy.typing import NDArray
from tangermeme.ablate import ablate

from tangermeme_gia import GIAResult, KmerScan
from tangermeme_gia._core.agreement import FEWEST_APART, FewEffectsWarning
from tangermeme_gia._core.moments import ClusteredMoments
from tangermeme_gia.experiments.occlusion import occlusion
from tangermeme_gia.statistics.additivity import additivity_fit
from tangermeme_gia.statistics.associations import correlation
from tangermeme_gia.statistics.comparisons import Comparison
from tangermeme_gia.statistics.effects import (
    effect_difference,
    effect_ratio,
    interaction_contrast,
    standardised_effect,
)
from tangermeme_gia.statistics.intervals import (
    INTERVAL_METHODS,
    Interval,
    IntervalMethod,
    confidence_interval,
)
from tangermeme_gia.statistics.planning import backgrounds_needed
from tangermeme_gia.statistics.selection import (
    benjamini_hochberg,
    split_and_rescore,
)
from tangermeme_gia.statistics.significance import (
    Significance,
    paired_t_test,
    sign_flip_test,
    welch_test,
    wilcoxon_test,
)

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Values]
Row = dict[str, Any]
Bounds = tuple[Values, Values]

COLUMN_ORDER = (
    *("figure", "what", "data", "n", "repetitions", "rate", "mc_error"),
    *("below", "above", "claimed", "inside"),
)
# Repetitions computed together, with one set of resamples.
COLUMNS = 500


def lognormal(sigma: float) -> Draw:
    mean = np.exp(sigma**2 / 2)
    sd = mean * np.sqrt(np.expm1(sigma**2))
    return lambda rng, shape: (rng.lognormal(0, sigma, shape) - mean) / sd


def relu(share: float) -> Draw:
    """Exponential on a share of the backgrounds, elsewhere 0."""
    sd = np.sqrt(2 * share - share**2)

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
        values = rng.exponential(size=shape) * (rng.random(shape) < share)
        return (values - share) / sd

    return draw


# Shares of backgrounds with an effect.
SHARES = {"ReLU 30 % (3.6)": 0.3, "ReLU 10 % (6.5)": 0.1, "ReLU 3 % (12)": 0.03}
# Mean 0 and standard deviation 1 each; the number is the skewness.
DISTRIBUTIONS: dict[str, Draw] = {
    "normal (0)": lambda rng, shape: rng.normal(size=shape),
    "Laplace (0)": lambda rng, shape: rng.laplace(size=shape) / np.sqrt(2),
    "lognormal (1.75)": lognormal(0.5),
    "exponential (2)": lambda rng, shape: rng.exponential(size=shape) - 1,
    "lognormal (6.2)": lognormal(1.0),
    "three values (0)": lambda rng, shape: (
        np.sqrt(2) * (rng.binomial(2, 0.5, shape) - 1.0)
    ),
    "Student 3 df (0)": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3),
    **{data: relu(share) for data, share in SHARES.items()},
}
SYMMETRIC = ("normal (0)", "Laplace (0)", "three values (0)", "Student 3 df (0)")


def generator(*key: int | str) -> np.random.Generator:
    """The same numbers for the same seed and labels, in whatever order rows come."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def blocks(repetitions: int) -> Iterator[tuple[int, int]]:
    """Number of columns, and a seed for the resamples, of blocks of repetitions."""
    for first in range(0, repetitions, COLUMNS):
        yield min(COLUMNS, repetitions - first), first


def share(hits: NDArray[np.bool_]) -> Row:
    rate = float(hits.mean())
    error = np.sqrt(rate * (1 - rate) / len(hits))
    return {"repetitions": len(hits), "rate": 100 * rate, "mc_error": 100 * error}


def coverage(bounds: list[Bounds], truth: float, **labels: Any) -> Row:
    low, high = (np.concatenate(side) for side in zip(*bounds, strict=True))
    row = labels | {"figure": "coverage"} | share((low <= truth) & (truth <= high))
    row |= {"below": 100 * (high < truth).mean(), "above": 100 * (low > truth).mean()}
    return row | {"inside": 94 <= row["rate"] <= 96}


def bounds_of(interval: Interval, truth: float = 0.0) -> Bounds:
    return np.atleast_1d(interval.low) - truth, np.atleast_1d(interval.high) - truth


def rejection(found: list[Significance], **labels: Any) -> Row:
    hits = np.concatenate([np.atleast_1d(test.significant) for test in found])
    row = labels | {"figure": "rejection"} | share(hits)
    return row | {"inside": 4 <= row["rate"] <= 6}


def moderate(data: str, n: int) -> bool:
    """Whether the mean of n draws is near enough to normal for 95 % to be claimed."""
    if data in SHARES:
        return n * SHARES[data] >= FEWEST_APART
    return n >= (1000 if "6.2" in data else 200)


def intervals(
    repetitions: int,
    seed: int,
    sizes: Sequence[int] = (10, 20, 50, 200, 1000),
    methods: Sequence[IntervalMethod] = ("t",),
    distributions: Sequence[str] = tuple(DISTRIBUTIONS),
) -> Iterator[Row]:
    """Means of local importances, by each method."""
    for n in sizes:
        for data in distributions:
            draw = DISTRIBUTIONS[data]
            for method in methods:
                rng = generator(seed, "intervals", n, data)
                found = [
                    bounds_of(
                        confidence_interval(
                            draw(rng, (n, columns)), method=method, random_state=block
                        )
                    )
                    for columns, block in blocks(repetitions)
                ]
                labels = {"what": f"interval, {method}", "data": data, "n": n}
                # With heavy tails the bootstraps are narrower than "t".
                claimed = moderate(data, n) and (method == "t" or "Student" not in data)
                yield coverage(found, 0.0, **labels, claimed=claimed)


def bootstraps(repetitions: int, seed: int) -> Iterator[Row]:
    """The other methods, less often: they take long."""
    methods = [method for method in INTERVAL_METHODS if method != "t"]
    yield from intervals(repetitions, seed, (10, 20, 50, 200), methods)
    data = ("lognormal (6.2)", *SHARES)
    yield from intervals(repetitions // 4, seed, (1000,), methods, data)


def zeros(
    repetitions: int, seed: int, sizes: Sequence[int] = (10, 30, 100, 300, 1000, 3000)
) -> Iterator[Row]:
    """t intervals of ReLU effects, and those of them without a warning."""
    for n in sizes:
        for data, share_ in SHARES.items():
            draw, rng = DISTRIBUTIONS[data], generator(seed, "zeros", n, data)
            found, warned = [], []
            for columns, _ in blocks(repetitions):
                local = draw(rng, (n, columns))
                found.append(bounds_of(confidence_interval(local)))
                apart = (local > local.min(axis=0)).sum(axis=0)
                warned.append((apart < FEWEST_APART) & (2 * apart < n))
            quiet = ~np.concatenate(warned)
            labels: Row = {"data": data, "n": n}
            yield coverage(
                found, 0.0, what="t", **labels, claimed=n * share_ >= 2 * FEWEST_APART
            )
            low, high = (np.concatenate(side) for side in zip(*found, strict=True))
            if quiet.any():
                told = [(low[quiet], high[quiet])]
                labels["claimed"] = n * share_ >= 2 * FEWEST_APART
                yield coverage(told, 0.0, what="t, without a warning", **labels)


class _Weights(torch.nn.Module):
    """A weight for each letter and position: what an order does, it does to all."""

    def __init__(self, weights: Values) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(torch.from_numpy(weights))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.einsum("ncl,cl->n", X.double(), self.weights)[:, None]


def occlusions(
    repetitions: int, seed: int, sizes: Sequence[int] = (50, 200, 1000)
) -> Iterator[Row]:
    """The mean over sequences of what a region does, two draws each."""
    length, region, draws = 30, (8, 20), 2
    rng = generator(seed, "occlusions")
    model = _Weights(rng.normal(size=(4, length)))
    weights = model.weights.detach().numpy()[:, slice(*region)]
    profile = rng.dirichlet(np.ones(4), size=length).T

    def sequences(n: int) -> torch.Tensor:
        letters = (rng.random((n, 1, length)) > profile.cumsum(axis=0)).sum(axis=1)
        eye = torch.eye(4, dtype=torch.int8)
        return eye[letters.clip(max=3)].transpose(1, 2)

    part = profile[:, slice(*region)]
    shuffled = ((part.mean(axis=1, keepdims=True) - part) * weights).sum()
    for n in sizes:
        few = max(1, repetitions * 200 // n)
        # Rows are drawn on their own, so that one call can hold many repetitions.
        X = sequences(25 * few * n)
        result = occlusion(model, X, region, n=draws, random_state=seed)
        local = result.output().average("draw").local_importance
        assert isinstance(local, torch.Tensor)
        own = confidence_interval(local.reshape(25 * few, n).T)
        found: dict[str, list[Bounds]] = {"shuffle": [bounds_of(own, shuffled)]}
        for repetition in range(few):
            X, pool = sequences(n), sequences(50)
            drawn = pool[:, :, slice(*region)].double().mean(dim=0).numpy()
            given = ((drawn - part) * weights).sum()
            options: Any = {"n": draws, "random_state": repetition}
            result = occlusion(model, X, region, background=pool, **options)
            interval = confidence_interval(result.average("draw").output())
            before, after = ablate(model, X, *region, device="cpu", **options)
            shared = confidence_interval((after - before[:, None]).mean(dim=1)[:, 0])
            for what, bounds in {
                "50 sequences, draws from these": bounds_of(interval, given),
                "50 sequences, draws from any": bounds_of(interval),
                "one order for all": bounds_of(shared, shuffled),
            }.items():
                found.setdefault(what, []).append(bounds)
        for what, each in found.items():
            claimed = what in ("shuffle", "50 sequences, draws from these")
            labels = {"what": what, "data": "profile", "n": n, "claimed": claimed}
            yield coverage(each, 0.0, **labels)


def correlations(
    repetitions: int, seed: int, sizes: Sequence[int] = (10, 20, 50, 200)
) -> Iterator[Row]:
    """Correlations of numbers that share a part."""
    for n in sizes:
        for data in ("normal (0)", "Laplace (0)", "exponential (2)"):
            for rho in (0.0, 0.6):
                draw = DISTRIBUTIONS[data]
                rng = generator(seed, "correlations", n, data, str(rho))
                found = []
                for columns, _ in blocks(repetitions):
                    shared, x, y = (
                        np.sqrt(part) * draw(rng, (n, columns))
                        for part in (rho, 1 - rho, 1 - rho)
                    )
                    found.append(bounds_of(correlation(shared + x, shared + y), rho))
                labels = {"what": f"correlation {rho}", "data": data, "n": n}
                yield coverage(found, 0.0, **labels, claimed="normal" in data)


def planning(
    repetitions: int, seed: int, pilots: Sequence[int] = (20, 50, 200)
) -> Iterator[Row]:
    """Does an experiment of the size that a pilot asked for do what was asked?

    `rate`, in per cent, is for intervals the share of experiments that are as narrow,
    and for tests the share of pilots after which the power is reached; 90 are asked.
    """
    for n in pilots:
        for data, draw in DISTRIBUTIONS.items():
            rng = generator(seed, "planning", n, data)
            local = draw(rng, (n, repetitions))
            local = local[:, np.ptp(local, axis=0) > 0]
            many = backgrounds_needed(local, 0.2)
            narrow = [
                scipy.stats.t.ppf(0.975, m - 1) * draw(rng, (m,)).std(ddof=1) <= w
                for m, w in zip(many, 0.2 * np.sqrt(many), strict=True)
            ]
            m = backgrounds_needed(local, effect=0.3)
            t = scipy.stats.t.ppf(0.975, m - 1)
            sharp = scipy.stats.nct.sf(t, m - 1, 0.3 * np.sqrt(m)) >= 0.9
            for what, hits in (("margin", np.array(narrow)), ("power", sharp)):
                row = {"figure": "assurance", "what": what, "data": data, "n": n}
                row |= share(hits) | {"claimed": data == "normal (0)"}
                yield row | {"inside": row["rate"] >= 90 - 3 * row["mc_error"]}


def effects(repetitions: int, seed: int) -> Iterator[Row]:
    """Derived effects of arms that share half their variance."""
    for n in (200, 1000):
        for data in ("normal (0)", "lognormal (1.75)"):
            draw, rng = DISTRIBUTIONS[data], generator(seed, "effects", n, data)
            found: dict[tuple[str, float], list[Bounds]] = {}
            for columns, _ in blocks(repetitions):
                shared = draw(rng, (n, columns))
                a, b, ab = (
                    effect + (shared + draw(rng, (n, columns))) / np.sqrt(2)
                    for effect in (0.8, 0.4, 1.5)
                )
                dz = standardised_effect(0.8 + draw(rng, (n, columns)))
                for key, interval in {
                    ("difference", 0.4): effect_difference(a, b),
                    ("ratio (Fieller)", 2.0): effect_ratio(a, b),
                    ("interaction", 0.3): interaction_contrast(ab, a, b).interval,
                    ("Cohen's dz", 0.8): dz,
                }.items():
                    found.setdefault(key, []).append(bounds_of(interval))
            for (what, truth), each in found.items():
                # The error of dz rests on fourth moments, which skewed data hide.
                claimed = what != "Cohen's dz" or data in SYMMETRIC
                labels = {"what": what, "data": data, "n": n}
                yield coverage(each, truth, **labels, claimed=claimed)


def additivity(repetitions: int, seed: int) -> Iterator[Row]:
    """Slope and deviation of three sites that add 0.5, 0.5 and 0.3."""
    n = 200
    for data in ("normal (0)", "lognormal (1.75)"):
        draw, rng = DISTRIBUTIONS[data], generator(seed, "additivity", data)
        slopes, deviations = [], []
        for _ in range(repetitions):
            gains = draw(rng, (n, 3)) + np.array([0.5, 0.5, 0.3])
            fit = additivity_fit(np.cumsum(gains, axis=1), [1, 2, 3])
            slopes.append(bounds_of(fit.slope))
            last = fit.points.iloc[-1]
            low, high = last[["deviation_low", "deviation_high"]].to_numpy()[:, None]
            deviations.append((low, high))
        for what, each, truth in (
            ("additivity, slope", slopes, 0.4),
            ("additivity, deviation", deviations, -0.2),
        ):
            yield coverage(each, truth, what=what, data=data, n=n, claimed=True)


def clusters(
    repetitions: int, seed: int, numbers: Sequence[int] = (40, 200)
) -> Iterator[Row]:
    """Shuffles of shared templates, which carry half the variance."""
    shuffles = {"5 each": np.array([5]), "1-9 each": np.arange(1, 10)}
    cases: dict[str, dict[str, Any]] = {
        "naive t": {"method": "t"},
        "clustered t": {"method": "t"},
        "clustered bca": {"method": "bca"},
        "clustered bootstrap-t": {"method": "bootstrap-t"},
    }
    for templates in numbers:
        for data in ("normal (0)", "lognormal (1.75)"):
            draw = DISTRIBUTIONS[data]
            for name, size in shuffles.items():
                labels = np.repeat(np.arange(templates), np.resize(size, templates))
                for what, options in cases.items():
                    rng = generator(seed, "clusters", templates, data, name)
                    known = None if what == "naive t" else labels
                    found = []
                    for columns, block in blocks(repetitions):
                        template = draw(rng, (templates, columns))[labels]
                        own = draw(rng, (len(labels), columns))
                        local = (template + own) / np.sqrt(2)
                        interval = confidence_interval(
                            local, clusters=known, random_state=block, **options
                        )
                        found.append(bounds_of(interval))
                    yield coverage(
                        found,
                        0.0,
                        what=what,
                        data=f"{data}, {templates} templates, {name}",
                        n=len(labels),
                        claimed=known is not None and moderate(data, templates),
                    )


def clustered_effects(
    data: str, rng: np.random.Generator, labels: NDArray[np.int64], columns: int
) -> Values:
    """Local importances of mean 0, shape=(n, columns), half of it of the template."""
    draw = DISTRIBUTIONS.get(data, DISTRIBUTIONS["normal (0)"])
    template = draw(rng, (int(labels.max()) + 1, columns))[labels]
    local = (template + draw(rng, (len(labels), columns))) / np.sqrt(2)
    if data == "ReLU":  # of a normal number less 1: 0 on 84 % of backgrounds
        return np.maximum(local - 1, 0) - 0.0833155
    return local


def as_result(local: Values, labels: NDArray[np.int64] | None = None) -> GIAResult:
    """A result with these local importances."""
    after = torch.from_numpy(local)
    table = pd.DataFrame({"condition": range(local.shape[1])})
    return GIAResult(torch.zeros_like(after[:, 0]), after, table, clusters=labels)


def tables_of_clusters(
    repetitions: int, seed: int, numbers: Sequence[int] = (10, 30)
) -> Iterator[Row]:
    """What tables and tests say of few templates, each shuffled 20 times on average."""
    for templates in numbers:
        sizes = {
            "20 each": np.full(templates, 20),
            "2 to 38": np.linspace(2, 38, templates).astype(int),
        }
        for data in ("normal (0)", "lognormal (1.75)", "ReLU"):
            for name, size in sizes.items():
                labels = np.repeat(np.arange(templates), size)
                rng = generator(seed, "tables of clusters", templates, data, name)
                bounds: dict[str, list[Bounds]] = {}
                tests: dict[str, list[Significance]] = {}
                for columns, block in blocks(repetitions):
                    local = clustered_effects(data, rng, labels, columns)
                    for what, frame in clustered_frames(local, labels, rng).items():
                        pair = frame["low"].to_numpy(), frame["high"].to_numpy()
                        bounds.setdefault(what, []).append(pair)
                    one = as_result(local, labels)
                    # Of other sequences, and of other shuffles of the same ones.
                    other = clustered_effects(data, rng, labels, columns)
                    own = clustered_effects(data, rng, np.arange(len(labels)), columns)
                    again = local + own
                    known = (labels, labels + templates)
                    for what, test in {
                        "paired t": paired_t_test(one),
                        "Wilcoxon": wilcoxon_test(one),
                        "sign flip": sign_flip_test(one, random_state=block),
                        "Welch, other templates": welch_test(
                            local, other, clusters=known
                        ),
                        "Welch, same templates": welch_test(
                            one, as_result(again, labels)
                        ),
                    }.items():
                        tests.setdefault(what, []).append(test)
                about = {"data": f"{data}, {templates} templates, {name}"}
                about["n"] = len(labels)
                for what, each in bounds.items():
                    # Those over models are wide where backgrounds vary most.
                    claimed = data in SYMMETRIC and what in ("table", "scan")
                    yield coverage(each, 0.0, what=what, **about, claimed=claimed)
                for what, found in tests.items():
                    claimed = data in SYMMETRIC
                    yield rejection(found, what=what, **about, claimed=claimed)


def clustered_frames(
    local: Values, labels: NDArray[np.int64], rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """The tables of a result, of a scan, and of five models on the same backgrounds."""
    moments = ClusteredMoments(local.shape[1], (), labels)
    moments.add(slice(None), torch.from_numpy(local))
    kmers = [str(i) for i in range(local.shape[1])]
    scan = KmerScan(kmers, moments.mean, moments.se, len(local), clusters=labels)
    # Models vary half as much as their common mean does with the templates.
    spread = 0.25 * np.sqrt(0.5 / len(np.unique(labels)))
    models = [local + spread * rng.normal(size=local.shape[1]) for _ in range(5)]
    summaries = {
        name: Comparison(
            {str(i): as_result(each, known) for i, each in enumerate(models)}, "model"
        ).summary()
        for name, known in (("", labels), (", naive", None))
    }
    return {
        "table, naive": as_result(local).to_frame(),
        "table": as_result(local, labels).to_frame(),
        "scan": scan.to_frame(),
        **{f"summary of 5 models{name}": frame for name, frame in summaries.items()},
    }


def null_tests(
    repetitions: int, seed: int, sizes: Sequence[int] = (10, 30, 200, 1000)
) -> Iterator[Row]:
    """How often do tests find an effect where there is none?"""
    cases: dict[str, Callable[[Values, int], Significance]] = {
        "paired t": lambda local, _: paired_t_test(local),
        "sign flip": lambda local, block: sign_flip_test(local, random_state=block),
        "Wilcoxon": lambda local, _: wilcoxon_test(local),
    }
    for n in sizes:
        for data, draw in DISTRIBUTIONS.items():
            for what, test in cases.items():
                rng = generator(seed, "tests", n, data)
                found = [
                    test(draw(rng, (n, columns)), block)
                    for columns, block in blocks(repetitions)
                ]
                # Wilcoxon's null hypothesis is symmetry, not a mean of 0.
                claimed = data in SYMMETRIC or (
                    what != "Wilcoxon" and moderate(data, n)
                )
                # Few sums of three values differ: flips find too little.
                claimed &= "three values" not in data or n >= 1000
                yield rejection(found, what=what, data=data, n=n, claimed=claimed)


def shared_backgrounds(repetitions: int, seed: int) -> Iterator[Row]:
    """Two equal arms, on backgrounds of their own or on the same ones."""
    n = 200
    for data in ("normal (0)", "exponential (2)"):
        draw, rng = DISTRIBUTIONS[data], generator(seed, "shared", data)
        found: dict[str, list[Significance]] = {}
        for columns, _ in blocks(repetitions):
            shared, a, b = (draw(rng, (n, columns)) for _ in range(3))
            for what, test in {
                "Welch, other backgrounds": welch_test(a, b),
                "Welch, same backgrounds": welch_test(shared + a, shared + b),
                "paired t, same backgrounds": paired_t_test(shared + a, shared + b),
            }.items():
                found.setdefault(what, []).append(test)
        for what, each in found.items():
            claimed = what != "Welch, same backgrounds"
            yield rejection(each, what=what, data=data, n=n, claimed=claimed)


def searches(repetitions: int, seed: int) -> Iterator[Row]:
    """The share of false discoveries among 100 conditions."""
    n = 100
    for n_true in (0, 20):
        rng = generator(seed, "searches", n_true)
        shares: dict[str, list[float]] = {"unadjusted": [], "Benjamini-Hochberg": []}
        for _ in range(repetitions):
            local = rng.normal(size=(n, 100))
            local[:, :n_true] += 0.3
            p = paired_t_test(local).p
            both = (p < 0.05, benjamini_hochberg(p).significant)
            for found, each in zip(both, shares.values(), strict=True):
                each.append(found[n_true:].sum() / max(1, found.sum()))
        for what, each in shares.items():
            rate, error = 100 * np.mean(each), 100 * np.std(each) / np.sqrt(len(each))
            yield {
                "what": what,
                "data": f"{n_true} of 100 conditions true",
                "n": n,
                "claimed": what != "unadjusted",
                "figure": "false discoveries",
                "repetitions": len(each),
                "rate": rate,
                "mc_error": error,
                "inside": rate <= 5 + 3 * error,
            }


def winners(
    repetitions: int, seed: int, spreads: Sequence[int] = (0, 1)
) -> Iterator[Row]:
    """The best of 100 conditions, of equal effects or with a spread of them."""
    n = 400
    for spread in spreads:
        for data in ("normal (0)", "lognormal (1.75)"):
            draw, rng = DISTRIBUTIONS[data], generator(seed, "winners", spread, data)
            bounds: dict[str, list[Bounds]] = {"naive": [], "held out": []}
            errors: dict[str, list[float]] = {"naive": [], "held out": []}
            for repetition in range(repetitions):
                truth = spread / np.sqrt(n) * rng.normal(size=100)
                local = truth + draw(rng, (n, 100))
                winner = int(local.mean(axis=0).argmax())
                interval = confidence_interval(local[:, winner])
                bounds["naive"].append(bounds_of(interval, truth[winner]))
                errors["naive"].append(float(interval.effect) - truth[winner])
                row = split_and_rescore(local, random_state=repetition).iloc[0]
                low, high = row[["low", "high"]].to_numpy(dtype=float)[:, None]
                true = truth[int(row["condition"])]
                bounds["held out"].append((low - true, high - true))
                errors["held out"].append(row["effect"] - true)
            for what, each in bounds.items():
                labels = {"what": f"winner, {what}", "n": n, "claimed": what != "naive"}
                labels["data"] = f"{data}, effects spread by {spread} SE"
                yield coverage(each, 0.0, **labels)
                bias = np.array(errors[what]) * np.sqrt(n)
                error = bias.std(ddof=1) / np.sqrt(len(bias))
                yield labels | {
                    "figure": "bias",
                    "repetitions": len(bias),
                    "rate": bias.mean(),
                    "mc_error": error,
                    "inside": abs(bias.mean()) <= 3 * error,
                }


SECTIONS: dict[str, Callable[..., Iterator[Row]]] = {
    "intervals": intervals,
    "bootstraps": bootstraps,
    "zeros": zeros,
    "occlusions": occlusions,
    "correlations": correlations,
    "planning": planning,
    "effects": effects,
    "additivity": additivity,
    "clusters": clusters,
    "tables_of_clusters": tables_of_clusters,
    "tests": null_tests,
    "shared_backgrounds": shared_backgrounds,
    "searches": searches,
    "winners": winners,
}
# How many times less often than others sections are repeated that take long.
COST = {
    "bootstraps": 10,
    "occlusions": 25,
    "planning": 5,
    "additivity": 10,
    "clusters": 10,
    "tests": 10,
    "winners": 10,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--sections", nargs="*", choices=SECTIONS, default=list(SECTIONS)
    )
    options = parser.parse_args()
    # What is measured here is what they warn of.
    warnings.simplefilter("ignore", FewEffectsWarning)
    for name in options.sections:
        start = time.perf_counter()
        repetitions = max(1, options.repetitions // COST.get(name, 1))
        table = pd.DataFrame(SECTIONS[name](repetitions, options.seed))
        for column in ("claimed", "inside"):
            table[column] = table[column].map({True: "yes", False: "no"})
        columns = [column for column in COLUMN_ORDER if column in table]
        print(f"## {name} ({time.perf_counter() - start:.0f} s)")
        print(table[columns].to_string(index=False, float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
