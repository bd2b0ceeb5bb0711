"""What every experiment promises, whatever it asks: one suite, run over all of them.

A new experiment is added to `EXPERIMENTS` and has to pass as it is.
"""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.predict import predict
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from tangermeme.utils import PackedSequence

from tangermeme_gia import load
from tangermeme_gia._core.calls import Caller
from tangermeme_gia._core.engine import Engine
from tangermeme_gia._core.letters import DNA, RNA
from tangermeme_gia._core.motif import Motif
from tangermeme_gia._core.patterns import place
from tangermeme_gia.backgrounds import motif_occurrences
from tangermeme_gia.experiments.affinity import affinity_response
from tangermeme_gia.experiments.flanks import gc_flank
from tangermeme_gia.experiments.hairpin import hairpin_importance
from tangermeme_gia.experiments.importance import global_importance
from tangermeme_gia.experiments.interaction import factorial, pairwise_interaction
from tangermeme_gia.experiments.latent import latent_interaction
from tangermeme_gia.experiments.latent_sites import latent_sites
from tangermeme_gia.experiments.occlusion import occlusion, occlusion_annotations
from tangermeme_gia.experiments.positions import positional_bias, random_position
from tangermeme_gia.experiments.sites import multi_site
from tangermeme_gia.experiments.spacing import motif_spacing
from tangermeme_gia.kmers.junctions import junction_effects
from tangermeme_gia.kmers.mutagenesis import kmer_mutagenesis
from tangermeme_gia.kmers.scan import kmer_scan
from tangermeme_gia.structure.pairs import Hairpin

# Drawn for each background, so that seeds matter.
PPM = torch.tensor([[0.5, 0.0], [0.0, 1.0], [0.5, 0.0], [0.0, 0.0]])

# Words for the graded ones, which choose them by what the model says.
GRADED = latent_interaction(
    lambda X: X.float().sum(dim=-1),
    torch.eye(4)[torch.arange(48).reshape(2, 24) % 4].transpose(1, 2),
    ("GACC", 3),
    ("CGAG", 9),
    ("AC", 18),
    (3, 2, 2),
    random_state=0,
)

SITES = latent_sites(
    lambda X: X.float().sum(dim=-1),
    torch.eye(4)[torch.arange(48).reshape(2, 24) % 4].transpose(1, 2),
    "GACC",
    (1, 6),
    ("CGAG", 11),
    ("AC", 18),
    (3, 2),
    random_state=0,
)

# Each takes (model, X, **options) and fits sequences of 24 bases, DNA and RNA.
EXPERIMENTS = {
    "global_importance": lambda model, X, motif=PPM, **kw: global_importance(
        model, X, [[("GACC", 2)], [(motif, 9), ("CNG", 14)], []], **kw
    ),
    "multi_site": lambda model, X, motif=PPM, **kw: multi_site(
        model, X, motif, [12, 2, 18], **kw
    ),
    "motif_spacing": lambda model, X, motif=PPM, **kw: motif_spacing(
        model, X, ["GAC", motif], [0, 3], orders="all", **kw
    ),
    "positional_bias": lambda model, X, motif=PPM, **kw: positional_bias(
        model, X, motif, [9, 0, 22], **kw
    ),
    "random_position": lambda model, X, motif=PPM, **kw: random_position(
        model, X, motif, **kw
    ),
    "gc_flank": lambda model, X, motif=PPM, **kw: gc_flank(
        model, X, motif, "GCG", "CGC", **kw
    ),
    "pairwise_interaction": lambda model, X, motif=PPM, **kw: pairwise_interaction(
        model, X, (motif, 3), ("CGAG", None), **kw
    ),
    "factorial": lambda model, X, motif=PPM, **kw: factorial(
        model, X, [(motif, 3), ("CGAG", 9), ("AC", 16)], **kw
    ),
}
# Experiments whose designs go beyond writing the same motifs over every background.
# They keep every promise but those about patterns.
OTHER_DESIGNS = {
    "hairpin_importance": lambda model, X, motif=PPM, **kw: hairpin_importance(
        model, X, motif, Hairpin(6, 4, 4), **kw
    ),
    "kmer_mutagenesis": lambda model, X, motif="CNG", **kw: kmer_mutagenesis(
        model, X, motif, **kw
    ),
    "affinity_response": lambda model, X, **kw: affinity_response(
        model, X, PPM, 3, n_sites=2, **kw
    ),
    "latent_interaction": lambda model, X, **kw: latent_interaction(
        model, X, ("GACC", 3), ("CGAG", 9), ("AC", 18), like=GRADED, **kw
    ),
    "latent_sites": lambda model, X, **kw: latent_sites(
        model, X, "GACC", (1, 6), ("CGAG", 11), ("AC", 18), like=SITES, **kw
    ),
    "occlusion": lambda model, X, **kw: occlusion(
        model, X, [(2, 9), (8, 20)], n=3, **kw
    ),
    "occlusion_annotations": lambda model, X, **kw: occlusion_annotations(
        model, X, [(i, 2, 9) for i in range(len(X))], n=3, **kw
    ),
}
# Experiments with a single condition, which is every experiment's least.
ONE_CONDITION = {
    "global_importance": lambda model, X: global_importance(model, X, [("GACC", 2)]),
    "multi_site": lambda model, X: multi_site(model, X, "GACC", [2]),
    "positional_bias": lambda model, X: positional_bias(model, X, "GACC", [2]),
    "random_position": lambda model, X: random_position(model, X, "GACC"),
    "factorial": lambda model, X: factorial(model, X, [("GACC", 2)]),
}


