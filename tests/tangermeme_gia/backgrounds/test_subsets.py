from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot
from torch import nn

from tangermeme_gia.backgrounds.subsets import filtered_background, quantile_background


class CountLetters(nn.Module):
    """As many outputs as letters: how often each occurs."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.sum(dim=2)


class CountA(CountLetters):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return super().forward(X)[:, :1]


@pytest.fixture
def X() -> torch.Tensor:
    return random_one_hot((103, 4, 30), random_state=0)


def found_rows(background: torch.Tensor, X: torch.Tensor) -> list[int]:
    """Which row of X (all differ) each background sequence is."""
    index = {x.numpy().tobytes(): row for row, x in enumerate(X)}
    return [index[x.numpy().tobytes()] for x in background]


def test_the_first_quartile_is_the_lowest(X):
    scores = np.random.default_rng(0).permutation(103)
    parts = []
    for quartile, size in ((1, 26), (2, 26), (3, 25), (4, 26)):
        background = quantile_background(X, scores, size, quartile=quartile)
        parts.append(scores[found_rows(background, X)])
        with pytest.raises(ValueError, match=rf"`n`={size + 1}, but only {size} of"):
            quantile_background(X, scores, size + 1, quartile=quartile)
    for lower, upper in pairwise(parts):
        assert lower.max() < upper.min()
    assert sorted(np.concatenate(parts)) == list(range(103))


def test_the_third_quartile_is_from_half_to_three_quarters(X):
    scores = np.arange(103)
    by_number = quantile_background(X, scores, 10, quartile=3, random_state=0)
    by_range = quantile_background(X, scores, 10, low=0.5, high=0.75, random_state=0)
    assert torch.equal(by_number, by_range)
    assert set(found_rows(by_number, X)) <= set(range(52, 77))


def test_open_quantiles_reach_the_ends(X):
    scores = np.arange(103)
    assert sorted(found_rows(quantile_background(X, scores, 10, high=0.1), X)) == list(
        range(10)
    )
    assert sorted(found_rows(quantile_background(X, scores, 10, low=0.9), X)) == list(
        range(93, 103)
    )


def test_ties_leave_the_quartiles_without_a_common_sequence(X):
    scores = np.minimum(np.arange(103), 40)  # clipped, as measured scores are
    parts = [
        found_rows(quantile_background(X, scores, 25, quartile=quartile), X)
        for quartile in (1, 2, 3, 4)
    ]
    assert len(set(np.concatenate(parts))) == 100


def test_ties_are_ranked_in_row_order(X):
    background = quantile_background(X, np.zeros(103), 26, quartile=1)
    assert sorted(found_rows(background, X)) == list(range(26))


def test_sequences_are_drawn_at_random_and_at_most_once(X):
    scores = np.arange(103)
    draws = [
        found_rows(quantile_background(X, scores, 10, quartile=2, random_state=seed), X)
        for seed in range(30)
    ]
    assert all(len(set(draw)) == 10 for draw in draws)
    assert len(set(np.concatenate(draws))) == 26


@pytest.mark.parametrize("kind", ["list", "tensor", "series", "column"])
def test_scores_may_be_any_array(X, kind):
    scores = np.random.default_rng(0).normal(size=103)
    given = {
        "list": scores.tolist(),
        "tensor": torch.tensor(scores, requires_grad=True),
        "series": pd.Series(scores, index=range(5, 108)),
        "column": scores[:, None],
    }[kind]
    expected = quantile_background(X, scores, 9, quartile=4, random_state=1)
    assert torch.equal(
        quantile_background(X, given, 9, quartile=4, random_state=1), expected
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give `quartile`, or at least one of `low` and `high`"),
        ({"quartile": 1, "low": 0.2}, "either `quartile` or `low` and `high`"),
        ({"quartile": 0}, r"`quartile`=0 must be 1 \(lowest\)"),
        ({"quartile": 5}, "`quartile`=5 must be"),
        ({"quartile": True}, "`quartile`=True must be"),
        ({"low": 0.5, "high": 0.5}, "`low`=0.5 and `high`=0.5 are quantiles"),
        ({"high": 25}, "`high`=25 are quantiles; 0 <= low < high <= 1"),
        ({"low": float("nan")}, "`low`=nan"),
    ],
)
def test_impossible_quantiles_are_refused(X, options, message):
    with pytest.raises(ValueError, match=message):
        quantile_background(X, np.arange(103), 5, **options)


def test_missing_scores_are_refused_not_dropped(X):
    scores = np.arange(103.0)
    with pytest.raises(ValueError, match=r"`scores` has shape \(102,\).* 103 seq"):
        quantile_background(X, scores[1:], 5, quartile=1)
    scores[[7, 50]] = np.nan, np.inf
    with pytest.raises(ValueError, match=r"`scores` is not finite in 2 rows.* row 7;"):
        quantile_background(X, scores, 5, quartile=1)


def test_only_sequences_with_a_prediction_in_range_pass(X):
    n_A = X[:, 0].sum(dim=1)
    available = int(((n_A >= 7) & (n_A <= 9)).sum())
    background = filtered_background(CountA(), X, 7, 9, n=available, random_state=0)
    counts = background[:, 0].sum(dim=1)
    assert set(counts.tolist()) == {7, 8, 9}
    assert len(set(found_rows(background, X))) == available
    message = f"`n`={available + 1}, but only {available} of the 103 .* between 7 and 9"
    with pytest.raises(ValueError, match=message):
        filtered_background(CountA(), X, 7, 9, n=available + 1)


def test_one_limit_is_enough_and_none_lets_all_pass(X):
    assert (filtered_background(CountA(), X, low=8, n=20)[:, 0].sum(dim=1) >= 8).all()
    assert (filtered_background(CountA(), X, high=8, n=20)[:, 0].sum(dim=1) <= 8).all()
    assert len(set(found_rows(filtered_background(CountA(), X, n=103), X))) == 103


def test_one_of_several_outputs_is_chosen(X):
    background = filtered_background(CountLetters(), X, high=6, n=10, target=2)
    assert (background[:, 2].sum(dim=1) <= 6).all()
    with pytest.raises(ValueError, match=r"returns shape \(103, 4\); name the output"):
        filtered_background(CountLetters(), X, high=6, n=10)
    for target in (4, -1, 1.0, True, "A"):
        with pytest.raises(ValueError, match=f"`target`={target!r} is not an output"):
            filtered_background(CountLetters(), X, high=6, n=10, target=target)


def test_keywords_reach_predict(X):
    class TwoHeads(CountLetters):
        def forward(self, X, extra):
            assert len(X) <= 8
            return super().forward(X), extra

    extra = torch.arange(103.0)[:, None]
    with pytest.raises(ValueError, match="the model returns 2 tensors; choose one by"):
        filtered_background(TwoHeads(), X, args=[extra], batch_size=8)
    background = filtered_background(
        TwoHeads(),
        X,
        high=9,
        n=10,
        args=[extra],
        batch_size=8,
        func=lambda y: y[1],
    )
    assert sorted(found_rows(background, X)) == list(range(10))


def test_predictions_that_are_not_numbers_are_refused(X):
    class Broken(CountA):
        def forward(self, X):
            return super().forward(X).log()

    X[5] = 0
    with pytest.raises(ValueError, match=r"`model` is not finite in 1 rows.* row 5"):
        filtered_background(Broken(), X, low=0, n=5)


def test_n_is_checked_before_the_model_runs(X):
    class Never(CountA):
        def forward(self, X):
            raise RuntimeError("ran")

    with pytest.raises(ValueError, match="`n`=0 must be at least 1"):
        filtered_background(Never(), X, n=0)


def test_the_model_keeps_its_mode(X):
    model = nn.Sequential(CountA(), nn.Dropout(0.5)).train()
    filtered_background(model, X, n=5)
    assert model.training
    with pytest.raises(ValueError, match="`low`=3 must not be above `high`=2"):
        filtered_background(model, X, 3, 2)


def test_the_rows_of_a_subset_come_with_it():
    X = random_one_hot((40, 4, 9), random_state=0)
    scores = range(40)
    background, rows = quantile_background(
        X, scores, 7, quartile=3, random_state=1, return_templates=True
    )
    assert torch.equal(background, X[rows])
    assert set(rows.tolist()) <= set(range(20, 30))
    assert torch.equal(
        background, quantile_background(X, scores, 7, quartile=3, random_state=1)
    )

    class CountA(torch.nn.Module):
        def forward(self, X):
            return X[:, 0].sum(dim=1, keepdim=True)

    background, rows = filtered_background(
        CountA(), X, high=2, n=6, random_state=1, return_templates=True
    )
    assert torch.equal(background, X[rows])
    assert len(set(rows.tolist())) == 6
