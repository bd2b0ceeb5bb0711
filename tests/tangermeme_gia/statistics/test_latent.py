"""Grids whose interaction is known, and what cannot be told."""

import importlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.statistics.conjoint import (
    check_additivity,
    fit_additive,
    read_off,
)
from tangermeme_gia.statistics.latent import latent_contrast

LEVELS = np.array(list(np.ndindex(5, 5, 4)))
BOTH = (LEVELS[:, :2] == 4).all(axis=1)
STEPS = (
    np.array([0, 0.4, 0.9, 1.5, 2.0]),
    np.array([0, 0.6, 1.0, 1.4, 1.8]),
    np.array([0, 0.5, 1.2, 1.7]),
)
SUMS = sum(steps[levels] for steps, levels in zip(STEPS, LEVELS.T, strict=True))
READOUTS = {
    "sigmoid": torch.sigmoid,
    "ReLU": torch.relu,
    "softplus": torch.nn.functional.softplus,
    "exponential": torch.exp,
    "linear": lambda x: x,
}


def background(n: int = 120, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n)


def grid(
    readout=torch.sigmoid,
    planted: float = 0.0,
    constant: float = -2.0,
    rows: np.ndarray | None = None,
    sums: np.ndarray = SUMS,
    clusters=None,
) -> GIAResult:
    """Of a model in which A is worth 2; `planted` in units of that."""
    rows = background() if rows is None else rows
    latent = rows[:, None] + sums + 2 * planted * BOTH + constant
    y = readout(torch.from_numpy(latent))[:, :, None]
    table = pd.DataFrame(LEVELS, columns=["level_a", "level_b", "level_c"])
    before = readout(torch.from_numpy(rows + constant))[:, None]
    return GIAResult(before, y, table, clusters=clusters)


@pytest.mark.parametrize("readout", READOUTS)
def test_what_adds_up_before_the_readout_does_not_survive(readout):
    found = latent_contrast(grid(READOUTS[readout], constant=-1.0), n_resamples=49)
    expected = "adds up" if readout == "linear" else "explained by saturation"
    assert found.verdict == expected
    assert found.latent.low < 0 < found.latent.high
    assert found.latent.effect == pytest.approx(0, abs=0.05)
    assert found.logit is None


@pytest.mark.parametrize("planted", [-0.5, -0.25, 0.25, 0.5])
@pytest.mark.parametrize("readout", READOUTS)
def test_a_planted_interaction_is_recovered_in_units_of_a(readout, planted):
    found = latent_contrast(grid(READOUTS[readout], planted), n_resamples=49)
    assert found.verdict == "survives"
    assert found.latent.effect == pytest.approx(planted, abs=0.06)
    assert found.latent.low <= planted <= found.latent.high


@pytest.mark.parametrize("planted", [0.0, 0.5])
def test_of_an_output_that_a_lowers_the_unit_is_still_a(planted):
    found = latent_contrast(grid(lambda x: -torch.sigmoid(x), planted), n_resamples=49)
    assert found.latent.effect == pytest.approx(planted, abs=0.06)
    outputs = found.cells.set_index(["level_a", "level_b", "level_c"])["output"]
    assert outputs[4, 0, 0] < outputs[0, 0, 0] < 0


def test_the_raw_contrast_is_that_of_the_corners():
    result = grid(torch.exp, 0.25)
    y = result.y_afters[..., 0].reshape(-1, 5, 5, 4)[..., 0]
    expected = y[:, 4, 4] - y[:, 4, 0] - y[:, 0, 4] + y[:, 0, 0]
    found = latent_contrast(result, n_resamples=9).raw
    assert found.effect == pytest.approx(expected.mean())
    assert found.se == pytest.approx(expected.std() / 120**0.5)


