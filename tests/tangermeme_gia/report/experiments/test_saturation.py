"""What a report says of two sites that deviate from their sum: which kind is it?"""

import pytest
import torch

from tangermeme_gia.report import ReportOptions
from tangermeme_gia.report.run import experiment
from tangermeme_gia.report.study import Study

from ..conftest import AU, NOWHERE, Sites, inputs_of

MANY = ReportOptions(motif="GACCGA", n=240, n_scan=2, backgrounds=("profile",))
LINEAR = torch.nn.Identity()


class Graded(torch.nn.Module):
    """Sites of GACCGA count by their letters, a whole one 3, and add up.

    Two whole ones with `gap` bases between them count `together` more.
    """

    def __init__(self, together=0.0, readout=LINEAR, gap=1) -> None:
        super().__init__()
        self.together, self.readout, self.apart = together, readout, 6 + gap
        word = torch.nn.functional.one_hot(torch.tensor([2, 0, 1, 1, 2, 0]), 4).T
        self.register_buffer("word", word.float()[None])

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        match = torch.nn.functional.conv1d(X, self.word)[:, 0]
        sites = torch.relu(match - 3)
        whole = torch.relu(match - 5)
        pair = whole[:, : -self.apart] * whole[:, self.apart :]
        noise = X[:, 0, ::3].sum(dim=1) / 4
        return self.readout(noise + sites.sum(1) + self.together * pair.sum(1))[:, None]


def section_of(model):
    study = Study(inputs_of(model), MANY, NOWHERE)
    study.finished["spacing"] = experiment("spacing").compute(study)
    part = experiment("saturation")
    assert part.obstacle(study) is None
    return part.describe(study, part.compute(study))


def test_a_readout_that_saturates_is_not_called_an_interaction():
    section = section_of(Graded(readout=lambda y: 8 * torch.sigmoid(y / 3 - 1)))
    assert section.headline["saturation"] == "explained by saturation"
    assert "is explained by the output's own bend" in section.sentence
    low, high = (
        section.headline[f"interaction_latent_{end}"] for end in ("low", "high")
    )
    assert low < 0 < high
    assert len(section.tables["saturation"]) == 100


@pytest.mark.parametrize(
    ("together", "readout"),
    [(1.2, LINEAR), (-2.4, LINEAR), (1.2, lambda y: torch.exp(y / 6))],
)
def test_two_sites_that_act_together_survive(together, readout):
    section = section_of(Graded(together, readout))
    assert section.headline["saturation"] == "survives"
    assert section.sentence == (
        "What two sites 1 base apart do other than their sum is an interaction: no "
        "saturation of the output explains it."
    )
    latent = section.headline["interaction_latent"]
    assert latent == pytest.approx(together / 3, abs=0.15)


def test_flat_outputs_are_not_told_to_add_up():
    """One site reaches the most that the output can be."""
    section = section_of(Graded(readout=lambda y: y.clamp(max=3)))
    assert section.headline["saturation"] == "not identifiable"
    assert "cannot be told here" in section.sentence
    assert "not identifiable" in section.figures[0].reading.lower()


def test_sites_that_add_up_are_not_asked():
    study = Study(inputs_of(Sites()), MANY, NOWHERE)
    part = experiment("saturation")
    assert "not compared by spacing" in part.obstacle(study)
    study.finished["spacing"] = experiment("spacing").compute(study)
    assert "no two sites clearly deviate" in part.obstacle(study)


def test_the_first_screen_says_it_after_the_spacing():
    from tangermeme_gia.report.verdict import verdict

    from ..test_verdict import section

    names = ["motif", "spacing", "saturation", "gc", "robustness", "position"]
    said = verdict([section(name) for name in names])
    assert said == [f"{name}." for name in names[:5]]
    alone = verdict([section(name) for name in ("motif", "saturation")])
    assert alone == ["motif."]


def test_three_sites_need_room():
    inputs = inputs_of(Graded(2.4, gap=4), profile=AU[:, :20])
    study = Study(inputs, MANY, NOWHERE)
    study.finished["spacing"] = experiment("spacing").compute(study)
    assert "no room for a third site" in experiment("saturation").obstacle(study)
