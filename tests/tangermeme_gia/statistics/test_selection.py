import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from tangermeme_gia.statistics.selection import (
    benjamini_hochberg,
    holm,
    rescore_winners,
    split_and_rescore,
)


@pytest.fixture
def parts() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    effect = np.array([0.5, -1.0, 0.2, 0.8, 0.0])
    return rng.normal(effect, size=(200, 5)), rng.normal(effect, size=(150, 5))


def test_holm():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    np.testing.assert_allclose(holm(p), [0.04, np.nan, 0.09, 0.09, 0.5])
    assert holm([0.9, 0.8]).tolist() == [1, 1]
    assert holm([]).tolist() == []


def test_benjamini_hochberg_by_hand():
    # Sorted p times 6 over rank: 0.006, 0.03, 0.06, 0.06, 0.36, 0.9; running minima
    # from the right.
    p = np.array([[0.3, 0.001, 0.9], [0.01, 0.04, 0.03]])
    result = benjamini_hochberg(p)
    expected = [[0.36, 0.006, 0.9], [0.03, 0.06, 0.06]]
    np.testing.assert_allclose(result.p_adjusted, expected)
    assert result.significant.tolist() == [[False, True, False], [True, False, False]]
    assert benjamini_hochberg(torch.tensor(p), alpha=0.1).significant.sum() == 4
    assert benjamini_hochberg(0.04).p_adjusted == 0.04
    half = torch.tensor([0.5, 0.25], dtype=torch.bfloat16)
    assert benjamini_hochberg(half).p_adjusted.tolist() == [0.5, 0.5]


def test_a_p_of_exactly_alpha_is_no_discovery():
    assert not benjamini_hochberg([0.05]).significant.any()


def test_winners_are_the_largest_the_smallest_or_the_strongest():
    effect = np.array([0.5, -1.0, 0.2, 0.8, 0.5])
    held_out = effect + np.array([[0.0], [1.0]])

    def winners(selection, **options):
        table = rescore_winners(selection, held_out, **options)
        return table["condition"].tolist()

    selection = np.stack([effect, effect])
    assert winners(selection) == [3]
    assert winners(selection, top=3) == [3, 0, 4]  # of equals the first
    assert winners(selection, top=2, by="smallest") == [1, 2]
    assert winners(selection, top=2, by="magnitude") == [1, 3]
    half = torch.tensor(selection, dtype=torch.bfloat16, requires_grad=True)
    assert winners(half, top=3) == [3, 0, 4]


def test_winners_are_picked_on_one_set_and_reported_on_the_other(parts):
    selection, held_out = parts
    selection[:, 4] += 3  # wins on the selection only
    table = rescore_winners(torch.tensor(selection), held_out, top=3)
    assert table["condition"].tolist() == [4, 3, 0]
    winners = held_out[:, [4, 3, 0]]
    expected = stats.ttest_1samp(winners, 0)
    interval = expected.confidence_interval()
    np.testing.assert_allclose(
        table["selection_effect"], selection.mean(axis=0)[[4, 3, 0]]
    )
    np.testing.assert_allclose(table["effect"], winners.mean(axis=0))
    np.testing.assert_allclose(table["se"], stats.sem(winners))
    np.testing.assert_allclose(table["low"], interval.low)
    np.testing.assert_allclose(table["high"], interval.high)
    np.testing.assert_allclose(table["p"], expected.pvalue)
    np.testing.assert_allclose(
        table["p_adjusted"], stats.false_discovery_control(expected.pvalue)
    )
    assert table["significant"].tolist() == [False, True, True]
    assert (table["n"] == 150).all()


def test_a_split_uses_every_background_once(parts):
    # With these local importances, the means tell which backgrounds are on which side.
    powers = 2.0 ** np.arange(10)[:, None] * [1, 3]
    row = split_and_rescore(powers, selection_fraction=0.3).iloc[0]
    assert row["condition"] == 1
    assert row["n"] == 7
    total = 3 * row["selection_effect"] + 7 * row["effect"]
    assert total == pytest.approx(3 * 1023)


