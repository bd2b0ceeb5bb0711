import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.backgrounds.by_name import sample_background, sample_backgrounds
from tangermeme_gia.experiments.importance import global_importance
from tangermeme_gia.experiments.positions import random_position
from tangermeme_gia.experiments.robustness import (
    across_backgrounds,
    across_models,
)
from tangermeme_gia.kmers.scan import kmer_scan

PATTERNS = [[("GATA", start)] for start in (0, 5, 10)]


def linear(seed: int) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(seed)
    layer = torch.nn.Linear(80, 2)
    layer.weight.data = torch.randn(2, 80, generator=generator)
    return torch.nn.Sequential(torch.nn.Flatten(), layer)


@pytest.fixture
def backgrounds() -> dict[str, torch.Tensor]:
    X = random_one_hot((60, 4, 20), random_state=1)
    return sample_backgrounds(X, n=8, random_state=0)


def test_each_background_gets_the_plain_experiment(backgrounds):
    model = linear(0)
    comparison = across_backgrounds(
        global_importance, model, backgrounds, PATTERNS, n_controls=1, random_state=3
    )
    assert list(comparison.results) == ["profile", "shuffle", "dinucleotide"]
    for name, X in backgrounds.items():
        alone = global_importance(model, X, PATTERNS, n_controls=1, random_state=3)
        assert torch.equal(comparison.results[name].y_afters, alone.y_afters)
        rows = comparison.to_frame().query("background == @name")
        pd.testing.assert_frame_equal(
            rows.drop(columns="background").reset_index(drop=True), alone.to_frame()
        )


def test_each_model_gets_the_plain_experiment(backgrounds):
    models = [linear(0), linear(1)]
    X = backgrounds["profile"]
    comparison = across_models(global_importance, models, X, PATTERNS, batch_size=4)
    assert list(comparison.results) == ["model 1", "model 2"]
    for model, result in zip(models, comparison.results.values(), strict=True):
        alone = global_importance(model, X, PATTERNS)
        torch.testing.assert_close(result.y_afters, alone.y_afters)
    assert comparison.to_frame()["model"].tolist() == 6 * ["model 1"] + 6 * ["model 2"]
    named = across_models(
        global_importance, dict(zip("ab", models, strict=True)), X, PATTERNS
    )
    assert list(named.results) == ["a", "b"]


def test_the_run_that_fails_is_named(backgrounds):
    backgrounds["short"] = backgrounds["profile"][:, :, :12]
    with pytest.raises(ValueError, match=r"background 'short': .*`X`"):
        across_backgrounds(global_importance, linear(0), backgrounds, PATTERNS)
    with pytest.raises(TypeError, match="model 'model 1': "):
        across_models(global_importance, [linear(0)], backgrounds["shuffle"], 3)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (torch.zeros(3, 4, 20), TypeError, "`backgrounds` is a Tensor; it must be seq"),
        ({}, ValueError, "`backgrounds` is empty; it must hold sequences by name"),
    ],
)
def test_backgrounds_come_by_name(given, error, message):
    with pytest.raises(error, match=message):
        across_backgrounds(global_importance, linear(0), given, PATTERNS)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        # A Sequential is itself an iterable of modules.
        (linear(0), TypeError, "`models` is a Sequential; it must be models by name"),
        ([], ValueError, "`models` is empty; it must hold models by name"),
    ],
)
def test_models_come_by_name_or_in_a_list(given, error, message, backgrounds):
    with pytest.raises(error, match=message):
        across_models(global_importance, given, backgrounds["shuffle"], PATTERNS)


def test_conditions_that_differ_are_refused(backgrounds):
    def experiment(model, X):
        label = "long" if len(X) > 4 else "short"
        y = torch.zeros(len(X), 1)
        return GIAResult(y, y[:, None], pd.DataFrame({"condition": [label]}))

    given = {"a": backgrounds["profile"], "b": backgrounds["shuffle"][:3]}
    with pytest.raises(ValueError, match="conditions under background 'b' differ fr"):
        across_backgrounds(experiment, linear(0), given)


class Counted(torch.nn.Module):
    """Counts the sequences that it is asked."""

    def __init__(self, n_outputs):
        super().__init__()
        self.n_outputs, self.asked = n_outputs, 0

    def forward(self, X):
        self.asked += len(X)
        return X.sum(dim=(1, 2))[:, None].repeat(1, self.n_outputs)


