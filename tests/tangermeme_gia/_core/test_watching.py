"""Models that keep state, asked by a function of the user's."""

import random
import warnings

import numpy as np
import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.predict import predict
from tangermeme.saturation_mutagenesis import saturation_mutagenesis

from tangermeme_gia import global_importance


def direct(model, X, args=None):
    return model(X.float())


def through_predict(model, X, args=None):
    return predict(model, X, batch_size=3)


def summed(model, X, args=None):
    return sum(model(X.float()) for _ in range(3))


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(96, 1)

    def forward(self, X):
        return self.layer(X.flatten(1))


class Counts(Linear):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, X):
        self.calls += 1
        return super().forward(X) + self.calls


class Remembers(Linear):
    """A recurrent model that does not forget the last sequences."""

    def __init__(self):
        super().__init__()
        self.register_buffer("state", torch.zeros(1))

    def forward(self, X):
        y = super().forward(X)
        self.state = 0.5 * self.state + y.detach().mean()
        return y + self.state


class Draws(Linear):
    def forward(self, X):
        noise = torch.rand(1) + random.random() + float(np.random.rand())  # noqa: NPY002
        return super().forward(X) + noise


def run(model, X, func, **options):
    return global_importance(model, X.float(), [("GG", 3)], func=func, **options)


@pytest.mark.parametrize("func", [direct, through_predict, summed])
@pytest.mark.parametrize("kind", [Counts, Remembers])
def test_a_model_that_keeps_state_is_named_whatever_asks_it(X, kind, func):
    text = rf"`model` \({kind.__name__}\) gives another output .* keeps state"
    with pytest.warns(RuntimeWarning, match=text) as said:
        run(kind(), X, func)
    assert len(said) == 1
    with pytest.warns(RuntimeWarning, match=text):
        run(kind(), X, func, target=0)


@pytest.mark.parametrize(
    ("kind", "func"),
    [
        *((Linear, func) for func in (direct, through_predict, summed)),
        *((Draws, func) for func in (direct, through_predict, summed)),
        (Linear, deep_lift_shap),
        (Linear, saturation_mutagenesis),
    ],
)
def test_other_models_are_not(X, kind, func):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        run(kind(), X[:4], func)
    assert [each for each in said if "keeps state" in str(each.message)] == []


def test_nothing_is_changed_by_asking_again(X):
    """Neither the draws that follow nor the modes of the model."""
    model = Draws().train()

    def in_train_mode(model, X, args=None):
        return model.train()(X.float())

    states = []
    for again in (True, False):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        if again:
            run(model, X[:2], in_train_mode)
        else:  # as often as the function asks
            for rows in (2, 2, 2):
                in_train_mode(model, X[:rows])
        states.append((torch.rand(1), np.random.rand(), random.random()))  # noqa: NPY002
    assert states[0] == states[1]
    assert all(module.training for module in model.modules())


def test_what_fails_outside_of_a_func_is_passed_over(X):
    class Needs(Linear):
        ready = False

        def forward(self, X):
            if not self.ready:
                raise RuntimeError("not ready")
            return super().forward(X)

    def prepared(model, X, args=None):
        model.ready = True
        try:
            return model(X.float())
        finally:
            model.ready = False

    assert run(Needs(), X, prepared).y_afters.shape == (10, 1, 1)
