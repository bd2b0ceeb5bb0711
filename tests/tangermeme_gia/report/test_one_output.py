"""One number for each sequence, or one clear line."""

import pytest
import torch

from tangermeme_gia.report import OneOutput, OutputError


class Gives(torch.nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self._function = function

    def forward(self, X):
        return self._function(X)


X = torch.zeros(3, 4, 7)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_a_single_output_is_a_column(shape):
    y = torch.arange(3.0)
    model = OneOutput(Gives(lambda X: y.reshape(shape)))
    assert model(X).tolist() == [[0.0], [1.0], [2.0]]


def test_target_picks_the_output():
    y = torch.arange(6.0).reshape(3, 2)
    assert OneOutput(Gives(lambda X: y), target=1)(X).tolist() == [[1.0], [3.0], [5.0]]


def test_other_inputs_are_handed_on():
    class Two(torch.nn.Module):
        def forward(self, X, shift):
            return X.sum(dim=(1, 2)) + shift

    shift = torch.arange(3.0)
    assert OneOutput(Two())(X, shift)[:, 0].tolist() == shift.tolist()


@pytest.mark.parametrize(
    ("target", "what"),
    [
        (2, r"`--target` has 2 for axis 1, .* shape \(3, 2\), which has 2 outputs"),
        ((1, 0), r"`--target` has 0 for axis 2, .* which has no axis 2"),
        ("counts", "`--target` names the head 'counts', but .* has none"),
    ],
)
def test_a_target_that_is_not_there_is_refused(target, what):
    model = OneOutput(Gives(lambda X: torch.zeros(3, 2)), target=target)
    with pytest.raises(OutputError, match=what):
        model(X)


def test_a_target_may_be_of_several_axes_or_a_head():
    y = torch.arange(30.0).reshape(3, 2, 5)
    tracks = OneOutput(Gives(lambda X: y), target=(1, 4))
    assert tracks(X).tolist() == [[9.0], [19.0], [29.0]]
    head = OneOutput(Gives(lambda X: {"a": y, "b": y[:, 0, :1]}), target="b")
    assert head(X).tolist() == [[0.0], [10.0], [20.0]]


def test_the_whole_output_is_there_for_functions_that_take_a_target():
    y = torch.arange(6.0).reshape(3, 2)
    whole = OneOutput(Gives(lambda X: y), target=1).whole()
    assert torch.equal(whole(X), y)
    with pytest.raises(OutputError, match="2 outputs; choose"):
        OneOutput(Gives(lambda X: y)).whole()(X)


def test_several_outputs_need_a_target():
    with pytest.raises(OutputError, match="4 outputs; choose one of 0 to 3"):
        OneOutput(Gives(lambda X: torch.zeros(3, 4)))(X)


@pytest.mark.parametrize(
    ("y", "what"),
    [
        (torch.zeros(3, 2, 5), r"outputs of shape \(3, 2, 5\)"),
        (torch.zeros(2, 1), r"outputs of shape \(2, 1\) for 3 sequences"),
        (torch.tensor(1.0), r"outputs of shape \(\)"),
        ([torch.zeros(3), torch.zeros(3)], "a list of 2"),
        ({"y": 1}, "a dict"),
    ],
)
def test_anything_else_is_named(y, what):
    with pytest.raises(OutputError, match=what):
        OneOutput(Gives(lambda X: y))(X)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(value):
    y = torch.tensor([0.0, value, 1.0])
    with pytest.raises(OutputError, match="NaN or an infinite"):
        OneOutput(Gives(lambda X: y))(X)


def test_what_is_not_chosen_may_be_undefined():
    y = torch.tensor([[1.0, float("nan")]] * 3)
    assert OneOutput(Gives(lambda X: y), target=0)(X).sum() == 3


def test_the_target_is_part_of_what_the_model_is():
    assert repr(OneOutput(torch.nn.Identity(), 0)) != repr(
        OneOutput(torch.nn.Identity(), 1)
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda y: y + 1j, r"complex numbers \(torch.complex64\)"),
        (torch.Tensor.to_sparse, "a sparse tensor: give `to_dense"),
    ],
)
def test_what_is_no_real_number_is_named(change, what):
    model = OneOutput(Gives(lambda X: change(torch.ones(3, 1))))
    with pytest.raises(OutputError, match=f"the model gives {what}"):
        model(X)


def test_a_model_that_ends_the_program_fails_like_another():
    def leave(X):
        raise SystemExit(3)

    with pytest.raises(OutputError, match=r"fails on sequences of .* SystemExit: 3"):
        OneOutput(Gives(leave))(X)


def test_what_a_model_writes_over_is_copied():
    buffer = torch.zeros(3, 1)

    def overwrite(X):
        return buffer.copy_(X[:, 0, :1])

    model = OneOutput(Gives(overwrite))
    before = model(X)
    model(X + 1)
    assert before.tolist() == [[0.0], [0.0], [0.0]]


def test_messages_name_the_model_and_not_what_is_around_it():
    assert OneOutput(Gives(None)).__name__ == "Gives"


def test_answers_are_copies_that_lie_side_by_side():
    """Else whole profiles leave holes, and memory grows with the number of batches."""
    profile = torch.zeros(2, 3, 1000)

    class Profile(torch.nn.Module):
        def forward(self, X):
            return profile.add_(1)  # over what it gave before

    model = OneOutput(Profile(), (1, 7))
    X = torch.zeros(2, 4, 1000)
    with torch.no_grad():
        first, second = model(X), model(X)
    assert first.tolist() == [[1.0], [1.0]]
    assert second.tolist() == [[2.0], [2.0]]
    pieces = {y.untyped_storage().data_ptr() for y in (first, second)}
    assert len(pieces) == 1
    assert profile.untyped_storage().data_ptr() not in pieces
    with torch.enable_grad():
        assert model(X).untyped_storage().data_ptr() not in pieces