def test_the_order_of_conditions_does_not_matter():
    result = grid(planted=0.25)
    mixed = result.select(np.random.default_rng(0).permutation(100))
    one, other = (latent_contrast(each, n_resamples=9) for each in (result, mixed))
    np.testing.assert_allclose(one.latent, other.latent, atol=1e-9)
    keys = ["level_a", "level_b", "level_c"]
    assert other.cells[keys].equals(mixed.conditions)
    sorted_cells = other.cells.sort_values(keys).reset_index(drop=True)
    pd.testing.assert_frame_equal(one.cells, sorted_cells)


def test_cells_have_their_sums_and_ab_what_the_link_says():
    cells = latent_contrast(grid(planted=0.25), n_resamples=9).cells
    np.testing.assert_allclose(cells["latent"], SUMS / 2, atol=0.05)
    assert cells["both"].tolist() == BOTH.tolist()
    ab = cells[cells["both"]]
    inside = np.isfinite(ab["read_high"])
    assert inside.sum() >= 2
    np.testing.assert_allclose(
        ab["read"][inside], ab["latent"][inside] + 0.25, atol=0.06
    )
    assert (ab["read_low"] <= ab["read"]).all()
    assert (ab["read"] <= ab["read_high"]).all()
    assert cells.loc[~cells["both"], "read"].isna().all()


def test_the_interval_holds_the_step_between_neighbouring_cells():
    """Where all backgrounds are alike nothing else is unsure."""
    found = latent_contrast(grid(rows=np.zeros(30)), n_resamples=9)
    ab = found.cells[found.cells["both"] & np.isfinite(found.cells["read_high"])]
    assert ab["latent"].size
    low = (ab["read_low"] - ab["latent"]).mean()
    high = (ab["read_high"] - ab["latent"]).mean()
    assert high - low > 0.02
    assert found.latent.low <= low + 1e-9
    assert found.latent.high >= high - 1e-9


def test_templates_make_the_error_larger():
    rng = np.random.default_rng(0)
    noise = np.repeat(rng.normal(0, 1.0, (20, 100)), 6, axis=0)
    rows = np.repeat(rng.standard_normal(20), 6)
    latent = rows[:, None] + SUMS - 2 + noise
    y = torch.sigmoid(torch.from_numpy(latent))[:, :, None]
    table = grid().conditions
    errors = []
    for clusters in (None, np.repeat(np.arange(20), 6)):
        result = GIAResult(torch.zeros(120, 1), y, table, clusters=clusters)
        errors.append(latent_contrast(result, n_resamples=49).latent.se)
    assert errors[1] > 1.5 * errors[0]


def test_an_interaction_that_grows_with_the_grades_is_read_from_each_alone():
    """C reaches as far as both; the graded cells hide half of the interaction."""
    a, b = (STEPS[i][LEVELS[:, i]] for i in range(2))
    sums = SUMS + 2 * STEPS[2][LEVELS[:, 2]] + 0.5 * 2 * (a / 2) * (b / 1.8)
    result = grid(torch.nn.functional.softplus, sums=sums)
    alone = latent_contrast(result, fitted="alone", n_resamples=49)
    assert alone.verdict == "survives"
    assert alone.latent.effect == pytest.approx(0.5, abs=0.08)
    graded = latent_contrast(result, n_resamples=49)
    assert graded.latent.effect < 0.35


