"""Every method under one interface: fitted, asked, saved, read back, explained."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

import residualbind as rb
import tangermeme_gia as gia
from residualbind.methods import fitting
from residualbind.methods.deepbind import DeepBind
from residualbind.methods.recipes import Recipe
from residualbind.methods.registry import METHODS
from tangermeme_gia.models.loading import load_model

QUICK = {"trials": 0, "epochs": 1, "device": "cpu"}
SEARCHED = [name for name, method in METHODS.items() if method.recipe.full_trials]


@pytest.fixture(scope="module")
def few(with_channels):
    """A part of the probes in the channels that a method reads."""

    def cut(name):
        train, valid, test = with_channels(METHODS[name].channels[0])
        train, test = train.subset(range(120)), test.subset(range(120))
        return SimpleNamespace(train=train, valid=valid, test=test)

    return cut


@pytest.mark.parametrize("name", METHODS)
def test_a_module_maps_its_input_to_one_score_and_learns_everywhere(name, few):
    method = METHODS[name]
    data = few(name)
    torch.manual_seed(0)
    channels, length = data.train.X.shape[1:]
    model = method.build(channels, length, **method.recipe.settings)
    with torch.no_grad():  # those that begin with zeros have no gradients yet
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_()
    y = model(data.train.X.float())
    assert y.shape == (120, 1)
    y.square().sum().backward()
    for part, parameter in model.named_parameters():
        assert parameter.grad is not None, part
        assert torch.isfinite(parameter.grad).all(), part
        assert parameter.grad.abs().max() > 0, part


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_fitted_asked_saved_and_read_back(name, few, tmp_path):
    data = few(name)
    fitted = rb.fit_method(name, data, random_state=3, **QUICK)
    y = fitted.predict(data.test.X)
    assert y.shape == (120, 1)
    assert torch.isfinite(y).all()
    assert not fitted.model.training
    assert fitted.n_parameters == sum(p.numel() for p in fitted.model.parameters())
    assert fitted.epochs == 1
    assert fitted.seconds > 0
    assert fitted.experiment == "simulated"

    path = tmp_path / "model.safetensors"
    fitted.save(path)
    same = rb.load_fitted(path)
    assert torch.equal(same.predict(data.test.X), y)
    assert (same.name, same.recipe) == (name, fitted.recipe)
    for field in ("channels", "length", "epochs", "seconds", "pearson", "random_state"):
        assert getattr(same, field) == getattr(fitted, field), field
    assert torch.equal(same.profile, fitted.profile)
    assert METHODS[name].title in repr(same)


@pytest.mark.parametrize("name", METHODS)
def test_a_seed_repeats_a_fit(name, few):
    data = few(name)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again = (rb.fit_method(name, data, **QUICK) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.predict(data.test.X), again.predict(data.test.X))
    if METHODS[name].fit is None:
        other = rb.fit_method(name, data, random_state=1, **QUICK)
        assert not torch.equal(first.predict(data.test.X), other.predict(data.test.X))


def test_weights_to_start_from_follow_the_seed(few, monkeypatch):
    starts = []
    real = fitting.train

    def note(model, *given, **options):
        starts.append(next(model.parameters()).detach().clone())
        return real(model, *given, **options)

    monkeypatch.setattr(fitting, "train", note)
    for seed in (0, 0, 1):
        rb.fit_method("dlprb-cnn", few("dlprb-cnn"), random_state=seed, **QUICK)
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


@pytest.mark.parametrize("name", METHODS)
def test_an_experiment_takes_any_method(name, few):
    data = few(name)
    fitted = rb.fit_method(name, data, **QUICK)
    X = data.test.X[:6, :4].to(torch.int8)
    result = gia.global_importance(fitted.sequence_model(), X, [("UGCAUG", 17)])
    placed = X.clone()
    placed[:, :, 17:23] = rb.encode_sequences(["UGCAUG"], None)
    effect = fitted.predict(placed) - fitted.predict(X)
    torch.testing.assert_close(
        result.local_importance[:, 0], effect, atol=1e-4, rtol=1e-3
    )


def test_commands_take_the_file(few, tmp_path):
    data = few("deepbind-2")
    fitted = rb.fit_method("deepbind-2", data, **QUICK)
    fitted = replace(fitted, transform=rb.Transform.fit([1.0, 2.0]))
    fitted.save(tmp_path / "rival.safetensors")
    source = load_model(str(tmp_path / "rival.safetensors"))
    assert (source.name, source.length) == ("rival", 41)
    assert source.outputs == ("simulated, as transformed for training",)
    assert source.origin["architecture"] == "DeepBind, two layers"
    torch.testing.assert_close(source.profile.sum(dim=0).max(), torch.tensor(1.0))
    X = data.test.X.float()
    torch.testing.assert_close(source.model(X), fitted.model(X))


def test_deepbind_is_the_module_of_the_published_files(few):
    assert type(rb.fit_method("deepbind-1", few("deepbind-1"), **QUICK).model) is (
        DeepBind
    )


def test_the_same_data_serve_methods_of_fewer_channels(with_channels):
    nine, four = with_channels(9), with_channels(4)
    first, again = (rb.fit_method("deepbind-1", data, **QUICK) for data in (nine, four))
    X = four.test.X
    torch.testing.assert_close(first.predict(X), again.predict(X))


def test_structure_that_is_missing_is_folded(few, count_folds):
    from residualbind.structure import profiles

    data = few("deepbind-1")
    folded = count_folds(profiles)
    fitted = rb.fit_method("rnacontext", data, n_jobs=1, **QUICK)
    assert fitted.channels == 9
    assert len(folded) == len({*data.train.sequences, *data.valid.sequences})
    assert rb.fit_method("rnacontext", data, channels=4, **QUICK).channels == 4


def test_training_resumes(few, tmp_path):
    data = few("deepbind-2")
    options = QUICK | {"epochs": 4}
    straight = rb.fit_method("deepbind-2", data, **options)
    folder = tmp_path / "run"
    rb.fit_method("deepbind-2", data, checkpoint_folder=folder, **QUICK)
    resumed = rb.fit_method("deepbind-2", data, checkpoint_folder=folder, **options)
    X = data.test.X
    assert torch.equal(resumed.predict(X), straight.predict(X))
    assert len(pd.read_csv(folder / "history.tsv", sep="\t")) == 4


@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_tries_settings_on_folds_of_the_training_probes(
    name, few, monkeypatch, tmp_path
):
    seen = []
    real = fitting.train

    def note(model, train, valid, **options):
        seen.append((len(train[0]), len(valid[0]), options["checkpoint_folder"].name))
        return real(model, train, valid, **options)

    monkeypatch.setattr(fitting, "train", note)
    data = few(name)
    options = QUICK | {"trials": 2, "checkpoint_folder": tmp_path}
    fitted = rb.fit_method(name, data, **options)
    places = [f"trial-{t}-fold-{f}" for t in (0, 1) for f in (0, 1, 2)]
    *tried, last = [place for *_, place in seen]
    assert last == "final"
    assert tried[:3] == places[:3]
    # A trial ends with the first fold on which a model predicts a constant.
    assert tried == [place for place in places if place in tried]
    assert "trial-1-fold-0" in tried
    assert all(n + m == 120 for n, m, _ in seen[:-1])
    assert seen[-1][:2] == (120, 80)
    assert fitted.trials == 2


def test_a_search_resumes_where_it_was(few, monkeypatch, tmp_path):
    data = few("deepbind-1")
    options = QUICK | {"trials": 2}
    straight = rb.fit_method("deepbind-1", data, **options)
    rb.fit_method("deepbind-1", data, checkpoint_folder=tmp_path, **options)
    shutil.rmtree(tmp_path / "final")
    before = (tmp_path / "trial-1-fold-2" / "checkpoint.safetensors").stat().st_mtime_ns
    again = rb.fit_method("deepbind-1", data, checkpoint_folder=tmp_path, **options)
    after = (tmp_path / "trial-1-fold-2" / "checkpoint.safetensors").stat().st_mtime_ns
    assert before == after
    assert again.recipe == straight.recipe
    X = data.test.X
    assert torch.equal(again.predict(X), straight.predict(X))


def test_a_trial_is_judged_by_its_lowest_loss_on_each_fold(few, monkeypatch):
    histories, scores = [], []
    real = fitting.train

    def note(*given, **options):
        result = real(*given, **options)
        histories.append(result.history)
        return result

    def only_one(recipe, n, score, seed):
        scores.append(score(recipe, 0))
        return recipe

    monkeypatch.setattr(fitting, "train", note)
    monkeypatch.setattr(fitting, "search", only_one)
    options = QUICK | {"trials": 1, "epochs": 4}
    fitted = rb.fit_method("cdeepbind-cnn", few("cdeepbind-cnn"), **options)
    lowest = [history["valid_loss"].min() for history in histories[:3]]
    assert scores == [pytest.approx(-sum(lowest) / 3)]
    assert fitted.pearson == histories[3]["valid_pearson"].max()


def test_predictions_that_shrank_to_nothing_lose(prepared, monkeypatch):
    """A penalty leaves some correlation, but no effect: the loss is the variance, 1."""
    scores = {}

    def compare(recipe, n, score, seed):
        for strength in (1e-10, 0.03):
            scores[strength] = score(recipe.chosen({"l1": strength}), 0)
        return recipe

    monkeypatch.setattr(fitting, "search", compare)
    options = QUICK | {"trials": 1, "epochs": 15}
    rb.fit_method("deepbind-1", prepared, **options)
    assert scores[0.03] == pytest.approx(-1, abs=0.1)
    assert scores[1e-10] > -0.5


def test_a_trial_that_cannot_be_trained_loses(few, monkeypatch):
    data = few("deepbind-1")

    def diverging(trial_recipe, n, score, seed):
        bad = replace(trial_recipe, lr=1e30)
        assert torch.isnan(torch.tensor(score(bad, 0)))
        return trial_recipe

    monkeypatch.setattr(fitting, "search", diverging)
    rb.fit_method("deepbind-1", data, **QUICK | {"trials": 1})


@pytest.mark.parametrize(
    ("trials", "expected"), [(None, 10), (0, 0), (7, 7), ("full", 15)]
)
def test_trials_are_counted(trials, expected):
    assert fitting._count_trials(METHODS["deepbind-1"], trials) == expected
    assert fitting._count_trials(METHODS["dlprb-cnn"], trials) == 0


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"channels": 9}, ValueError, "`channels`=9: DeepBind, one layer takes 4 chan"),
        ({"trials": "all"}, ValueError, "`trials`='all' must be a number, 'full' or"),
        ({"trials": -1}, ValueError, "`trials`=-1 must be at least 0"),
        ({"epochs": 0}, ValueError, "`epochs`=0 must be at least 1"),
        ({"random_state": 0.5}, TypeError, "`random_state`=0.5 must be an integer"),
    ],
)
def test_options_out_of_range_are_named(few, options, error, said):
    with pytest.raises(error, match=said):
        rb.fit_method("deepbind-1", few("deepbind-1"), **options)


def test_several_experiments_and_missing_scores_are_refused(few):
    data = few("deepbind-1")
    two = replace(
        data.train, y=data.train.y.repeat(1, 2), experiments=("one", "another")
    )
    with pytest.raises(ValueError, match="`data` has scores of 2 experiments in `tra"):
        rb.fit_method("deepbind-1", SimpleNamespace(train=two, valid=data.valid))
    y = data.train.y.clone()
    y[3] = torch.nan
    holed = SimpleNamespace(train=replace(data.train, y=y), valid=data.valid)
    with pytest.raises(ValueError, match=r"1 of them not measured.*data\.select"):
        rb.fit_method("deepbind-1", holed)


def test_sequences_of_another_length_are_refused(few):
    fitted = rb.fit_method("deepbind-1", few("deepbind-1"), **QUICK)
    with pytest.raises(ValueError, match=r"`X` has shape.*fitted to probes of 41 col"):
        fitted.predict(torch.zeros(2, 4, 30))


def test_the_transform_returns_to_the_scale_of_the_data(prepared):
    fitted = rb.fit_method("matrixreduce", prepared, epochs=20)
    y = fitted.transform.invert(fitted.predict(prepared.test.X))
    assert rb.pearson(prepared.test_scores, torch.from_numpy(y))[0] > 0.8
    assert abs(y.mean() - prepared.test_scores.mean().item()) < 0.5


def test_files_of_others_and_damaged_ones_are_refused(few, tmp_path):
    other = tmp_path / "other.safetensors"
    save_file({"w": torch.zeros(2)}, other)
    with pytest.raises(ValueError, match="is no file of a method"):
        rb.load_fitted(other)
    path = tmp_path / "model.safetensors"
    rb.fit_method("deepbind-1", few("deepbind-1"), **QUICK).save(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"model\.safetensors.* is damaged"):
        rb.load_fitted(path)


def test_residualbind_is_trained_as_by_train(few):
    data = few("residualbind")
    fitted = rb.fit_method("residualbind", data, random_state=4, **QUICK)
    torch.manual_seed(4)
    model = rb.ResidualBind(rb.ResidualBindConfig.released())
    rb.train(model, data.train, data.valid, epochs=1, random_state=4, device="cpu")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, fitted.model.state_dict()[name]), name


def test_the_recipe_of_residualbind_is_the_papers():
    recipe = METHODS["residualbind"].recipe
    assert recipe.schedule() == rb.Schedule()
    assert (recipe.lr, recipe.batch_size, recipe.epochs) == (0.001, 100, 100)
    assert recipe == Recipe(lr_decay=0.3, lr_patience=7, patience=20)
