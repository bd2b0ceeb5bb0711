"""What a report says of a motif in hairpins, and where they have no room."""

import pytest
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia.report import OneOutput, ReportInputs, ReportOptions
from tangermeme_gia.report.experiments.hairpin import (
    _sentence,
    _shape,
    describe,
    obstacle,
)
from tangermeme_gia.report.study import Study
from tangermeme_gia.report.wording import row_with_interval
from tangermeme_gia.statistics.effects import effect_difference
from tangermeme_gia.statistics.intervals import Interval
from tangermeme_gia.structure.pairs import Hairpin

from ..conftest import NOWHERE, RNA, Sites, linear_study, results_of


def test_padding_where_the_stem_would_be_leaves_the_hairpin_out():
    X = random_one_hot((12, 4, 41), random_state=0)
    X[:, :, :8] = 0
    inputs = ReportInputs("model", OneOutput(Sites()), RNA, X=X)
    study = Study(inputs, ReportOptions(motif="GAC", n=4, n_scan=2), NOWHERE)
    assert "padding or N" in obstacle(study)


def test_a_sequence_model_reads_the_loop_as_it_reads_anything():
    profile = torch.full((4, 41), 0.25)
    study, results = results_of("hairpin", Sites(), None, profile=profile)
    section = describe(study, results)
    frame = section.tables["hairpin"].set_index(["structure", "place"])
    loop = frame.loc[("hairpin", "loop")]
    assert section.headline["loop"] == pytest.approx(loop["effect"])
    assert section.summary[0].answer.startswith(
        f"{row_with_interval(loop)}, without structure "
    )
    places = {"loop": "loop", "stem_left": "5′ side of the stem"}
    places["stem_right"] = "3′ side of the stem"
    for name, place in places.items():
        row = frame.loc[("hairpin", place)]
        numbers = [section.headline[f"{name}{end}"] for end in ("", "_low", "_high")]
        assert numbers == pytest.approx([row["effect"], row["low"], row["high"]])
    assert "stems of 11 pairs from position 5 and a loop of 6 bases" in section.method
    assert "own reverse complement" not in section.method
    assert section.sentence.startswith("In the loop of a hairpin its effect is ")
    assert ", in the stem" in section.sentence or "side of" in section.sentence
    assert {*section.tables["hairpin"]["place"]} == {
        "loop",
        "5′ side of the stem",
        "3′ side of the stem",
    }


@pytest.mark.parametrize(
    ("signs", "palindrome", "end"),
    [
        (
            (0, 1, 1),
            False,
            "is not clearly other than without the hairpin, in the stem larger.",
        ),
        (
            (-1, 1, 0),
            False,
            "is smaller than without the hairpin, on the 5′ side of the "
            "stem larger, on the 3′ side not clearly other.",
        ),
        ((1, 1, 1), True, "is larger than without the hairpin."),
    ],
)
def test_a_hairpin_is_compared_with_none(signs, palindrome, end):
    made = [Interval(sign, 0.1, sign - 0.5, sign + 0.5, 24) for sign in signs]
    assert _sentence(made, palindrome).endswith(end)


def test_hairpin_differences_are_paired_at_the_same_place():
    profile = torch.full((4, 41), 0.25)
    study, results = results_of("hairpin", Sites(), None, profile=profile)
    result = results["hairpin"]
    after, before = (y.double().numpy() for y in (result.y_afters, result.y_before))
    table = result.conditions
    at = {(r.structure, r.place): i for i, r in enumerate(table.itertuples())}
    stem = after[:, at["hairpin", "none"], 0]
    inside = after[:, at["hairpin", "left arm"], 0] - stem
    flat = after[:, at["unstructured", "left arm"], 0] - before[:, 0]
    difference = row_with_interval(effect_difference(inside, flat))
    reading = describe(study, results).figures[0].reading
    assert f"on the 5′ side of the stem {inside.mean():.2f}"[:36] in reading
    assert f"(difference {difference})" in reading


def test_only_a_motif_that_pairs_with_itself_is_cautioned():
    study, results = results_of(
        "hairpin", Sites(), None, ReportOptions(motif="GAUC", n=24, n_scan=2)
    )
    section = describe(study, results)
    assert "GAUC is its own reverse complement" in section.method
    assert "stem" not in section.sentence


def test_a_probe_has_the_papers_hairpin():
    assert _shape(linear_study()) == Hairpin.paper()


@pytest.mark.parametrize("length", [41, 60, 500])
@pytest.mark.parametrize("motif", ["GAC", "UGCAUG", "UGCAUGUGCA"])
def test_hairpins_hold_in_longer_sequences(length, motif):
    shape = _shape(linear_study(motif, length))
    size = 2 * shape.stem_length + shape.loop_length
    assert 0 <= shape.stem_start <= length - size
    assert min(shape.stem_length, shape.loop_length) >= len(motif)