def test_on_the_given_scale_the_contrast_is_in_units_of_a():
    planted = 0.25
    both = torch.cat(
        [
            grid(torch.sigmoid, planted).y_afters,
            grid(lambda x: x, planted).y_afters,
        ],
        dim=-1,
    )
    result = GIAResult(torch.zeros(120, 2), both, grid().conditions)
    found = latent_contrast(result.output(0), logit=result.output(1), n_resamples=9)
    assert found.logit.effect == pytest.approx(planted)
    assert found.logit.low <= planted + 1e-9


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (lambda: grid(planted=3.0), "AB lies above all other cells.*at least"),
        (lambda: grid(planted=-4.0), "AB lies below all other cells.*at most"),
        (lambda: grid(torch.relu, constant=-99.0), "A's grades do not differ"),
        (
            lambda: grid(sums=SUMS - STEPS[0][LEVELS[:, 0]]),
            "A's grades do not differ",
        ),
        (
            lambda: grid(lambda x: x, sums=STEPS[0][LEVELS[:, 0]]),
            "neither B's nor C's grades differ",
        ),
        # One cell only is above the threshold, beside those of AB.
        (
            lambda: grid(torch.relu, constant=-4.6, rows=np.zeros(30)),
            "flat",
        ),
        # Only AB is above the threshold.
        (
            lambda: grid(
                lambda x: (x > 3.9).double() + 1e-3 * (x > 1.9), rows=np.zeros(30)
            ),
            "flat|beyond|above",
        ),
    ],
)
def test_what_is_not_identifiable_is_never_called_none(result, reason):
    found = latent_contrast(result(), n_resamples=9)
    assert found.verdict == "not identifiable"
    assert np.isnan([found.latent.effect, found.latent.low, found.latent.high]).all()
    assert re.search(reason, found.reason)


def test_a_wide_interval_that_holds_0_tells_nothing():
    rng = np.random.default_rng(0)
    y = torch.sigmoid(
        torch.from_numpy(
            background(20)[:, None] + SUMS - 2 + 3 * rng.standard_normal((20, 100))
        )
    )
    result = GIAResult(torch.zeros(20, 1), y[:, :, None], grid().conditions)
    found = latent_contrast(result, n_resamples=49)
    assert found.verdict == "not identifiable"
    assert "too wide" in found.reason
    wide = latent_contrast(result, n_resamples=49, margin=99.0)
    assert wide.verdict in ("explained by saturation", "adds up")


def test_a_deviation_like_those_of_other_cells_is_no_interaction():
    """Words deviate by 0.2 of A each; AB is one of them."""
    deviation = 0.4 * np.random.default_rng(3).standard_normal(100)
    deviation[BOTH] = 0.4
    found = latent_contrast(grid(sums=SUMS + deviation), n_resamples=49)
    assert found.misfit > 0.05
    assert found.verdict != "survives"
    alone = latent_contrast(grid(sums=SUMS + 0.4 * BOTH), n_resamples=49)
    assert alone.misfit < 0.02
    assert alone.verdict == "survives"


def test_additive_cells_break_no_order():
    found = latent_contrast(grid(torch.exp), n_resamples=9)
    assert "no scale" not in found.reason
    checks = found.checks
    assert checks["p"].tolist() == [1.0] * 6
    assert checks["factors"].tolist() == [
        "A",
        "B",
        "C",
        "A and B",
        "A and C",
        "B and C",
    ]
    assert (checks["n_tests"] > 0).all()


def test_an_order_that_turns_round_is_seen():
    """C raises without A and lowers with it."""
    turned = SUMS - 2 * STEPS[2][LEVELS[:, 2]] * (LEVELS[:, 0] == 4)
    found = latent_contrast(grid(sums=turned), n_resamples=9)
    p = found.checks.set_index("factors")["p"]
    assert re.search("no scale makes the other cells add up .*order of C", found.reason)
    assert p["C"] < 0.001
    assert p["B"] == 1


def test_where_an_order_is_broken_the_cells_beside_ab_say_by_how_much():
    """C counts for half where A is at full strength; other cells deviate less."""
    sums = SUMS - 0.5 * STEPS[2][LEVELS[:, 2]] * (LEVELS[:, 0] == 4)
    found = latent_contrast(grid(torch.exp, sums=sums), n_resamples=49)
    assert found.verdict == "not identifiable"
    assert "no scale" in found.reason
    assert found.misfit == pytest.approx(0.16, abs=0.02)


