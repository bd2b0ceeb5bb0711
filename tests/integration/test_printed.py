"""The comparison of printed text lets rounding pass, and nothing else."""

import pytest
from printed import differences

SAME = {
    "spaces": ("a  b\n1", "a b 1\n"),
    "another fifth digit": ("2.2184e-05", "2.21829e-05"),
    "the last digit": ("effect 1.81 [1.63, 1.98]", "effect 1.80 [1.64, 1.98]"),
    "the last digit of a small number": ("-0.03 0.00 0.01", "-0.04 -0.01 0.00"),
    "a zero": ("0.31 -3.2e-09", "0.31 1.7e-08"),
    "a zero without decimals": ("0.312\t0", "0.312\t2.4e-09"),
    "a zero with its sign": ("0.00 -0.00", "-0.00 0.00"),
    "a whole number by %g": ("0.5\t1", "0.5\t0.999998"),
    "exponent or not": ("0.0001", "1.00001e-04"),
    "a tensor": ("tensor([[1.8057, -0.0000]])", "tensor([[ 1.8058,  0.0000]])"),
    "whole numbers of a tensor": ("tensor([0., 1.])", "tensor([0.0000, 1.0000])"),
    "no number": ("nan inf -inf", "nan inf -inf"),
    "the end of a sentence": ("up to 0.31.", "up to 0.32."),
    "a unit": ("2.0-fold, 1.5x, 3.1%", "2.1-fold, 1.6x, 3.2%"),
    "a range": ("0.15-0.20", "0.16-0.21"),
}
OTHER = {
    "a word": ("A1CF 0.31", "ANKHD1 0.31"),
    "letters in upper case": ("true", "True"),
    "a word more": ("a 0.31", "a b 0.31"),
    "a cell that is not empty": ("a\t\t1", "a\t1"),
    "a cell elsewhere": ("a\t\t1\t2", "a\t1\t\t2"),
    "a whole number": ("n 1000", "n 1001"),
    "a whole number among decimals": ("0.31 2312", "0.31 2313"),
    "a whole number of a tensor": ("tensor([10., 1.])", "tensor([11., 1.])"),
    "a number in a word": ("GATA@90", "GATA@91"),
    "a version": ("1.6.0", "1.7.0"),
    "a bracket": ("[0.31]", "(0.31)"),
    "a sign": ("0.31", "-0.31"),
    "nan": ("0.31", "nan"),
    "infinity": ("inf", "-inf"),
    "5 %": ("1.85504", "1.94779"),
    "5 % of a small number": ("0.00133952\t2.2184e-05", "0.00133952\t2.3293e-05"),
    "5 % of a number in brackets": ("tensor([1.8057, 0.3])", "tensor([1.8960, 0.3])"),
    "two of the last digit": ("0.31", "0.33"),
    "half a shortened digit": ("0.5\t0.1", "0.5\t0.15"),
    "no zero": ("0.31 -3.2e-05", "0.31 1.7e-05"),
}


@pytest.mark.parametrize(("shown", "printed"), SAME.values(), ids=SAME)
def test_text_that_differs_by_rounding_is_the_same(shown, printed):
    assert differences(shown, printed) == []
    assert differences(printed, shown) == []


@pytest.mark.parametrize(("shown", "printed"), OTHER.values(), ids=OTHER)
def test_other_text_is_noticed(shown, printed):
    assert differences(shown, printed)
    assert differences(printed, shown)


def test_a_difference_says_what_is_shown_and_what_printed():
    assert differences("a 0.5 [2", "b 0.5 [3") == [
        "a is shown, b printed",
        "2 is shown, 3 printed",
    ]


def test_decimals_alone_may_be_off_by_a_tolerance():
    shown = "seed 0 3.8 [3.7, 3.9]"
    assert differences(shown, "seed 0 4.1 [4.0, 4.2]", tolerance=0.3) == []
    assert differences(shown, "seed 0 4.3 [4.2, 4.4]", tolerance=0.3)
    assert differences(shown, "seed 1 3.8 [3.7, 3.9]", tolerance=2)
    assert differences(shown, "model 0 3.8 [3.7, 3.9]", tolerance=2)
