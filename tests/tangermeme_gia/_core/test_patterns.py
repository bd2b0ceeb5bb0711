import re

import numpy as np
import pytest
import torch
from tangermeme.ersatz import insert, multisubstitute, substitute
from tangermeme.utils import PackedSequence, characters, one_hot_encode, random_one_hot

from tangermeme_gia._core.letters import RNA, one_hot
from tangermeme_gia._core.motif import Motif
from tangermeme_gia._core.patterns import (
    Pattern,
    as_conditions,
    compile_conditions,
    place,
    resolve_start,
)

PROTEIN = tuple("ACDEFGHIKLMNPQRSTVWY")


@pytest.fixture
def X() -> torch.Tensor:
    """Twelve padded sequences of 41 columns, as RNAcompete probes are."""
    X = random_one_hot((12, 4, 41), random_state=0)
    X[:, :, :3] = 0
    X[::2, :, 36:] = 0
    return X


@pytest.fixture
def ppm() -> torch.Tensor:
    matrix = torch.rand(4, 6, generator=torch.Generator().manual_seed(0))
    return matrix / matrix.sum(0)


@pytest.mark.parametrize("dtype", [torch.int8, torch.float32, torch.float64])
@pytest.mark.parametrize("start", [None, 0, 1, 17, 33, 34])
@pytest.mark.parametrize("motif", ["GATTACA", "GNNTNCA", "NATTACN", "NNNNNNN"])
def test_substitution_equals_tangermeme(X, motif, start, dtype):
    # Starts 0 and 33 cover padding, which tangermeme overwrites, too.
    X = X.to(dtype)
    treated = place(X, [(motif, start)])
    assert treated.dtype == dtype
    assert torch.equal(treated, substitute(X, motif, start=start))
    encoded = one_hot_encode(motif)
    assert torch.equal(place(X, [(encoded, start)]), treated)
    assert torch.equal(place(X, [(encoded[None], start)]), treated)


@pytest.mark.parametrize("length", [6, 7, 40, 41])
@pytest.mark.parametrize("motif", ["GA", "GAT"])
def test_a_centred_motif_equals_tangermeme(length, motif):
    X = random_one_hot((3, 4, length), random_state=1)
    assert torch.equal(place(X, [(motif, None)]), substitute(X, motif))
    assert torch.equal(place(X, [(motif, None)], insert=True), insert(X, motif))


def test_a_motif_per_background_equals_tangermeme(X):
    motifs = random_one_hot((12, 4, 5), random_state=2)
    motifs[3, :, 1] = 0
    motifs[:, :, 4] = 0
    assert torch.equal(place(X, [(motifs, 9)]), substitute(X, motifs, start=9))
    filled = random_one_hot((12, 4, 5), random_state=2)
    assert torch.equal(place(X, [(filled, 9)], insert=True), insert(X, filled, start=9))


@pytest.mark.parametrize("spacing", [[0, 0], [2, 9]])
def test_several_patterns_equal_tangermeme(X, spacing):
    motifs = ["GATA", "CNC", one_hot_encode("TTT")[None]]
    starts = [5, 9 + spacing[0], 12 + sum(spacing)]
    assert torch.equal(
        place(X, list(zip(motifs, starts, strict=True))),
        multisubstitute(X, motifs, spacing, start=5),
    )


@pytest.mark.parametrize("start", [None, 0, 9, 34])
def test_insertion_equals_tangermeme(X, start):
    treated = place(X, [("GATTACA", start)], insert=True)
    assert treated.shape == (12, 4, 48)
    assert torch.equal(treated, insert(X, "GATTACA", start=start))


def test_inserted_starts_count_in_the_background():
    X = one_hot_encode("AAAAAA")[None]
    patterns = [("GG", 4), ("C", 1), ("TT", 4), ("C", 6)]
    assert characters(place(X, patterns, insert=True)[0]) == "ACAAAGGTTAAC"


@pytest.mark.parametrize("start", [None, 4])
def test_other_alphabets(start):
    X = random_one_hot((3, 20, 11), probs=[[0.05] * 20], random_state=0)
    assert characters(place(X, [("MNY", 4)], PROTEIN)[0], PROTEIN)[4:7] == "MNY"
    X = random_one_hot((3, 4, 11), random_state=0)
    assert torch.equal(
        place(X, [("UGNA", start)], RNA), substitute(X, "TGNA", start=start)
    )


