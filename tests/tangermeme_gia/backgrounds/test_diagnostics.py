import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from tangermeme_gia.backgrounds.composition import gc_comparison, kmer_divergence
from tangermeme_gia.backgrounds.diagnostics import diagnose_background, prediction_shift


def draw(n: int, seed: int, gc: float = 0.5) -> torch.Tensor:
    p = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    letters = np.random.default_rng(seed).choice(4, size=(n, 41), p=p)
    return torch.tensor(np.eye(4)[letters].transpose(0, 2, 1))


@pytest.fixture
def observed() -> torch.Tensor:
    return draw(400, 0)


@pytest.mark.parametrize("n", [20, 200])
def test_predictions_are_compared_output_by_output(n):
    rng = np.random.default_rng(0)
    y, y_observed = rng.normal(0.5, size=(n, 3)), rng.normal(size=(300, 3))
    shift = prediction_shift(torch.tensor(y), y_observed)
    for i in range(3):
        test = stats.ks_2samp(y[:, i], y_observed[:, i], method="asymp")
        assert shift.ks[i] == pytest.approx(test.statistic)
        assert shift.p[i] == pytest.approx(test.pvalue, rel=0.2)
    assert shift.below.tolist() == (y < y_observed.min(axis=0)).mean(axis=0).tolist()
    assert shift.above.tolist() == (y > y_observed.max(axis=0)).mean(axis=0).tolist()
    expected = (y.mean(axis=0) - y_observed.mean(axis=0)) / y_observed.std(axis=0)
    np.testing.assert_allclose(shift.shift, expected)


def test_the_extremes_of_the_observed_predictions_are_inside():
    shift = prediction_shift([0.9, 1.0, 3.0, 3.0], [1.0, 2.0, 3.0])
    assert (shift.below, shift.above) == (0.25, 0)


def test_predictions_that_do_not_vary_are_compared():
    shift = prediction_shift([2.0, 2.0], [1.0, 1.0, 1.0])
    assert (shift.ks, shift.above, shift.shift) == (1, 1, np.inf)
    # 0.1 is no sum of powers of 2: means of three and of seven differ in the last bit.
    assert prediction_shift([0.1] * 3, [0.1] * 7).shift == 0
    assert prediction_shift([0.1] * 3, [0.3] * 7).shift == -np.inf


