"""What a report says of flanks, hairpins and backgrounds, where the answer is known."""

import numpy as np
import pytest
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia.report import OneOutput, ReportInputs, ReportOptions
from tangermeme_gia.report.context_sections import gc, hairpin, robustness
from tangermeme_gia.report.parts import PARTS
from tangermeme_gia.report.store import Store
from tangermeme_gia.report.study import Study
from tangermeme_gia.report.wording import row_with_interval
from tangermeme_gia.statistics.effects import effect_difference, effect_ratio

from .conftest import AU, RNA, Sites, inputs_of


def results_of(part, model, folder, motif="GAC", names=("profile",), **changes):
    options = ReportOptions(motif=motif, n=24, n_scan=2, backgrounds=names)
    study = Study(inputs_of(model, **changes), options)
    return study, PARTS[part].compute(study, Store(folder))


def local_of(results, name):
    return results[name].local_importance[..., 0].double().numpy()


def test_a_planted_bonus_for_3_prime_gc_is_found(tmp_path):
    # The motif stands at 19, the 3' flank at 19 + 3 + 12 = 34: one base from the end.
    class NearEnd(Sites):
        def forward(self, X):
            return super().forward(X.roll(1, dims=2))

    study, results = results_of("gc", NearEnd(gc_bonus=2.0), tmp_path)
    section = gc(study, results)
    assert section.headline["right_beyond"] == pytest.approx(2.0)
    assert section.headline["left_beyond"] == pytest.approx(0.0)
    assert section.headline["right"] == pytest.approx(2.0, abs=0.3)
    assert section.headline["left"] == pytest.approx(0.8, abs=0.2)
    assert "beyond what GC does by itself, that is 0 (5′) and 2 (3′)" in (
        section.sentence
    )
    assert section.method.startswith("GCGCGC at position 2 (5′) and 34 (3′), with and")


def test_gc_ratios_are_fiellers_of_the_library(tmp_path):
    study, results = results_of("gc", Sites(), tmp_path)
    local = local_of(results, "gc")
    arms = results["gc"].conditions["arm"].tolist()
    left = effect_ratio(
        local[:, arms.index("motif+left")], local[:, arms.index("motif")]
    )
    section = gc(study, results)
    assert section.headline["left"] == float(left.effect)
    assert f"5′ of it the effect is {row_with_interval(left)} times that of the" in (
        section.sentence
    )
    difference = effect_difference(
        local[:, arms.index("motif+left")], local[:, arms.index("motif+right")]
    )
    assert section.summary[0][1].endswith(row_with_interval(difference))


def test_a_motif_without_effect_has_no_ratio(tmp_path):
    study, results = results_of("gc", Sites(weight=0.0), tmp_path)
    after = results["gc"].y_afters.clone()
    after[:, 0] -= (after[:, 0] - results["gc"].y_before).mean() - 1e-3
    section = gc(study, {"gc": results["gc"]._replace(y_afters=after)})
    assert "is not defined, for want of a clear effect alone" in section.sentence
    assert section.summary[0][1].startswith("effect with 5′ GC minus")
    assert "∞" not in section.sentence
    assert np.isnan([section.headline["left"], section.headline["right"]]).all()


def test_a_sequence_model_reads_the_loop_as_it_reads_anything(tmp_path):
    profile = torch.full((4, 41), 0.25)
    study, results = results_of("hairpin", Sites(), tmp_path, profile=profile)
    section = hairpin(study, results)
    frame = section.tables["hairpin"].set_index(["structure", "place"])
    loop = frame.loc[("hairpin", "loop")]
    assert section.headline["loop"] == pytest.approx(loop["effect"])
    assert section.sentence.startswith(
        f"In the loop of a hairpin the motif adds {row_with_interval(loop)}, without "
    )
    assert "stems of 11 pairs from position 5 and a loop of 6 bases" in section.method
    assert "own reverse complement" not in section.method
    assert "in the left arm of the stem" in section.sentence


