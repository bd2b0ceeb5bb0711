"""When are backgrounds that agree warned of, and in which words?"""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia import statistics
from tangermeme_gia._core.agreement import (
    FEWEST_APART,
    FewEffectsWarning,
    one_warning,
    unnoted,
)
from tangermeme_gia._core.results import GIAResult
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.statistics.comparisons import Comparison

STATISTICS = {
    "t": statistics.confidence_interval,
    "bca": lambda y: statistics.confidence_interval(y, method="bca", n_resamples=99),
    "bootstrap-t": lambda y: statistics.confidence_interval(
        y, method="bootstrap-t", n_resamples=99
    ),
    "paired t": statistics.paired_t_test,
    "sign flip": lambda y: statistics.sign_flip_test(y, n_resamples=99),
    "Wilcoxon": statistics.wilcoxon_test,
    "difference": lambda y: statistics.effect_difference(y, np.zeros_like(y)),
    "dz": statistics.standardised_effect,
    "interaction": lambda y: statistics.interaction_contrast(y, y * 0, y * 0),
}


def said(function, *args):
    """All that is said of agreement; anything else is an error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*args)
    assert {warning.category for warning in caught} <= {FewEffectsWarning}
    return [str(warning.message) for warning in caught]


def few(n: int, k: int, value: float = 0.0) -> np.ndarray:
    """`value` on n - k backgrounds, and other numbers on k."""
    local = np.full(n, value)
    local[:k] += np.linspace(1, 2, k)
    return local


@pytest.mark.parametrize("statistic", STATISTICS)
def test_every_statistic_says_once_what_was_seen(statistic):
    [message] = said(STATISTICS[statistic], np.zeros(30))
    # Clopper and Pearson: 1 - 0.05 ** (1 / 30) = 0.095.
    assert message.startswith(
        "None of 30 backgrounds shows any effect: with 95 % confidence fewer than 9.5 "
        "% do. That bounds how often there is one, not how large"
    )
    [message] = said(STATISTICS[statistic], np.full(300, 0.25))
    assert message.startswith(
        "All 300 backgrounds show the same effect: with 95 % confidence fewer than 0.99"
    )
    [message] = said(STATISTICS[statistic], few(30, 4))
    assert message.startswith("Most of 30 backgrounds agree exactly and few, 4, do not")
    assert said(STATISTICS[statistic], few(400, FEWEST_APART)) == []
    assert len(said(STATISTICS[statistic], few(400, FEWEST_APART - 1))) == 1
    # Half of few backgrounds: nothing is inflated.
    assert said(STATISTICS[statistic], few(30, 15)) == []


def test_many_conditions_are_counted_in_one_warning():
    local = np.stack([np.zeros(30), few(30, 2), few(30, 30), few(30, 5, 0.5)], axis=1)
    [message] = said(statistics.paired_t_test, local)
    assert "any effect in 1 of 4 conditions" in message
    assert "agree exactly in 2 of 4 conditions and few, at least 2, do not" in message


def test_templates_are_counted_where_they_are_known():
    local = np.repeat(few(10, 2), 5)
    [message] = said(
        lambda: statistics.confidence_interval(local, clusters=np.repeat(range(10), 5))
    )
    assert message.startswith("Most of 10 templates agree exactly and few, 2,")


def result_of(local: torch.Tensor, before: torch.Tensor) -> GIAResult:
    after = before[:, None] + local
    table = pd.DataFrame({"kmer": range(local.shape[1])})
    return GIAResult(before, after, table)


def test_a_table_warns_once_and_rounding_is_no_effect():
    generator = torch.Generator().manual_seed(0)
    before = torch.randn(30, 1, generator=generator)
    local = torch.zeros(30, 4096, 1)
    local[:, :96] = torch.randn(30, 96, 1, generator=generator)
    result = result_of(local, before)
    [message] = said(result.to_frame)
    assert message.startswith(
        "None of 30 backgrounds shows any effect in 4,000 of 4,09"
    )
    # The last bits of single precision, as another batch size gives them.
    noise = 1 + 2e-7 * torch.rand(result.y_afters.shape, generator=generator)
    assert said(result._replace(y_afters=result.y_afters * noise).to_frame) == [message]
    assert said(result.select(slice(96)).to_frame) == []
    assert said(result.select(rows=[0]).to_frame) == []


def test_tables_of_several_outputs_and_of_comparisons_warn_once():
    before = torch.zeros(30, 2)
    local = torch.zeros(30, 5, 2)
    local[..., 0] = torch.randn(30, 5, generator=torch.Generator().manual_seed(0))
    result = result_of(local, before)
    [message] = said(result.to_frame)
    assert "in 5 of 10 conditions" in message
    two = GIAResult([before, before], [result.y_afters] * 2, result.conditions)
    assert "in 10 of 20 conditions" in said(two.to_frame)[0]
    comparison = Comparison({"a": result, "b": result})
    assert len(said(comparison.to_frame)) == len(said(comparison.spread)) == 1


def test_whole_numbers_and_no_condition_are_looked_at_too():
    before = torch.zeros(30, 1, dtype=torch.int64)
    result = result_of(torch.ones(30, 2, 1, dtype=torch.int64), before)
    assert (
        "All 30 backgrounds show the same effect in 2 of 2" in said(result.to_frame)[0]
    )
    assert said(statistics.confidence_interval, np.zeros((30, 0))) == []


def test_a_scan_warns_where_all_agree():
    se = torch.tensor([[0.0], [0.0], [0.5]], dtype=torch.float64)
    effect = torch.tensor([[0.0], [2.0], [1.0]], dtype=torch.float64)
    scan = KmerScan(["UGC", "UGU", "UGA"], effect, se, 30)
    for ask in (scan.to_frame, scan.top, lambda: statistics.paired_t_test(scan)):
        [message] = said(ask)
        assert "any effect in 1 of 3" in message
        assert "the same effect in 1 of 3" in message


def test_the_warning_points_at_the_line_that_asked():
    with pytest.warns(FewEffectsWarning) as caught:
        statistics.paired_t_test(np.zeros(9))
    assert caught[0].filename == __file__


def test_of_nested_calls_only_the_outermost_warns():
    @one_warning
    def twice():
        statistics.paired_t_test(np.zeros(30))
        statistics.paired_t_test(np.zeros((30, 2)))

    [message] = said(twice)
    assert "in 2 of 2 conditions" in message
    with unnoted():
        assert said(statistics.paired_t_test, np.zeros(30)) == []