@pytest.fixture(params=EXPERIMENTS | OTHER_DESIGNS)
def experiment(request):
    return (EXPERIMENTS | OTHER_DESIGNS)[request.param]


@pytest.fixture(params=EXPERIMENTS)
def pattern_experiment(request):
    return EXPERIMENTS[request.param]


class Network(torch.nn.Module):
    """A small network with all that has a state: dropout, batch norm, buffers."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.convolution = torch.nn.Conv1d(4, 6, 5)
            self.dense = torch.nn.Linear(6, 2)
        self.norm = torch.nn.BatchNorm1d(6)
        self.dropout = torch.nn.Dropout(0.5)
        self.fails = False

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if self.fails and len(X) > 1:
            raise RuntimeError("the model failed")
        features = torch.relu(self.norm(self.convolution(X))).mean(dim=-1)
        return self.dense(self.dropout(features))


class Blank(torch.nn.Module):
    """Gives its input back: 1 output for each letter and position."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X


@pytest.fixture
def network() -> Network:
    return Network()


def modes(model: torch.nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


def tensors(outputs) -> list[torch.Tensor]:
    return [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)


def test_shapes_and_the_outputs_before(experiment, network, X):
    result = experiment(network, X, random_state=0)
    n_conditions = len(result.conditions)
    assert result.y_before.shape == (10, 2)
    assert result.y_afters.shape == (10, n_conditions, 2)
    assert result.local_importance.shape == (10, n_conditions, 2)
    assert result.global_importance.shape == (n_conditions, 2)
    assert torch.allclose(result.y_before, predict(network, X), atol=1e-6)
    assert result.y_afters.device.type == "cpu"
    assert not result.y_afters.requires_grad
    assert result.conditions.index.tolist() == list(range(n_conditions))


def test_the_table_has_a_row_for_each_condition_and_output(experiment, network, X):
    result = experiment(network, X, random_state=0)
    frame = result.to_frame()
    assert len(frame) == 2 * len(result.conditions)
    assert frame["output"].tolist() == len(result.conditions) * [0, 1]
    effects = result.global_importance.double().flatten().tolist()
    assert frame["effect"].tolist() == pytest.approx(effects, abs=1e-6)
    assert (frame["low"] <= frame["effect"]).all()
    for column in result.conditions:
        assert frame[column][::2].tolist() == result.conditions[column].tolist()


@pytest.mark.parametrize("dtype", [torch.int8, torch.float32])
def test_nothing_given_is_changed(experiment, network, X, dtype):
    X = X.to(dtype)
    before, state = X.clone(), copy.deepcopy(network.state_dict())
    options = {"batch_size": 3, "args": None}
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    experiment(network, X, random_state=0, additional_func_kwargs=options)
    assert torch.equal(X, before)
    assert X.dtype == dtype
    assert options == {"batch_size": 3, "args": None}
    assert all(torch.equal(v, state[k]) for k, v in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002


@pytest.mark.parametrize(
    "options", [{"batch_size": 1}, {"batch_size": 7}, {"max_memory": 700}]
)
def test_batches_do_not_matter(experiment, network, X, options):
    expected = experiment(network, X, random_state=3)
    result = experiment(network, X, random_state=3, **options)
    assert torch.allclose(result.y_afters, expected.y_afters, atol=1e-6)
    assert result.conditions.equals(expected.conditions)


def test_what_is_kept_of_backgrounds_does_not_matter(experiment, network, X):
    # A warning that all is computed in full would be an error.
    full, reused = (
        experiment(network, X, random_state=3, reuse=reuse) for reuse in (False, True)
    )
    assert torch.allclose(reused.y_afters, full.y_afters, atol=1e-6)
    assert torch.equal(reused.y_before, full.y_before)


def test_a_folder_does_not_matter(experiment, network, X, tmp_path):
    expected = experiment(network, X, random_state=3)
    folder = tmp_path / "effects"
    result = experiment(network, X, random_state=3, max_memory=700, save_to=folder)
    for one in (result, load(folder)):
        assert torch.allclose(one.y_afters, expected.y_afters, atol=1e-6)
        assert torch.allclose(one.y_before, expected.y_before, atol=1e-6)
        assert one.conditions.equals(expected.conditions)
        pd.testing.assert_frame_equal(one.to_frame(), expected.to_frame(), atol=1e-5)


def test_the_seed_alone_decides(pattern_experiment, X):
    first, again, other = (
        pattern_experiment(Blank(), X, random_state=seed).y_afters for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    # Every experiment above places a motif that is drawn.
    assert not torch.equal(first, other)
    # As many rows as make two equal draws of a letter with two choices impossible.
    many = X.repeat(10, 1, 1)
    fresh, anew = (pattern_experiment(Blank(), many).y_afters for _ in range(2))
    assert not torch.equal(fresh, anew)


def test_a_row_does_not_depend_on_the_others(experiment, X):
    whole = experiment(Blank(), X, random_state=0).y_afters
    assert torch.equal(experiment(Blank(), X[:4], random_state=0).y_afters, whole[:4])


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_modes_and_device_are_restored(experiment, network, X, training, fails):
    network.train(training)
    network.norm.train(not training)
    network.fails = fails
    before, device = modes(network), network.dense.weight.device
    if fails:
        with pytest.raises(RuntimeError, match="the model failed"):
            experiment(network, X)
    else:
        y = experiment(network, X).y_before
        assert torch.allclose(y, predict(network.eval(), X), atol=1e-6)
        network.train(training)
        network.norm.train(not training)
        experiment(network, X)
    assert modes(network) == before
    assert network.dense.weight.device == device


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("fails", [False, True])
def test_a_model_comes_back_from_the_gpu(experiment, network, X, fails):
    expected = experiment(network, X, random_state=0, device="cpu")
    network.fails = fails
    if fails:
        with pytest.raises(RuntimeError, match="the model failed"):
            experiment(network, X, random_state=0, device="cuda")
    else:
        result = experiment(network, X, random_state=0, device="cuda")
        assert torch.allclose(result.y_afters, expected.y_afters, atol=1e-4)
        assert result.y_afters.device.type == "cpu"
    assert network.dense.weight.device.type == "cpu"


def test_patterns_are_placed_where_the_model_is(
    pattern_experiment, network, X, monkeypatch
):
    # On the device "meta" any operation with a tensor that lies elsewhere fails.
    built = []
    run_block = Engine.ask

    def build_elsewhere(engine, design, rows, conditions):
        assert design.any_device
        X = engine.X[rows].to("meta", torch.int8)
        built.append(design.build(X, rows, conditions))
        return run_block(engine, design, rows, conditions)

    monkeypatch.setattr(Engine, "ask", build_elsewhere)
    pattern_experiment(network, X, random_state=0)
    assert {(y.device.type, y.dtype) for y in built} == {("meta", torch.int8)}


def test_predict_is_given_bytes_whatever_the_backgrounds_are(
    experiment, network, X, monkeypatch
):
    given = []

    def record(caller, X, args):
        given.append(X.dtype)
        return call(caller, X, args)

    call = Caller.__call__
    monkeypatch.setattr(Caller, "__call__", record)
    results = [experiment(network, x, random_state=0) for x in (X, X.float())]
    assert set(given) == {torch.int8}
    assert torch.equal(results[0].y_afters, results[1].y_afters)


def test_models_with_several_outputs_give_lists(experiment, X):
    class Several(torch.nn.Module):
        def forward(self, X):
            return X.sum(dim=2), X.sum(dim=(1, 2))[:, None]

    result = experiment(Several(), X, random_state=0)
    n_conditions = len(result.conditions)
    assert [y.shape[1:] for y in result.y_before] == [(4,), (1,)]
    for outputs in (result.y_afters, result.local_importance):
        assert [tuple(y.shape) for y in outputs] == [
            (10, n_conditions, 4),
            (10, n_conditions, 1),
        ]
    letters = experiment(Blank(), X, random_state=0).y_afters.sum(dim=3)
    assert torch.equal(result.y_afters[0], letters)
    assert len(result.to_frame()) == 5 * n_conditions


def test_args_follow_the_sequences(experiment, X):
    class WithArgs(torch.nn.Module):
        def forward(self, X, offset):
            return X.sum(dim=2) + offset

    offset = 100.0 * torch.arange(10)[:, None]
    result = experiment(WithArgs(), X, random_state=0, args=[offset], batch_size=3)
    plain = experiment(Blank(), X, random_state=0)
    assert torch.equal(result.y_before, plain.y_before.sum(dim=2) + offset)
    assert torch.equal(result.y_afters, plain.y_afters.sum(dim=3) + offset[:, None])


def test_packed_sequences_equal_one_hot(experiment, network, padded):
    packed = PackedSequence.from_one_hot(padded)
    expected = experiment(network, padded, random_state=0)
    result = experiment(network, packed, random_state=0, max_memory=2000)
    assert torch.allclose(result.y_before, expected.y_before, atol=1e-6)
    assert torch.allclose(result.y_afters, expected.y_afters, atol=1e-6)
    assert result.conditions.equals(expected.conditions)


def test_what_no_pattern_covers_is_left_alone(pattern_experiment, padded):
    result = pattern_experiment(Blank(), padded, random_state=0)
    # The same with every base a T, which no motif has: what changes was written.
    only_t = torch.zeros_like(padded)
    only_t[:, 3] = padded.any(dim=1)
    written = pattern_experiment(Blank(), only_t, random_state=0)
    covered = (written.local_importance != 0).any(dim=2, keepdim=True)
    expected = torch.where(covered, written.y_afters, padded[:, None].float())
    assert torch.equal(result.y_afters, expected)
    assert 0 < covered.float().mean() < 0.6


def test_a_pattern_of_gaps_changes_nothing(padded):
    y = global_importance(Blank(), padded, [[("N" * 24, 0)], []])
    assert not y.local_importance.any()


def test_rna_has_the_channels_of_dna(experiment, network, X):
    dna = experiment(network, X, random_state=0, alphabet=DNA)
    rna = experiment(network, X, random_state=0, alphabet=RNA)
    assert torch.equal(dna.y_afters, rna.y_afters)
    text = experiment(network, X, random_state=0, alphabet="ACGU")
    assert torch.equal(text.y_afters, rna.y_afters)


def test_a_model_may_state_its_alphabet(experiment, network, X):
    expected = experiment(network, X, random_state=0, alphabet=RNA)
    network.alphabet = RNA
    result = experiment(network, X, random_state=0)
    assert torch.equal(result.y_afters, expected.y_afters)
    pd.testing.assert_frame_equal(result.conditions, expected.conditions)
    with pytest.raises(ValueError, match="`alphabet` is T, G, C, A, but `model` reads"):
        experiment(network, X, alphabet="TGCA")


@pytest.mark.parametrize("name", ONE_CONDITION)
def test_one_condition(name, network, X):
    result = ONE_CONDITION[name](network, X)
    assert result.y_afters.shape == (10, 1, 2)
    assert len(result.to_frame()) == 2


def test_one_background_has_no_standard_error(experiment, network, X):
    frame = experiment(network, X[:1], random_state=0).to_frame()
    assert frame["se"].isna().all()
    assert frame["effect"].notna().all()


def test_no_background_is_an_error(experiment, network, X):
    with pytest.raises(
        ValueError, match=r"`X` has shape \(0, 4, 24\); .* at least one sequence"
    ):
        experiment(network, X[:0])


def test_wrong_sequences_are_named(experiment, network, X):
    with pytest.raises(
        ValueError, match=r"`X` is not one-hot: sequence 0 holds .* at position 0"
    ):
        experiment(network, 2 * X)
    with pytest.raises(ValueError, match=r"`X` has shape \(4, 24\)"):
        experiment(network, X[0])
    with pytest.raises(TypeError, match="`X` is of type ndarray"):
        experiment(network, X.numpy())
    with pytest.raises(ValueError, match="`alphabet`='ACGG' must hold"):
        experiment(network, X, alphabet="ACGG")


def test_float_sequences_equal_integers(experiment, network, X):
    expected = experiment(network, X, random_state=0)
    result = experiment(network, X.float(), random_state=0)
    assert torch.allclose(result.y_afters, expected.y_afters, atol=1e-6)


def test_attributions_may_be_asked_for(experiment, X):
    weights = torch.nn.Linear(96, 1)
    model = torch.nn.Sequential(torch.nn.Flatten(), weights)
    options = {"n_shuffles": 1, "random_state": 0}
    result = experiment(
        model,
        X[:2],
        random_state=0,
        func=deep_lift_shap,
        additional_func_kwargs=options,
    )
    assert result.y_before.shape == (2, 4, 24)
    assert result.y_afters.shape == (2, len(result.conditions), 4, 24)
    assert len(result.to_frame()) == 96 * len(result.conditions)


def test_saturation_mutagenesis_may_be_asked_for(experiment, network, X):
    result = experiment(network, X[:2], random_state=0, func=saturation_mutagenesis)
    assert result.y_before.shape == (2, 4, 24)
    assert result.y_afters.shape == (2, len(result.conditions), 4, 24)
    expected = saturation_mutagenesis(network, X[:2])
    assert torch.allclose(result.y_before, expected, atol=1e-5)


def test_a_keyword_by_two_routes_is_an_error(experiment, network, X):
    with pytest.raises(TypeError, match=r"\['batch_size'\] came both as keywords"):
        experiment(network, X, batch_size=2, additional_func_kwargs={"batch_size": 2})


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "many"])
def test_a_wrong_batch_size_is_named(experiment, network, X, batch_size):
    with pytest.raises(ValueError, match=r"`batch_size`=.* must be a positive integer"):
        experiment(network, X, batch_size=batch_size)


@pytest.mark.parametrize(
    ("random_state", "error"), [(-1, ValueError), ("0", TypeError), (True, TypeError)]
)
def test_a_wrong_seed_is_named(experiment, network, X, random_state, error):
    with pytest.raises(error, match="`random_state`="):
        experiment(network, X, random_state=random_state)


def test_controls_follow_the_conditions(pattern_experiment, network, X):
    plain = pattern_experiment(network, X, random_state=0)
    result = pattern_experiment(network, X, random_state=0, n_controls=1)
    n = len(plain.conditions)
    assert (plain.conditions["control"] == "none").all()
    names = result.conditions["control"].tolist()
    assert names == n * ["none"] + n * ["random 1"] + n * ["shuffled 1"]
    assert torch.allclose(result.y_afters[:, :n], plain.y_afters, atol=1e-6)
    for part in range(3):
        rows = result.conditions.iloc[part * n : (part + 1) * n]
        rows = rows[plain.conditions.columns].drop(columns="control")
        same = plain.conditions.drop(columns="control")
        assert rows.reset_index(drop=True).equals(same)


def test_keywords_reach_func(experiment, network, X):
    seen = []

    def func(model, X, args=None, hypothetical=None, target=None, device=None):
        seen.append((hypothetical, target))
        return torch.zeros(len(X), 1)

    experiment(network, X, func=func, hypothetical=7)
    experiment(network, X, func=func, additional_func_kwargs={"target": 8})
    assert set(seen) == {(7, None), (None, 8)}


def test_a_target_narrows_every_experiment(experiment, network, X):
    part = experiment(network, X, random_state=0, target=0)
    whole = experiment(network, X, random_state=0)
    torch.testing.assert_close(part.y_before, whole.y_before[..., 0])
    torch.testing.assert_close(part.y_afters, whole.y_afters[..., 0])


def test_clusters_stay_with_the_result(experiment, X):
    model = Network().eval()
    labels = [i // 2 for i in range(len(X))]
    plain = experiment(model, X, random_state=0)
    result = experiment(model, X, random_state=0, clusters=labels)
    assert result.clusters.tolist() == labels
    assert len(result) == 3
    torch.testing.assert_close(result.y_afters, plain.y_afters)
    with pytest.raises(ValueError, match="`clusters` has shape"):
        experiment(model, X, clusters=labels[1:])


MEME = """MEME version 4

ALPHABET= ACGT

MOTIF MA1.1 Fos::Jun
letter-probability matrix: alength= 4 w= 2
0.5 0 0.5 0
0 1 0 0
"""
OTHER = "\nMOTIF MA2.1\nletter-probability matrix: alength= 4 w= 1\n0 1 0 0\n"
# The motif PPM, however it is given, in a folder with these files.
WAYS = {
    "IUPAC": "RC",
    "lower case": "rc",
    "numbers": PPM.numpy(),
    "with an axis": PPM[None],
    "parsed": Motif.parse("RC"),
    "identifier": "two.meme:MA1.1",
    "name": "two.meme:Fos::Jun",
    "path": Path("two.meme:fos::jun"),
    "title": "two.meme:MA1.1 Fos::Jun",
    "file": "one.meme",
}
PLACING = {**EXPERIMENTS, "hairpin": OTHER_DESIGNS["hairpin_importance"]}


@pytest.fixture
def files(here):
    (here / "one.meme").write_text(MEME)
    (here / "two.meme").write_text(MEME + OTHER)


@pytest.mark.parametrize("alphabet", [DNA, RNA])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PLACING)
def test_a_motif_is_given_in_any_way(name, way, alphabet, X, files):
    options = {"random_state": 0, "alphabet": alphabet}
    expected = PLACING[name](Blank(), X, **options)
    result = PLACING[name](Blank(), X, WAYS[way], **options)
    assert torch.equal(result.y_afters, expected.y_afters)
    if way in ("identifier", "name", "path", "title", "file"):
        table = result.conditions
        assert table.map(lambda cell: "MA1.1 Fos::Jun" in str(cell)).any(axis=None)
        assert table["letters"].str.contains("RC").any()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [*PLACING, "kmer_mutagenesis"])