def test_a_packed_sequence_stays_packed(X):
    packed = PackedSequence.from_one_hot(X)
    for kwargs in ({}, {"insert": True}):
        treated = place(packed, [("GATTACA", 1)], **kwargs)
        assert isinstance(treated, PackedSequence)
        assert torch.equal(treated.to_one_hot(), place(X, [("GATTACA", 1)], **kwargs))
    expected = substitute(packed, "GATTACA", start=1).to_one_hot()
    assert torch.equal(place(packed, [("GATTACA", 1)]).to_one_hot(), expected)
    rna = PackedSequence.from_one_hot(X, alphabet=RNA)
    assert place(rna, [("UUU", 9)], RNA).alphabet == RNA


def test_no_pattern_changes_nothing(X):
    assert torch.equal(place(X, []), X)
    assert torch.equal(place(X, [], insert=True), X)
    assert torch.equal(place(X, [("", 41), ("NN", 0)]), X)


def test_placing_is_pure(X, ppm):
    X_before, ppm_before = X.clone(), ppm.clone()
    patterns = [(ppm, 5), ("GNA", 20)]
    treated = place(X, patterns)
    treated[:] = 0
    assert torch.equal(X, X_before)
    assert torch.equal(ppm, ppm_before)
    assert patterns == [(ppm, 5), ("GNA", 20)]
    unchanged = place(X, [])
    unchanged[:] = 0
    assert torch.equal(X, X_before)


def test_order_of_patterns_does_not_matter(X, ppm):
    own = one_hot(Motif.parse(ppm).draw(12, 1), 4)
    patterns = [("GNNNG", 10), (ppm, 20), ("TTT", 11), (own, 2)]
    expected = place(X, patterns, random_state=0)
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        treated = place(X, [patterns[i] for i in order], random_state=0)
        assert torch.equal(treated, expected)


def test_n_gaps_may_be_filled_by_another_pattern():
    X = one_hot_encode("AAAAAAA")[None]
    assert characters(place(X, [("GNNG", 1), ("TT", 2)])[0]) == "AGTTGAA"


def test_a_ppm_is_drawn_once_per_background_for_all_conditions(X, ppm):
    conditions = [[(ppm, 4)], [("GGG", 30), (ppm, 20)], [(ppm, 4), (ppm.clone(), 20)]]
    first, second, both = compile_conditions(conditions, 12, 41, random_state=None)
    np.testing.assert_array_equal(first.codes, second.codes[:, :6])
    np.testing.assert_array_equal(first.apply(X)[:, :, 4:10], both.apply(X)[:, :, 4:10])
    # Without a seed, equal motifs still share their draw within one call.
    np.testing.assert_array_equal(both.codes[:, :6], both.codes[:, 6:])


def test_draws_do_not_depend_on_the_other_conditions(X, ppm):
    alone = compile_conditions([[(ppm, 4)]], 12, 41, random_state=5)[0]
    among = compile_conditions([[("GG", 1)], [(ppm, 4)]], 12, 41, random_state=5)[1]
    np.testing.assert_array_equal(alone.codes, among.codes)
    assert torch.equal(place(X, [(ppm, 4)], random_state=5), alone.apply(X))


def test_inserted_draws_equal_substituted_draws(X, ppm):
    inserted = place(X, [(ppm, 4)], insert=True, random_state=5)
    substituted = place(X, [(ppm, 4)], random_state=5)
    assert torch.equal(inserted[:, :, 4:10], substituted[:, :, 4:10])


def test_no_background_gives_no_sequence(ppm):
    X = torch.zeros(0, 4, 41)
    assert place(X, [(ppm, 3), ("GAT", 12)]).shape == (0, 4, 41)
    assert place(X, [("GAT", 12)], insert=True).shape == (0, 4, 44)


