"""Which parts a report has, and options that are refused."""

import itertools

import pytest

from tangermeme_gia.report import ReportOptions
from tangermeme_gia.report.experiments import EXPERIMENTS


def test_everything_runs_by_default_and_no_search_with_a_motif():
    assert {*EXPERIMENTS} - {*ReportOptions().wanted()} == {"motifs", "grammar"}
    wanted = ReportOptions(motif="GAC").wanted()
    assert {*EXPERIMENTS} - {*wanted} == {"scan", "alignment", "motifs", "grammar"}


@pytest.mark.parametrize("motif", [None, "GAC"])
def test_wanted_holds_what_each_choice_needs_in_the_reports_order(motif):
    for size in (1, 2, 3):
        for chosen in itertools.combinations(EXPERIMENTS, size):
            options = ReportOptions(experiments=chosen[::-1], motif=motif)
            wanted = options.wanted()
            assert {*chosen} <= {*wanted}
            assert [name for name in EXPERIMENTS if name in wanted] == list(wanted)
            needs_motif = bool({*chosen} - {"scan", "motifs"})
            assert ("motif" in wanted) == needs_motif
            searches = motif is None or bool({"scan", "alignment"} & {*chosen})
            assert ("scan" in wanted) == searches
            assert {*wanted} <= {*chosen, "scan", "motif"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "`k`=0 must be at least 1"),
        ({"n": 3}, "`n`=3 must be at least 4"),
        ({"n_scan": 1}, "`n_scan`=1 must be at least 2"),
        ({"n_words": -1}, "`n_words`=-1 must be at least 0"),
        ({"experiments": ("spaces",)}, r"`experiments`=\['spaces'\] must be distinct"),
        ({"experiments": ("gc", "gc")}, "`experiments`.*distinct"),
        ({"backgrounds": ("uniform",)}, "`backgrounds`.*distinct names of"),
        ({"backgrounds": ()}, "`backgrounds` is empty"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ReportOptions(**options)
