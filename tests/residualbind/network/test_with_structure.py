import copy
from dataclasses import replace
from io import StringIO

import pandas as pd
import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.predict import predict
from tangermeme.saturation_mutagenesis import saturation_mutagenesis

import residualbind as rb
from residualbind.cli.main import main
from residualbind.network import with_structure
from residualbind.network.with_structure import required_settings
from tangermeme_gia import multi_site

SMALL = {"filters": 8, "hidden": 8}
KINDS = {"PU": 6, "PHIME": 9}


class Channels(torch.nn.Module):
    """A model that can be computed by hand: a weight for each input channel."""

    def __init__(self, weights):
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights))

    def forward(self, X, *args):
        y = (X * self.weights[:, None]).sum(dim=(1, 2))[:, None]
        return y + sum(args) if args else y


# G and C score 1 and 2, a base that is certainly paired 10.
READER = Channels([0.0, 1.0, 2.0, 0.0, 10.0, 0.0])


@pytest.fixture
def model():
    torch.manual_seed(0)
    return rb.WithStructure(
        rb.ResidualBind(rb.ResidualBindConfig(channels=6, **SMALL)).eval()
    )


@pytest.fixture
def X():
    return rb.simulate_rnacompete(n=12).X


@pytest.fixture
def folded(count_folds):
    """Sequences that a wrapped model really folds, in a list that grows."""
    return count_folds(with_structure)


@pytest.mark.parametrize(("kind", "channels"), KINDS.items())
def test_a_wrapped_model_sees_sequence_and_profiles(kind, channels, X):
    torch.manual_seed(0)
    inner = rb.ResidualBind(rb.ResidualBindConfig(channels=channels, **SMALL)).eval()
    model = rb.WithStructure(inner)
    assert model.kind == kind
    expected = inner(torch.cat([X.float(), rb.structure_profiles(X, kind)], dim=1))
    torch.testing.assert_close(model(X), expected)
    data = rb.add_structure(rb.simulate_rnacompete(n=12).data, kind)
    torch.testing.assert_close(inner(data.X), expected)


@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.bool, torch.float32, torch.float64]
)
def test_any_number_type_is_a_sequence(dtype, X):
    expected = rb.WithStructure(READER, "PU")(X)
    y = rb.WithStructure(READER, "PU")(X.to(dtype))
    torch.testing.assert_close(y.float(), expected)
    assert y.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)


def test_predictions_do_not_depend_on_batches_or_on_what_was_seen(model, X):
    expected = predict(model, X, batch_size=12, device="cpu")
    for batch_size in (1, 5, 32):
        found = predict(model, X, batch_size=batch_size, device="cpu")
        torch.testing.assert_close(found, expected)
    backwards = predict(copy.deepcopy(model), X.flip(0), device="cpu").flip(0)
    torch.testing.assert_close(backwards, expected)


def test_a_mutation_changes_the_structure_too(X):
    model = rb.WithStructure(READER, "PU")
    hairpin, open_ = model(rb.encode_sequences(["GGGGGAAAACCCCC", "GGAGGAAAACCCCC"]))
    assert hairpin.item() == pytest.approx(10 * 9.5 + 15, abs=1)
    # The mutation takes a G, which scores 2, and the pairs around it.
    assert hairpin.item() - open_.item() > 2 + 10


def test_in_silico_mutagenesis_sees_the_structure_change():
    X = rb.encode_sequences(["GGGGGAAAACCCCC"], length=None).float()
    model = rb.WithStructure(READER, "PU")
    changes = saturation_mutagenesis(model, X, device="cpu", raw_outputs=True)[1]
    # tangermeme asks for every letter at every position; compare with one by hand.
    mutant = rb.encode_sequences(["GGAGGAAAACCCCC"], length=None).float()
    assert changes.flatten().min() <= model(mutant).min() < model(X).min() - 12


def test_gradients_are_those_of_the_sequence_channels_alone(model, X):
    X = X.float().requires_grad_()
    model(X).sum().backward()
    fixed = torch.cat([X.detach(), rb.structure_profiles(X, "PU")], dim=1)
    fixed.requires_grad_()
    model.model(fixed).sum().backward()
    assert X.grad.shape == X.shape
    assert X.grad.abs().max() > 0
    torch.testing.assert_close(X.grad, fixed.grad[:, :4])
    assert fixed.grad[:, 4:].abs().max() > 0  # what is missing