def test_starts_are_resolved_in_the_order_given():
    patterns = [("GATTAC", None), ("TT", 30), ("C", 2)]
    substituted = compile_conditions([patterns], 5, 41)[0]
    inserted = compile_conditions([patterns], 5, 41, insert=True)[0]
    assert substituted.starts == (17, 30, 2)
    assert inserted.starts == (20, 30, 2)
    assert inserted.length == 50


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            ("GATTAC", 38),
            "`start`=38 with a 6-mer runs past `X` of length 41; the last valid start "
            "is 35.",
        ),
        (("GATTAC", -1), "`start`=-1 is before the first base of `X`"),
        (("A" * 50, 0), "a 50-mer is longer than `X` of length 41"),
        (("GAXA", 3), "'GAXA' has 'X' at position 2"),
    ],
)
def test_a_pattern_that_does_not_fit_is_refused(X, pattern, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        place(X, [pattern])
    with pytest.raises(ValueError, match=f"^condition 1: .*{re.escape(message)}"):
        compile_conditions([[], [pattern]], 12, 41)


def test_an_insertion_past_the_end_is_refused(X):
    with pytest.raises(ValueError, match=r"`start`=42 is past `X` of length 41; .* 41"):
        place(X, [("GATTAC", 42)], insert=True)


def test_the_last_valid_starts_are_valid():
    assert resolve_start(35, 6, 41) == 35
    assert resolve_start(41, 6, 41, insert=True) == 41
    assert resolve_start(np.int64(3), 6, 41) == 3


@pytest.mark.parametrize("start", [True, 1.5, "3"])
def test_a_start_must_be_an_integer(start):
    with pytest.raises(TypeError, match="must be an integer or None"):
        resolve_start(start, 6, 41)


def test_overlapping_patterns_are_refused_by_name(X, ppm):
    message = "'GATTAC' at `start`=10 and 'TTG' at `start`=15 overlap at position 15"
    with pytest.raises(ValueError, match=message):
        place(X, [("GATTAC", 10), ("CC", 2), ("TTG", 15)])
    with pytest.raises(ValueError, match=r"'GAT' at `start`=19 and 'PPM\(.*'"):
        place(X, [("GAT", None), (ppm, 21)])
    with pytest.raises(ValueError, match=r"condition 1: .* overlap"):
        compile_conditions([[], [("GG", 1), ("GG", 2)]], 12, 41)


def test_a_gap_cannot_be_inserted(X):
    with pytest.raises(ValueError, match="'GNA' has a gap at position 1; an inserted"):
        place(X, [("GNA", 4)], insert=True)


@pytest.mark.parametrize(
    ("patterns", "conditions"),
    [
        ([("GA", 1), ("TT", None)], [[("GA", 1), ("TT", None)]]),
        (
            [[("GA", 1)], [], [("TT", 4), ("C", 9)]],
            [[("GA", 1)], [], [("TT", 4), ("C", 9)]],
        ),
        ((("GA", 1), ("TT", 4)), [[("GA", 1), ("TT", 4)]]),
        (("GA", 1), [[("GA", 1)]]),
        ([["GA", 1]], [[("GA", 1)]]),
        ([], [[]]),
    ],
)
def test_one_set_and_several_sets_are_told_apart(patterns, conditions):
    found = as_conditions(patterns)
    assert found == [
        [Pattern(Motif.parse(motif), start) for motif, start in condition]
        for condition in conditions
    ]
    assert all(isinstance(p, Pattern) for condition in found for p in condition)


def test_a_parsed_motif_is_placed_as_what_it_was_parsed_from(X, ppm):
    for motif in ("GNA", ppm, one_hot_encode("GAT")):
        parsed = Motif.parse(motif)
        expected = place(X, [(motif, 9)], random_state=2)
        assert torch.equal(place(X, [(parsed, 9)], random_state=2), expected)


def test_a_motif_of_a_condition_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"^condition 1: `motif` 'GXA' has 'X'"):
        as_conditions([[("GAT", 1)], [("GXA", 1)]])


@pytest.mark.parametrize(
    "patterns", ["GATA", ["GATA"], [("GATA", 1.5)], [("GA", 1), [("GA", 1)]], [3]]
)
def test_what_is_no_pattern_is_refused(patterns):
    with pytest.raises(TypeError, match="is not a pattern; a pattern is a pair"):
        as_conditions(patterns)
    with pytest.raises(TypeError, match="is not a pattern; a pattern is a pair"):
        place(torch.zeros(1, 4, 41), patterns)
