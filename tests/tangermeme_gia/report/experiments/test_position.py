"""What a report says of positions, where the answer is known."""

import numpy as np
import pytest
import torch

from tangermeme_gia._core.letters import DNA
from tangermeme_gia.report.experiments.position import compute, describe

from ..conftest import Sites, linear_study, results_of


def test_the_position_of_long_sequences_is_sampled():
    study = linear_study("TGCATG", 500, DNA)
    result = compute(study)["position"]
    starts = result.conditions["start"].tolist()
    assert starts == list(range(0, 495, 5))
    short = linear_study(length=41)
    result = compute(short)["position"]
    assert result.conditions["start"].tolist() == list(range(36))


def test_a_flat_model_has_no_clear_position():
    study, results = results_of("position", Sites(base=0.0))
    section = describe(study, results)
    assert section.sentence == "Its effect does not clearly depend on where it stands."
    assert section.summary[0].answer.startswith(
        "no clear dependence, 2 on average; the starts that seemed"
    )
    ends = (section.headline[f"position_{end}"] for end in ("lowest", "highest"))
    assert list(ends) == [2, 2]
    assert np.isnan(section.headline["position_lowest_start"])
    assert "at 39 starts of the same backgrounds" in section.method


def test_a_preferred_position_is_found():
    class AtFive(Sites):
        def forward(self, X):
            bonus = torch.relu((X[:, :, 5:8] * self.conv.weight[0]).sum(dim=(1, 2)) - 2)
            return super().forward(X) + 4 * bonus[:, None]

    study, results = results_of("position", AtFive())
    section = describe(study, results)
    assert section.sentence.startswith("Its effect at position 5 is ")
    assert "and highest at position 5, 6." in section.summary[0].answer
    assert section.headline["position_highest"] == pytest.approx(5.9375, abs=0.15)
    assert "difference 4." in section.summary[0][1]
    assert section.headline["position_highest_start"] == 5


def test_a_step_between_starts_is_said():
    profile = torch.full((4, 300), 0.25)
    study, results = results_of("position", Sites(base=0.0), profile=profile)
    method = describe(study, results).method
    assert method == (
        "GAC at 100 starts, every 3 bases, of the same backgrounds. A start is "
        "the position of the first letter, from 0."
    )
