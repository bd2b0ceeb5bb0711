"""Perfect hairpins are found wherever they are, with their exact extent."""

from __future__ import annotations

import pytest
import torch

from residualbind.simulation.hairpins import find_hairpins

PAIR = {"A": "U", "C": "G", "G": "C", "U": "A"}


def label(sequence: str, stem_pairs: int, max_loop: int) -> str:
    """S, L or . for every base."""
    X = torch.stack([torch.tensor([c == b for c in sequence]) for b in "ACGU"])
    X = X.float().unsqueeze(0)
    loop, stem = find_hairpins(X, X.sum(dim=1) > 0, stem_pairs, max_loop)
    assert not (loop & stem).any()
    return "".join(
        "S" if s else "L" if u else "." for s, u in zip(stem[0], loop[0], strict=True)
    )


def test_a_hairpin_is_labelled_wherever_it_starts():
    for left in range(8):
        sequence = "A" * left + "GGAGC" + "AAAA" + "GCUCC" + "A" * (7 - left)
        expected = "." * left + "SSSSSLLLLSSSSS" + "." * (7 - left)
        assert label(sequence, stem_pairs=5, max_loop=6) == expected


@pytest.mark.parametrize("pairs", [4, 5, 9, 12])
def test_a_stem_reaches_as_far_as_its_pairs(pairs):
    arm = "GGAGCACCAGGC"[:pairs]
    sequence = "A" + arm + "AAAA" + "".join(PAIR[b] for b in reversed(arm)) + "A"
    expected = "." + "S" * pairs + "LLLL" + "S" * pairs + "."
    assert label(sequence, stem_pairs=4, max_loop=4) == expected


def test_loops_have_three_to_max_loop_bases():
    for enclosed in range(8):
        sequence = "GGAGC" + "A" * enclosed + "GCUCC"
        found = "L" in label(sequence, stem_pairs=5, max_loop=6)
        assert found == (3 <= enclosed <= 6), enclosed


def test_a_mismatch_or_a_wobble_pair_ends_a_stem():
    assert label("GGAGCAAAAGCACC", 5, 6) == "." * 14
    assert label("GGAGCAAAAGUUCC", 5, 6) == "." * 14
    assert label("GGAGCAAAAGCACC", 2, 6) == "...SSLLLLSS..."


def test_unknown_bases_pair_with_nothing():
    assert label("GGAGCAAAANCUCC", 5, 6) == "." * 14
    assert label("N" * 14, 2, 6) == "." * 14


def test_two_hairpins_in_one_sequence_are_both_found():
    one = "GGAGCAAAAGCUCC"
    assert label(one + "AAAAAAAA" + one, 5, 6) == (
        "SSSSSLLLLSSSSS........SSSSSLLLLSSSSS"
    )


def test_sequences_shorter_than_any_hairpin_have_none():
    assert label("GGC", 2, 6) == "..."
