"""What a report says of letters, for models whose answer is known."""

from dataclasses import replace

import torch

from tangermeme_gia.report.experiments.mutagenesis import describe

from ..conftest import GIVEN, Sites, results_of


def test_every_letter_of_an_exact_motif_is_lost_alike():
    study, results = results_of("mutagenesis", Sites(base=0.0))
    section = describe(study, results)
    assert section.sentence == "Its first letter, G, matters most."
    reading = section.figures[0].reading
    assert "G1 to A (−2) lowers the effect most; none clearly raises it" in reading
    table = section.tables["mutagenesis"]
    assert table["letter_number"].tolist()[1:] == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_letters_are_counted_from_one_in_the_picture():
    from matplotlib import pyplot

    study, results = results_of("mutagenesis", Sites(base=0.0))
    ax = describe(study, results).figures[0].draw()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["G1", "A2", "C3"]
    assert ax.get_xlabel() == "Letter of the motif (from 1)"
    pyplot.close("all")


def test_the_letter_that_matters_and_the_gain_are_found():
    class Letters(torch.nn.Module):
        """C at 20 adds 3, a U there 4; the other places add less."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("weights", torch.zeros(4, 41))
            self.weights[:, 20] = torch.tensor([0.5, 3.0, 0.0, 4.0])
            self.weights[:, 19] = torch.tensor([0.5, 0.0, 1.0, 0.0])

        def forward(self, X):
            return (X * self.weights).sum(dim=(1, 2))

    options = replace(GIVEN, motif="GCA")
    study, results = results_of("mutagenesis", Letters(), options=options)
    section = describe(study, results)
    reading = section.figures[0].reading
    assert reading.startswith("Letter C2 matters most.")
    assert "C2 to G (−3) lowers the effect most" in reading
    assert "; C2 to U (1) raises it most" in reading


def test_letters_that_do_nothing_do_not_matter():
    study, results = results_of("mutagenesis", Sites(weight=0.0, base=0.0))
    section = describe(study, results)
    assert section.sentence == "None of its letters clearly matters."
    assert section.summary[0].answer == "none is clear"
    assert section.figures[0].reading.startswith("No single change clearly alters")
