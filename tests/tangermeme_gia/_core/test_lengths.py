"""Models whose outputs belong to places, when motifs are inserted."""

import pytest
import torch

from tangermeme_gia import global_importance, positional_bias

pytestmark = pytest.mark.filterwarnings("ignore:`insert`=True moves")


def bins(X):
    """The Gs of each bin of 5 bases; of 24 bases and of 28 that is 4 and 5 bins."""
    return 5 * torch.nn.functional.avg_pool1d(X[:, 2].float(), 5)


def coarse_bins(X):
    """Of 24 bases and of 26 that is 2 bins: nothing but the length tells them apart."""
    return 10 * torch.nn.functional.avg_pool1d(X[:, 2].float(), 10)


def tracks(X):
    return torch.stack([coarse_bins(X), coarse_bins(X)], dim=1)


def heads(X):
    return {"profile": coarse_bins(X), "total": X[:, 2].float().sum(dim=1)}


def whole(X):
    """Two numbers for the whole sequence."""
    return X[:, 2:].float().sum(dim=2)


def insert(model, X, **options):
    return global_importance(model, X, [("GG", 3)], insert=True, **options)


def direct(model, X, args=None):
    return model(X)


@pytest.mark.parametrize(
    ("model", "options", "shapes"),
    [
        (coarse_bins, {}, r"\(2,\), and \(4,\)"),
        (coarse_bins, {"target": 1}, r"\(2,\), and \(4,\)"),
        (coarse_bins, {"func": direct}, r"\(2,\), and \(4,\)"),
        (tracks, {}, r"\(2, 2\), and \(2, 4\)"),
        (tracks, {"target": 0}, r"\(2, 2\), and \(2, 4\)"),
        (tracks, {"target": (0, 1)}, r"\(2, 2\), and \(2, 4\)"),
        (heads, {"target": "profile"}, r"\(2,\), and \(4,\)"),
        (heads, {"target": ("profile", 0)}, r"\(2,\), and \(4,\)"),
        (
            lambda X: (whole(X), coarse_bins(X)),
            {},
            r"\(2,\) and \(2,\), and \(2,\) and",
        ),
    ],
)
def test_outputs_for_bins_are_refused(X, model, options, shapes):
    with pytest.raises(ValueError, match=f"outputs of shape {shapes}"):
        insert(model, X, **options)
    with pytest.raises(ValueError, match="belong to places"):
        positional_bias(model, X, "GG", [0, 7], insert=True, **options)
    assert global_importance(model, X, [("GG", 3)], **options)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (coarse_bins, {"target": lambda y: torch.ones(len(y), 1) * 2}),
        (whole, {"target": 0}),
        (lambda X: whole(X)[:, 0], {}),
        (heads, {"target": "total"}),
        (whole, {"func": lambda model, X, args=None: model(X)[:, :1]}),
    ],
)
def test_outputs_for_the_whole_sequence_are_compared(X, model, options):
    effects = insert(model, X, **options).global_importance
    assert effects.flatten().tolist() == [0.0 if model is coarse_bins else 2.0]


def test_sums_over_bins_are_compared(X):
    found = insert(bins, X[:, :, :20], target=lambda y: y.sum(dim=-1))
    # The last 2 of 22 bases are in no bin.
    cut = X[:, 2, 18:20].sum(dim=1)
    assert found.local_importance[:, 0].tolist() == (2 - cut).tolist()


class OneLength(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(96, 3)

    def forward(self, X):
        return self.layer(X.flatten(1))


@pytest.mark.parametrize("options", [{}, {"target": 0}, {"func": direct}])
def test_a_model_of_one_length_is_told_apart_from_one_that_fails(X, options):
    text = "fails on sequences of length 26, with what is inserted, but not on those of"
    with pytest.raises(ValueError, match=text):
        insert(OneLength(), X.float(), **options)


def test_a_model_that_takes_no_twice_as_long_sequences_is_not_refused(X):
    def up_to_30(X):
        assert X.shape[-1] <= 30
        return whole(X)

    assert insert(up_to_30, X).global_importance.flatten().tolist()[0] == 2
