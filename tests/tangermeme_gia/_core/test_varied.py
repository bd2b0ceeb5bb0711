"""The line under a table: what its intervals are over, and what was held fixed."""

import pandas as pd
import pytest

from tangermeme_gia._core.varied import what_varies

INTERVAL = {"low": [1.0, 2.0], "high": [2.0, 3.0]}


def line(known=None, **columns) -> str:
    return what_varies(pd.DataFrame({**INTERVAL, **columns}), **(known or {}))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {"n": 1000},
            "Intervals are over 1,000 backgrounds; fixed: the model, letters and "
            "places.",
        ),
        (
            {"n": [5, 200], "known": {"rows": "sequence"}},
            "Intervals are over 5 to 200 sequences; fixed: the model, letters and "
            "places.",
        ),
        (
            {"n": 200, "n_clusters": 20},
            "Intervals are over 200 backgrounds of 20 templates, which are the units; "
            "fixed: the model, letters and places.",
        ),
        (
            {"n": 20, "n_clusters": 20},
            "Intervals are over 20 backgrounds; fixed: the model, letters and places.",
        ),
        (
            {"n": 20, "known": {"drawn": ["letters", "places"]}},
            "Intervals are over 20 backgrounds, each with its own letters and places; "
            "fixed: the model.",
        ),
        (
            {"n": 20, "background": ["a", "b"]},
            "Intervals are over 20 backgrounds of the kind that a row names; fixed: "
            "the model, letters and places.",
        ),
        (
            {"n": 20, "n_models": 5},
            "Intervals are over 5 models, taken as a sample, and 20 backgrounds; "
            "fixed: letters and places.",
        ),
        (
            {"n": 20, "folds": "mean of 5", "known": {"n_averaged": 5}},
            "Intervals are over 20 backgrounds; fixed: the 5 models that are averaged, "
            "letters and places.",
        ),
        (
            {"n": 20, "folds": ["a", "2 crossed"], "known": {"n_averaged": 2}},
            "Intervals are over 20 backgrounds; fixed: each model, letters and places. "
            "Those of '2 crossed' are over folds, too, taken as a sample.",
        ),
        (
            {"n": 20, "percentile_low": 90.0},
            "Intervals are over 20 backgrounds; fixed: the model, letters and places. "
            "Those of percentiles are over words, too.",
        ),
    ],
)
def test_the_line_says_what_varied_and_what_was_fixed(said, expected):
    assert line(**said) == expected


def test_a_table_without_intervals_has_no_line():
    assert what_varies(pd.DataFrame({"n": [20]})) == ""
    assert what_varies(pd.DataFrame(INTERVAL)) == ""
    assert what_varies(pd.DataFrame({"low": [], "high": [], "n": []})) == ""
