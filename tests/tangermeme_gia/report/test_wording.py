"""Numbers as they stand in a sentence."""

import pytest

from tangermeme_gia.report.wording import (
    count,
    listed,
    number,
    row_with_interval,
    span,
    with_interval,
)

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((1.8963, 1.8171, 1.9755), "1.90 [1.82, 1.98]"),
        ((0.3, 0.05, 0.55), "0.30 [0.05, 0.55]"),
        ((-0.349, -0.6, -0.1), "−0.35 [−0.60, −0.10]"),
        ((1234.4, 1000, 1468), "1234 [1000, 1468]"),
        ((0.001, -0.04, 0.042), "0.00 [−0.04, 0.04]"),
        ((-0.001, -0.04, 0.04), "0.00 [−0.04, 0.04]"),
        ((2e-7, 1e-7, 3e-7), "2e−07 [1e−07, 3e−07]"),
        ((2.5, 2.5, 2.5), "2.5"),
        ((2.5, NAN, NAN), "2.5"),
        ((0.9, -INF, INF), "0.9 [−∞, ∞]"),
        ((NAN, -INF, INF), "not defined [−∞, ∞]"),
    ],
)
def test_an_interval_has_the_digits_its_width_leaves(values, text):
    assert with_interval(*values) == text


def test_rows_are_read_by_name():
    class Row:
        effect, low, high = 1.0, 0.5, 1.5

    assert row_with_interval(Row()) == "1.0 [0.5, 1.5]"


def test_small_words():
    assert number(-0.0) == "0"
    assert number(-0.0004, 2) == "0.00"
    assert count(0, "site") == "0 sites"
    assert listed([3]) == "3"
    assert listed([3, 10]) == "3 and 10"
    assert listed([3, 10, 17]) == "3, 10 and 17"


def test_a_span_has_two_digits_of_its_larger_end():
    assert span([1e-9, -2.5e-7]) == "−2.5e−07 to 1e−09"
    assert span([0.123, 4.56]) == "0.1 to 4.6"
    assert span([-120.0, 3.0]) == "−120 to 3"
    assert span([0.0, 0.0]) == "0"
