"""What a report says of a scan, which is saved in chunks."""

import pandas as pd
import pytest
import torch

from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.kmers.scan import kmer_scan
from tangermeme_gia.report import OutputError, ReportOptions
from tangermeme_gia.report.experiments.scan import (
    _landscape,
    compute,
    describe,
)
from tangermeme_gia.report.store import Store
from tangermeme_gia.report.study import Study

from ..conftest import (
    NOWHERE,
    OPTIONS,
    RNA,
    Counter,
    Sites,
    inputs_of,
    results_of,
)


def asked_of(study: Study) -> dict:
    return {"start": study.start, "both_strands": False, **study.ask}


@pytest.mark.parametrize("both_strands", [False, True])
def test_the_scan_in_chunks_is_the_scan(tmp_path, both_strands):
    options = ReportOptions(k=3, n=4, n_scan=5, both_strands=both_strands)
    study = Study(inputs_of(Sites()), options, Store(tmp_path))
    found = compute(study)["scan"]
    whole = kmer_scan(
        study.model,
        study.backgrounds[0].X,
        kmers=list(found.kmers),
        start=study.start,
        alphabet=RNA,
        both_strands=both_strands,
    )
    assert len(found.kmers) == (32 if both_strands else 64)
    assert found.n == 5
    torch.testing.assert_close(found.effect, whole.effect, rtol=0, atol=1e-12)
    torch.testing.assert_close(found.se, whole.se, rtol=0, atol=1e-12)


@pytest.mark.parametrize("error", [RuntimeError("killed"), KeyboardInterrupt()])
def test_an_interrupted_scan_goes_on_where_it_stopped(tmp_path, error):
    model = Counter(Sites())
    whole_study, study = (
        Study(inputs_of(model), OPTIONS, Store(tmp_path / name), batch_size=8)
        for name in ("whole", "halves")
    )
    whole = _landscape(whole_study, asked_of(whole_study))
    in_all = model.seen
    model.reset()
    model.fail_after(in_all // 2, error)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        _landscape(study, asked_of(study))
    n_chunks = len(list((tmp_path / "halves" / "scan.chunks").iterdir()))
    assert 4 < n_chunks < 12
    model.reset()
    rest = _landscape(study, asked_of(study))
    # Of 16 chunks, only those that were not finished.
    assert model.seen == in_all * (16 - n_chunks) // 16
    assert rest.conditions.equals(whole.conditions)
    assert torch.equal(rest.y_afters, whole.y_afters)


def test_chunks_of_another_model_are_not_used(tmp_path):
    results_of("scan", Sites(weight=-1.0), tmp_path, OPTIONS)
    found = results_of("scan", Sites(), tmp_path, OPTIONS)[1]["scan"]
    assert found.top(1)["kmer"][0] == "GAC"


def test_the_scan_finds_the_planted_motif(tmp_path):
    study, results = results_of("scan", Sites(), tmp_path, OPTIONS)
    section = describe(study, results)
    assert section.question == "Which 3-mer raises the output most?"
    (figure,) = section.figures
    assert figure.reading.startswith("GAC has the highest effect of 64 3-mers, ")
    assert "lowers it by more" not in figure.reading
    table = section.tables["scan"]
    assert table["kmer"].iloc[0] == "GAC"
    assert table["effect"].is_monotonic_decreasing
    assert len(table) == 64
    assert "at position 19: the figure shows their ranks on 8 " in section.method
    assert "are chosen on 8 and measured again on 24 others" in section.method
    assert section.tables["highest_and_lowest"]["n"].eq(24).all()


def test_the_landscape_has_fewer_backgrounds_than_the_choice(tmp_path):
    options = ReportOptions(k=3, n=24, n_scan=70)
    study, results = results_of("scan", Sites(), tmp_path, options)
    assert [results[name].n for name in ("scan", "highest", "lowest", "again")] == [
        64,
        70,
        70,
        24,
    ]
    X = study.backgrounds[0].X
    whole = kmer_scan(study.model, X, k=3, start=study.start, alphabet=RNA)
    for name, lowest, n in [("highest", False, 10), ("lowest", True, 3)]:
        pd.testing.assert_frame_equal(
            results[name].top(n, lowest=lowest), whole.top(n, lowest=lowest)
        )
    both = sorted([*results["highest"].kmers, *results["lowest"].kmers])
    again = kmer_scan(study.model, study.X, kmers=both, start=19, alphabet=RNA)
    assert results["again"].kmers == both
    torch.testing.assert_close(results["again"].effect, again.effect)


def test_a_scan_of_every_background_is_not_raced_again(tmp_path):
    model = Counter(Sites())
    options = ReportOptions(k=3, n=24, n_scan=64)
    study = Study(inputs_of(model), options, Store(tmp_path))
    results = compute(study)
    best = {
        kmer
        for lowest, n in ((False, 10), (True, 3))
        for kmer in results["scan"].top(n, lowest=lowest)["kmer"]
    }
    assert {*results["again"].kmers} == best
    # All 3-mers once, the best again, and the backgrounds of each call.
    placed = 64 * 64 + len(best) * 24
    assert placed < model.seen < placed + 64 * 64 // 2


def test_the_scan_names_what_lowers_more(tmp_path):
    study, results = results_of("scan", Sites(weight=-2.0), tmp_path, OPTIONS)
    reading = describe(study, results).figures[0].reading
    assert "GAC the lowest" in reading
    assert "GAC lowers it by more than any raises it; `--motif GAC`" in reading


def test_effects_without_any_doubt_are_counted(tmp_path):
    # No letter matters but GAC: every effect is exactly 2 or 0, with no spread.
    study, results = results_of("scan", Sites(base=0.0), tmp_path, OPTIONS)
    reading = describe(study, results).figures[0].reading
    assert reading.endswith(
        "of 5 %, 1 of the 10 highest raise the output and 0 of the 3 lowest lower it."
    )


def test_numbers_are_of_the_backgrounds_that_chose_nothing():
    effect = torch.tensor([3.0, -3.0, -4.0, 0.1], dtype=torch.float64)[:, None]
    chosen = KmerScan(["A", "C", "G", "U"], 9 + effect, torch.ones_like(effect), 30)
    again = KmerScan(["G", "C", "U", "A"], effect.flip(0), 0 * effect + 0.2, 30)
    again = again._replace(kmers=["U", "G", "C", "A"])
    study = Study(inputs_of(Sites()), ReportOptions(k=1, n=4, n_scan=2), NOWHERE)
    results = {"scan": chosen._replace(n_scanned=4), "again": again}
    results |= {"highest": chosen, "lowest": chosen}
    reading = describe(study, results).figures[0].reading
    assert "A has the highest effect of 4 1-mers, G the lowest" in reading
    assert "1 of the 4 highest raise the output and 2 of the 4 lowest" in reading
    assert "`--motif G` makes" in reading


def test_strands_are_named(tmp_path):
    options = ReportOptions(k=2, n=4, n_scan=4, both_strands=True)
    study, results = results_of("scan", Sites(), tmp_path, options)
    method = describe(study, results).method
    assert "averaged with their reverse complements" in method
