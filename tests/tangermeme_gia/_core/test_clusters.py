"""Rows that share a template, from the experiment to the table."""

import copy
import pickle
import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from tangermeme_gia import (
    best_kmers,
    global_importance,
    kmer_scan,
    occlusion,
    occlusion_annotations,
)
from tangermeme_gia._core.clusters import as_labels
from tangermeme_gia._core.moments import ClusteredMoments, summarise
from tangermeme_gia._core.results import GIAResult
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.statistics import confidence_interval, paired_t_test

# Of unequal size, not in order, and words.
LABELS = np.array(list("abacabdabbcd"))
CODES = np.array([0, 1, 0, 2, 0, 1, 3, 0, 1, 1, 2, 3])
SITES = [[("GAC", 2)], [("GAC", 5), ("CG", 9)], [("CG", 0)]]


class Additive(torch.nn.Module):
    """Weights of positions, and what neighbours do together: effects differ by row."""

    def __init__(self, n_outputs: int = 1) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        weights = torch.randn(n_outputs, 4, 14, generator=generator)
        self.weights = torch.nn.Parameter(weights)

    def forward(self, X):
        y = torch.einsum("ncl,ocl->no", X.float(), self.weights)
        return y + torch.relu(y) ** 2 / 9


@pytest.fixture
def X() -> torch.Tensor:
    codes = torch.randint(4, (12, 14), generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.one_hot(codes, 4).transpose(1, 2).to(torch.int8)


@pytest.fixture
def result(X) -> GIAResult:
    return global_importance(Additive(2), X, SITES, clusters=LABELS)


def by_hand(local: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """CR2 of a mean and its degrees of freedom, from the n x n matrices."""
    n = len(labels)
    annihilate = np.eye(n) - 1 / n
    residual = annihilate @ local.reshape(n, -1)
    pulls, forms = [], []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        values, vectors = np.linalg.eigh(annihilate[np.ix_(rows, rows)])
        root = (vectors / np.sqrt(values)) @ vectors.T
        pulls.append(root.sum(axis=0) @ residual[rows] / n)
        forms.append(root.sum(axis=0) @ annihilate[rows] / n)
    eigenvalues = np.linalg.eigvalsh(np.array(forms) @ np.array(forms).T)
    df = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    return np.sqrt((np.array(pulls) ** 2).sum(axis=0)), df


def test_the_table_has_the_errors_of_bell_and_mccaffrey(result):
    local = result.local_importance.double().numpy()
    se, df = by_hand(local, LABELS)
    frame = result.to_frame(0.9)
    np.testing.assert_allclose(frame["effect"], local.mean(axis=0).ravel())
    np.testing.assert_allclose(frame["se"], se)
    margin = stats.t.ppf(0.95, df) * se
    np.testing.assert_allclose(frame["high"] - frame["effect"], margin)
    np.testing.assert_allclose(frame["effect"] - frame["low"], margin)
    assert frame.columns[-3:].tolist() == ["n", "n_clusters", "df"]
    assert set(frame["n"]) == {12}
    assert set(frame["n_clusters"]) == {4}
    np.testing.assert_allclose(frame["df"], df)


def test_templates_of_equal_size_are_as_their_means():
    # Means 1, 2 and 6: mean 3, variance 7, so that se is the root of 7 / 3.
    local = torch.tensor([0.0, 2, 2, 2, 5, 7])[:, None]
    table = pd.DataFrame({"site": [0]})
    labels = [7, 7, 1, 1, 4, 4]
    frame = GIAResult(local * 0, local[:, None], table, clusters=labels).to_frame()
    assert frame["se"].item() == pytest.approx((7 / 3) ** 0.5)
    assert frame["df"].item() == pytest.approx(2)
    # The quantile of t with 2 degrees of freedom, in closed form.
    t = 0.95 * (2 / (1 - 0.95**2)) ** 0.5
    assert frame["high"].item() == pytest.approx(3 + t * (7 / 3) ** 0.5)


def test_clusters_of_one_background_each_change_nothing(X, result):
    alone = global_importance(Additive(2), X, SITES, clusters=range(12)).to_frame()
    plain = global_importance(Additive(2), X, SITES).to_frame()
    assert set(alone["n_clusters"]) == {12}
    np.testing.assert_allclose(alone["df"], 11)
    columns = [c for c in alone if c not in ("n_clusters", "df")]
    assert list(plain) == columns
    pd.testing.assert_frame_equal(alone[columns], plain)
    assert not np.allclose(plain["se"], result.to_frame()["se"], rtol=0.05)


def test_one_template_has_no_interval_and_says_why(X, result):

    alike = GIAResult(*result, clusters=[3] * 12)
    with pytest.warns(UserWarning, match="all 12 backgrounds are of one cluster"):
        frame = alike.to_frame()
    assert frame[["se", "low", "high", "df"]].isna().all(axis=None)
    assert frame["effect"].notna().all()
    assert set(frame["n_clusters"]) == {1}
    scan = kmer_scan(Additive(), X, 1, clusters=[3] * 12)
    with pytest.warns(UserWarning, match="all 12 backgrounds are of one cluster"):
        assert scan.top(2)["low"].isna().all()
    for each in (alike.output(0), scan):
        with pytest.raises(ValueError, match="`clusters` holds 1 template; at least 2"):
            paired_t_test(each)


def test_templates_whose_effects_agree_are_certain():
    local = torch.full((6, 2, 1), 1 / 3)
    table = pd.DataFrame({"site": [0, 1]})
    result = GIAResult(local[:, 0] * 0, local, table, clusters=[0, 0, 1, 1, 1, 2])
    assert result.to_frame()["se"].tolist() == [0, 0]


def test_clusters_stay_with_what_is_made_of_a_result(result):
    same = [
        result.output(1),
        result.select([2, 0]),
        result.relative_to(1),
        result._replace(conditions=result.conditions),
        GIAResult(*result, clusters=result.clusters).average("control"),
        copy.copy(result),
        copy.deepcopy(result),
        pickle.loads(pickle.dumps(result)),
        *result.heads,
    ]
    for made in same:
        assert made.clusters.tolist() == LABELS.tolist()
    assert result.select(rows=[6, 2]).clusters.tolist() == ["d", "a"]
    assert result.select(rows=LABELS == "a").clusters.tolist() == ["a"] * 4
    before, after, conditions = result
    assert GIAResult(before, after, conditions).clusters is None
    with pytest.raises(AttributeError, match="`clusters` of a GIAResult cannot be set"):
        result.clusters = None
    with pytest.raises(ValueError, match="read-only"):
        result.clusters[0] = "z"


@pytest.mark.parametrize("max_memory", [None, 1500])
@pytest.mark.parametrize("fold", [False, True])
def test_a_scan_has_the_errors_of_all_its_values(X, max_memory, fold):
    # With little memory the backgrounds of a k-mer come in several blocks.
    options = {"clusters": LABELS, "batch_size": 2, "max_memory": max_memory}
    scan = kmer_scan(Additive(2), X, 2, both_strands=fold, **options)
    plain = kmer_scan(Additive(2), X, 2, both_strands=fold)
    torch.testing.assert_close(scan.effect, plain.effect, rtol=1e-5, atol=1e-6)
    assert scan.clusters.tolist() == LABELS.tolist()
    assert scan.output(0).clusters.tolist() == LABELS.tolist()
    assert scan._replace(n_scanned=3).clusters.tolist() == LABELS.tolist()
    if fold:
        assert not torch.allclose(scan.se, plain.se, rtol=0.05)
        return
    sites = [[(kmer, None)] for kmer in scan.kmers]
    every = global_importance(Additive(2), X, sites, clusters=LABELS)
    table, expected = scan.to_frame(0.8), every.to_frame(0.8)
    for column in ("effect", "se", "low", "high", "n_clusters", "df"):
        np.testing.assert_allclose(table[column], expected[column], 1e-5, 1e-5)
    test, same = paired_t_test(scan.output(1)), paired_t_test(every.output(1))
    np.testing.assert_allclose(test.p, same.p, rtol=1e-4)
    interval = confidence_interval(scan.output(1), 0.8)
    np.testing.assert_allclose(interval.low, table["low"][1::2], 1e-5, 1e-5)


def test_moments_come_in_any_parts():
    rng = np.random.default_rng(0)
    values = 1e6 + rng.normal(size=(12, 5, 2))
    moments = ClusteredMoments(5, (2,), CODES)
    for kmers in (slice(0, 2), slice(2, 5)):
        for rows in (slice(0, 1), slice(1, 8), slice(8, 12)):
            moments.add(kmers, torch.from_numpy(values[rows, kmers]))
    expected = summarise(values, CODES)
    torch.testing.assert_close(moments.mean, torch.from_numpy(expected.mean))
    np.testing.assert_allclose(moments.se, expected.se, rtol=1e-7)
    np.testing.assert_allclose(
        expected.se.ravel(), by_hand(values, LABELS)[0], rtol=1e-7
    )


def test_the_best_of_a_race_have_the_errors_of_the_scan(X):
    wide, labels = X.repeat(6, 1, 1), np.tile(LABELS, 6)
    scan = kmer_scan(Additive(), wide, 3, clusters=labels)
    for folded in (False, True):
        options = {"both_strands": folded}
        scan = kmer_scan(Additive(), wide, 3, clusters=labels, **options)
        best = best_kmers(
            Additive(), wide, 3, top=4, clusters=labels, random_state=0, **options
        )
        frames = (best.top(4), scan.top(4))
        pd.testing.assert_frame_equal(*frames, rtol=1e-5)
        plain = best_kmers(Additive(), wide, 3, top=4, random_state=0, **options)
        assert list(plain.kmers) == list(best.kmers)
        strands = 2 if folded else 1
        assert best.n_predictions == plain.n_predictions + 4 * 72 * strands


def test_annotations_of_one_sequence_are_a_cluster(X):
    regions = [[0, 1, 5], [0, 6, 9], [2, 3, 8], [4, 0, 4], [4, 2, 6], [4, 9, 12]]
    result = occlusion_annotations(Additive(), X, regions, n=2, random_state=0)
    assert result.clusters.tolist() == [0, 0, 2, 4, 4, 4]
    frame = result.average("draw").to_frame()
    assert (frame["n"].item(), frame["n_clusters"].item()) == (6, 3)
    local = result.average("draw").local_importance.double().numpy()
    se, _ = by_hand(local, np.array([0, 0, 2, 4, 4, 4]))
    assert frame["se"].item() == pytest.approx(se.item(), rel=1e-5)
    # Sequences that share a label are one cluster with all of their annotations.
    named = occlusion_annotations(Additive(), X, regions, n=2, clusters=LABELS)
    assert named.clusters.tolist() == ["a", "a", "a", "a", "a", "a"]
    other = occlusion_annotations(Additive(), X, regions, n=2, clusters=LABELS[::-1])
    assert other.clusters.tolist() == ["d", "d", "b", "a", "a", "a"]
    assert occlusion(Additive(), X, [2, 5], n=2).clusters is None


@pytest.mark.parametrize(
    ("clusters", "text"),
    [
        (range(11), "`clusters` has shape (11,); one label for each of the 12 back"),
        (np.zeros((12, 1)), "`clusters` has shape (12, 1); one label for each"),
        ("a", "`clusters` has shape (); one label for each"),
        ([1.0] * 11 + [float("nan")], "`clusters` misses the label of 1 of 12"),
        (["a", None] * 6, "`clusters` misses the label of 6 of 12"),
        (pd.array([1, pd.NA] * 6, dtype="Int64"), "misses the label of 6 of 12"),
    ],
)
def test_labels_that_do_not_fit_are_refused_before_anything_runs(X, clusters, text):
    def never(model, X, args=None, **kwargs):
        raise AssertionError

    for run in (
        lambda: global_importance(Additive(), X, SITES, clusters=clusters, func=never),
        lambda: kmer_scan(Additive(), X, 2, clusters=clusters, func=never),
        lambda: best_kmers(Additive(), X, 2, clusters=clusters, func=never),
        lambda: GIAResult(X, X[:, None], pd.DataFrame({"a": [1]}), clusters=clusters),
        lambda: KmerScan(["A"], torch.ones(1), torch.ones(1), 12, clusters=clusters),
    ):
        with pytest.raises(ValueError, match=re.escape(text)):
            run()


def test_labels_may_be_of_any_kind():
    given = [LABELS, list(LABELS), pd.Series(LABELS, index=range(5, 17)), tuple(LABELS)]
    for labels in given:
        assert as_labels(labels, 12).tolist() == LABELS.tolist()
    assert as_labels(torch.tensor([2, 2, 5]), 3).tolist() == [2, 2, 5]
    mine = np.array([1, 1, 2])
    kept = as_labels(mine, 3)
    mine[0] = 9
    assert kept.tolist() == [1, 1, 2]


def coverage(frame: pd.DataFrame) -> float:
    """Share of intervals that hold 0, in per cent."""
    return 100 * ((frame["low"] <= 0) & (frame["high"] >= 0)).mean()


def test_few_templates_are_covered():
    """10 templates of 20 shuffles each, half of the variance from the template."""
    rng = np.random.default_rng(0)
    labels = np.repeat(range(10), 20)
    n = 2000
    local = rng.normal(size=(10, n))[labels] + rng.normal(size=(200, n))
    after = torch.from_numpy(local)
    table = pd.DataFrame({"site": range(n)})
    naive = GIAResult(after[:, 0] * 0, after, table)
    result = GIAResult(*naive, clusters=labels)
    moments = ClusteredMoments(n, (), labels)
    for rows in (slice(0, 90), slice(90, 200)):
        moments.add(slice(None), after[rows])
    kmers = [str(i) for i in range(n)]
    scan = KmerScan(kmers, moments.mean, moments.se, 200, clusters=labels)
    # The Monte Carlo error of 95 % is 0.5.
    assert coverage(result.to_frame()) == pytest.approx(95, abs=1.5)
    assert coverage(scan.to_frame()) == pytest.approx(95, abs=1.5)
    assert coverage(naive.to_frame()) < 55
