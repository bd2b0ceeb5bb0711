import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from residualbind.network.metrics import evaluate, pearson, score_predictions


@pytest.fixture
def correlated() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.normal(size=200)
    return y, y + rng.normal(size=200)


def value(table: pd.DataFrame, metric: str) -> float:
    return table.set_index("metric").loc[metric, "value"].item()


def test_values_equal_scipy(correlated):
    y, y_hat = correlated
    y = y.round(1)  # ties
    table = score_predictions(y, y_hat, n_resamples=0)
    assert value(table, "pearson") == pytest.approx(stats.pearsonr(y, y_hat).statistic)
    assert value(table, "spearman") == pytest.approx(
        stats.spearmanr(y, y_hat).statistic
    )
    assert value(table, "mse") == pytest.approx(np.mean((y - y_hat) ** 2))


def test_classification_values_equal_scikit_learn(correlated):
    y, y_hat = correlated
    y = (y > 0.5).astype(float)
    table = score_predictions(y, y_hat, classification=True, n_resamples=20)
    assert table["metric"].tolist() == ["auroc", "aupr"]
    assert value(table, "auroc") == pytest.approx(roc_auc_score(y, y_hat))
    assert value(table, "aupr") == pytest.approx(average_precision_score(y, y_hat))
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()


def test_a_weighted_bootstrap_equals_resampling_the_rows(correlated):
    y, y_hat = correlated
    y = y.round(1)
    table = score_predictions(y, y_hat, n_resamples=50, random_state=3)
    rng = np.random.default_rng(3)
    expected = []
    for _ in range(50):
        rows = rng.integers(len(y), size=len(y))
        expected.append(
            [
                stats.pearsonr(y[rows], y_hat[rows]).statistic,
                stats.spearmanr(y[rows], y_hat[rows]).statistic,
                np.mean((y[rows] - y_hat[rows]) ** 2),
            ]
        )
    low, high = np.quantile(expected, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(table["low"], low, rtol=1e-10)
    np.testing.assert_allclose(table["high"], high, rtol=1e-10)


@pytest.mark.slow
def test_pearson_intervals_cover_at_their_level():
    rng = np.random.default_rng(1)
    rho, covered, repeats = 0.6, 0, 1000
    for _ in range(repeats):
        y = rng.normal(size=400)
        y_hat = rho * y + np.sqrt(1 - rho**2) * rng.normal(size=400)
        row = score_predictions(
            y, y_hat, n_resamples=400, random_state=int(rng.integers(1 << 30))
        ).iloc[0]
        covered += row["low"] <= rho <= row["high"]
    # Within three binomial standard errors (0.7 % each) of 95 %.
    assert 0.93 < covered / repeats < 0.97


def test_outputs_are_scored_apart_and_nan_is_left_out(correlated):
    y, y_hat = correlated
    both = np.column_stack([y, -y])
    both[:50, 1] = np.nan
    table = score_predictions(
        both, np.column_stack([y_hat, y_hat]), outputs=["a", "b"], n_resamples=5
    )
    assert table["output"].tolist() == ["a"] * 3 + ["b"] * 3
    assert table["n"].tolist() == [200] * 3 + [150] * 3
    assert table["value"][3] == pytest.approx(
        stats.pearsonr(-y[50:], y_hat[50:]).statistic
    )


def test_pearson_leaves_out_nan_and_is_nan_for_constants():
    y = torch.tensor([[1.0, 1.0], [2.0, torch.nan], [4.0, 3.0], [3.0, 5.0]])
    y_hat = torch.tensor([[1.0, 7.0], [2.0, 9.0], [4.0, 7.0], [3.0, 7.0]])
    with pytest.warns(UserWarning, match=r"correlation of output 1 is NaN: its measu"):
        r = pearson(y, y_hat)
    assert r[0] == pytest.approx(1)
    assert np.isnan(r[1])


@pytest.mark.parametrize("n", [10, 1000])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1 / 3, -2.7])
@pytest.mark.parametrize("side", ["predictions", "measurements"])
def test_a_constant_has_no_correlation_and_the_table_says_so(n, constant, side):
    # The mean of equal numbers is rounded: 5.5e-17 would be left.
    y, flat = np.random.default_rng(0).normal(size=n), np.full(n, constant)
    pair = (y, flat) if side == "predictions" else (flat, y)
    table = score_predictions(*pair, n_resamples=20).set_index("metric")
    for metric in ("pearson", "spearman"):
        row = table.loc[metric]
        assert row[["value", "low", "high"]].isna().all()
        assert row["note"] == f"all {side} are {constant:.6g}"
    assert table.loc["mse", "value"] == pytest.approx(np.mean((y - constant) ** 2))
    assert table.loc["mse", "note"] == ""


def test_an_interval_of_few_resamples_says_of_how_many():
    # One positive of 4: 1 - (3/4)^4 = 68 % of the resamples hold it, and 1/256 nothing
    # else; only those with both kinds have an AUROC, which is 1 in each.
    table = score_predictions(
        [0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4], classification=True, n_resamples=1000
    )
    row = table.iloc[0]
    assert (row["value"], row["low"], row["high"]) == (1, 1, 1)
    words = row["note"].split()
    assert " ".join([*words[:3], *words[4:]]) == (
        "interval of the of 1000 resamples with a value"
    )
    assert int(words[3]) == pytest.approx(1000 * (1 - 0.75**4 - 1 / 256), abs=60)


def test_evaluate_scores_the_models_predictions():
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 1, bias=False))
    X = torch.randn(30, 4, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        y = model(X)
    table = evaluate(model, X, 2 * y, n_resamples=5)
    assert value(table, "pearson") == pytest.approx(1)
    assert value(table, "mse") == pytest.approx((y**2).mean().item(), rel=1e-5)
    pd.testing.assert_frame_equal(table, evaluate(model, X, 2 * y[:, 0], n_resamples=5))


def test_intervals_repeat_by_seed_and_leave_global_random_state_alone(correlated):
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    tables = [
        score_predictions(*correlated, n_resamples=20, random_state=seed)
        for seed in (1, 1, 2)
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert not tables[0].equals(tables[2])
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_no_bootstrap_gives_no_interval(correlated):
    table = score_predictions(*correlated, n_resamples=0)
    assert table[["low", "high"]].isna().all(axis=None)


def test_bad_input_is_named():
    ones = np.arange(4.0)
    with pytest.raises(ValueError, match=r"`y` has shape \(4,\) and the predictions"):
        score_predictions(ones, ones[:3])
    with pytest.raises(ValueError, match=r"output '0' of `y` has 2 measured examples"):
        score_predictions([1, 2, np.nan], [1, 2, 3])
    with pytest.raises(ValueError, match="NaN predictions"):
        score_predictions([1, 2, 3], [1, np.nan, 3])
    with pytest.raises(ValueError, match=r"holds \[0.0, 1.0, 2.0, 3.0\]; with"):
        score_predictions(ones, ones, classification=True)
    with pytest.raises(ValueError, match="`confidence`=95 must be between"):
        score_predictions(ones, ones, confidence=95)
    with pytest.raises(ValueError, match="`n_resamples`=-1 must not"):
        score_predictions(ones, ones, n_resamples=-1)
    with pytest.raises(ValueError, match="`outputs` names 2 outputs, but `y` has 1"):
        score_predictions(ones, ones, outputs=["a", "b"])
