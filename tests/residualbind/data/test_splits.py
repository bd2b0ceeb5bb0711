"""Tests of residualbind.data.splits."""

import numpy as np
import pytest

from residualbind.data.splits import constant_sets, split_sets, standard_sets


def test_set_a_is_divided_and_set_b_is_the_test_set():
    labels = np.array(list("ABAAB" * 40))
    split = split_sets(labels, valid_fraction=0.25)
    assert split.test.tolist() == np.flatnonzero(labels == "B").tolist()
    in_a = np.sort(np.concatenate([split.train, split.valid]))
    assert in_a.tolist() == np.flatnonzero(labels == "A").tolist()
    assert len(split.valid) == 30
    for part in split:
        assert (np.diff(part) > 0).all()


def test_paper_sizes():
    split = split_sets(["A"] * 120_326 + ["B"] * 121_031)
    assert [len(part) for part in split] == [108_293, 12_033, 121_031]


def test_division_depends_on_the_seed_alone():
    labels = ["A"] * 200 + ["B"] * 10
    first, again = split_sets(labels), split_sets(labels)
    other = split_sets(labels, random_state=1)
    assert first.valid.tolist() == again.valid.tolist()
    assert first.valid.tolist() != other.valid.tolist()


def test_division_is_the_documented_one_bit_for_bit():
    # The bundled weights were trained on it; a NumPy that draws otherwise shows here.
    assert split_sets(["A"] * 40).valid.tolist() == [4, 11, 24, 27]


def test_validation_probes_are_spread_over_set_a():
    valid = split_sets(["A"] * 10_000).valid
    assert abs(valid.mean() - 5_000) < 300
    assert valid.std() == pytest.approx(10_000 / 12**0.5, rel=0.1)


def test_global_random_state_is_left_alone():
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.get_state()[1].tolist()  # noqa: NPY002
    split_sets(["A"] * 20)
    assert np.random.get_state()[1].tolist() == expected  # noqa: NPY002


def test_presplit_labels_are_kept():
    split = split_sets(["test", "train", "valid", "train"])
    assert [part.tolist() for part in split] == [[1, 3], [2], [0]]


def test_training_labels_without_validation_are_divided_as_set_a_is():
    split = split_sets(["train"] * 40 + ["test"] * 3)
    assert split.valid.tolist() == [4, 11, 24, 27]
    assert len(split.train) == 36
    assert split.test.tolist() == [40, 41, 42]


def test_groups_are_not_divided():
    # 10 groups of 4: a tenth is one of them, and 15 % are two, the fewest that hold 6.
    groups = [row // 4 for row in range(40)]
    for fraction, n in ((0.1, 4), (0.15, 8)):
        valid = split_sets(["A"] * 40, valid_fraction=fraction, groups=groups).valid
        assert len(valid) == n
        assert all(
            {4 * g, 4 * g + 1, 4 * g + 2, 4 * g + 3} <= {*valid} for g in valid // 4
        )
    with pytest.raises(ValueError, match="leaves no probe for training"):
        split_sets(["A"] * 40, groups=[7] * 40)


def test_one_set_alone_leaves_the_others_empty():
    assert [len(part) for part in split_sets(["B", "B"])] == [0, 0, 2]
    assert [len(part) for part in split_sets(["A"] * 10)] == [9, 1, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "`sets` is empty"),
        (["A", "C"], r"`sets` holds \['A', 'C'\]; allowed are either 'A' and 'B' or"),
        (["A", "train"], r"`sets` holds \['A', 'train'\]"),
        (["a"], r"`sets` holds \['a'\]"),
        ("AB", "`sets` has 0 dimensions; give one label for each probe"),
        ([["A", "B"]], "`sets` has 2 dimensions"),
    ],
)
def test_wrong_labels_are_errors(labels, message):
    with pytest.raises(ValueError, match=message):
        split_sets(labels)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_fraction_outside_0_to_1_is_an_error(fraction):
    with pytest.raises(
        ValueError, match=f"`valid_fraction`={fraction} must be above 0"
    ):
        split_sets(["A"] * 10, valid_fraction=fraction)


@pytest.mark.parametrize(("n", "fraction"), [(4, 0.1), (4, 0.9), (1, 0.5)])
def test_fraction_that_leaves_a_part_empty_is_an_error(n, fraction):
    with pytest.raises(ValueError, match=f"of {n} probes of set A leaves no probe"):
        split_sets(["A"] * n + ["B"], valid_fraction=fraction)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        *[
            (spelling, "A")
            for spelling in ("A", "a", "SetA", "Set A", "set_a", "SET-A")
        ],
        *[(spelling, "B") for spelling in ("B", "SetB", "Set B")],
        *[(part.title(), part) for part in ("train", "valid", "test")],
    ],
)
def test_spellings_of_labels_are_standardised(label, name):
    assert standard_sets([label, name], str).tolist() == [name, name]
    assert constant_sets(label, 3).tolist() == [name] * 3


@pytest.mark.parametrize("label", ["", "C", "SetC", "AB", "validation", "0"])
def test_label_that_is_no_set_is_an_error_that_names_its_place(label):
    with pytest.raises(
        ValueError, match=f"^line 3: {label!r} is not a set; sets are 'A'"
    ):
        standard_sets(["A", "B", label, "C"], lambda row: f"line {row + 1}")
    with pytest.raises(ValueError, match=f"^`set_label`: {label!r} is not a set"):
        constant_sets(label, 3)


def test_mixed_kinds_of_labels_are_an_error_where_the_second_kind_starts():
    with pytest.raises(
        ValueError, match=r"^line 3: 'train' after 'B'; sets are either"
    ):
        standard_sets(["B", "A", "train"], lambda row: f"line {row + 1}")
