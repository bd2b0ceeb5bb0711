"""What a report says of a motif, for models whose answer is known."""

import numpy as np
import pytest
import torch

from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.report import ReportOptions
from tangermeme_gia.report.motif_sections import alignment, motif, mutagenesis, scan
from tangermeme_gia.report.parts import PARTS
from tangermeme_gia.report.store import Store
from tangermeme_gia.report.study import Study
from tangermeme_gia.report.wording import row_with_interval
from tangermeme_gia.statistics.intervals import confidence_interval

from .conftest import OPTIONS, Sites, inputs_of


def results_of(part, model, folder, options=OPTIONS, searched=True, **changes):
    """A study with the results of a part, after the scan if there is one."""
    study = Study(inputs_of(model, **changes), options)
    store = Store(folder)
    if searched:
        found = PARTS["scan"].compute(study, store)
        store.save("scan", found, study.fingerprint("scan"))
        study.motif = found["scan"].top(1)["kmer"][0]
    return study, PARTS[part].compute(study, store)


def given(part, model, folder, name="GAC", **changes):
    options = ReportOptions(motif=name, k=3, n=24, n_scan=8)
    return results_of(part, model, folder, options, searched=False, **changes)


def test_the_scan_finds_the_planted_motif(tmp_path):
    study, results = results_of("scan", Sites(), tmp_path)
    section = scan(study, results)
    assert section.question == "Which 3-mer raises the output most?"
    (figure,) = section.figures
    assert figure.reading.startswith("GAC has the highest effect of 64 3-mers, ")
    assert "lowers it by more" not in figure.reading
    table = section.tables["scan"]
    assert table["kmer"].iloc[0] == "GAC"
    assert table["effect"].is_monotonic_decreasing
    assert len(table) == 64
    assert "position 19 of 8 backgrounds" in section.method


def test_the_scan_names_what_lowers_more(tmp_path):
    study, results = results_of("scan", Sites(weight=-2.0), tmp_path)
    reading = scan(study, results).figures[0].reading
    assert "GAC the lowest" in reading
    assert "GAC lowers it by more than any raises it; `--motif GAC`" in reading


def test_effects_without_any_doubt_are_counted(tmp_path):
    # No letter matters but GAC: every effect is exactly 2 or 0, with no spread.
    study, results = results_of("scan", Sites(base=0.0), tmp_path)
    reading = scan(study, results).figures[0].reading
    assert reading.endswith("of 5 %, 1 raise the output and 0 lower it.")


def test_counts_are_by_direction():
    effect = torch.tensor([3.0, -3.0, -4.0, 0.1], dtype=torch.float64)[:, None]
    found = KmerScan(["A", "C", "G", "U"], effect, torch.full_like(effect, 0.2), 30)
    study = Study(inputs_of(Sites()), ReportOptions(k=1, n=4, n_scan=2))
    reading = scan(study, {"scan": found}).figures[0].reading
    assert "1 raise the output and 2 lower it" in reading


def test_strands_are_named(tmp_path):
    options = ReportOptions(k=2, n=4, n_scan=4, both_strands=True)
    study, results = results_of("scan", Sites(), tmp_path, options)
    method = scan(study, results).method
    assert "averaged with their reverse complements" in method


def test_the_effect_is_that_of_fresh_backgrounds(tmp_path):
    study, results = results_of("motif", Sites(), tmp_path)
    section = motif(study, results)
    own = confidence_interval(
        results["controls"].local_importance[:, 0, 0].double().numpy()
    )
    assert section.sentence == f"GAC raises the score by {row_with_interval(own)}."
    assert section.headline["motif"] == "GAC"
    assert section.headline["effect"] == pytest.approx(float(own.effect))
    assert section.headline["effect_low"] == pytest.approx(float(own.low))
    # 2, less 1/8 for every A that gives way, plus 1/8 for its own.
    assert abs(section.headline["effect"] - 1.9375) < 0.1
    assert section.method.endswith("Among the 10 best of the scan it stays first here.")
    assert (
        "100 % of backgrounds have an effect of this sign" in section.figures[0].reading
    )
    assert section.tables["winners"]["patterns"][0] == "GAC@19"
    assert len(section.tables["motif"]) == 7


def test_a_winner_that_is_overtaken_says_by_which(tmp_path):
    study, results = results_of("motif", Sites(), tmp_path)
    first_last = results["winners"].conditions.iloc[::-1].reset_index(drop=True)
    after = results["winners"].y_afters.flip(1)
    results["winners"] = results["winners"]._replace(
        conditions=first_last, y_afters=after
    )
    assert motif(study, results).method.endswith("it is not first here, but GAC.")