def test_deep_lift_shap_runs_and_says_that_structure_is_missing():
    X = rb.simulate_rnacompete(n=2, lengths=41).X.float()
    model = rb.WithStructure(READER, "PU")
    options = {"n_shuffles": 2, "device": "cpu", "random_state": 0}
    with pytest.warns(Warning, match="Convergence deltas"):
        attributions = deep_lift_shap(model, X, **options)
    assert attributions.shape == (2, 4, 41)


def test_sequences_are_folded_once_while_they_are_remembered(X, folded):
    model = rb.WithStructure(READER, "PU", cache_size=12)
    expected = model(X)
    assert len(folded) == 12
    torch.testing.assert_close(model(X[:9]), expected[:9], rtol=1e-5, atol=1e-5)
    assert len(folded) == 12
    others = rb.simulate_rnacompete(n=10, random_state=1).X
    model(others)
    assert len(folded) == 22
    model(X[7:9])  # used last before the others
    assert len(folded) == 22
    model(X[:1])
    assert len(folded) == 23


def test_nothing_is_remembered_when_not_wanted(X, folded):
    model = rb.WithStructure(READER, "PU", cache_size=0)
    twice = model(torch.cat([X, X]))
    torch.testing.assert_close(twice, model(X).repeat(2, 1), rtol=1e-5, atol=1e-5)
    assert len(folded) == 24


def test_further_inputs_reach_the_model(X):
    model = rb.WithStructure(READER, "PU")
    more = torch.arange(12.0)[:, None]
    torch.testing.assert_close(model(X, more), model(X) + more)
    with_args = predict(model, X, args=(more,), device="cpu")
    torch.testing.assert_close(with_args, model(X) + more)


def test_experiments_know_the_letters_of_models(model, X):
    assert model.alphabet == rb.ResidualBind().alphabet == ("A", "C", "G", "U")
    assert model.model.alphabet is None  # it reads profiles, too
    result = multi_site(model, X, "acgt", [3])
    assert result.conditions["motif"].tolist() == ["ACGU"]


def test_a_wrapped_model_has_the_mode_and_weights_of_its_model(model):
    assert not model.training
    assert rb.WithStructure(model.model.train()).training
    assert set(model.state_dict()) == {f"model.{k}" for k in model.model.state_dict()}


def test_settings_of_folding_are_used(X):
    default = rb.WithStructure(READER, "PU")(X)
    melted = rb.WithStructure(READER, "PU", temperature=95)(X)
    assert (melted < default).all()
    other = rb.WithStructure(READER, "PU", energies="turner2004", n_jobs=1)(X)
    assert not torch.allclose(other, default)


@pytest.mark.parametrize(
    ("channels", "options", "match"),
    [
        (4, {}, "`kind` must be given: `model` has 4 channels, and only 6 and 9 tell"),
        (None, {}, "`kind` must be given: `model` has unknown channels"),
        (6, {"kind": "PHIME"}, "`kind`='PHIME' makes 9 channels, but `model` was b.*6"),
        (6, {"kind": "PUH"}, "`kind`='PUH' must be one of 'PU', 'PHIME'"),
        (6, {"energies": "my own"}, "`energies`='my own' must be one of"),
        (6, {"cache_size": -1}, "`cache_size`=-1 must be at least 0"),
        (6, {"n_jobs": 0}, "`n_jobs`=0 must be at least 1"),
    ],
)
def test_what_does_not_fit_is_named(channels, options, match):
    inner = READER
    if channels is not None:
        inner = rb.ResidualBind(rb.ResidualBindConfig(channels=channels, **SMALL))
    with pytest.raises(ValueError, match=match):
        rb.WithStructure(inner, **options)


@pytest.mark.parametrize(
    ("X", "match"),
    [
        (
            torch.full((2, 4, 41), 0.25),
            r"`X` is not one-hot: sequence 0 holds .* at position 0",
        ),
        (torch.zeros(2, 6, 41), r"`X` has shape \(2, 6, 41\); a model with structure"),
        (torch.zeros(2, 4, 41), r"`X`\[0\] has 0 bases, too few to fold"),
        (torch.zeros(4, 41), r"`X` has shape \(4, 41\)"),
    ],
)
def test_what_cannot_be_folded_is_named(X, match, model):
    with pytest.raises(ValueError, match=match):
        model(X)


