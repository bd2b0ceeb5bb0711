"""Effects beside affinities: lines that a reader can compute, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia import KmerScan, kmer_mutagenesis
from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.statistics import affinity_regression

KMERS = ["AAC", "AAG", "AAU", "CAC", "CAG"]


def table(*effects: float) -> pd.DataFrame:
    return pd.DataFrame({"kmer": KMERS[: len(effects)], "effect": effects})


def test_a_line_of_three_points_is_that_of_the_formulas():
    fit = affinity_regression(
        table(3, 2, 0), dict(zip(KMERS[:3], [1, 2, 3], strict=True))
    )
    assert fit.slope.effect == pytest.approx(-1.5)
    assert fit.intercept == pytest.approx(14 / 3)
    # Residuals 1/6 * (-1, 2, -1), on one degree of freedom: t is Cauchy's.
    assert fit.slope.se == pytest.approx(math.sqrt(1 / 12))
    assert fit.r2 == pytest.approx(27 / 28)
    t = 1.5 * math.sqrt(12)
    assert fit.p == pytest.approx(1 - 2 / math.pi * math.atan(t))
    margin = math.tan(0.95 * math.pi / 2) * math.sqrt(1 / 12)
    assert fit.slope.high - fit.slope.effect == pytest.approx(margin)
    assert np.allclose(fit.kmers["residual"] * 6, [-1, 2, -1])
    assert fit.pearson.effect == pytest.approx(-math.sqrt(27 / 28))
    assert fit.spearman.effect == pytest.approx(-1)
    assert np.isnan(fit.pearson.low)
    assert fit.slope.n == 3


def test_the_logarithm_is_taken_only_when_asked():
    measured = {kmer: 10.0**i for i, kmer in enumerate(KMERS)}
    effects = table(4, 3, 2, 1, 0)
    fit = affinity_regression(effects, measured, log=True)
    assert fit.slope.effect == pytest.approx(-1 / math.log(10))
    assert fit.r2 == pytest.approx(1)
    assert fit.log
    plain = affinity_regression(effects, measured)
    assert plain.r2 < 0.7
    assert plain.spearman.effect == pytest.approx(-1)
    assert plain.kmers["x"].tolist() == list(measured.values())


def test_two_points_have_a_slope_and_no_claim():
    fit = affinity_regression(table(1, 3), {"AAC": 0.0, "AAG": 4.0})
    assert fit.slope.effect == pytest.approx(0.5)
    for told in (fit.p, fit.r2, fit.slope.low, fit.pearson.effect, fit.spearman.effect):
        assert np.isnan(told)


@pytest.mark.parametrize("flat", ["effects", "affinities"])
def test_where_nothing_varies_nothing_is_told(flat):
    effects = table(1, 1, 1, 1) if flat == "effects" else table(1, 2, 3, 4)
    values = [5.0] * 4 if flat == "affinities" else [1.0, 2.0, 3.0, 4.0]
    fit = affinity_regression(effects, dict(zip(KMERS, values, strict=False)))
    told = (fit.slope.effect, fit.p, fit.r2, fit.pearson.effect, fit.spearman.effect)
    assert np.isnan(told).all()


def test_ties_share_their_mean_rank():
    measured = dict(zip(KMERS, [1.0, 1.0, 2.0, 3.0, 4.0], strict=True))
    fit = affinity_regression(table(1, 2, 3, 4, 5), measured)
    # Ranks 1.5, 1.5, 3, 4, 5 beside 1, 2, 3, 4, 5.
    assert fit.spearman.effect == pytest.approx(9.5 / math.sqrt(9.5 * 10))
    # Intervals of so few ranks would be too narrow.
    assert np.isnan(fit.spearman.low)
    assert fit.pearson.low < fit.pearson.effect


@pytest.mark.parametrize("kind", ["dict", "series", "table", "other order"])
def test_affinities_come_as_a_dict_a_series_or_a_table(kind):
    values = dict(zip(["aac", "AAG", "AAT"], [1.0, 2.0, 4.0], strict=True))
    given = {
        "dict": values,
        "series": pd.Series(values),
        "table": pd.DataFrame({"kd": values.values(), "pattern": values.keys()}),
        "other order": dict(reversed(values.items())),
    }[kind]
    fit = affinity_regression(table(1, 2, 4), given)
    assert fit.slope.effect == pytest.approx(1)
    assert set(fit.kmers["kmer"]) == set(values)


def test_a_model_that_adds_letters_gives_back_their_energies():
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0])

    def model(X: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nal,a->n", X[:, :, 3:5].float(), weights)[:, None]

    X = torch.eye(4)[torch.randint(4, (30, 9), generator=torch.manual_seed(0))]
    result = kmer_mutagenesis(model, X.transpose(1, 2), "AC", 3, n_controls=1)
    energy = {
        a + b: float(weights["ACGT".index(a)] + weights["ACGT".index(b)])
        for a, b in ("AC", "AA", "AG", "AT", "CC", "GC", "TC")
    }
    kd = {kmer: math.exp(-value) for kmer, value in energy.items()}
    fit = affinity_regression(result, kd, log=True)
    assert fit.slope.effect == pytest.approx(-1, rel=1e-4)
    assert fit.p < 1e-9
    assert {"low", "high"} <= set(fit.kmers)


def test_a_scan_is_read_too():
    scan = KmerScan(["AC", "AG", "AU"], torch.tensor([1.0, 2, 3]), torch.ones(3), 9)
    fit = affinity_regression(scan, {"AU": 6.0, "AC": 2.0})
    assert fit.slope.effect == pytest.approx(0.5)


TWICE = pd.DataFrame({"kmer": ["AAC", "AAC", "AAG"], "effect": [1.0, 2.0, 3.0]})
BOTH = {"AAC": 1.0, "AAG": 2.0}
REFUSED = {
    "missing": (table(1, 2), {"AAC": 1, "GGG": 2, "GGU": 3}, "2 of 3 .* GGG, GGU"),
    "twice measured": (table(1, 2), {"AAT": 1, "aau": 2}, "`affinities` has AAU more"),
    "twice placed": (TWICE, BOTH, "`result` has AAC more than once"),
    "no number": (table(1, 2), {"AAC": 1, "AAG": "n.d."}, "but not AAG: n.d."),
    "nan": (table(1, 2), {"AAC": 1, "AAG": math.nan}, "finite for every k-mer"),
    "too few": (table(1, 2), {"AAC": 1}, "1 k-mers; 2 or more"),
    "list": (table(1, 2), [1, 2], "`affinities` is a list"),
    "no result": (3, BOTH, "`result` is a int"),
    "no k-mers": (table(1, 2).drop(columns="kmer"), BOTH, "one of k-mers"),
    "columns": (table(1, 2), pd.DataFrame({"a": ["A"], "b": ["C"]}), "one of numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_named(name):
    result, affinities, match = REFUSED[name]
    with pytest.raises((TypeError, ValueError), match=match):
        affinity_regression(result, affinities)


def test_a_logarithm_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"above 0, .* AAG: 0"):
        affinity_regression(table(1, 2), {"AAC": 1, "AAG": 0}, log=True)


def test_several_outputs_are_refused():
    after = torch.randn(5, 2, 3, generator=torch.manual_seed(0))
    kmers = pd.DataFrame({"kmer": KMERS[:2]})
    with pytest.raises(ValueError, match="output"):
        affinity_regression(GIAResult(torch.zeros(5, 3), after, kmers), BOTH)
