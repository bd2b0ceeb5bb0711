"""Recipes: what may be chosen, what is saved, what a loss is made of."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from residualbind import train
from residualbind.methods.recipes import Recipe, log_uniform, one_of
from residualbind.methods.registry import METHODS, get_method, method_names


@pytest.mark.parametrize("name", METHODS)
def test_what_is_tried_first_lies_within_the_space(name):
    recipe = METHODS[name].recipe
    for setting, choice in recipe.space.items():
        value = recipe.value(setting)
        if choice.kind == "one of":
            assert value in choice.values, setting
        else:
            assert choice.values[0] <= value <= choice.values[1], setting
        assert recipe.chosen({setting: value}) == recipe


@pytest.mark.parametrize("name", METHODS)
def test_a_recipe_survives_json(name):
    recipe = METHODS[name].recipe
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_choices_replace_fields_settings_and_penalties():
    recipe = Recipe(l1={"conv": 1.0, "dense": 2.0}, settings={"width": 3, "k": 1})
    chosen = recipe.chosen({"lr": 0.5, "settings.width": 4, "l1": 0.1})
    assert (chosen.lr, chosen.l1) == (0.5, {"conv": 0.1, "dense": 0.1})
    assert chosen.settings == {"width": 4, "k": 1}
    one = recipe.chosen({"l1.conv": 0.2})
    assert (one.l1, one.value("l1.conv"), one.value("l1")) == (
        {"conv": 0.2, "dense": 2.0},
        0.2,
        2.0,
    )
    assert (recipe.lr, recipe.settings["width"]) == (0.001, 3)


def test_epochs_follow_from_steps_and_stay_below_the_limit():
    recipe = Recipe(batch_size=64, epochs=500, steps=20_000)
    assert recipe.n_epochs(108_000) == 12  # 20,000 * 64 / 108,000 = 11.9
    assert recipe.n_epochs(100) == 500
    assert recipe.limited(3).n_epochs(108_000) == 3
    limited = Recipe(epochs=20, trial_epochs=10).limited(15)
    assert (limited.epochs, limited.trial_epochs) == (15, 10)
    assert recipe.limited(None) is recipe


def test_penalties_are_added_in_training_only():
    model = nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1))
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), (-2.0, 3, 5, 7), strict=True):
            parameter.fill_(value)
    recipe = Recipe(l1={"0.weight": 0.1}, l2={"1": 0.01})
    loss = recipe.loss_of(model)
    y_hat, y = torch.tensor([1.0], requires_grad=True), torch.tensor([3.0])
    assert loss(y_hat, y).item() == pytest.approx(4 + 0.1 * 4 + 0.01 * (25 + 49))
    assert loss(y_hat.detach(), y).item() == pytest.approx(4)


def test_the_validation_loss_has_no_penalty():
    torch.manual_seed(0)
    X = torch.randn(60, 4, 5)
    model = nn.Sequential(nn.Flatten(), nn.Linear(20, 1))
    loss = Recipe(l2={"1": 100.0}).loss_of(model)
    examples = (X, X[:, 0, :1])
    result = train(model, examples, examples, epochs=1, loss=loss, device="cpu")
    with torch.no_grad():
        plain = nn.functional.mse_loss(model(X), examples[1])
    row = result.history.iloc[0]
    assert row["valid_loss"] == pytest.approx(plain.item())
    assert row["train_loss"] > 10 * plain


def test_the_loss_is_the_one_named():
    far, near = torch.tensor([3.0, 0.5]), torch.zeros(2)
    assert Recipe().loss_of(nn.ReLU())(far, near).item() == (9 + 0.25) / 2
    huber = Recipe(loss="huber").loss_of(nn.ReLU())
    assert huber(far, near).item() == pytest.approx((2.5 + 0.125) / 2)


def test_only_descent_has_a_momentum():
    assert Recipe().schedule().momentum is None
    assert Recipe(optimizer="sgd", momentum=0.8).schedule().momentum == 0.8


def test_the_authors_spaces_have_the_size_they_state():
    sizes = [len(c.values) for c in METHODS["thermonet"].recipe.space.values()]
    assert torch.tensor(sizes).prod() == METHODS["thermonet"].recipe.full_trials == 648
    assert METHODS["deepbind-1"].recipe.full_trials == 15


def test_a_choice_is_what_it_is_drawn_from():
    assert log_uniform(1e-3, 1).values == (1e-3, 1)
    assert one_of(2, 3).kind == "one of"


def test_names_are_known_and_near_ones_are_suggested():
    assert method_names()[0] == "residualbind"
    assert len(method_names()) == 12
    with pytest.raises(ValueError, match="is no method; known are 'thermonet'"):
        get_method("thermnet")


def test_the_page_states_parameters_and_trials():
    page = Path(__file__).parents[3] / "docs" / "residualbind" / "methods.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| `")]
    assert [row[0].strip("| `") for row in rows] == list(METHODS)
    for row, method in zip(rows, METHODS.values(), strict=True):
        model = method.build(method.channels[0], 41, **method.recipe.settings)
        n = sum(parameter.numel() for parameter in model.parameters())
        assert row[3] == f"{n:,}", method.name
        trials = [method.recipe.trials, method.recipe.full_trials]
        stated = [int(number) for number in row[5].strip("| ").split(", ") if number]
        assert stated == [number for number in trials if number], method.name