@pytest.mark.parametrize("experiment", [global_importance, kmer_scan])
def test_outputs_of_another_shape_are_found_before_anything_is_run(
    experiment, backgrounds
):
    models = {"one": Counted(1), "same": Counted(1), "three": Counted(3)}
    X = next(iter(backgrounds.values()))
    asked = PATTERNS if experiment is global_importance else 1
    text = r"model 'three' gives outputs of shape \(3,\) for .* model 'one' \(1,\)"
    with pytest.raises(ValueError, match=text):
        across_models(experiment, models, X, asked)
    assert [model.asked for model in models.values()] == [2, 2, 2]
    result = across_models(global_importance, models, X, PATTERNS, target=0)
    assert list(result.results) == list(models)


def test_an_experiment_that_asks_no_model_is_run(backgrounds):
    X = next(iter(backgrounds.values()))
    result = global_importance(linear(0), X, PATTERNS)
    found = across_models(lambda *_: result, [linear(0), linear(1)], X)
    assert found.results["model 2"] is result


def test_nothing_given_is_changed(backgrounds):
    model = linear(0).train()
    copies = {name: X.clone() for name, X in backgrounds.items()}
    across_backgrounds(global_importance, model, backgrounds, PATTERNS)
    assert list(copies) == list(backgrounds)
    assert all(torch.equal(copies[name], X) for name, X in backgrounds.items())
    assert model.training


def test_named_backgrounds_are_those_of_sample_background():
    X = random_one_hot((40, 4, 15), random_state=2)
    scores = torch.arange(40.0)
    drawn = sample_backgrounds(X, n=9, scores=scores, random_state=5)
    assert len(drawn) == 7
    for name, background in drawn.items():
        alone = sample_background(X, name, 9, scores, random_state=5)
        assert torch.equal(background, alone)
    assert list(sample_backgrounds(X, ["shuffle"], n=2)) == ["shuffle"]
    for names in ("shuffle", ["shuffle", "shuffle"], []):
        with pytest.raises(ValueError, match=r"`names`=.* list of distinct names"):
            sample_backgrounds(X, names)


def test_starts_that_are_drawn_for_each_background_may_differ():
    X = random_one_hot((12, 4, 20), random_state=0)
    padded = X.clone()
    padded[:, :, :5] = 0
    comparison = across_backgrounds(
        random_position,
        linear(0),
        {"full": X, "padded": padded},
        "GATA",
        random_state=0,
    )
    frame = comparison.to_frame()
    assert frame["background"].tolist() == ["full", "full", "padded", "padded"]
    assert frame["starts"][0] != frame["starts"][2]


def test_each_background_has_its_clusters():
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(60, 1))
    X = random_one_hot((5, 4, 15), random_state=0)
    drawn, templates = sample_backgrounds(
        X, n=20, random_state=0, return_templates=True
    )
    call = (global_importance, model, drawn, [("GATA", 3)])
    comparison = across_backgrounds(*call, clusters=templates)
    assert comparison.results["profile"].clusters is None
    for name in ("shuffle", "dinucleotide"):
        alone = global_importance(
            model, drawn[name], [("GATA", 3)], clusters=templates[name]
        )
        assert comparison.results[name].clusters.tolist() == alone.clusters.tolist()
        se = comparison.results[name].to_frame()["se"].item()
        assert se == pytest.approx(alone.to_frame()["se"].item())
    n_clusters = comparison.to_frame()["n_clusters"].tolist()
    assert n_clusters == [20, *(len(set(templates[n])) for n in list(drawn)[1:])]
    with pytest.raises(
        ValueError, match=r"`clusters` is of .*'profil', 'profile'.* and"
    ):
        across_backgrounds(*call, clusters={**templates, "profil": None})
    with pytest.raises(
        TypeError, match="`clusters` is a ndarray; it must be labels by"
    ):
        across_backgrounds(*call, clusters=templates["shuffle"])
    with pytest.raises(ValueError, match="background 'shuffle': `clusters` has shape"):
        across_backgrounds(*call, clusters={**templates, "shuffle": [0, 1]})
    many = across_models(
        global_importance,
        [model, model],
        drawn["shuffle"],
        [("GATA", 3)],
        clusters=templates["shuffle"],
    )
    assert many.summary()["n_clusters"].item() == n_clusters[1]
