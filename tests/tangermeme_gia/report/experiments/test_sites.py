"""What a report says of several sites, where the answer is known."""

import numpy as np
import pytest
import torch

from tangermeme_gia.report import ReportOptions
from tangermeme_gia.report.experiments.sites import describe
from tangermeme_gia.report.run import experiment
from tangermeme_gia.statistics.additivity import additivity_fit

from ..conftest import (
    Sites,
    Thirds,
    results_of,
)


def test_sites_of_an_additive_model_add_up():
    study, results = results_of("sites", Sites())
    section = describe(study, results)
    assert section.headline["per_site"] == pytest.approx(1.9375, abs=0.1)
    assert section.headline["r2"] > 0.99
    assert section.headline["deviation"] == 0
    assert section.sentence == "Three sites 1 base apart have the effect of their sum."
    assert "at positions 11, 15 and 19, one after the other" in section.method


def test_rounding_is_no_deviation():
    study, results = results_of("sites", Thirds())
    section = describe(study, results)
    assert 0 < abs(section.headline["deviation"]) < 1e-6
    assert section.sentence == "Three sites 1 base apart have the effect of their sum."


def test_the_slope_is_the_librarys():
    study, results = results_of("sites", Sites())
    local, single = (
        results[name].local_importance[..., 0].double().numpy()
        for name in ("sites", "alone")
    )
    fit = additivity_fit(local, [1, 2, 3], single_sites=single)
    section = describe(study, results)
    assert section.headline["per_site"] == float(fit.slope.effect)
    slope = f"[{float(fit.slope.low):.2f}, {float(fit.slope.high):.2f}]"
    line = section.summary[0]
    assert line.question == "Each further site adds"
    assert line.answer.startswith(f"{float(fit.slope.effect):.2f} {slope}")
    assert line.effect == float(fit.slope.effect)


@pytest.mark.parametrize("weight", [2.0, -2.0])
def test_saturation_has_less_effect_than_the_sum(weight):
    study, results = results_of("sites", Sites(weight=weight, most=1))
    section = describe(study, results)
    assert " less effect than their sum" in section.sentence
    deviation = section.headline["deviation"]
    assert deviation == pytest.approx(-2 * weight)
    assert section.headline["deviation_low"] <= deviation


def test_synergy_has_more_effect_than_the_sum():
    class Squared(Sites):
        def forward(self, X):
            y = super().forward(X)
            return torch.where(y > 10, y + 10, y)

    study, results = results_of("sites", Squared(weight=3.0))
    assert " more effect than their sum" in describe(study, results).sentence


def test_doubt_is_neither_more_nor_less():
    study, results = results_of("sites", Sites())
    noise = torch.randn(24, generator=torch.Generator().manual_seed(0))
    after = results["sites"].y_afters.clone()
    after[:, 2, 0] += noise - noise.mean()
    results["sites"] = results["sites"]._replace(y_afters=after)
    section = describe(study, results)
    assert " have no clearly other effect than their sum" in section.sentence
    assert section.summary[1].answer.startswith("0.0")


def test_two_sites_have_no_r2():
    options = ReportOptions(motif="GAC", n=24, n_scan=2, start=5)
    study, results = results_of("sites", Sites(), None, options)
    section = describe(study, results)
    assert np.isnan(section.headline["r2"])
    assert "R²" not in section.figures[0].reading
    assert section.sentence.startswith("Two sites 1 base apart have ")


def test_pairs_that_were_measured_explain_several_sites():
    study, results = results_of("sites", Sites(most=1))
    study.finished["spacing"] = experiment("spacing").compute(study)
    assert describe(study, results).sentence.endswith(
        "less effect than their sum, as have two at that gap."
    )
