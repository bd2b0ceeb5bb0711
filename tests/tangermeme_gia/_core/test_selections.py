import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia._core.selections import find_conditions, find_rows

TABLE = pd.DataFrame(
    {
        "arm": ["A", "B", "AB", "A"],
        "start": pd.array([3, None, 17, 17], dtype="Int64"),
        "starts": [(3,), (), (3, 17), (17,)],
        "A": [True, False, True, True],
    }
)


@pytest.mark.parametrize(
    ("conditions", "columns", "expected"),
    [
        (None, {}, [0, 1, 2, 3]),
        (None, {"arm": "A"}, [0, 3]),
        (None, {"arm": ["AB", "B"]}, [1, 2]),
        (None, {"start": 17}, [2, 3]),
        (None, {"start": range(3, 18, 14)}, [0, 2, 3]),
        (None, {"start": None}, [1]),
        (None, {"start": float("nan")}, [1]),
        (None, {"starts": (3, 17)}, [2]),
        (None, {"arm": "A", "start": 17}, [3]),
        (None, {"A": True, "arm": ["A", "B"]}, [0, 3]),
        ([3, 0], {}, [3, 0]),
        ([3, 2, 0], {"arm": "A"}, [3, 0]),
        (-1, {}, [3]),
        (slice(1, 3), {}, [1, 2]),
        ([True, False, False, True], {}, [0, 3]),
        (torch.tensor([False, True, False, False]), {}, [1]),
        (TABLE["start"] == 17, {}, [2, 3]),
        (lambda table: table["start"] > 3, {}, [2, 3]),
        (lambda table: np.flatnonzero(table["A"]), {}, [0, 2, 3]),
    ],
)
def test_conditions_are_found_by_number_mask_function_or_value(
    conditions, columns, expected
):
    assert find_conditions(TABLE, conditions, columns).tolist() == expected


@pytest.mark.parametrize(
    ("conditions", "columns", "error", "text"),
    [
        (None, {"spacing": 4}, ValueError, r"`spacing` is no column of .*\['arm', 's"),
        (
            None,
            {"arm": "C"},
            ValueError,
            "`arm`='C' is in none .* holds 'A', 'B', 'AB'",
        ),
        (None, {"start": "17"}, ValueError, "`start`='17' is in none of the conditio"),
        (None, {"arm": ["A", "a"]}, ValueError, "`arm`='a' is in none"),
        (None, {"arm": None}, ValueError, "`arm`=None is in none"),
        (
            None,
            {"arm": "B", "start": 3},
            ValueError,
            "none of the 4 .* `arm='B', start",
        ),
        ([4], {}, ValueError, "`conditions` holds 4; it must be from 0 to 3"),
        (-5, {}, ValueError, "`conditions` holds -5"),
        ([True], {}, ValueError, "`conditions` has 1 of True and False for 4"),
        ([0.5], {}, TypeError, "`conditions` is a list of float64; it must be a slice"),
        ("arm", {}, TypeError, "`conditions` is a str of"),
        ([], {}, ValueError, "none of the 4 conditions is chosen; at least one is"),
    ],
)
def test_what_is_not_there_is_named(conditions, columns, error, text):
    with pytest.raises(error, match=text):
        find_conditions(TABLE, conditions, columns)


def test_many_values_are_not_all_listed():
    table = pd.DataFrame({"start": range(30)})
    with pytest.raises(ValueError, match=r"holds 0, 1, .* 9, \.\.\.\.$"):
        find_conditions(table, None, {"start": 99})


def test_no_rows_are_found_among_none():
    assert find_rows("rows", [], 3).tolist() == []
    assert find_rows("rows", slice(0), 3).tolist() == []
    assert find_rows("rows", None, 3).tolist() == [0, 1, 2]
