"""What a report says of letters, for models whose answer is known."""

from dataclasses import replace

import torch

from tangermeme_gia.report.experiments.mutagenesis import describe

from ..conftest import GIVEN, Sites, results_of


def test_every_letter_of_an_exact_motif_is_lost_alike():
    study, results = results_of("mutagenesis", Sites(base=0.0))
    section = describe(study, results)
    assert (
        section.sentence == "Its most important letter is G at position 0 of the motif."
    )
    reading = section.figures[0].reading
    assert "position 0 (−2) lowers the effect most; none clearly raises it" in reading
    assert len(section.tables["mutagenesis"]) == 10


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
    assert reading.startswith("C at position 1 of the motif matters most.")
    assert "C to G at position 1 (−3) lowers the effect most" in reading
    assert "; C to U at position 1 (1) raises it most" in reading


def test_letters_that_do_nothing_do_not_matter():
    study, results = results_of("mutagenesis", Sites(weight=0.0, base=0.0))
    section = describe(study, results)
    assert section.sentence == "None of its letters clearly matters."
    assert section.summary == [("Most important letter", "none is clear")]
    assert section.figures[0].reading.startswith("No single change clearly alters")