def test_a_motif_that_lowers_does_so_by_a_positive_number(tmp_path):
    study, results = given("motif", Sites(weight=-2.0), tmp_path)
    section = motif(study, results)
    assert section.sentence.startswith("GAC lowers the score by 2.")
    assert section.headline["effect"] < -1.9
    assert section.summary[0][1].startswith("GAC: −2.")
    assert "winners" not in section.tables
    # The strongest control is the one that lowers most.
    local = results["controls"].local_importance[..., 0].double().numpy()
    rival = 1 + local[:, 1:].mean(axis=0).argmin()
    beyond = row_with_interval(confidence_interval(local[:, 0] - local[:, rival]))
    assert f"its own differs by {beyond}." in section.figures[0].reading


def test_a_motif_without_effect_is_not_said_to_have_one(tmp_path):
    study, results = given("motif", Sites(weight=0.0), tmp_path)
    local = results["controls"].local_importance[:, 0, 0]
    section = motif(study, results)
    assert section.headline["effect_low"] < 0 < section.headline["effect_high"] or (
        abs(section.headline["effect"]) < 0.125
    )
    assert len(local) == 24
    shifted = results["controls"].y_afters.clone()
    shifted[:, 0] -= local.mean()
    results["controls"] = results["controls"]._replace(y_afters=shifted)
    sentence = motif(study, results).sentence
    assert sentence.startswith("GAC has no clear effect on the score: 0.00 [−")


def test_the_backgrounds_own_outputs_give_the_scale(tmp_path):
    study, results = given("motif", Sites(), tmp_path)
    alone = study.model(study.X.float()).detach()
    reading = motif(study, results).figures[0].reading
    assert f"mean {float(alone.mean()):.3g}" in reading
    assert f"deviation {float(alone.std()):.3g}." in reading


def test_every_letter_of_an_exact_motif_is_lost_alike(tmp_path):
    study, results = given("mutagenesis", Sites(base=0.0), tmp_path)
    section = mutagenesis(study, results)
    assert (
        section.sentence == "Its most important letter is G at position 0 of the motif."
    )
    reading = section.figures[0].reading
    assert "position 0 (−2) lowers the effect most; none clearly raises it" in reading
    assert len(section.tables["mutagenesis"]) == 10


def test_the_letter_that_matters_and_the_gain_are_found(tmp_path):
    class Letters(torch.nn.Module):
        """C at 20 adds 3, a U there 4; the other places add less."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("weights", torch.zeros(4, 41))
            self.weights[:, 20] = torch.tensor([0.5, 3.0, 0.0, 4.0])
            self.weights[:, 19] = torch.tensor([0.5, 0.0, 1.0, 0.0])

        def forward(self, X):
            return (X * self.weights).sum(dim=(1, 2))

    study, results = given("mutagenesis", Letters(), tmp_path, "GCA")
    section = mutagenesis(study, results)
    reading = section.figures[0].reading
    assert reading.startswith("C at position 1 of the motif matters most.")
    assert "C to G at position 1 (−3) lowers the effect most" in reading
    assert "; C to U at position 1 (1) raises it most" in reading


def test_letters_that_do_nothing_do_not_matter(tmp_path):
    study, results = given("mutagenesis", Sites(weight=0.0, base=0.0), tmp_path)
    section = mutagenesis(study, results)
    assert section.sentence == "None of its letters clearly matters."
    assert section.summary == [("Most important letter", "none is clear")]
    assert section.figures[0].reading.startswith("No single change clearly alters")


def test_the_best_kmers_align_to_the_motif(tmp_path):
    study, results = results_of("scan", Sites(base=0.0), tmp_path)
    section = alignment(study, results)
    assert section.headline["consensus"] == "GAC"
    assert section.sentence == "Aligned, the best k-mers read GAC."
    assert "10 best k-mers" in section.method


def test_kmers_that_agree_on_nothing_have_no_consensus():
    kmers = ["A", "C", "G", "U"]
    effect = torch.ones(4, 1, dtype=torch.float64)
    found = KmerScan(kmers, effect, effect, 4)
    study = Study(inputs_of(Sites()), ReportOptions(k=1, n=4, n_scan=2))
    section = alignment(study, {"scan": found})
    assert section.sentence == "Aligned, the best k-mers agree on no letter."
    assert section.summary == [("Aligned motif", "none")]


def test_n_is_a_letter_of_proteins():
    from tangermeme_gia.report.motif_sections import _consensus

    letters = "ACDEFGHIKLMNPQRSTVWY"
    ppm = torch.zeros(20, 3, dtype=torch.float64)
    ppm[letters.index("N"), 0] = ppm[letters.index("W"), 2] = 1
    ppm[:, 1] = 1 / 20
    assert _consensus(ppm, letters) == "NXW"


def test_p_values_of_certain_effects():
    import pandas as pd

    from tangermeme_gia.report.motif_sections import _p_values

    frame = pd.DataFrame({"effect": [0.0, 2.0, 1.0], "se": [0.0, 0.0, 0.5]})
    p = _p_values(frame, 5)
    assert p[:2].tolist() == [1, 0]
    assert 0.05 < p[2] < 0.2
    assert not np.isnan(p).any()
