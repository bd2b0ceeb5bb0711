"""A model that does not take (n, letters, length) is told how it may."""

import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia._core.layouts import advise_layout
from tangermeme_gia.report import OneOutput, OutputError

X = random_one_hot((6, 4, 20), random_state=0)
DENSE = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Flatten())


class Checks(torch.nn.Module):
    """Asks for a shape, and answers one number for each sequence."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, X):
        if X.shape[1:] != self.shape:
            raise ValueError(f"expected {self.shape}")
        return X.float().flatten(1)[:, :1]


def notes_of(model, **options):
    with pytest.raises(Exception) as caught:
        gia.global_importance(model, X, [("ACG", 3)], **options)
    return " ".join(getattr(caught.value, "__notes__", ["no notes in Python 3.10"]))


@pytest.mark.parametrize(
    ("model", "layout"),
    [
        (DENSE, "channels_last"),
        (Checks(20, 4), "channels_last"),
        (Checks(4, 1, 20), "conv2d"),
        (Checks(4, 20, 1), "n c l 1"),
        (Checks(1, 4, 20), "n 1 c l"),
        (torch.nn.Sequential(torch.nn.Embedding(4, 1), Checks(20, 1)), "tokens"),
    ],
)
def test_the_layout_that_a_model_answers_for_is_named(model, layout):
    advice = advise_layout(model, X, None, RuntimeError("shapes"))
    assert f'`adapt(model, layout="{layout}"' in advice
    assert f"`--layout {layout}`" in advice
    # What is advised is what works.
    assert gia.adapt(model, layout)(X.float()).shape[0] == 6
    notes = notes_of(model)
    assert advice in notes or "no notes" in notes


def test_the_first_prediction_says_it_whatever_asks():
    notes = notes_of(DENSE, func=lambda model, X, args=None: model(X.float()))
    assert "channels_last" in notes or "no notes" in notes
    with pytest.raises(OutputError, match=r"RuntimeError: mat1.*\. The model answers"):
        OneOutput(DENSE)(X.float())
    with pytest.raises(OutputError) as caught:
        gia.global_importance(OneOutput(DENSE), X, [("ACG", 3)])
    said = [str(caught.value), *getattr(caught.value, "__notes__", [])]
    assert sum("channels_last" in text for text in said) == 1


def test_without_a_layout_that_works_it_is_a_guess():
    advice = advise_layout(Checks(4, 9), X, None, ValueError("expected"))
    assert advice.startswith("If the model reads (n, length, 4), `adapt(")


def test_a_model_that_is_adapted_already_has_no_such_advice():
    adapted = gia.adapt(Checks(9, 4), "channels_last")
    assert advise_layout(adapted, X, None, ValueError("expected")) == ""


def test_other_failures_have_no_such_advice():
    answers = torch.nn.Flatten()
    for model, error in [
        (answers, RuntimeError("elsewhere")),
        (answers, KeyError("weights")),
        (DENSE, KeyError("weights")),
        (DENSE, ValueError('use `adapt(model, layout="tokens")`')),
    ]:
        assert advise_layout(model, X, None, error) == ""


def test_side_inputs_that_are_missing_are_told_of():
    class Two(torch.nn.Module):
        def forward(self, X, control):
            return X[:, 0] + control

    assert "come by `args`" in notes_of(Two()) or "no notes" in notes_of(Two())
    with pytest.raises(OutputError, match=r"Inputs beside .* \(`--args`\)"):
        OneOutput(Two())(X.float())


def test_side_inputs_are_part_of_what_is_tried():
    class Scaled(torch.nn.Module):
        def forward(self, X, depth):
            assert X.shape[-1] == 4
            return X[:, 0] * depth

    advice = advise_layout(Scaled(), X, [torch.ones(6, 1)], AssertionError())
    assert "channels_last" in advice