def test_a_consensus_places_the_most_likely_letters(name, way, X, files):
    experiment = (EXPERIMENTS | OTHER_DESIGNS | PLACING)[name]
    expected = experiment(Blank(), X, "AC", random_state=0)
    options = {"random_state": 0, "consensus": True}
    result = experiment(Blank(), X, WAYS[way], **options)
    assert torch.equal(result.y_afters, expected.y_afters)
    assert result.conditions["letters"].str.contains("AC").any()
    with_controls = experiment(Blank(), X, WAYS[way], n_controls=1, **options)
    n = len(result.conditions)
    assert torch.equal(with_controls.y_afters[:, :n], expected.y_afters)


def test_a_choice_of_words_has_no_variants(network, X):
    with pytest.raises(ValueError, match="`motif` 'RC' stands for several words"):
        kmer_mutagenesis(network, X, "RC")


@pytest.mark.parametrize("way", WAYS)
def test_other_functions_take_a_motif_in_any_way(way, X, files):
    motif = WAYS[way]
    for consensus, letters in ((False, "RC"), (True, "AC")):
        options = {"consensus": consensus, "random_state": 0}
        placed = place(X, [(motif, 3)], **options)
        assert torch.equal(placed, place(X, [(letters, 3)], random_state=0))
        scans = [
            kmer_scan(Blank(), X, kmers=[word, "GG"], target=(0, 5), **options)
            for word in (motif, letters)
        ]
        assert torch.equal(scans[0].effect, scans[1].effect)
    junctions = junction_effects(
        Blank(), X, [motif, "GG"], target=(0, 5), consensus=True
    )
    assert len(junctions.to_frame()) == 2
    counts = motif_occurrences(X, motif)
    assert counts.tolist() == motif_occurrences(X, "RC").tolist()


def test_a_file_is_all_of_its_motifs(X, files):
    names = ["MA1.1 Fos::Jun", "MA2.1"]
    options = {"target": (0, 5), "random_state": 0}
    for kmers in ("two.meme", Path("two.meme"), ["two.meme"]):
        assert kmer_scan(Blank(), X, kmers=kmers, **options).kmers == names
    assert kmer_scan(
        Blank(), X, kmers=["two.meme", "MA2.1", "Fos::Jun"], **options
    ).kmers == list(reversed(names))
    result = global_importance(Blank(), X, "two.meme", random_state=0)
    assert result.conditions["patterns"].tolist() == [f"{n}@centre" for n in names]
    result = motif_spacing(Blank(), X, "two.meme", [2], random_state=0)
    assert set(result.conditions["motifs"]) == {", ".join(names)}


def test_strands_of_a_named_motif_are_averaged(X, files):
    result = motif_spacing(
        Blank(), X, ["GAC", "one.meme"], [2], orientations="all", random_state=0
    )
    assert result.conditions["letters"].nunique() > 2
    mean = result.average("orientation")
    assert mean.conditions["arm"].tolist() == ["all", "1", "2"]
    assert "letters" not in mean.conditions
