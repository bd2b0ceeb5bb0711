"""Two groups of backgrounds, of the same templates or of others."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from tangermeme_gia import GIAResult
from tangermeme_gia.statistics import confidence_interval, welch_test
from tangermeme_gia.statistics.groups import difference_of_groups


def carried(local, labels):
    after = torch.as_tensor(local)[:, None]
    table = pd.DataFrame({"site": [0]})
    return GIAResult(after[:, 0] * 0, after, table, clusters=labels)


def shuffles(seed, templates, sizes):
    """Effects of shuffles of some templates, half of the variance from these."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return templates[labels] + rng.normal(size=len(labels)), labels


TEMPLATES = np.random.default_rng(0).normal(size=6)


def test_other_templates_are_welchs_test_of_template_means():
    a, labels = shuffles(1, TEMPLATES, [4] * 6)
    b, others = shuffles(2, TEMPLATES[::-1] + 0.5, [5] * 6)
    test = welch_test(a, b, clusters=(labels, others + 6))
    means = a.reshape(6, 4).mean(axis=1), b.reshape(6, 5).mean(axis=1)
    expected = stats.ttest_ind(*means, equal_var=False)
    assert test.statistic == pytest.approx(expected.statistic)
    assert test.p == pytest.approx(expected.pvalue)
    assert test.n == 54


def test_the_same_templates_are_a_paired_test_of_template_means():
    a, labels = shuffles(1, TEMPLATES, [4] * 6)
    b, others = shuffles(2, TEMPLATES + 0.5, [5] * 6)
    means = a.reshape(6, 4).mean(axis=1), b.reshape(6, 5).mean(axis=1)
    expected = stats.ttest_rel(*means)
    for test in (
        welch_test(a, b, clusters=(labels, others)),
        welch_test(carried(a, labels), carried(b, others)),
        # Rows in any order, labels of any kind.
        welch_test(
            a[::-1], b, clusters=(list(map(str, labels[::-1])), list(map(str, others)))
        ),
    ):
        assert test.statistic == pytest.approx(expected.statistic)
        assert test.p == pytest.approx(expected.pvalue)
    # Without the templates it is another test.
    assert welch_test(a, b).p > 1.3 * expected.pvalue


def test_some_templates_of_unequal_size_in_common():
    a, labels = shuffles(1, TEMPLATES, [1, 2, 3, 4, 5, 6])
    b, others = shuffles(2, TEMPLATES, [6, 1, 2, 3, 9, 4])
    others = others + 3
    difference = difference_of_groups(a, b, (labels, others))
    # The pull of each template by the definition, with the root of the leverage.
    pulls = np.zeros(9)
    for values, known, sign in ((a, labels, 1), (b, others, -1)):
        for label in np.unique(known):
            own = known == label
            residual = (values[own] - values.mean()).sum() / len(values)
            pulls[label] += sign * residual / np.sqrt(1 - own.mean())
    assert difference.se == pytest.approx(np.sqrt((pulls**2).sum()))
    dfs = []
    for values, known in ((a, labels), (b, others)):
        interval = confidence_interval(values, clusters=known)
        t = (interval.high - interval.effect) / interval.se
        dfs.append(t)
    assert stats.t.ppf(0.975, difference.df) == pytest.approx(max(dfs))


def test_backgrounds_of_their_own_are_welchs_test():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(9, 2)), 3 * rng.normal(size=(20, 2))
    expected = stats.ttest_ind(a, b, equal_var=False)
    for clusters in (None, (range(9), range(9, 29))):
        test = welch_test(a, b, clusters=clusters)
        np.testing.assert_allclose(test.p, expected.pvalue)
    test = welch_test(carried(a[:, 0], [0] * 5 + [1] * 4), b[:, 0])
    interval = confidence_interval(a[:, 0], clusters=[0] * 5 + [1] * 4)
    se = np.hypot(interval.se, stats.sem(b[:, 0]))
    assert test.statistic == pytest.approx((a[:, 0].mean() - b[:, 0].mean()) / se)


def test_labels_of_groups_are_checked():
    ones = np.arange(4.0)
    with pytest.raises(ValueError, match=r"`clusters` has shape \(3,\); one label"):
        welch_test(ones, ones, clusters=([0, 1, 1], [0, 1, 1, 1]))
    with pytest.raises(ValueError, match="`clusters` holds 1 template"):
        welch_test(ones, ones, clusters=([0, 1, 1, 1], [0] * 4))
    with pytest.raises(ValueError, match="they may differ in axis 0 only"):
        welch_test(ones, np.ones((4, 2)))