def test_hairpin_differences_are_paired_at_the_same_place(tmp_path):
    profile = torch.full((4, 41), 0.25)
    study, results = results_of("hairpin", Sites(), tmp_path, profile=profile)
    result = results["hairpin"]
    after, before = (y.double().numpy() for y in (result.y_afters, result.y_before))
    table = result.conditions
    at = {(r.structure, r.place): i for i, r in enumerate(table.itertuples())}
    stem = after[:, at["hairpin", "none"], 0]
    inside = after[:, at["hairpin", "left arm"], 0] - stem
    flat = after[:, at["unstructured", "left arm"], 0] - before[:, 0]
    difference = row_with_interval(effect_difference(inside, flat))
    reading = hairpin(study, results).figures[0].reading
    assert f"in the left arm of the stem {inside.mean():.2f}"[:38] in reading
    assert f"(difference {difference})" in reading


def test_only_a_motif_that_pairs_with_itself_is_cautioned(tmp_path):
    study, results = results_of("hairpin", Sites(), tmp_path, motif="GAUC")
    section = hairpin(study, results)
    assert "GAUC is its own reverse complement" in section.method
    assert "arm" not in section.sentence


def test_backgrounds_without_sequences_are_explained(tmp_path):
    names = ("profile", "shuffle", "quartile1")
    study, results = results_of("robustness", Sites(), tmp_path, names=names)
    section = robustness(study, results)
    assert section.sentence.startswith("Under 3 backgrounds its effect is ")
    assert section.sentence.endswith("above 0 under each.")
    assert "104 draws from the profile" in section.method
    assert "Quartile 1 has the lowest scores" in section.method
    assert "the model's own predictions, for want of scores" in section.method
    conditions = section.tables["robustness"]["condition"].tolist()[:5]
    assert conditions == ["1 site", "2 sites", "3 sites", "GC 5′", "GC 3′"]
    assert len(section.tables["agreement"]) == 3
    assert (
        "effects of the 5 conditions have a correlation of 1.00"
        in section.figures[0].reading
    )
    low, high = (section.headline[f"background_{end}"] for end in ("low", "high"))
    own = section.tables["robustness"].query("condition == '1 site'")["effect"]
    assert (low, high) == (own.min(), own.max())


@pytest.mark.parametrize(
    ("weight", "words"),
    [(-2.0, "below 0 under each"), (0.0, "not clearly of one sign under all")],
)
def test_the_sign_over_backgrounds(tmp_path, weight, words):
    study, results = results_of("robustness", Sites(weight=weight), tmp_path)
    if not weight:
        result = results["profile"]
        after = result.y_afters - result.local_importance.mean(dim=0)
        results = {"profile": result._replace(y_afters=after)}
    section = robustness(study, results)
    assert section.sentence.endswith(f"{words}.")
    assert "agreement" not in section.tables


def test_smaller_backgrounds_are_said(tmp_path):
    X = random_one_hot((40, 4, 41), random_state=0)
    inputs = ReportInputs(
        "Sites", OneOutput(Sites()), RNA, X=X, scores=torch.arange(40)
    )
    names = ("profile", "quartile1", "quartile4")
    options = ReportOptions(motif="GAC", n=24, n_scan=2, backgrounds=names)
    study = Study(inputs, options)
    section = robustness(study, PARTS["robustness"].compute(study, Store(tmp_path)))
    assert "made of 40 observed sequences" in section.method
    assert "Fewer sequences than 24: 10 (quartile1) and 10 (quartile4)." in (
        section.method
    )
    assert "for want of scores" not in section.method


def test_the_main_background_has_the_effect_of_the_motif_section(tmp_path):
    from tangermeme_gia.report.motif_sections import motif

    study, results = results_of("robustness", Sites(), tmp_path)
    effect = robustness(study, results).headline["background_low"]
    own = motif(study, PARTS["motif"].compute(study, Store(tmp_path)))
    assert np.isclose(effect, own.headline["effect"], rtol=0, atol=1e-12)
    assert AU.shape == (4, 41)
