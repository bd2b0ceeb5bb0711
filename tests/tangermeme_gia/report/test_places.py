"""A motif that is given without a place: is the centre where the model reads it?"""

import logging
from dataclasses import replace

import pytest
import torch

from tangermeme_gia.report import ReportOptions, run_report
from tangermeme_gia.report.places import find_elsewhere, scan_places
from tangermeme_gia.report.study import Study

from .conftest import GIVEN, LENGTH, NOWHERE, Sites, Thirds, inputs_of, linear_study


class Reads(torch.nn.Module):
    """Gives a number for each place at which the G of GAC stands; no other G or C."""

    def __init__(self, **worth: float) -> None:
        super().__init__()
        self.register_buffer("worth", torch.zeros(LENGTH))
        for place, value in worth.items():
            self.worth[int(place[1:])] = value

    def forward(self, X):
        return (X[:, 2] * self.worth).sum(dim=1)


CENTRE = 19


def elsewhere(model, **changes):
    study = Study(inputs_of(model), replace(GIVEN, **changes), NOWHERE)
    return find_elsewhere(study, scan_places(study))


@pytest.mark.parametrize("largest", [17.5, -17.5])
def test_the_place_of_the_largest_effect_is_found(largest):
    found = elsewhere(Reads(p19=-0.76, p5=largest, p30=2.0))
    assert found.start == 5
    assert float(found.effect.effect) == pytest.approx(largest)
    assert found.n_starts == LENGTH - 2


@pytest.mark.parametrize(
    "model",
    [
        Reads(p19=17.5, p5=1.0),
        Reads(p19=1.0, p5=1.5),
        Reads(p19=-3.0, p5=3.0),
        Reads(),
        Sites(),
        Thirds(),
    ],
    ids=["centre", "less than twice", "other sign", "nothing", "flat", "rounded"],
)
def test_nothing_is_said_where_the_centre_will_do(model):
    assert elsewhere(model) is None


def test_one_backgrounds_outlier_is_no_place():
    class Outlier(torch.nn.Module):
        """The first of all sequences to hold a G at 5 is worth much."""

        def forward(self, X):
            rare = X[:, 0, :8].sum(dim=1) == 8
            return 100.0 * X[:, 2, 5] * rare + X[:, 2, 19]

    assert elsewhere(Outlier(), n=100) is None


def test_long_sequences_are_scanned_in_steps_that_meet_the_centre():
    study = linear_study("GAC", 2001)
    starts = scan_places(study).conditions["start"].tolist()
    assert starts == sorted({*range(0, 1999, 8), study.start})


@pytest.mark.usefixtures("quick")
def test_the_page_says_it_first_and_a_start_ends_it(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    inputs = inputs_of(Reads(p19=-0.75, p5=17.5))
    options = ReportOptions(motif="GAC", n=8, experiments=("motif",))
    (section,) = run_report(inputs, tmp_path, options)
    text = (
        "GAC was measured at the centre, position 19, but this is not where the model "
        "reads it: at 5 its effect is 17.5 (the largest of 39 starts); `--start 5` "
        "makes a report of it there."
    )
    assert section.caution == text
    assert section.summary[-1] == (
        "Its effect at position 5, the largest",
        "17.5",
        17.5,
    )
    assert caplog.messages == [text]
    (section,) = run_report(inputs, tmp_path, replace(options, start=5))
    assert section.caution == ""
    assert caplog.messages == [text]
