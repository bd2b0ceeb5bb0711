"""What a report says of a model's predictions, where scores were measured."""

import json

import numpy as np
import pytest
import scipy
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia.report import ReportOptions, load_results, run_report
from tangermeme_gia.report.experiments.quality import _ends, compute, describe, obstacle
from tangermeme_gia.report.fits import best_match, spearman
from tangermeme_gia.report.study import Study
from tangermeme_gia.statistics.associations import correlation

from ..conftest import NOWHERE, RNA, Sites, inputs_of, linear_study

X = random_one_hot((60, 4, 41), random_state=0)
NOISE = torch.randn(60, generator=torch.Generator().manual_seed(0))


def study_of(scores, model=None, X=X, n=24, **options):
    inputs = inputs_of(model or Sites(), X=X, profile=None, scores=scores)
    options = ReportOptions(motif="GAC", n=n, n_scan=2, **options)
    return Study(inputs, options, NOWHERE)


def predictions(X=X):
    return Sites()(X.float())[:, 0].detach()


def test_predictions_stand_beside_scores():
    scores = predictions() + NOISE
    study = study_of(scores)
    results = compute(study)
    section = describe(study, results)
    pearson = correlation(predictions().double().numpy(), scores.double().numpy())
    assert section.headline["pearson"] == pytest.approx(float(pearson.effect))
    assert section.headline["pearson_low"] == pytest.approx(float(pearson.low))
    assert section.sentence.startswith("Its predictions follow measured scores (Pear")
    assert section.caution == ""
    ranks = scipy.stats.spearmanr(predictions().numpy(), scores.numpy())[0]
    table = section.tables["quality"].set_index("correlation")
    assert table.loc["Spearman", "value"] == pytest.approx(ranks)
    assert table.loc["Spearman", "low"] < ranks < table.loc["Spearman", "high"]
    assert "not how well it predicts others" in section.method
    values = section.figures[0].chart["data"]["values"]
    shown = {row["sequence"]: row["measured"] for row in values}
    assert [shown[i + 1] for i in range(60)] == pytest.approx(scores.tolist(), rel=1e-4)


def test_a_weak_model_is_said_to_be_weak_first():
    section = describe(study := study_of(NOISE), compute(study))
    assert "Sites is a weak model" in section.caution
    assert section.sentence.startswith("It hardly predicts measured scores (Pearson ")


def test_a_constant_model_has_no_correlation():
    model = Sites(weight=0.0, base=0.0)
    section = describe(study := study_of(NOISE, model), compute(study))
    assert "is not defined" in section.caution
    assert np.isnan(section.headline["pearson"])
    assert section.summary[1].answer == "not defined"


def test_the_highest_and_the_lowest_are_mapped():
    scores = torch.arange(60.0)
    scores[10] = torch.nan
    study = study_of(scores)
    results = compute(study)
    rows = torch.tensor([i for i in range(60) if i != 10])
    assert _ends(study, rows).tolist() == [59, 58, 1, 0]
    assert len(results["predictions"].y_before) == 59
    effects = results["maps"].local_importance[..., 0].reshape(4, 41, 4)
    # The sequence's own letters change nothing; A instead of another adds 1/8.
    own = X[[59, 58, 1, 0]].transpose(1, 2).bool()
    assert (effects[own] == 0).all()
    after = X[59].clone().float()
    after[:, 7] = torch.tensor([1.0, 0, 0, 0])
    change = Sites()(after[None]) - Sites()(X[59:60].float())
    torch.testing.assert_close(effects[0, 7, 0], change[0, 0].detach())


def test_padded_and_long_sequences_have_no_maps():
    padded = X.clone()
    padded[3:, :, 0] = 0
    assert list(compute(study_of(NOISE, X=padded))) == ["predictions"]
    long = random_one_hot((60, 4, 201), random_state=0)
    assert list(compute(study_of(NOISE, X=long))) == ["predictions"]


def test_of_very_many_sequences_a_part_is_predicted():
    many = random_one_hot((90, 4, 41), random_state=0)
    study = study_of(torch.arange(90.0), X=many, n=4)
    results = compute(study)
    assert len(results["predictions"].y_before) == 40
    assert "40 sequences of 90 beside" in describe(study, results).method


def test_without_scores_nothing_is_said():
    assert obstacle(linear_study()) == "no measured scores were given"
    few = torch.full((60,), torch.nan)
    few[:7] = 1
    assert obstacle(study_of(few)) == "7 sequences with a score are too few"


def test_the_best_match_counts_letters_at_one_place():
    letters = {letter: i for i, letter in enumerate(RNA)}
    made = torch.stack(
        [torch.eye(4)[[letters[s] for s in text]].T for text in ("AAGACA", "GUUGAU")]
    )
    assert best_match(made, "GAC", RNA).tolist() == [3, 2]
    # N places nothing, and is no letter that could match.
    assert best_match(made, "GNC", RNA).tolist() == [2, 1]


@pytest.mark.usefixtures("quick")
def test_a_report_is_saved_and_read_and_other_scores_are_seen(tmp_path, caplog):
    caplog.set_level("INFO")
    options = ReportOptions(
        motif="GAC", n=8, n_scan=2, experiments=("quality",), backgrounds=("shuffle",)
    )
    for scores, done in ((NOISE, False), (NOISE, True), (NOISE + 1, False)):
        caplog.clear()
        inputs = inputs_of(Sites(), X=X, profile=None, scores=scores)
        run_report(inputs, tmp_path, options)
        assert ("2/2 quality: as saved" in caplog.text) == done
    assert load_results(tmp_path)["quality"]["predictions"].y_before.shape == (60, 1)
    page = (tmp_path / "index.html").read_text()
    assert page.index("is a weak model") < page.index('id="summary"')
    assert json.loads((tmp_path / "report.json").read_text())["headline"]["pearson"]


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.4, 0.8])
def test_intervals_of_ranks_cover(rho):
    # For a normal pair Spearman's correlation is 6/π asin(ρ/2).
    truth = 6 / np.pi * np.arcsin(rho / 2)
    rng = np.random.default_rng(0)
    covered = 0
    for i in range(200):
        x = rng.normal(size=200)
        y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=200)
        interval = spearman(np.exp(x), y, i)
        covered += interval.low <= truth <= interval.high
    assert 0.90 <= covered / 200 <= 0.99