def test_double_cancellation_is_seen_where_orders_hold():
    """f(i) + g(j) in no way: rises in both, but goes round in a circle."""
    table = np.array([[0.0, 3.0, 4.0], [1.0, 5.0, 8.0], [6.0, 7.0, 9.0]])
    levels = np.array(list(np.ndindex(3, 3, 2)))
    y = table[levels[:, 0], levels[:, 1]] + 20 * levels[:, 2]
    outputs = y + np.random.default_rng(0).normal(0, 0.01, (30, 18))
    checks = check_additivity(outputs, None, levels, np.ones(18, bool))
    assert (checks["p"][:3] == 1).all()
    p = checks.set_index("factors")["p"]
    assert p["A and B"] < 0.001
    # 0 with 1 above 1 with 0, 1 with 2 above 2 with 1, and 2 with 0 above 0 with 2.
    assert table[0, 1] > table[1, 0]
    assert table[1, 2] > table[2, 1]
    assert table[2, 0] > table[0, 2]
    table[2] = [2.5, 7.0, 11.0]
    y = table[levels[:, 0], levels[:, 1]] + 20 * levels[:, 2]
    again = check_additivity(
        y + np.random.default_rng(0).normal(0, 0.01, (30, 18)),
        None,
        levels,
        np.ones(18, bool),
    )
    assert again.set_index("factors")["p"]["A and B"] == 1


def test_a_level_without_cells_has_no_value():
    y = np.exp(SUMS)
    assert fit_additive(y, LEVELS, LEVELS[:, 1] != 2) is None
    assert fit_additive(y, LEVELS, LEVELS[:, 0] == 4) is None
    assert fit_additive(y, LEVELS, ~BOTH) is not None


def test_beyond_all_cells_the_link_says_nothing():
    y = np.array([1.0, 2, 3, 0, 4, 2])
    asked = np.arange(6) > 2
    value, low, high = read_off(y, np.array([0.0, 1, 2, 9, 9, 9]), ~asked, asked)
    np.testing.assert_allclose(value, [-np.inf, np.inf, 1])
    np.testing.assert_allclose(low, [-np.inf, 2, 0])
    np.testing.assert_allclose(high, [0, np.inf, 2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: (r.select(slice(99)), {}), "not each of two levels"),
        (
            lambda r: (r._replace(conditions=r.conditions.drop(columns="level_c")), {}),
            "no column 'level_c'",
        ),
        (lambda r: (r, {"margin": 0}), "`margin`=0 must be above 0"),
        (lambda r: (r, {"fitted": "all"}), "'graded' or 'alone'"),
        (lambda r: (r, {"confidence": 1}), "`confidence`"),
        (lambda r: (r, {"logit": r.select(rows=slice(9))}), "`logit` has 9 backgr"),
        (lambda r: (r.select(rows=[0]), {}), "at least 2 backgrounds"),
    ],
)
def test_what_is_no_grid_is_named(change, message):
    result, options = change(grid())
    with pytest.raises(ValueError, match=message):
        latent_contrast(result, **options)


@pytest.mark.slow
@pytest.mark.parametrize("background_kind", ["heavy tails", "zeros", "templates"])
@pytest.mark.parametrize("readout", READOUTS)
def test_rates_of_the_benchmark(readout, background_kind, monkeypatch):
    """As benchmarks/latent.py, with fewer repetitions."""
    folder = Path(__file__).parents[3] / "benchmarks"
    if not folder.exists():  # a source distribution carries no benchmarks
        pytest.skip(f"{folder} is missing")
    monkeypatch.syspath_prepend(str(folder))
    latent = importlib.import_module("latent")
    rng = np.random.default_rng(0)
    verdicts = []
    for effects in ("same", "varying"):
        truth = latent.Truth(readout, background_kind, effects)
        for _ in range(10):
            result = latent.draw(truth, 100, (5, 5, 4), rng)
            verdicts.append(latent_contrast(result, n_resamples=49).verdict)
    assert verdicts.count("survives") <= 2
    assert verdicts.count("not identifiable") < 18