def test_a_model_from_a_file_folds_as_the_file_states(tmp_path, model, X):
    path = tmp_path / "model.safetensors"
    stated = {"kind": "PU", "energies": "turner2004", "temperature": 30.0}
    rb.save(model.model, path, provenance={"structure": stated})
    loaded = rb.WithStructure.from_file(path, n_jobs=1)
    expected = rb.WithStructure(model.model, energies="turner2004", temperature=30.0)
    assert not torch.allclose(loaded(X), model(X))
    assert torch.equal(loaded(X), expected(X))
    assert (loaded.n_jobs, loaded.training) == (1, False)
    rb.save(rb.ResidualBind(), path)
    with pytest.raises(ValueError, match=r"is a model of sequence alone.*use `load`"):
        rb.WithStructure.from_file(path)


def test_structure_is_added_once():
    data = rb.add_structure(rb.simulate_rnacompete(n=9).data, "PHIME")
    assert data.X.shape == (9, 9, 41)
    assert data.X.dtype == torch.float32
    with pytest.raises(ValueError, match="`data` has 9 channels; profiles are added"):
        rb.add_structure(data)


def test_a_saved_model_says_which_profiles_it_needs():
    config = rb.ResidualBindConfig(channels=6)
    stated = {"structure": {"kind": "PU", "energies": "turner2004", "temperature": 30}}
    assert required_settings(config, stated) == ("PU", "turner2004", 30.0)
    # Weights of other code, or of data that held profiles, say nothing of energies.
    for silent in ({}, {"structure": None}):
        assert required_settings(config, silent) == ("PU", "turner1999", 37.0)
    assert required_settings(replace(config, channels=9), {}).kind == "PHIME"
    assert required_settings(replace(config, channels=4), stated) is None
    with pytest.raises(ValueError, match="needs 5 channels; only models of 4"):
        required_settings(replace(config, channels=5), {})


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("structured") / "simulated.tsv"
    assert main(["simulate", "--n", "300", "--out", str(path)]) == 0
    return path


@pytest.mark.parametrize(("kind", "channels"), KINDS.items())
def test_commands_train_evaluate_and_predict_with_structure(
    kind, channels, table, capsys
):
    out, cache = table.with_name(f"{kind}.safetensors"), table.with_name("profiles")
    data = ["--data", str(table), "--format", "table", "--set-column", "set"]
    folder = ["--structure-cache", str(cache)]
    training = ["train", *data, "--structure", kind, "--out", str(out), *folder]
    assert main([*training, "--epochs", "1", "--n-resamples", "0"]) == 0
    trained = pd.read_csv(capsys_out(capsys), sep="\t")
    metadata = rb.load_metadata(out)
    assert metadata.config.channels == channels
    described = metadata.provenance["structure"]
    assert described["kind"] == kind
    assert described["energies"] == "turner1999"
    measured = rb.read_table(table, set_column="set")
    assert metadata.provenance["data_sha256"] == measured.checksum()
    assert len(list(cache.glob(f"{kind}-*/*.safetensors"))) == 1

    evaluation = ["evaluate", "--model", str(out), *data, "--n-resamples", "0"]
    assert main([*evaluation, *folder]) == 0
    evaluated = pd.read_csv(capsys_out(capsys), sep="\t")
    assert evaluated["value"].tolist() == pytest.approx(trained["value"].tolist())

    prediction = ["predict", "--model", str(out), "--sequences", str(table), *folder]
    assert main([*prediction, "--scale", "transformed"]) == 0
    scores = pd.read_csv(capsys_out(capsys), sep="\t").iloc[:, 1]
    with torch.no_grad():
        expected = rb.WithStructure.from_file(out)(measured.X)[:, 0]
    assert scores.tolist() == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-5)


def test_commands_name_a_structure_they_do_not_know(table, capsys):
    with pytest.raises(SystemExit):
        main(["train", "--data", str(table), "--out", "x", "--structure", "PAIRS"])
    assert "invalid choice: 'PAIRS'" in capsys.readouterr().err


def capsys_out(capsys):

    return StringIO(capsys.readouterr().out)
