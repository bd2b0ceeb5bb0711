"""What a report says of backgrounds, where the answer is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia.report import OneOutput, ReportInputs, ReportOptions
from tangermeme_gia.report.experiments import motif
from tangermeme_gia.report.experiments.robustness import compute, describe
from tangermeme_gia.report.study import Study

from ..conftest import (
    GIVEN,
    NOWHERE,
    RNA,
    Sites,
    linear_study,
    results_of,
)


def test_robustness_has_the_sites_and_flanks_under_each_background():
    study = linear_study(backgrounds=("profile", "quartile4"))
    results = compute(study)
    assert list(results) == ["profile", "quartile4"]
    assert results["profile"].conditions["patterns"].tolist() == [
        "UGCAUG@17",
        "UGCAUG@10 + UGCAUG@17",
        "UGCAUG@3 + UGCAUG@10 + UGCAUG@17",
        "GCGCGC@0 + UGCAUG@17",
        "UGCAUG@17 + GCGCGC@35",
    ]
    assert torch.equal(
        results["profile"].y_before, study.model(study.X.float()).detach()
    )


def test_backgrounds_without_sequences_are_explained():
    names = ("profile", "shuffle", "quartile1")
    options = replace(GIVEN, backgrounds=names)
    study, results = results_of("robustness", Sites(), options=options)
    section = describe(study, results)
    assert section.sentence == "All three kinds of background agree."
    assert section.summary[0].answer.endswith("above 0 under each")
    assert "104 draws from the profile" in section.method
    assert "Quartile 1 has the lowest scores" in section.method
    assert "the model's own predictions, for want of scores" in section.method
    conditions = section.tables["robustness"]["condition"].tolist()[:5]
    assert conditions == ["1 site", "2 sites", "3 sites", "GC 5′", "GC 3′"]
    assert len(section.tables["correlation_of_backgrounds"]) == 3
    assert (
        "effects of the 5 conditions have a correlation (Pearson) of at least 1.00"
        in section.figures[0].reading
    )
    low, high = (section.headline[f"background_{end}"] for end in ("lowest", "highest"))
    own = section.tables["robustness"].query("condition == '1 site'")["effect"]
    assert (low, high) == (own.min(), own.max())


@pytest.mark.parametrize(
    ("weight", "words"),
    [(-2.0, "below 0 under each"), (0.0, "not clearly of one sign under all")],
)
def test_the_sign_over_backgrounds(weight, words):
    study, results = results_of("robustness", Sites(weight=weight))
    if not weight:
        result = results["profile"]
        after = result.y_afters - result.local_importance.mean(dim=0)
        results = {"profile": result._replace(y_afters=after)}
    section = describe(study, results)
    assert section.summary[0].answer.endswith(words)
    assert section.sentence == "Only one kind of background was asked."
    assert "correlation_of_backgrounds" not in section.tables


def test_smaller_backgrounds_are_said():
    X = random_one_hot((40, 4, 41), random_state=0)
    inputs = ReportInputs(
        "Sites", OneOutput(Sites()), RNA, X=X, scores=torch.arange(40)
    )
    names = ("profile", "quartile1", "quartile4")
    options = ReportOptions(motif="GAC", n=24, n_scan=2, backgrounds=names)
    study = Study(inputs, options, NOWHERE)
    section = describe(study, compute(study))
    assert "made of 40 observed sequences" in section.method
    assert "Fewer sequences than 24: 10 (quartile1) and 10 (quartile4)." in (
        section.method
    )
    assert "for want of scores" not in section.method


def test_the_main_background_has_the_effect_of_the_motif_section():
    study, results = results_of("robustness", Sites())
    effect = describe(study, results).headline["background_lowest"]
    own = motif.describe(study, motif.compute(study))
    assert np.isclose(effect, own.headline["effect"], rtol=0, atol=1e-12)
