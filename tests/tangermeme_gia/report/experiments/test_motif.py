"""What a report says of the effect of a motif, where the answer is known."""

from dataclasses import replace

import pytest
import torch

from tangermeme_gia.report.experiments.motif import describe
from tangermeme_gia.report.wording import row_with_interval
from tangermeme_gia.statistics.intervals import confidence_interval

from ..conftest import GIVEN, OPTIONS, Sites, results_of


def test_the_motif_is_measured_on_other_backgrounds_with_the_winners(tmp_path):
    study, results = results_of("motif", Sites(), tmp_path, OPTIONS)
    winners = results["winners"]
    assert len(winners.conditions) == 10
    assert winners.conditions["kmer"][0] == "GAC"
    assert torch.equal(winners.y_before, study.model(study.X.float()))
    assert len(results["controls"].conditions) == 7


def test_a_given_motif_has_no_winners():
    results = results_of("motif", Sites())[1]
    assert list(results) == ["controls", "null", "places"]
    placed = results_of("motif", Sites(), options=replace(GIVEN, start=3))[1]
    assert list(placed) == ["controls", "null"]
    without = replace(GIVEN, start=3, n_words=0)
    assert list(results_of("motif", Sites(), options=without)[1]) == ["controls"]


def test_a_given_motif_is_compared_with_words_in_its_place():
    options = replace(GIVEN, n_words=30)
    study, results = results_of("motif", Sites(), options=options)
    assert len(results["controls"].conditions) == 7
    section = describe(study, results)
    assert section.sentence.endswith(" That is above all 30 random words in its place.")
    assert "is above all 30 random words and above all 30 shuffles in its place" in (
        section.figures[1].reading
    )
    assert section.tables["null"]["arm"].tolist() == ["random", "shuffled"]
    assert section.headline["percentile"] == 100
    assert section.headline["percentile_low"] == pytest.approx(100 * 0.025 ** (1 / 30))
    lowers = describe(*results_of("motif", Sites(weight=-2.0), options=options))
    assert lowers.sentence.endswith(" That is below all 30 random words in its place.")
    assert lowers.headline["percentile"] == 0


def test_a_matrix_is_compared_with_its_shuffles():
    ppm = torch.tensor([[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]]) * 0.9 + 0.025
    options = replace(GIVEN, motif=ppm, n_words=30)
    section = describe(*results_of("motif", Sites(), options=options))
    assert section.sentence.endswith(" That is above all 30 shuffles in its place.")


def test_a_motif_that_a_scan_chose_is_not_compared_with_words(tmp_path):
    study, results = results_of("motif", Sites(), tmp_path, OPTIONS)
    assert "null" not in results
    assert "percentile" not in describe(study, results).headline


def test_the_effect_is_that_of_fresh_backgrounds(tmp_path):
    study, results = results_of("motif", Sites(), tmp_path, OPTIONS)
    section = describe(study, results)
    own = confidence_interval(
        results["controls"].local_importance[:, 0, 0].double().numpy()
    )
    assert section.sentence.startswith("Sites reads GAC, which raises its output by ")
    assert section.figures[0].reading.startswith(
        f"GAC raises the score by {row_with_interval(own)}."
    )
    assert section.headline["motif"] == "GAC"
    assert section.headline["effect"] == pytest.approx(float(own.effect))
    assert section.headline["effect_low"] == pytest.approx(float(own.low))
    # 2, less 1/8 for every A that gives way, plus 1/8 for its own.
    assert abs(section.headline["effect"] - 1.9375) < 0.1
    assert "Among the 10 best of the scan it stays first here." in section.method
    assert (
        "100 % of backgrounds have an effect of this sign" in section.figures[0].reading
    )
    assert section.tables["best_kmers"]["kmer"][0] == "GAC"
    assert len(section.tables["motif"]) == 7


def test_a_winner_that_is_overtaken_says_by_which(tmp_path):
    study, results = results_of("motif", Sites(), tmp_path, OPTIONS)
    first_last = results["winners"].conditions.iloc[::-1].reset_index(drop=True)
    after = results["winners"].y_afters.flip(1)
    results["winners"] = results["winners"]._replace(
        conditions=first_last, y_afters=after
    )
    assert "it is not first here, but GAC." in describe(study, results).method


def test_a_motif_that_lowers_does_so_by_a_positive_number():
    study, results = results_of("motif", Sites(weight=-2.0))
    section = describe(study, results)
    assert section.sentence.startswith("GAC lowers the output of Sites by ")
    assert section.figures[0].reading.startswith("GAC lowers the score by 2.")
    assert section.headline["effect"] < -1.9
    assert section.summary[0].answer.startswith("−2.")
    assert section.summary[0].effect == section.headline["effect"]
    assert "best_kmers" not in section.tables
    # The strongest control is the one that lowers most.
    local = results["controls"].local_importance[..., 0].double().numpy()
    rival = 1 + local[:, 1:].mean(axis=0).argmin()
    beyond = row_with_interval(confidence_interval(local[:, 0] - local[:, rival]))
    assert f"its own differs by {beyond}." in section.figures[0].reading


def test_a_motif_without_effect_is_not_said_to_have_one():
    study, results = results_of("motif", Sites(weight=0.0))
    local = results["controls"].local_importance[:, 0, 0]
    section = describe(study, results)
    assert section.headline["effect_low"] < 0 < section.headline["effect_high"] or (
        abs(section.headline["effect"]) < 0.125
    )
    assert len(local) == 24
    shifted = results["controls"].y_afters.clone()
    shifted[:, 0] -= local.mean()
    results["controls"] = results["controls"]._replace(y_afters=shifted)
    section = describe(study, results)
    assert section.sentence == "GAC has no clear effect on the output of Sites."
    assert section.figures[0].reading.startswith(
        "GAC has no clear effect on the score: 0.00 [−"
    )


def test_the_backgrounds_own_outputs_give_the_scale():
    study, results = results_of("motif", Sites())
    alone = study.model(study.X.float()).detach()
    section = describe(study, results)
    scale = f"{float(alone.mean()):.3g}, {float(alone.std()):.3g}"
    assert section.summary[1].answer == scale
    assert section.headline["output_sd"] == pytest.approx(float(alone.std()))
