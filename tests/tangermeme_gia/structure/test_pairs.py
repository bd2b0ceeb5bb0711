import numpy as np
import pytest

from tangermeme_gia.structure.pairs import (
    Hairpin,
    complementary_bases,
    format_dot_bracket,
    pair_indices,
    parse_dot_bracket,
)

BRANCHED = ".((..((...))(((....)))).)."


def test_a_pair_table_names_the_partner_of_every_position():
    assert parse_dot_bracket("((.))").tolist() == [4, 3, -1, 1, 0]
    assert parse_dot_bracket("").tolist() == []
    assert parse_dot_bracket("....").tolist() == [-1] * 4


@pytest.mark.parametrize("structure", ["", "...", "()", "((.)).()", BRANCHED])
def test_dot_bracket_and_pair_table_are_inverse(structure):
    assert format_dot_bracket(parse_dot_bracket(structure)) == structure


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ("(.)).", r"closes a pair at position 3 \(0-based\) that was never opened"),
        (")(", r"closes a pair at position 0 "),
        ("(.(.)", r"opens a pair at position 0 .* never closed"),
        ("..(", r"opens a pair at position 2 .* never closed"),
        (".(x)", r"holds 'x' at position 2 .*allowed are '\(', '\)' and '\.'"),
        ("((.[.))]", r"holds '\[' at position 3 .*, the notation of a pseudoknot;"),
        ("{.}", r"holds '\{' at position 0 .* a pseudoknot"),
    ],
)
def test_malformed_dot_brackets_are_refused_by_position(structure, message):
    with pytest.raises(ValueError, match=message):
        parse_dot_bracket(structure)


def test_a_dot_bracket_is_a_string():
    with pytest.raises(TypeError, match=r"`structure`=\[1\] must be a dot-bracket"):
        parse_dot_bracket([1])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([2, 3, 0, 1], r"pseudoknot: the pair \(0, 2\) crosses"),
        ([1, -1], "pairs position 0 with 1, which does not pair back"),
        ([5, -1], "pairs position 0 with 5"),
        ([-2, -1], "pairs position 0 with -2"),
        ([0], "pairs position 0 with itself"),
        ([0.5], "one integer per position"),
        ([[1, 0]], "one integer per position"),
    ],
)
def test_impossible_pair_tables_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        format_dot_bracket(table)


def test_pair_indices_of_a_branched_structure_agree_with_its_table():
    pairs = pair_indices(BRANCHED, length=len(BRANCHED))
    table = parse_dot_bracket(BRANCHED)
    assert len(pairs) == BRANCHED.count("(")
    assert (table[pairs[:, 0]] == pairs[:, 1]).all()
    assert (table[pairs[:, 1]] == pairs[:, 0]).all()
    assert (np.diff(pairs[:, 0]) > 0).all()
    assert pair_indices("...").shape == (0, 2)


def test_the_default_hairpin_is_the_one_of_the_paper():
    # Pairs at 6-16 with 23-33, 1-based.
    expected = [[5 + k, 32 - k] for k in range(11)]
    assert Hairpin() == Hairpin.paper()
    assert Hairpin().pairs.tolist() == expected
    assert pair_indices(Hairpin(), length=41).tolist() == expected
    assert list(Hairpin().left_arm) == list(range(5, 16))
    assert list(Hairpin().loop) == list(range(16, 22))
    assert list(Hairpin().right_arm) == list(range(22, 33))
    assert Hairpin().end == 33


def test_the_papers_pairs_one_by_one():
    counted_from_1 = [
        (6, 33), (7, 32), (8, 31), (9, 30), (10, 29), (11, 28),
        (12, 27), (13, 26), (14, 25), (15, 24), (16, 23),
    ]  # fmt: skip
    assert (pair_indices("paper", 41) + 1).tolist() == [list(p) for p in counted_from_1]
    expected = "....." + 11 * "(" + 6 * "." + 11 * ")" + 8 * "."
    assert Hairpin.paper().dot_bracket(41) == expected


def test_the_released_codes_pairs_one_by_one():
    pairs = [
        (7, 31), (8, 30), (9, 29), (10, 28), (11, 27), (12, 26), (13, 25), (14, 24),
        (15, 23),
    ]  # fmt: skip
    assert pair_indices("released", 41).tolist() == [list(p) for p in pairs]
    assert Hairpin.released().pairs.tolist() == [list(p) for p in pairs]
    assert list(Hairpin.released().loop) == [16, 17, 18, 19, 20, 21, 22]


def test_an_unknown_name_of_a_structure_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'stem' must be .* 'paper', 'released'"):
        pair_indices("stem", 41)


@pytest.mark.parametrize("geometry", [(0, 1, 0), (5, 11, 6), (3, 4, 3), (0, 6, 9)])
def test_geometry_and_dot_bracket_are_inverse(geometry):
    hairpin = Hairpin(*geometry)
    structure = hairpin.dot_bracket(length=41)
    assert len(structure) == 41
    assert Hairpin.from_dot_bracket(structure) == hairpin
    assert pair_indices(structure).tolist() == hairpin.pairs.tolist()


@pytest.mark.parametrize("structure", ["((.(...)))", "(...)(...)", BRANCHED, "(())()"])
def test_only_one_perfect_stem_loop_has_a_geometry(structure):
    with pytest.raises(ValueError, match="not one perfect stem-loop"):
        Hairpin.from_dot_bracket(structure)


def test_an_unpaired_string_has_no_geometry():
    with pytest.raises(ValueError, match="has no base pair"):
        Hairpin.from_dot_bracket("....")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"stem_start": -1}, ValueError, "`stem_start`=-1 must be at least 0"),
        ({"stem_length": 0}, ValueError, "`stem_length`=0 must be at least 1"),
        ({"loop_length": -2}, ValueError, "`loop_length`=-2 must be at least 0"),
        ({"loop_length": 2.0}, TypeError, "`loop_length`=2.0 must be an integer"),
        ({"stem_start": True}, TypeError, "`stem_start`=True must be an integer"),
    ],
)
def test_impossible_geometries_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        Hairpin(**arguments)


def test_a_structure_has_to_fit_the_sequences():
    with pytest.raises(ValueError, match=r"`stem_start`=5.*ends at 33.*length 32"):
        pair_indices(Hairpin(), length=32)
    with pytest.raises(ValueError, match=r"`structure` has 5 characters, but.*41"):
        pair_indices("(...)", length=41)
    with pytest.raises(ValueError, match="runs past a sequence of length 30"):
        Hairpin().dot_bracket(30)
    assert pair_indices(Hairpin(), length=33).max() == 32


@pytest.mark.parametrize(
    ("alphabet", "t"), [("ACGT", "T"), ("ACGU", "U"), ("UGCA", "U")]
)
def test_complements_follow_the_alphabet(alphabet, t):
    strict = {"A": (t,), "C": ("G",), "G": ("C",), t: ("A",)}
    assert complementary_bases(tuple(alphabet)) == strict
    wobble = strict | {"G": ("C", t), t: ("A", "G")}
    assert complementary_bases(list(alphabet), wobble=True) == wobble


@pytest.mark.parametrize("alphabet", ["ACG", "ACGTU", "ACGX", "acgt", "", "ACGTN"])
def test_other_alphabets_have_no_complements(alphabet):
    with pytest.raises(ValueError, match=r"`alphabet`=.*no complementary bases"):
        complementary_bases(tuple(alphabet))
