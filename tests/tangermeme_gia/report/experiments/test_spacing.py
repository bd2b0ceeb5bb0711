"""What a report says of the spacing of two sites, where the answer is known."""

import torch

from tangermeme_gia.report.experiments.spacing import compute, describe
from tangermeme_gia.report.layout import site_starts

from ..conftest import Sites, Thirds, linear_study, results_of


def test_spacings_end_where_the_sequence_ends():
    study = linear_study(length=24)
    result = compute(study)["spacing"]
    spacings = result.conditions["spacing"].unique().tolist()
    assert site_starts(study) == [2, 9]
    assert spacings == list(range(24 - 2 - 12 + 1))


def test_an_additive_model_has_no_interaction():
    for model in (Sites(), Thirds()):
        study, results = results_of("spacing", model)
        section = describe(study, results)
        assert section.sentence == (
            "Two sites add up at every spacing from 0 to 20 bases."
        )
        assert section.summary[0].answer == (
            "without clear dependence on the spacing: 0 on average; none of 21 "
            "spacings "
            "differs from additivity at a false discovery rate of 5 %"
        )
        assert {*section.headline.values()} == {0}
        table = section.tables["spacing_interaction"]
        assert table["spacing"].tolist() == list(range(21))
        assert not table["significant"].any()


def test_two_sites_too_close_are_found():
    class Close(Sites):
        """Two GAC with one base between them lose 3."""

        def __init__(self):
            super().__init__()
            pair = torch.zeros(1, 4, 7)
            pair[0, :, :3] = pair[0, :, 4:] = self.conv.weight[0]
            self.register_buffer("pair", pair)

        def forward(self, X):
            pairs = torch.relu(torch.nn.functional.conv1d(X, self.pair) - 5)
            return super().forward(X) - 3 * pairs.sum(dim=(1, 2))[:, None]

    study, results = results_of("spacing", Close())
    section = describe(study, results)
    assert section.sentence == (
        "Two sites 1 base apart have less effect than the sum of both; others "
        "nearly add "
        "up."
    )
    numbers = section.summary[0].answer
    assert "lowest at a spacing of 1 base, −3, and highest at " in numbers
    assert "1 of 21 spacings differs from additivity" in numbers
    assert section.headline["interaction_lowest"] == -3
    assert section.tables["spacing_interaction"]["significant"].tolist() == [
        i == 1 for i in range(21)
    ]


def test_an_interaction_that_no_spacing_alters_is_an_average():
    study, results = results_of("spacing", Sites(most=1))
    section = describe(study, results)
    numbers = section.summary[0].answer
    assert "without clear dependence on the spacing: −2 on average" in numbers
    assert "21 of 21 spacings differ from additivity" in numbers


def test_the_spacing_axis_is_in_the_units_of_the_sequences():
    from matplotlib import pyplot

    study, results = results_of("spacing", Sites())
    figures = describe(study, results).figures
    ax = figures[1].draw()
    assert ax.get_xlabel() == "Spacing between motifs (bases)"
    assert ax.get_ylabel() == "Interaction"
    pyplot.close("all")
