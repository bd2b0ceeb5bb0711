"""Statistics of a result are those of the array that a reader would slice."""

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia import statistics
from tangermeme_gia._core.results import GIAResult
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.experiments.interaction import factorial, pairwise_interaction
from tangermeme_gia.experiments.positions import positional_bias
from tangermeme_gia.experiments.sites import multi_site
from tangermeme_gia.experiments.spacing import motif_spacing
from tangermeme_gia.kmers.scan import kmer_scan
from tangermeme_gia.statistics.comparisons import Comparison

LABELS = np.repeat(np.arange(5), 2)
CONTROLS = {"n_controls": 1, "random_state": 0}


@pytest.fixture
def positions(motif_model, X) -> GIAResult:
    """GACC at three starts, read by two outputs."""
    return positional_bias(motif_model, X, "GACC", [0, 7, 15])


def assert_same(found, expected) -> None:
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("output", [0, 1])
@pytest.mark.parametrize(
    "statistic",
    [
        statistics.confidence_interval,
        lambda y: statistics.confidence_interval(y, method="bca", clusters=LABELS),
        lambda y: statistics.paired_t_test(y, clusters=LABELS),
        statistics.wilcoxon_test,
        statistics.sign_flip_test,
        statistics.standardised_effect,
        lambda y: statistics.correlation(y, np.arange(10) ** 2),
    ],
)
def test_each_condition_has_the_value_of_its_column(positions, statistic, output):
    local = positions.local_importance
    result = positions.output(output)
    assert_same(statistic(result), statistic(local[:, :, output]))
    # A single condition gives numbers, as an array of one axis does.
    one = statistic(result.select(start=7))
    assert_same(one, statistic(local[:, 1, output]))
    assert np.ndim(one[0]) == 0


def test_two_arms_are_paired(positions):
    first, last = (positions.output(0).select(start=s) for s in (0, 15))
    a, b = positions.local_importance[:, 0, 0], positions.local_importance[:, 2, 0]
    for test in (
        statistics.paired_t_test,
        statistics.wilcoxon_test,
        statistics.sign_flip_test,
        statistics.welch_test,
        statistics.effect_difference,
        statistics.effect_ratio,
        statistics.standardised_effect,
    ):
        assert_same(test(first, last), test(a, b))


def test_a_correlation_of_one_property_is_that_of_each_condition(positions):
    x = np.arange(10.0)
    whole = statistics.correlation(positions.output(0), x)
    columns = positions.local_importance[:, :, 0].T
    each = [float(statistics.correlation(y, x).effect) for y in columns]
    np.testing.assert_allclose(whole.effect, each)


@pytest.mark.parametrize("controls", [{}, CONTROLS])
def test_additivity_reads_the_number_of_sites_and_leaves_controls_out(
    additive_model, X, controls
):
    starts = [0, 8, 16]
    result = multi_site(additive_model, X, "GACC", starts, **controls)
    alone = positional_bias(additive_model, X, "GACC", starts, **controls)
    fit = statistics.additivity_fit(result, single_sites=alone)
    # An additive model has no deviation from the sum of the single sites.
    np.testing.assert_allclose(fit.points["deviation"], 0, atol=1e-5)
    expected = statistics.additivity_fit(
        result.local_importance[:, :3, 0],
        [1, 2, 3],
        single_sites=alone.local_importance[:, :3, 0],
    )
    pd.testing.assert_frame_equal(fit.points, expected.points)
    pd.testing.assert_frame_equal(fit.fits, expected.fits)
    with pytest.raises(ValueError, match="`n_sites`=None, but the conditions have no"):
        statistics.additivity_fit(alone)
    with pytest.raises(ValueError, match="`n_sites`=None, but `local` is no result"):
        statistics.additivity_fit(result.local_importance[:, :3, 0])


@pytest.mark.parametrize("controls", [{}, CONTROLS])
def test_a_planted_interaction_is_read_from_the_arms(motif_model, blank, controls):
    pair = pairwise_interaction(
        motif_model, blank, ("GACC", 2), ("CGAG", 12), **controls
    )
    assert statistics.interaction_contrast(pair.output(0)).local.tolist() == [5] * 5
    assert float(statistics.interaction_contrast(pair.output(1)).interval.effect) == 0
    spacings = motif_spacing(motif_model, blank, ["GACC", "CGAG"], [1, 4], **controls)
    found = statistics.interaction_contrast(spacings.output(0))
    assert found.local.tolist() == [[5, 5]] * 5
    arms = [spacings.output(0).select(arm=a, control="none") for a in ("all", "1", "2")]
    assert_same(statistics.interaction_contrast(*arms).local, found.local)


