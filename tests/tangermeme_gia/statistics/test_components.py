"""Parts of a variance that is known come back, and make up that of the mean."""

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia import GIAResult, KmerScan
from tangermeme_gia.statistics import variance_components
from tangermeme_gia.statistics.comparisons import Comparison
from tangermeme_gia.statistics.components import split_columns


def crossed(models, n, sds, *, of_a_template=1, n_conditions=1000) -> Comparison:
    """Models on backgrounds; conditions are repetitions, whose mean effect is 3."""
    rng = np.random.default_rng(0)

    def drawn(sd, *shape):
        values = sd * rng.standard_normal((*shape, n_conditions))
        return np.repeat(values, of_a_template, axis=1) if shape[1] > 1 else values

    units = n // of_a_template
    local = 3 + drawn(sds[0], models, 1) + drawn(sds[1], 1, units)
    local = torch.from_numpy(local + drawn(sds[2], models, units))
    table = pd.DataFrame({"repetition": range(n_conditions)})
    labels = None if of_a_template == 1 else np.arange(n) // of_a_template
    before = torch.zeros(n, 1, dtype=torch.float64)
    results = {
        str(i): GIAResult(before, each[..., None], table, clusters=labels)
        for i, each in enumerate(local)
    }
    return Comparison(results, "model")


def variances(frame) -> list[float]:
    squares = frame.assign(square=frame["sd"] ** 2)
    means = squares.groupby("component", sort=False)["square"].mean()
    assert list(means.index) == ["models", "backgrounds", "models x backgrounds"]
    return means.tolist()


@pytest.mark.parametrize("of_a_template", [1, 5])
@pytest.mark.parametrize("sds", [(1, 2, 3), (0.5, 5, 1), (2, 1, 1)])
def test_known_variances_come_back(sds, of_a_template):
    n = 15 * of_a_template
    comparison = crossed(4, n, sds, of_a_template=of_a_template)
    found = variances(variance_components(comparison))
    # A small part is cut at 0 in some repetitions, so that it is too large on average.
    np.testing.assert_allclose(found, np.square(sds), rtol=0.12, atol=0.12)


def test_parts_make_up_the_variance_of_the_mean():
    comparison = crossed(3, 10, (1, 1, 1), n_conditions=50)
    frame = variance_components(comparison)
    summary = comparison.summary()
    whole = frame.groupby("repetition")[["variance", "share"]].sum()
    np.testing.assert_allclose(whole["variance"], summary["se"] ** 2)
    np.testing.assert_allclose(whole["share"], 1)
    assert (frame["variance"] >= 0).all()


def test_twice_as_many_are_worth_what_a_larger_experiment_has():
    few, many = crossed(4, 30, (1, 3, 4)), crossed(8, 30, (1, 3, 4))
    long, both = crossed(4, 60, (1, 3, 4)), crossed(8, 60, (1, 3, 4))
    twice = variance_components(few).assign(v=lambda t: t["se_twice"] ** 2)
    expected = twice.groupby("component", sort=False)["v"].mean()
    for promised, larger in zip(expected, (many, long, both), strict=True):
        found = (larger.summary()["se"] ** 2).mean()
        assert promised == pytest.approx(found, rel=0.08)


@pytest.mark.parametrize("models", [3, 10])
@pytest.mark.parametrize("sds", [(1, 0.5, 0.5), (1, 5, 1), (0.2, 3, 3)])
def test_intervals_over_both_hold_the_mean(models, sds):
    # benchmarks/components.py measures more.
    summary = crossed(models, 25, sds, n_conditions=2000).summary()
    held = ((summary["low"] <= 3) & (summary["high"] >= 3)).mean()
    assert held > 0.95 - 4 * np.sqrt(0.05 * 0.95 / 2000) - 0.01


def test_columns_stand_beside_the_rows_of_the_summary():
    comparison = crossed(3, 10, (1, 1, 1), n_conditions=4)
    columns = split_columns(comparison)
    frame = variance_components(comparison)
    assert columns["share_models"].tolist() == frame["share"].tolist()[::3]
    assert columns["se_twice_backgrounds"].tolist() == frame["se_twice"].tolist()[1::3]
    assert len(columns) == 4


def test_models_that_agree_exactly_leave_all_to_the_backgrounds():
    frame = variance_components(crossed(3, 20, (0, 1, 0), n_conditions=1))
    np.testing.assert_allclose(frame["share"], [0, 1, 0], atol=1e-9)
    silent = variance_components(crossed(3, 20, (0, 0, 0), n_conditions=1))
    assert silent["share"].isna().all()
    assert (silent["se_twice"] == 0).all()


def test_scans_cannot_tell_what_models_share_from_the_rest():
    scans = {
        name: KmerScan(["AC"], torch.tensor([[mean]]), torch.tensor([[0.5]]), 20)
        for name, mean in (("a", 1.0), ("b", 4.0))
    }
    frame = variance_components(Comparison(scans, "model"))
    np.testing.assert_allclose(frame["variance"], [4.5 / 2, 0.25, 0], rtol=1e-6)


def test_backgrounds_and_single_models_are_refused():
    comparison = crossed(2, 5, (1, 1, 1), n_conditions=1)
    with pytest.raises(ValueError, match="backgrounds are chosen"):
        variance_components(Comparison(comparison.results))
    one = Comparison({"0": comparison.results["0"]}, "model")
    with pytest.raises(ValueError, match="`comparison` is of 1 model"):
        variance_components(one)
