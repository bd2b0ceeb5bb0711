"""The simulations of benchmarks/calibration.py, short or (slow) in full."""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "calibration.py"

if not BENCHMARK.exists():  # a source distribution carries no benchmarks
    pytest.skip(f"{BENCHMARK} is missing", allow_module_level=True)


@pytest.fixture(scope="module")
def calibration() -> ModuleType:
    spec = importlib.util.spec_from_file_location("calibration", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def claims_that_fail(rows: Iterable[dict[str, Any]], errors: float) -> list[str]:
    """Claimed rows outside their range by more than so many Monte Carlo errors."""
    failed, checked = [], 0
    for row in rows:
        if not row["claimed"]:
            continue
        checked += 1
        inside = row["inside"]
        if row["figure"] in ("coverage", "rejection"):
            centre = 95 if row["figure"] == "coverage" else 5
            inside = abs(row["rate"] - centre) <= 1 + errors * row["mc_error"]
        if not inside:
            failed.append(f"{row}")
    assert checked
    return failed


def rates(rows: Iterable[dict[str, Any]], figure: str, what: str) -> list[float]:
    found = [r["rate"] for r in rows if r["figure"] == figure and r["what"] == what]
    assert found
    return found


def test_t_intervals_cover_normal_and_skewed_means(calibration):
    rows = calibration.intervals(2000, 1, (200, 1000), methods=("t",))
    assert claims_that_fail(rows, errors=2) == []


@pytest.mark.parametrize("method", ["bca", "bootstrap-t"])
def test_bootstrap_intervals_cover_normal_and_skewed_means(calibration, method):
    data = ("normal (0)", "lognormal (1.75)")
    rows = calibration.intervals(500, 1, (200,), (method,), data)
    assert claims_that_fail(rows, errors=2) == []


def test_few_skewed_backgrounds_are_covered_best_by_the_bootstrap_t(calibration):
    methods = ("t", "bca", "bootstrap-t")
    rows = calibration.intervals(500, 1, (20,), methods, ["exponential (2)"])
    t, bca, bootstrap_t = (row["rate"] for row in rows)
    assert max(t, bca) < 93 < bootstrap_t


def test_zeros_narrow_intervals_and_where_they_do_there_is_a_warning(calibration):
    rows = list(calibration.zeros(1000, 1, sizes=(30, 1000)))
    assert claims_that_fail(rows, errors=2) == []
    assert min(rates(rows, "coverage", "t")) < 60
    quiet = [r for r in rows if "without" in r["what"] and r["repetitions"] > 100]
    assert min(row["rate"] for row in quiet) > 92


def test_correlations_are_covered_from_ten_backgrounds_on(calibration):
    rows = list(calibration.correlations(1000, 1, sizes=(10, 50)))
    assert claims_that_fail(rows, errors=2) == []


def test_a_pilot_gives_what_was_asked_with_the_assurance(calibration):
    rows = list(calibration.planning(300, 1, pilots=(50,)))
    assert claims_that_fail(rows, errors=2) == []


def test_one_order_for_all_sequences_hides_what_it_does(calibration):
    rows = list(calibration.occlusions(30, 1, sizes=(200,)))
    assert claims_that_fail(rows, errors=3) == []
    assert max(rates(rows, "coverage", "one order for all")) < 80


def test_derived_effects_are_covered(calibration):
    assert claims_that_fail(calibration.effects(1000, 1), errors=2) == []


def test_clustered_intervals_cover_and_naive_ones_do_not(calibration):
    rows = list(calibration.clusters(300, 1, numbers=(200,)))
    assert claims_that_fail(rows, errors=2) == []
    assert max(rates(rows, "coverage", "naive t")) < 80


def test_tables_of_few_templates_cover_only_with_clusters(calibration):
    rows = list(calibration.tables_of_clusters(400, 1, numbers=(10,)))
    assert claims_that_fail(rows, errors=2) == []
    assert max(rates(rows, "coverage", "table, naive")) < 60
    summaries = [row for row in rows if row["what"] == "summary of 5 models"]
    # Too wide rather than too narrow.
    assert min(row["rate"] for row in summaries if "ReLU" not in row["data"]) > 93


def test_tests_reject_a_true_null_at_their_level(calibration):
    rows = list(calibration.null_tests(1000, 2, sizes=(10, 200)))
    assert claims_that_fail(rows, errors=2) == []
    skewed = [row for row in rows if row["data"] == "exponential (2)"]
    assert rates(skewed, "rejection", "Wilcoxon")[-1] > 40  # tests symmetry


def test_the_paired_test_is_right_on_shared_backgrounds_and_welch_is_not(calibration):
    rows = list(calibration.shared_backgrounds(2000, 1))
    assert claims_that_fail(rows, errors=2) == []
    assert max(rates(rows, "rejection", "Welch, same backgrounds")) < 2


def test_searches_control_the_share_of_false_discoveries(calibration):
    rows = list(calibration.searches(300, 1))
    assert claims_that_fail(rows, errors=2) == []
    assert min(rates(rows, "false discoveries", "unadjusted")) > 15


def test_a_winner_is_unbiased_only_on_held_out_backgrounds(calibration):
    rows = list(calibration.winners(150, 1, spreads=(0,)))
    assert claims_that_fail(rows, errors=2) == []
    # In standard errors; the expected maximum of 100 normal numbers is 2.51.
    assert rates(rows, "bias", "winner, naive") == pytest.approx([2.5, 2.5], abs=0.2)
    assert max(rates(rows, "coverage", "winner, naive")) < 50


@pytest.mark.slow
@pytest.mark.parametrize(
    "section",
    [
        *("intervals", "bootstraps", "zeros", "occlusions", "correlations"),
        *("planning", "effects", "additivity", "clusters", "tables_of_clusters"),
        *("tests", "shared_backgrounds", "searches", "winners"),
    ],
)
def test_every_claim_holds_over_thousands_of_repetitions(calibration, section):
    repetitions = 4000 // calibration.COST.get(section, 1)
    rows = calibration.SECTIONS[section](repetitions, 2)
    assert claims_that_fail(rows, errors=1) == []
