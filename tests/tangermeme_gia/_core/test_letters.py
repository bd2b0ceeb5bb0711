import numpy as np
import pytest
import torch
from tangermeme.utils import PackedSequence, one_hot_encode, random_one_hot

from tangermeme_gia._core.letters import (
    DNA,
    GAP,
    RNA,
    as_float64,
    as_generator,
    as_seed,
    check_alphabet,
    check_count,
    check_sequences,
    codes_from_one_hot,
    one_hot,
    resolve_alphabet,
)

# Row 0 reads CA, row 1 a padding and G; row 1 holds no letter at position 0.
WORDS = torch.tensor(
    [[[0, 1], [1, 0], [0, 0], [0, 0]], [[0, 0], [0, 0], [0, 1], [0, 0]]]
)
CODES = [[1, 0], [GAP, 2]]
EVERY_DTYPE = [torch.bool, torch.uint8, torch.int8, torch.int64]
EVERY_DTYPE += [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", EVERY_DTYPE)
def test_codes_are_channels_and_minus_one_where_there_is_no_letter(dtype):
    codes = codes_from_one_hot(WORDS.to(dtype))
    assert codes.dtype == np.int8
    assert codes.tolist() == CODES
    assert one_hot(codes, 4).tolist() == WORDS.tolist()
    assert one_hot(codes, 4).dtype == torch.int8


def test_packed_sequences_have_the_same_codes():
    packed = PackedSequence.from_one_hot(WORDS.to(torch.int8))
    assert codes_from_one_hot(packed).tolist() == CODES


@pytest.mark.parametrize("packed", [False, True])
def test_rows_are_taken_in_the_order_asked_for(packed):
    X = WORDS.to(torch.int8)
    X = PackedSequence.from_one_hot(X) if packed else X
    codes = codes_from_one_hot(X, np.array([1, 0, 1]))
    assert codes.tolist() == [CODES[1], CODES[0], CODES[1]]


def test_strided_and_differentiable_sequences_have_codes():
    strided = WORDS.float().transpose(1, 2).contiguous().transpose(1, 2)
    assert codes_from_one_hot(strided.requires_grad_()).tolist() == CODES


def test_the_most_letters_have_codes_of_one_byte():
    codes = np.array([[0, 126, GAP]], dtype=np.int8)
    X = one_hot(codes, 127)
    assert X.sum().item() == 2
    assert codes_from_one_hot(X).tolist() == codes.tolist()
    with pytest.raises(ValueError, match=r"`X` has shape \(1, 128, 3\)"):
        check_sequences(torch.zeros(1, 128, 3))


def test_codes_of_any_shape_are_encoded():
    assert one_hot(np.array([2, GAP, 0]), 3).tolist() == [
        [0, 0, 1],
        [0, 0, 0],
        [1, 0, 0],
    ]
    backwards = np.array([[[0, 1]]], dtype=np.int8)[..., ::-1]
    assert one_hot(backwards, 2).tolist() == [[[[0, 1], [1, 0]]]]
    assert torch.equal(
        one_hot(np.array([2, 0, 3, GAP]), 4), one_hot_encode("GATN").to(torch.int8)
    )


def spoiled(column: list[float], row: int = 1, position: int = 2) -> torch.Tensor:
    X = random_one_hot((3, 4, 5), random_state=0).float()
    X[row, :, position] = torch.tensor(column)
    return X


@pytest.mark.parametrize(
    ("column", "came"),
    [
        ([1, 0, 1, 0], r"\[1.0, 0.0, 1.0, 0.0\]"),
        ([0.25, 0.25, 0.25, 0.25], r"\[0.25, 0.25, 0.25, 0.25\]"),
        ([-1, 1, 1, 0], r"\[-1.0, 1.0, 1.0, 0.0\]"),
        ([2, -1, 0, 0], r"\[2.0, -1.0, 0.0, 0.0\]"),
        ([torch.nan, 1, 0, 0], r"\[nan, 1.0, 0.0, 0.0\]"),
        ([torch.inf, 0, 0, 0], r"\[inf, 0.0, 0.0, 0.0\]"),
        ([3, 0, 0, 0], r"\[3.0, 0.0, 0.0, 0.0\]"),
    ],
)
def test_the_first_column_that_is_not_one_hot_is_named(column, came):
    X = spoiled(column)
    X[2] = 5
    message = f"^`X` is not one-hot: sequence 1 holds {came} at position 2; allowed is "
    for check in (check_sequences, codes_from_one_hot):
        with pytest.raises(ValueError, match=message):
            check(X)
    with pytest.raises(ValueError, match=r"^`probes` is not one-hot: sequence 1"):
        check_sequences(X, DNA, "probes")
    with pytest.raises(ValueError, match=r"^`X` is not one-hot: sequence 1"):
        codes_from_one_hot(X, np.array([0]))


@pytest.mark.parametrize(
    ("X", "alphabet", "message"),
    [
        (
            torch.zeros(3, 5, 9),
            DNA,
            r"\(3, 5, 9\); it must be \(n, 4, length\) .* A, C",
        ),
        (torch.zeros(4, 9), DNA, r"\(4, 9\); it must be \(n, 4, length\)"),
        (torch.zeros(4, 9), None, r"\(4, 9\); it must be \(n, alphabet, length\)"),
        (torch.zeros(0, 4, 9), None, r"\(0, 4, 9\); .* at least one sequence"),
        (torch.zeros(3, 0, 9), None, r"\(3, 0, 9\)"),
        (torch.zeros(3, 4, 0), None, r"\(3, 4, 0\); .* and position"),
    ],
)
def test_what_has_no_fitting_shape_is_refused(X, alphabet, message):
    with pytest.raises(ValueError, match=f"^`X` has shape {message}"):
        check_sequences(X, alphabet)


def test_no_sequence_may_be_allowed():
    for shape in ((0, 4, 9), (3, 4, 0)):
        check_sequences(torch.zeros(shape), DNA, may_be_empty=True)
        assert codes_from_one_hot(torch.zeros(shape)).shape == shape[::2]


def test_sequences_of_another_type_are_refused():
    with pytest.raises(TypeError, match="`X` is of type ndarray; it must be a torch"):
        check_sequences(np.zeros((3, 4, 9)))


def test_a_packed_alphabet_must_agree_but_for_t_and_u():
    X = random_one_hot((3, 4, 9), random_state=0)
    check_sequences(PackedSequence.from_one_hot(X), RNA)
    check_sequences(PackedSequence.from_one_hot(X, alphabet="TGCA"))
    with pytest.raises(ValueError, match="packed with the alphabet T, G, C, A"):
        check_sequences(PackedSequence.from_one_hot(X, alphabet="TGCA"), DNA)


@pytest.mark.parametrize(
    "alphabet", ["", "AA", ["AC", "G"], [chr(i) for i in range(200)]]
)
def test_an_alphabet_holds_distinct_single_letters(alphabet):
    with pytest.raises(ValueError, match=r"`alphabet`=.* must hold"):
        check_alphabet(alphabet)


def test_seeds_come_from_integers_and_generators():
    assert as_seed(np.int64(5)) == 5
    rng = np.random.default_rng(0)
    first, second = as_seed(rng), as_seed(rng)
    assert first == as_seed(np.random.default_rng(0)) != second
    assert as_seed(None) != as_seed(None)


def test_streams_of_a_seed_are_independent_and_those_of_numpy():
    whole = as_generator(3).random(4)
    assert whole.tolist() == np.random.default_rng(3).random(4).tolist()
    assert (
        as_generator(np.random.default_rng(0)).random()
        == as_generator(as_seed(np.random.default_rng(0))).random()
    )
    spawned = np.random.default_rng(3).spawn(2)
    for i in range(2):
        assert as_generator(3, i).random() == spawned[i].random()
    assert as_generator(None).random() != as_generator(None).random()


def stating(alphabet):
    model = torch.nn.Identity()
    model.alphabet = alphabet
    return model


def test_the_alphabet_is_the_one_given_or_the_model_s_or_dna():
    assert resolve_alphabet(torch.nn.Identity(), None) == DNA
    assert resolve_alphabet(stating(None), None) == DNA
    assert resolve_alphabet(stating("ACGU"), None) == RNA
    assert resolve_alphabet(lambda X: X, "TGCA") == ("T", "G", "C", "A")
    assert resolve_alphabet(stating(RNA), DNA) == DNA  # the channels are the same


def test_an_alphabet_that_is_not_the_model_s_is_refused():
    with pytest.raises(ValueError, match="is T, G, C, A, but `model` reads A, C, G, U"):
        resolve_alphabet(stating(RNA), "TGCA")
    for wrong in (4, ["AC", "GU"], "AACG", ""):
        with pytest.raises(ValueError, match=r"`model.alphabet`=.* must be None or"):
            resolve_alphabet(stating(wrong), None)
        assert resolve_alphabet(stating(wrong), RNA) == RNA


@pytest.mark.parametrize("seed", [1.0, True, "1", np.random.RandomState(0)])
def test_a_seed_of_the_wrong_type_is_refused(seed):
    with pytest.raises(TypeError, match=r"`random_state`=.* must be an integer, a num"):
        as_generator(seed)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="`random_state`=-1 must not be negative"):
        as_seed(-1)


def test_numbers_of_any_kind_become_float64():
    for values in ([1, 2], np.array([1, 2], np.int8), torch.tensor([1.0, 2.0]).half()):
        found = as_float64(values, "scores")
        assert found.dtype == np.float64
        assert found.tolist() == [1, 2]
    assert as_float64(torch.tensor([2.0], requires_grad=True), "y").tolist() == [2]


def test_what_is_no_array_of_numbers_is_named():
    with pytest.raises(TypeError, match="`y` is a list of tensors; it must be one"):
        as_float64([torch.zeros(2), torch.zeros(2)], "y")
    with pytest.raises(TypeError, match="`y` must be numbers in one array, not list"):
        as_float64(["a"], "y")


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (1.0, TypeError, "`n`=1.0 must be an integer"),
        (True, TypeError, "`n`=True must be an integer"),
        (1, ValueError, "`n`=1 must be at least 2"),
    ],
)
def test_a_wrong_count_is_named(value, error, message):
    check_count("n", np.int64(2), 2)
    with pytest.raises(error, match=message):
        check_count("n", value, 2)
