"""Tests of residualbind.data.encoding."""

import warnings

import numpy as np
import pytest
import torch

from residualbind.data.encoding import decode_sequences, encode_sequences


def columns(X: torch.Tensor) -> list[list[int]]:
    """The channel of each column of one sequence; -1 for a zero column."""
    return [c.argmax().item() if c.any() else -1 for c in X.T]


def test_channels_are_a_c_g_u_and_t_is_u_in_both_cases():
    X = encode_sequences(["ACGU", "acgu", "ACGT", "acgt"], length=4)
    assert X.dtype == torch.int8
    assert X.shape == (4, 4, 4)
    for row in X:
        assert torch.equal(row, torch.eye(4, dtype=torch.int8))


@pytest.mark.parametrize(
    ("size", "length", "left"),
    [(3, 3, 0), (3, 4, 0), (3, 5, 1), (30, 41, 5), (38, 41, 1)],
)
def test_padding_is_centred_with_the_odd_column_at_the_3_prime_end(size, length, left):
    X = encode_sequences(["G" * size], length=length)
    assert columns(X[0]) == [-1] * left + [2] * size + [-1] * (length - left - size)


def test_length_none_is_the_longest_sequence():
    X = encode_sequences(["AC", "ACGUA", "A"], length=None)
    assert X.shape == (3, 4, 5)
    assert columns(X[2]) == [-1, -1, 0, -1, -1]


def test_each_row_is_encoded_as_it_would_be_alone():
    rng = np.random.default_rng(0)
    sequences = [
        "".join(rng.choice(list("ACGUTNacgutn"), size=rng.integers(1, 42)))
        for _ in range(300)
    ]
    X = encode_sequences(sequences)
    for row, sequence in zip(X, sequences, strict=True):
        left = (41 - len(sequence)) // 2
        expected = torch.zeros(4, 41, dtype=torch.int8)
        for i, letter in enumerate(sequence.upper().replace("T", "U")):
            if letter != "N":
                expected["ACGU".index(letter), left + i] = 1
        assert torch.equal(row, expected)


def test_n_is_a_zero_column_and_not_warned_about():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X = encode_sequences(["ANnG"], length=4)
    assert columns(X[0]) == [0, -1, -1, 2]


def test_other_letters_become_n_and_are_counted_in_one_warning():
    with pytest.warns(UserWarning, match="4 letter") as caught:
        X = encode_sequences(["ACGU", "ARGY", "NNA", "xAx"], length=4)
    assert [str(w.message) for w in caught] == [
        "4 letter(s) (R, X, Y) in 2 sequence(s) are none of A, C, G, T, U and N and "
        "were read as N; the first is at `sequences`[1]."
    ]
    assert columns(X[1]) == [0, -1, 2, -1]
    assert columns(X[3]) == [-1, 0, -1, -1]


def test_warning_and_errors_take_the_place_from_source():
    with pytest.warns(UserWarning, match=r"first is at probes\.txt, line 7\.$"):
        encode_sequences(["A", "X"], source=lambda row: f"probes.txt, line {row + 6}")
    with pytest.raises(ValueError, match=r"^probes\[1\]: the sequence is empty\.$"):
        encode_sequences(["A", ""], source="probes")


def test_longer_sequence_is_an_error_that_names_row_and_lengths():
    message = (
        r"^`sequences`\[1\]: the sequence has 6 letters, more than `length`=5; the "
        r"longest has 7\. Sequences are never cut"
    )
    with pytest.raises(ValueError, match=message):
        encode_sequences(["ACGUA", "ACGUAC", "ACGUACG"], length=5)


@pytest.mark.parametrize("character", ["-", "3", " ", ".", "é", "€", "\n", "𝔸", "?"])
def test_what_is_no_letter_is_an_error_that_names_it(character):
    with pytest.raises(ValueError, match="at position 3 of the sequence") as caught:
        encode_sequences(["ACGU", f"AC{character}A"])
    assert str(caught.value).startswith(f"`sequences`[1]: {character!r} at")


def test_wrong_types_and_lengths_are_errors():
    with pytest.raises(TypeError, match="one string; give a list"):
        encode_sequences("ACGU")
    with pytest.raises(TypeError, match=r"`sequences`\[1\] is float, not a string"):
        encode_sequences(["A", float("nan")])
    for length in (0, -1, 2.0, True):
        with pytest.raises(ValueError, match=f"`length`={length!r} must be a positive"):
            encode_sequences(["A"], length=length)


def test_no_sequences_encode_to_nothing():
    assert encode_sequences([]).shape == (0, 4, 41)
    with pytest.raises(ValueError, match="`length`=None needs at least one sequence"):
        encode_sequences([], length=None)


def test_decoding_strips_padding_and_keeps_inner_n():
    sequences = ["ACGU", "a", "ANNG", "GGGGGG", "cgt"]
    X = encode_sequences(sequences, length=6)
    assert decode_sequences(X) == ["ACGU", "A", "ANNG", "GGGGGG", "CGU"]


def test_decoding_ignores_structure_channels_and_takes_a_blank_row():
    X = torch.zeros(2, 6, 5)
    X[0, 2, 1] = 1
    X[:, 4:] = 0.5
    assert decode_sequences(X) == ["G", ""]
    assert decode_sequences(X[:0]) == []
