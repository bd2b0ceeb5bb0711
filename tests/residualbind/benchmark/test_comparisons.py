import numpy as np
import pandas as pd
import pytest
import scipy.stats

from residualbind.benchmark.comparisons import compare_methods


def table(rows):
    return pd.DataFrame(rows, columns=["experiment", "group", "method", "pearson"])


def noise(seed, n):
    return np.random.default_rng(seed).normal(size=n)


def test_it_is_the_wilcoxon_test_of_the_same_experiments():
    a, b = noise(0, 12), noise(1, 12)
    rows = [
        (i, i, m, v) for m, values in (("a", a), ("b", b)) for i, v in enumerate(values)
    ]
    found = compare_methods(table(rows)).iloc[0]
    assert found["p"] == pytest.approx(scipy.stats.wilcoxon(a, b).pvalue)
    assert found["median_difference"] == pytest.approx(np.median(a - b))
    assert found["a_better"] == int((a > b).sum())
    assert (found["n_experiments"], found["n_groups"]) == (12, 12)


def test_experiments_of_one_protein_count_once():
    """Six copies of each of four proteins are no 24 experiments."""
    values = noise(2, 4)
    rows = [
        (f"{p}{i}", p, m, v + shift)
        for p, v in enumerate(values)
        for i in range(6)
        for m, shift in (("a", 0.1), ("b", 0.0))
    ]
    found = compare_methods(table(rows)).iloc[0]
    assert (found["n_experiments"], found["n_groups"]) == (24, 4)
    assert np.isnan(found["p"])


def test_seeds_are_averaged():
    rows = [(i, i, "a", 0.5 + s) for i in range(6) for s in (-0.1, 0.1)]
    rows += [(i, i, "b", 0.4 + 0.001 * i) for i in range(6)]
    found = compare_methods(table(rows)).iloc[0]
    assert found["median_difference"] == pytest.approx(0.1 - 0.0025)
    assert found["n_experiments"] == 6


def test_only_experiments_of_both_are_compared():
    rows = [(i, i, "a", 0.5 + 0.01 * i) for i in range(9)]
    rows += [(i, i, "b", 0.4) for i in range(3, 9)]
    assert compare_methods(table(rows)).iloc[0]["n_experiments"] == 6


def test_methods_that_score_the_same_differ_in_nothing():
    rows = [(i, i, m, 0.5) for i in range(8) for m in "ab"]
    assert np.isnan(compare_methods(table(rows)).iloc[0]["p"])


def test_one_method_has_nothing_to_compare():
    with pytest.raises(ValueError, match="`scores` has 1 methods; two are needed"):
        compare_methods(table([(0, 0, "a", 0.5)]))


def test_false_findings_over_all_pairs_are_rare():
    """Five equal methods on 22 experiments of 15 proteins: 10 tests, one family."""
    rng = np.random.default_rng(3)
    proteins = np.array([*range(15), *range(7)])
    false = 0
    for _ in range(200):
        of_protein = rng.standard_t(3, size=(15, 5)) * 0.03
        rows = [
            (i, p, m, of_protein[p, m] + 0.002 * rng.normal())
            for i, p in enumerate(proteins)
            for m in range(5)
        ]
        false += bool((compare_methods(table(rows))["p_holm"] < 0.05).any())
    assert false / 200 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)