def test_arms_that_are_not_two_patterns_are_asked_for(positions, motif_model, blank):
    motifs = ["GACC", "CGAG", "GACC"]
    three = motif_spacing(motif_model, blank, motifs, [[1, 1]]).output(0)
    for several in (positions.output(0), three, np.ones((5, 2))):
        with pytest.raises(ValueError, match="`a` and `b` are needed, unless `ab` is"):
            statistics.interaction_contrast(several)


@pytest.mark.parametrize("controls", [{}, CONTROLS])
def test_factorial_contrasts_are_named_by_the_patterns(motif_model, blank, controls):
    patterns = [("GACC", 0), ("CGAG", 8), ("GACC", 16)]
    result = factorial(motif_model, blank, patterns, **controls).output(0)
    found = statistics.factorial_contrasts(result)
    assert found.names == ["A", "B", "C", "A×B", "A×C", "B×C", "A×B×C"]
    # Each GACC beside the CGAG makes 5; nothing else acts together.
    assert found.local[0].tolist() == [1, 2, 1, 5, 0, 5, 0]
    plain = statistics.factorial_contrasts([[1.0], [2.0]], [[True]])
    assert plain.names == ["A"]


def test_winners_come_with_what_their_conditions_hold(positions):
    result = positions.output(0)
    local = positions.local_importance[:, :, 0]
    table = statistics.split_and_rescore(result, top=2)
    assert table.columns[:3].tolist() == ["condition", "motif", "start"]
    starts = np.array([0, 7, 15])[table["condition"]]
    assert table["start"].tolist() == starts.tolist()
    plain = statistics.split_and_rescore(local, top=2)
    pd.testing.assert_frame_equal(table[plain.columns], plain)
    halves = result.select(rows=slice(5)), result.select(rows=slice(5, None))
    again = statistics.rescore_winners(*halves, top=2)
    plain = statistics.rescore_winners(local[:5], local[5:], top=2)
    pd.testing.assert_frame_equal(again[plain.columns], plain)
    with pytest.raises(ValueError, match="`selection` and `held_out` have other cond"):
        statistics.rescore_winners(halves[0], halves[1].select([1, 0, 2]))
    taken = result._replace(conditions=result.conditions.assign(p=0))
    with pytest.raises(ValueError, match=r"have the columns \['p'\], which the table"):
        statistics.split_and_rescore(taken)


def test_a_scan_is_tested_by_its_moments(motif_model, X):
    scan = kmer_scan(motif_model, X, kmers=["GACC", "CGAG"], start=4)
    placed = positional_bias(motif_model, X, "GACC", [4]).output(0)
    one = scan.output(0)
    for statistic in (
        lambda y: statistics.confidence_interval(y, 0.9),
        statistics.paired_t_test,
    ):
        for found, expected in zip(statistic(one), statistic(placed), strict=True):
            value = found if np.ndim(found) == 0 else found[0]
            np.testing.assert_allclose(value, expected, rtol=1e-9)


def test_what_a_scan_or_several_outputs_cannot_answer_is_named(positions):
    with pytest.raises(ValueError, match="`local`: the result has 2 outputs, 0, 1; ch"):
        statistics.confidence_interval(positions)
    with pytest.raises(ValueError, match="`other`: the result has 2 outputs"):
        statistics.paired_t_test(positions.output(0), positions)
    moments = torch.ones(2, 1, dtype=torch.float64)
    scan = KmerScan(["GA", "GC"], moments, moments, 9)
    with pytest.raises(TypeError, match="`local` is a KmerScan, which holds the mean"):
        statistics.wilcoxon_test(scan)
    with pytest.raises(TypeError, match="`local` is a KmerScan"):
        statistics.confidence_interval(scan, method="bca")
    with pytest.raises(ValueError, match="`clusters` are given, but `local` is a Kmer"):
        statistics.paired_t_test(scan, clusters=[0, 1])
    with pytest.raises(ValueError, match="NaN or infinite, of 1 backgrounds; at least"):
        statistics.confidence_interval(scan._replace(se=moments * torch.nan, n=1))


def test_comparisons_narrow_scans_too():
    moments = torch.ones(2, 3, dtype=torch.float64)
    scan = KmerScan(["GA", "GC"], moments, moments, 9)
    frame = Comparison({"a": scan, "b": scan}).output(2).to_frame()
    assert frame["output"].tolist() == [2] * 4


# Statistics and the clusters that results carry.