def test_a_split_keeps_templates_on_one_side():
    labels = np.repeat(["a", "b", "c", "d", "e", "f"], [1, 2, 3, 4, 5, 6])
    codes = np.repeat(np.arange(6), [1, 2, 3, 4, 5, 6])
    for seed in range(20):
        # The sum over a side says how many backgrounds of each template it has.
        local = np.stack([7.0**codes, 2 * 7.0**codes], axis=1)
        row = split_and_rescore(local, clusters=labels, random_state=seed).iloc[0]
        held_out = row["effect"] * row["n"] / 2
        digits = [int(round(held_out) // 7**i % 7) for i in range(6)]
        assert sum(digits) == row["n"]
        assert sorted(d for d in digits if d) == [
            i + 1 for i, digit in enumerate(digits) if digit
        ]
        assert sum(d > 0 for d in digits) == 3


def test_a_split_repeats_by_seed(parts):
    first, again, other = (
        split_and_rescore(parts[0], top=5, random_state=seed) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_clusters_widen_the_interval_of_the_winner(parts):
    held_out = np.repeat(parts[1][:30], 5, axis=0)
    plain = rescore_winners(parts[0], held_out).iloc[0]
    robust = rescore_winners(parts[0], held_out, clusters=np.repeat(range(30), 5))
    assert robust["se"][0] == pytest.approx(stats.sem(parts[1][:30, 3]))
    assert robust["se"][0] > 2 * plain["se"]


def test_a_split_passes_its_templates_on(parts):
    # Every template five times over: the error is that of half of the templates.
    repeated = np.repeat(parts[0][:40, 3:4], 5, axis=0)
    row = split_and_rescore(repeated, clusters=np.repeat(range(40), 5)).iloc[0]
    assert row["n"] == 100
    plain = split_and_rescore(parts[0][:40, 3:4]).iloc[0]
    assert row["se"] == pytest.approx(plain["se"])


def test_local_importances_that_do_not_vary_can_be_split():
    constant = np.tile([0.1, 0.3], (8, 1))
    for table in (split_and_rescore(constant), rescore_winners(constant, constant)):
        row = table.loc[0, ["condition", "effect", "se", "p"]]
        assert row.tolist() == [1, 0.3, 0, 0]


def test_bad_input_is_named(parts):
    with pytest.raises(ValueError, match="`p` is empty"):
        benjamini_hochberg([])
    with pytest.raises(ValueError, match="2 of 3 values that are NaN or outside"):
        benjamini_hochberg([0.1, np.nan, 1.2])
    with pytest.raises(ValueError, match="`alpha`=0 must be"):
        benjamini_hochberg([0.1], alpha=0)
    with pytest.raises(ValueError, match="`top`=6 must be between 1 and the 5 cond"):
        rescore_winners(*parts, top=6)
    with pytest.raises(ValueError, match="`by`='best' must be one of"):
        split_and_rescore(parts[0], by="best")
    with pytest.raises(ValueError, match="`selection` holds 1 NaN of 4"):
        rescore_winners([[1.0, np.nan], [1.0, 2.0]], parts[1][:, :2])
    with pytest.raises(ValueError, match="has 5 conditions and `held_out` 4"):
        rescore_winners(parts[0], parts[1][:, :4])
    with pytest.raises(ValueError, match="`selection` and `held_out` are equal"):
        rescore_winners(parts[0], parts[0])
    with pytest.raises(
        ValueError, match=r"`held_out` has shape \(150, 5, 1\); it must"
    ):
        rescore_winners(parts[0], parts[1][:, :, None])
    with pytest.raises(ValueError, match=r"=0\.99 of 4 backgrounds puts 4 on one side"):
        split_and_rescore(parts[0][:4], selection_fraction=0.99)
    with pytest.raises(ValueError, match="of 3 templates puts 2 on one side and 1 on"):
        split_and_rescore(parts[0][:6], clusters=[0, 0, 1, 1, 2, 2])
    with pytest.raises(ValueError, match="`selection_fraction`=1 must be above 0"):
        split_and_rescore(parts[0], selection_fraction=1)
