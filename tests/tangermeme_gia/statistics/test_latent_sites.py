"""Curves of sites whose latent values are known, and what cannot be told."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy
import torch

from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.statistics.latent_sites import latent_additivity
from tangermeme_gia.statistics.site_sets import site_sets

ALONE = np.array([1.4, 1.1, 1.7, 1.0])
UNIT = ALONE.mean()
C, D = np.array([0, 0.5, 0.9, 1.3, 1.8]), np.array([0, 0.4, 1.1, 1.5])
SETS = np.array(site_sets(4))
READOUTS = {
    "sigmoid": torch.sigmoid,
    "ReLU": torch.relu,
    "softplus": torch.nn.functional.softplus,
    "exponential": torch.exp,
    "linear": lambda x: x,
}


def curve(
    readout=torch.sigmoid,
    planted: float = 0.0,
    constant: float = -2.5,
    n: int = 120,
    clusters=None,
    spread: float = 1.0,
) -> GIAResult:
    """Each site after the first counts for `planted` more of its effect."""
    later = SETS * (np.cumsum(SETS, axis=1) > 1)
    sites = SETS @ ALONE + planted * later @ ALONE
    cells = np.add.outer(np.add.outer(sites, C), D).ravel()
    rows = spread * np.random.default_rng(0).standard_normal(n)
    y = readout(torch.from_numpy(rows[:, None] + cells + constant))[:, :, None]
    levels = [(*s, c, d) for s in SETS for c, d in np.ndindex(len(C), len(D))]
    names = ["level_1", "level_2", "level_3", "level_4", "level_c", "level_d"]
    table = pd.DataFrame(levels, columns=names)
    return GIAResult(torch.zeros(n, 1), y, table, clusters=clusters)


def truth(planted: float) -> np.ndarray:
    """Of 2, 3 and 4 sites, in effects of one."""
    return planted * (np.cumsum(ALONE)[1:] - ALONE[0]) / UNIT


@pytest.mark.parametrize("readout", READOUTS)
def test_sites_that_add_up_before_the_readout_do_not_survive(readout):
    fit = latent_additivity(curve(READOUTS[readout]), n_resamples=49)
    expected = "adds up" if readout == "linear" else "explained by saturation"
    assert fit.verdict == expected
    points = fit.points.iloc[1:]
    assert (points["verdict"] == expected).all()
    assert (points["deviation_low"] < 0).all()
    assert (points["deviation_high"] > 0).all()
    np.testing.assert_allclose(points["deviation"], 0, atol=0.12)
    np.testing.assert_allclose(
        fit.points["additive"], np.cumsum(ALONE) / UNIT, atol=0.1
    )
    assert fit.reason.startswith("2 sites: ")


@pytest.mark.parametrize("planted", [-0.5, 0.4])
@pytest.mark.parametrize("readout", READOUTS)
def test_sites_that_count_for_more_or_less_survive_every_readout(readout, planted):
    fit = latent_additivity(curve(READOUTS[readout], planted), n_resamples=49)
    assert fit.verdict == "survives"
    points, expected = fit.points.iloc[1:], truth(planted)
    np.testing.assert_allclose(points["deviation"], expected, atol=0.15)
    assert (points["deviation_low"] <= expected).all()
    assert (expected <= points["deviation_high"]).all()
    np.testing.assert_allclose(
        points["latent"], points["additive"] + points["deviation"]
    )


def test_on_the_output_the_deviation_is_that_of_each_alone():
    result = curve(torch.exp, 0.2)
    y = result.y_afters[..., 0].reshape(-1, 8, 5, 4)[..., 0, 0].numpy()
    local = y[:, 6] - y[:, 0] - (y[:, 1:4] - y[:, :1]).sum(axis=1)
    row = latent_additivity(result, n_resamples=9).points.iloc[2]
    assert row["n_sites"] == 3
    assert row["raw"] == pytest.approx(local.mean())
    assert row["effect"] == pytest.approx((y[:, 6] - y[:, 0]).mean())
    # Three numbers of sites are told together.
    half = local.std(ddof=1) / 120**0.5 * scipy.stats.t.ppf(1 - 0.05 / 6, 119)
    assert row["raw_high"] - row["raw"] == pytest.approx(half)


def test_of_an_output_that_sites_lower_effects_keep_their_sign():
    def falls(x):
        return 5 - torch.sigmoid(x)

    up, down = (
        latent_additivity(curve(readout, -0.4), n_resamples=29)
        for readout in (torch.sigmoid, falls)
    )
    assert (down.points["effect"] < 0).all()
    columns = ["latent", "deviation", "deviation_low", "deviation_high"]
    np.testing.assert_allclose(down.points[columns], up.points[columns], atol=1e-6)
    np.testing.assert_allclose(down.points["raw"], -up.points["raw"])


def test_the_order_of_conditions_does_not_matter():
    result = curve(planted=-0.3)
    mixed = result.select(np.random.default_rng(0).permutation(160))
    one, other = (latent_additivity(each, n_resamples=9) for each in (result, mixed))
    columns = ["effect", "raw", "latent", "deviation_low"]
    np.testing.assert_allclose(one.points[columns], other.points[columns], atol=1e-9)


def test_sites_that_no_other_cells_reach_are_not_identifiable():
    """Each later site is worth eleven: C and D end far below, none tells how far."""
    fit = latent_additivity(curve(lambda x: x, 10.0, spread=0.1), n_resamples=29)
    for row in fit.points.iloc[1:].to_dict("records"):
        assert row["verdict"] == "not identifiable"
        assert "do not overlap; stronger C and D reach further" in row["reason"]
        assert np.isnan(row["deviation"])
    assert fit.verdict == "not identifiable"
    assert (fit.points["raw_low"].iloc[1:] > 0).all()


def test_sites_beyond_all_other_cells_have_a_bound():
    """Without D there are cells that all of four sites lie above."""
    result = curve(lambda x: x, 1.0, spread=0.1)
    table = result.conditions
    less = table["level_c"].isin([0, 1]) & table["level_d"].isin([0, 1])
    fit = latent_additivity(result.select(np.flatnonzero(less)), n_resamples=29)
    last = fit.points.iloc[-1]
    assert last["verdict"] == "not identifiable"
    assert np.isnan(last["deviation"])


def test_a_curve_is_not_said_to_add_up_if_any_number_is_not_identifiable():
    few = latent_additivity(curve(lambda x: x, n=4, spread=0.1), margin=0.01)
    assert few.verdict == "not identifiable"
    assert "too wide to tell" in few.reason


def test_each_further_site_may_deviate_by_the_margin():
    points = latent_additivity(curve(), margin=0.08, n_resamples=49).points.iloc[1:]
    most = np.maximum(-points["deviation_low"], points["deviation_high"])
    told = np.where(most < 0.08 * np.arange(1, 4), "explained by saturation", "")
    assert points["verdict"].tolist() == ["not identifiable", *told[1:]]
    assert told.tolist() == ["", *2 * ["explained by saturation"]]


@pytest.mark.parametrize(
    ("readout", "reason"),
    [
        (lambda x: 0 * x + 1, "sites do nothing alone"),
        (lambda x: (x > 1e9).double(), "sites do nothing alone"),
    ],
)
def test_flat_outputs_are_not_additive(readout, reason):
    fit = latent_additivity(curve(readout), n_resamples=9)
    assert fit.verdict == "not identifiable"
    assert reason in fit.reason


def test_elements_that_do_nothing_make_no_link(monkeypatch):
    monkeypatch.setitem(globals(), "C", 0 * C)
    monkeypatch.setitem(globals(), "D", 0 * D)
    fit = latent_additivity(curve(), n_resamples=9)
    assert fit.verdict == "not identifiable"
    assert "neither C's nor D's grades differ" in fit.reason


def test_what_templates_explain_is_no_misfit():
    """Copies of a template share its noise, which 120 rows would average out."""
    rng = np.random.default_rng(0)
    result = curve(lambda x: x)
    noise = np.repeat(rng.normal(0, 1.0, (20, 160)), 6, axis=0)
    y = result.y_afters + torch.from_numpy(noise)[:, :, None]
    misfit = []
    for clusters in (None, np.repeat(np.arange(20), 6)):
        noisy = GIAResult(result.y_before, y, result.conditions, clusters=clusters)
        points = latent_additivity(noisy, n_resamples=49).points.iloc[1:]
        misfit.append(points["misfit"].max())
        assert (points["deviation_low"] < 0).all()
        assert (points["deviation_high"] > 0).all()
    assert misfit[1] < misfit[0] / 2


def test_intervals_are_wider_for_the_number_of_sites():
    narrow, wide = (
        latent_additivity(curve(), confidence, n_resamples=49).points
        for confidence in (0.5, 0.95)
    )
    for name in ("raw", "deviation"):
        inside = wide[f"{name}_low"] <= narrow[f"{name}_low"]
        assert inside.iloc[1:].all()


def test_an_order_that_breaks_on_every_scale_is_named():
    """C raises without sites, and lowers with all of them."""
    result = curve(lambda x: x)
    turned = result.y_afters.clone().reshape(120, 8, 5, 4)
    turned[:, -1] = turned[:, -1].flip(dims=[1])
    y = turned.reshape(120, 160, 1)
    fit = latent_additivity(result._replace(y_afters=y), n_resamples=29)
    assert "no scale makes the other cells add up" in fit.points["reason"].iloc[-1]
    order = fit.checks[fit.checks["condition"] == "order"].set_index("factors")["p"]
    assert order["C"] < 1e-6
    assert order["D"] > 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.select(range(159)), "has 159 conditions, which are not each set"),
        (
            lambda r: r._replace(conditions=r.conditions.drop(columns="level_d")),
            "no columns 'level_1', 'level_2', 'level_c' and 'level_d'",
        ),
    ],
)
def test_what_is_no_outcome_of_latent_sites_is_named(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        latent_additivity(change(curve()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 1.0}, "`confidence`=1.0"),
        ({"margin": 0.0}, "`margin`=0.0 must be above 0"),
        ({"n_resamples": 1}, "`n_resamples`=1"),
    ],
)
def test_options_out_of_range_are_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        latent_additivity(curve(), **options)