OF_ONE = [
    statistics.confidence_interval,
    lambda y, **kw: statistics.confidence_interval(y, method="bca", **kw),
    lambda y, **kw: statistics.confidence_interval(y, method="bootstrap-t", **kw),
    statistics.paired_t_test,
    statistics.wilcoxon_test,
    statistics.sign_flip_test,
    statistics.standardised_effect,
    lambda y, **kw: [statistics.backgrounds_needed(y, 0.1, **kw)],
    lambda y, **kw: statistics.correlation(y, np.arange(10) ** 2, **kw),
    lambda y, **kw: statistics.split_and_rescore(y, **kw)[["effect", "se", "p"]].T,
]
OF_TWO = [
    statistics.effect_difference,
    statistics.effect_ratio,
    statistics.paired_t_test,
    statistics.wilcoxon_test,
    statistics.sign_flip_test,
    statistics.standardised_effect,
    lambda a, b, **kw: statistics.interaction_contrast(a, b, b, **kw).interval,
    lambda a, b, **kw: statistics.interaction_contrast(a, b, b, **kw).test,
    lambda a, b, **kw: (
        statistics.additivity_fit(a, [1, 2, 4], single_sites=None, **kw).points.T
    ),
]
PAIRS = np.repeat(range(5), 2)


def in_pairs(positions, labels=PAIRS):
    """Effects that vary from pair to pair."""
    one = positions.output(1)
    pull = torch.from_numpy(np.random.default_rng(0).normal(size=5)[PAIRS]).float()
    after = one.y_afters + 9 * pull[:, None] * torch.arange(1, 4)
    return GIAResult(one.y_before, after, one.conditions, clusters=labels)


def columns_of(found) -> np.ndarray:
    columns = found.values if hasattr(found, "values") else found
    return np.concatenate([np.asarray(x, float).ravel() for x in columns])


@pytest.mark.parametrize("statistic", OF_ONE)
def test_the_clusters_of_a_result_are_used(positions, statistic):
    result = in_pairs(positions)
    local = result.local_importance
    found = columns_of(statistic(result))
    for same in (
        statistic(local, clusters=PAIRS),
        # The same pairs by other names.
        statistic(result, clusters=list("aabbccddee")),
    ):
        np.testing.assert_allclose(columns_of(same), found, 1e-7)
    naive = columns_of(statistic(local))
    assert not np.allclose(found, naive, rtol=1e-3)
    alone = columns_of(statistic(in_pairs(positions, range(10))))
    np.testing.assert_allclose(alone, naive, 1e-7)


@pytest.mark.parametrize("statistic", OF_TWO)
def test_the_clusters_of_either_arm_are_used(positions, statistic):
    result = in_pairs(positions)
    other = result._replace(y_afters=result.y_afters.flip(1) / 2)
    a, b = result.local_importance, other.local_importance
    found = columns_of(statistic(result, other))
    for same in (
        statistic(a, b, clusters=PAIRS),
        statistic(result, b),
        statistic(result, other, clusters=PAIRS),
    ):
        np.testing.assert_allclose(columns_of(same), found, 1e-7)
    assert not np.allclose(found, columns_of(statistic(a, b)), rtol=1e-3)


def test_clusters_that_differ_are_refused(positions):
    result, others = in_pairs(positions), np.repeat([0, 1], 5)
    for statistic in (statistics.confidence_interval, statistics.wilcoxon_test):
        with pytest.raises(ValueError, match="`clusters` and those that results carry"):
            statistic(result, clusters=others)
    with pytest.raises(ValueError, match="those that results carry group the 10 backg"):
        statistics.effect_difference(result, in_pairs(positions, others))
    moments = torch.ones(2, 1, dtype=torch.float64)
    scan = KmerScan(["GA", "GC"], moments, moments, 10, clusters=PAIRS)
    assert statistics.paired_t_test(scan, clusters=PAIRS).p[0] == pytest.approx(
        0.37390096630005
    )  # two-sided, t of 1 with 4 degrees of freedom
    with pytest.raises(ValueError, match="`clusters` and those that results carry"):
        statistics.paired_t_test(scan, clusters=others)


def test_contrasts_keep_the_clusters(motif_model, blank):
    labels = [0, 1, 0, 1, 1]
    result = factorial(motif_model, blank, [("GACC", 2)], clusters=labels).output(0)
    assert statistics.factorial_contrasts(result).clusters.tolist() == labels
    assert statistics.factorial_contrasts([[1.0], [2.0]], [[True]]).clusters is None


def test_winners_of_the_same_templates_are_not_held_out(positions):
    found, held = (in_pairs(positions, labels) for labels in (PAIRS, PAIRS + 4))
    held = held._replace(y_afters=held.y_afters + 1)
    with pytest.warns(UserWarning, match="have 1 of their clusters .* in common"):
        table = statistics.rescore_winners(found, held)
    assert table["n_clusters"].tolist() == [5]
    apart = GIAResult(*held, clusters=PAIRS + 5)
    table = statistics.rescore_winners(found, apart)
    interval = statistics.confidence_interval(held)
    assert table["se"][0] == pytest.approx(interval.se[table["condition"][0]])
    plain = statistics.rescore_winners(found.local_importance, held.local_importance)
    assert "n_clusters" not in plain