@pytest.mark.parametrize(("n", "n_observed"), [(300, 5), (1000, 400)])
def test_predictions_of_one_distribution_leave_the_range_by_chance_in_5_percent(
    n, n_observed
):
    # Columns are repetitions.
    rng = np.random.default_rng(0)
    y, y_observed = rng.random((n, 1000)), rng.random((n_observed, 1000))
    X = draw(20, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = diagnose_background(X, X, y_background=y, y_observed=y_observed)
    rows = table[table["check"] == "outside_observed"]
    assert 0.02 < (rows["value"] > rows["by_chance"]).mean() < 0.08


def test_one_observed_prediction_has_no_range_to_be_outside_of():
    X = draw(20, 0)
    table = diagnose_background(
        X, X, y_background=np.linspace(2, 3, 400), y_observed=[1.0]
    )
    outside = table[table["check"] == "outside_observed"].iloc[0]
    assert (outside["value"], outside["by_chance"]) == (1, 1)
    assert not outside["shifted"]


def test_a_background_like_the_data_raises_no_warning(observed):
    rng = np.random.default_rng(1)
    table = diagnose_background(
        draw(1000, 1),
        observed,
        y_background=rng.normal(size=(1000, 2)),
        y_observed=rng.normal(size=(400, 2)),
        motif="GCATGC",
        both_strands=True,
    )
    assert table["check"].tolist() == [
        "kmer_divergence",
        "gc_difference",
        "motif_occurrence",
        "prediction_ks",
        "prediction_ks",
        "outside_observed",
        "outside_observed",
    ]
    assert table["output"].tolist() == [pd.NA, pd.NA, pd.NA, 0, 1, 0, 1]
    assert table["threshold"].tolist() == [0.01, 0.05, 0.05, 0.2, 0.2, 0.05, 0.05]
    assert not table["shifted"].any()


def test_values_are_those_of_the_single_checks(observed):
    X = draw(300, 1, gc=0.53)
    y, y_observed = np.linspace(-3.1, 3, 300), np.linspace(-3, 3, 400)
    table = diagnose_background(
        X, observed, y_background=y, y_observed=y_observed, k=2
    ).set_index("check")
    kmers, gc = kmer_divergence(X, observed, 2), gc_comparison(X, observed)
    assert table.loc["kmer_divergence", "value"] == kmers.divergence
    assert table.loc["kmer_divergence", "by_chance"] == kmers.by_chance
    assert table.loc["gc_difference", "value"] == gc.difference
    assert table.loc["gc_difference", "by_chance"] == pytest.approx(1.96 * gc.se)
    shift = prediction_shift(y, y_observed)
    assert table.loc["prediction_ks", "value"] == shift.ks[0]
    # The 5 % point of the Kolmogorov distribution is 1.358.
    expected = 1.358 * np.sqrt(1 / 300 + 1 / 400)
    assert table.loc["prediction_ks", "by_chance"] == pytest.approx(expected, rel=1e-3)
    assert table.loc["outside_observed", "value"] == shift.below[0] > 0


def test_a_shift_is_warned_of_with_value_and_threshold(observed):
    X = draw(300, 1, gc=0.65)
    with pytest.warns(UserWarning, match="differs from the observed") as caught:
        table = diagnose_background(X, observed)
    assert table["shifted"].tolist() == [True, True]
    message = str(caught[0].message)
    assert "kmer_divergence 0.0" in message
    assert "gc_difference 0.1" in message
    assert "(threshold 0.05, by chance up to 0.0" in message
    assert caught[0].filename == __file__


def test_too_little_gc_and_predictions_out_of_range_are_warned_of(observed):
    X = draw(300, 1, gc=0.4)
    y = np.linspace(0, 1, 400)
    with pytest.warns(UserWarning, match="outside_observed of output 0 0.2 "):
        table = diagnose_background(
            X, observed, y_background=np.linspace(-0.25, 1, 300), y_observed=y
        )
    flagged = table.set_index("check")["shifted"]
    assert flagged["gc_difference"]  # -0.1, by its size
    assert flagged["outside_observed"]
    assert not flagged["prediction_ks"]


def test_a_frequent_motif_is_warned_of(observed):
    with pytest.warns(UserWarning, match=r"motif_occurrence 0\.\d+ \(threshold 0\.05"):
        table = diagnose_background(draw(300, 1), observed, motif="ACG")
    assert table["shifted"].tolist() == [False, False, True]


def test_few_sequences_are_no_shift_by_chance(observed):
    # 5 sequences are far from any frequencies; that alone says nothing.
    for seed in range(20):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            table = diagnose_background(draw(5, seed + 10), observed)
        assert not table["shifted"].any()


def test_thresholds_can_be_replaced(observed):
    X = draw(300, 1, gc=0.65)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = diagnose_background(
            X, observed, thresholds={"gc_difference": 0.2, "kmer_divergence": 0.1}
        )
    assert table["threshold"].tolist() == [0.1, 0.2]


def test_bad_input_is_named(observed):
    with pytest.raises(ValueError, match="`y_observed` is missing"):
        diagnose_background(observed, observed, y_background=np.zeros(400))
    with pytest.raises(ValueError, match="`y_background` is missing"):
        diagnose_background(observed, observed, y_observed=np.zeros(400))
    with pytest.raises(ValueError, match=r"`thresholds` names \['gc'\]; allowed are"):
        diagnose_background(observed, observed, thresholds={"gc": 0.1})
    with pytest.raises(ValueError, match="`y_background` has 2 outputs and `y_obs"):
        prediction_shift(np.zeros((3, 2)), np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"`y_background` has shape \(0, 1\)"):
        prediction_shift([], [1.0])
    with pytest.raises(
        ValueError, match="`y_observed` holds 1 NaN or infinite values of"
    ):
        prediction_shift([1.0], [1.0, np.nan])
