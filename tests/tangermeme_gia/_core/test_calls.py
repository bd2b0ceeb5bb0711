"""Models that misbehave: what they return, keep, change and take."""

import collections
import dataclasses
import re

import numpy as np
import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence, random_one_hot

from tangermeme_gia import best_kmers, global_importance, kmer_scan
from tangermeme_gia._core.asking import as_module, bytes_alive, structure
from tangermeme_gia._core.memory import check_fits

WEIGHTS = torch.arange(24.0)


def gs(X):
    """The sum of the places of all G: GG at 3 gives 3 + 4 less what was there."""
    return (X[:, 2].float() * WEIGHTS.to(X.device)).sum(dim=1, keepdim=True)


class Gs(torch.nn.Module):
    """`gs`, wrapped as a test wants it."""

    def __init__(self, wrap=lambda y: y):
        super().__init__()
        self.wrap = wrap

    def forward(self, X, *args):
        return self.wrap(gs(X))


@dataclasses.dataclass
class Output:
    logits: torch.Tensor
    loss: None = None


class Plain:
    def __init__(self, y):
        self.profile = y


Pair = collections.namedtuple("Pair", "a b")


def effect_of_gg(X):
    return (7 - (X[:, 2, 3:5] * torch.tensor([3, 4])).sum(dim=1)).float()


def run(model, X, **options):
    return global_importance(model, X, [("GG", 3)], **options).local_importance


@pytest.mark.parametrize(
    ("wrap", "shown", "target"),
    [
        (lambda y: {"human": y}, "a dict {'human': tensor of shape (2, 1)}", "human"),
        (lambda y: (y, None), "a tuple (tensor of shape (2, 1), None)", 0),
        (
            lambda y: [None, (y, (y, y))],
            "a list (None, tuple (tensor of shape (2, 1), tuple (tensor of shape",
            (1, 0),
        ),
        (lambda y: {"a": {"b": y}}, "{'a': dict {'b': tensor", ("a", "b")),
        (lambda y: None, "`model` returned None", None),
        (lambda y: "y", "`model` returned a str", None),
        (lambda y: y.numpy(), "`model` returned a ndarray", None),
        (lambda y: (), "`model` returned a tuple ()", None),
    ],
)
def test_outputs_that_are_no_tensors_are_shown_with_what_to_write(
    X, wrap, shown, target
):
    with pytest.raises(TypeError, match=re.escape(shown)) as info:
        run(Gs(wrap), X)
    said = str(info.value)
    assert info.value.__notes__ == ["while running backgrounds 0 to 1, the first"]
    if target is None:
        assert "wrap the model in one that returns tensors" in said
    else:
        assert f"such as `target={target!r}`." in said
        found = run(Gs(wrap), X, target=target)
        assert torch.equal(found[:, 0].flatten(), effect_of_gg(X))


@pytest.mark.parametrize(
    ("wrap", "target"),
    [
        (Output, "y.logits"),
        (Plain, "y.profile"),
        (lambda y: {"a": Output(y)}, "y['a'].logits"),
    ],
)
def test_attributes_of_an_output_are_named(X, wrap, target):
    with pytest.raises(TypeError) as info:
        run(Gs(wrap), X)
    assert f"`target=lambda y: {target}`" in str(info.value)
    found = run(Gs(wrap), X, target=eval(f"lambda y: {target}"))
    assert torch.equal(found[:, 0].flatten(), effect_of_gg(X))


def test_a_named_tuple_of_tensors_is_several_outputs(X):
    first, second = run(Gs(lambda y: Pair(y, 2 * y)), X)
    assert torch.equal(second, 2 * first)


def test_several_tensors_of_a_head_have_a_label_each(X):
    model = Gs(lambda y: {"a": (y, y.repeat(1, 3))})
    result = global_importance(model, X, [("GG", 3)], target="a")
    assert result.outputs == [("a", 0, 0), ("a", 1, 0), ("a", 1, 1), ("a", 1, 2)]


@pytest.mark.parametrize("wrap", [torch.mean, lambda y: y[1:], lambda y: y[:, 0].sum()])
def test_outputs_without_a_row_for_each_sequence_are_an_error(X, wrap):
    text = "of shape .* for 2 sequences; its first axis must be the sequences"
    with pytest.raises(ValueError, match=text):
        run(Gs(wrap), X)
    with pytest.raises(ValueError, match=f"`func` returned .*{text}"):
        run(Gs(), X, func=lambda model, X, args=None: wrap(model(X)))


@pytest.mark.parametrize("n", [1, 2, 5, 9])
@pytest.mark.parametrize("batch_size", [1, 2, 4, None])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_batch_of_one_that_is_squeezed_is_a_batch(n, batch_size, n_outputs):
    X = random_one_hot((n, 4, 24), random_state=0)
    model = Gs(lambda y: y.repeat(1, n_outputs)[:, :, None].squeeze())
    found = run(model, X, batch_size=batch_size)
    assert found.shape == ((n, 1) if n_outputs == 1 else (n, 1, 3))
    expected = effect_of_gg(X)
    assert torch.equal(found.reshape(n, -1)[:, 0], expected)


def test_no_sequence_is_left_alone(X):
    """41 nt are asked in 199, of 200 backgrounds."""
    sizes = []
    model = Gs()
    model.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    X = random_one_hot((200, 4, 24), random_state=0)
    run(model, X, batch_size=199)
    assert sizes == [2, 198, 2, 198, 2]


def test_a_function_is_a_model(X):
    for model in (gs, Gs().forward, lambda X: gs(X)):
        assert torch.equal(run(model, X)[:, 0, 0], effect_of_gg(X))
    found = run(gs, X, func=lambda model, X, args=None: predict(model, X))
    assert torch.equal(found[:, 0, 0], effect_of_gg(X))


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (Gs, r"the class Gs; make a model of it first: `Gs\(...\)`"),
        ("m.pt", "type str"),
    ],
)
def test_what_is_no_model_is_named(X, model, text):
    with pytest.raises(TypeError, match=f"`model` is .*{text}"):
        run(model, X)


class InPlace(torch.nn.Module):
    def forward(self, X, *args):
        for x in (X, *args):
            x.zero_()
        return X.sum(dim=(1, 2))[:, None]


class CentredInPlace(torch.nn.Module):
    def forward(self, X):
        X.sub_(0.25)
        return gs(X + 0.25)


def mine(model, X, args=None, **kwargs):
    with torch.no_grad():
        return model(X)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int8, torch.float64])
@pytest.mark.parametrize("func", [predict, mine])
def test_a_model_may_write_into_its_input(X, dtype, func):
    X = X.to(dtype)
    before = X.clone()
    if func is mine and dtype is torch.int8:
        model = InPlace()
        run(model, X, func=func)
    else:
        found = run(CentredInPlace(), X, func=func)
        torch.testing.assert_close(found[:, 0, 0].float(), effect_of_gg(before))
    assert torch.equal(X, before)


@pytest.mark.parametrize("func", [predict, None])
def test_args_are_not_changed_either(X, func):
    args = [torch.ones(10, 3), np.ones((10, 2), dtype=np.float32)]

    def call(model, X, args=None, **kwargs):
        return model(X.float(), *args)

    for patterns in ([[]], [("GG", 3)]):
        global_importance(InPlace(), X, patterns, func=func or call, args=args)
    assert torch.equal(args[0], torch.ones(10, 3))
    assert (args[1] == 1).all()


class Counts(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, X):
        self.calls += 1
        return gs(X) + 10 * self.calls


class Draws(torch.nn.Module):
    def forward(self, X):
        return gs(torch.nn.functional.dropout(X, 0.5, training=True))


class Mixes(torch.nn.Module):
    def forward(self, X):
        y = gs(X)
        return y - y.mean()


class Trains(torch.nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, X):
        self.train()
        return self.layer(X).sum(dim=(1, 2))[:, None]


@pytest.mark.parametrize("model", [Counts(), Draws(), Mixes()])
def test_a_model_that_answers_otherwise_the_second_time_is_named(X, model):
    torch.manual_seed(0)
    text = rf"`model` \({type(model).__name__}\) gives other outputs when asked again"
    with pytest.raises(ValueError, match=text):
        run(model, X)
    for scan in (kmer_scan, best_kmers):
        with pytest.raises(ValueError, match=text):
            scan(model, X, k=2)


@pytest.mark.parametrize("layer", [torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.1)])
@pytest.mark.parametrize("n", [1, 2, 10])
def test_train_mode_that_forward_turns_on_is_named(X, layer, n):
    text = rf"is in train mode after its `forward`: layer \({type(layer).__name__}\)"
    model = Trains(layer).eval()
    with pytest.raises(ValueError, match=text):
        run(model, X[:n])
    assert not any(module.training for module in model.modules())


def test_train_mode_without_consequences_is_none(X):
    found = run(Trains(torch.nn.Identity()), X)
    assert found.shape == (10, 1, 1)


def test_a_func_may_draw(X):
    torch.manual_seed(0)
    run(Draws(), X.float(), func=mine)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 1))
    assert run(model, X, func=deep_lift_shap).shape == (10, 1, 4, 24)


class Embeds(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = torch.nn.Embedding(3, 1)
        self.cell.weight.data = torch.tensor([[0.0], [100.0], [200.0]])

    def forward(self, X, cell):
        return gs(X) + self.cell(cell)


class Adds(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, X, dose):
        return gs(X) + self.linear(dose)


CELLS = np.arange(10) % 3


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_whole_numbers_and_arrays_are_side_inputs(X, kind):
    result = global_importance(Embeds(), X, [("GG", 3)], args=[kind(CELLS)])
    expected = gs(X)[:, 0] + 100 * torch.as_tensor(CELLS)
    assert torch.equal(result.y_before[:, 0], expected)
    assert torch.equal(result.local_importance[:, 0, 0], effect_of_gg(X))
    # A layer of floats gets them as tangermeme's `predict` gives them.
    dose = kind(CELLS[:, None])
    found = global_importance(Adds(), X, [("GG", 3)], args=[dose]).local_importance
    torch.testing.assert_close(found[:, 0, 0], effect_of_gg(X))


@pytest.mark.parametrize(
    ("args", "error", "text"),
    [
        (np.zeros((10, 1)), TypeError, "`args` is of type ndarray; it must be a list"),
        ([[1] * 10], TypeError, r"`args\[0\]` is of type list"),
        ([np.array(["a"] * 10)], TypeError, r"`args\[0\]` is an array of dtype <U1"),
        ([torch.zeros(())], ValueError, r"`args\[0\]` has no rows, but `X` has 10"),
        ([np.zeros(9)], ValueError, r"`args\[0\]` has 9 rows, but `X` has 10"),
    ],
)
def test_what_is_no_side_input_is_named(X, args, error, text):
    with pytest.raises(error, match=text):
        run(Adds(), X, args=args)


class Elsewhere(torch.nn.Module):
    """`gs`, but another value where a letter is at a place."""

    def __init__(self, letter=3, place=0, value=torch.nan):
        super().__init__()
        self.letter, self.place, self.value = letter, place, value

    def forward(self, X):
        wrong = X[:, self.letter, self.place] == 1
        return torch.where(wrong, self.value, gs(X)[:, 0])[:, None]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("max_memory", [None, 300])
def test_numbers_that_are_not_finite_are_counted_before(X, value, max_memory):
    rows = torch.nonzero(X[:, 3, 0])[:, 0].tolist()
    assert rows[0] > 2
    n = len(rows) if max_memory is None else 1
    text = (
        f"`model` gives NaN or infinity as {n} of .* outputs; the first is for the "
        f"background and sequence {rows[0]} of `X`"
    )
    options = {"max_memory": max_memory}
    for ask in (
        lambda: run(Elsewhere(value=value), X, **options),
        lambda: kmer_scan(Elsewhere(value=value), X, k=2, **options),
        lambda: best_kmers(Elsewhere(value=value), X, k=2, **options),
    ):
        with pytest.raises(ValueError, match=text):
            ask()


def test_numbers_that_are_not_finite_are_counted_after(blank):
    # Only what is placed has an A at 5.
    model = Elsewhere(letter=0, place=5)
    patterns = [[], [("CC", 5)], [("CC", 5)], [("TA", 4)], [("A", 5)]]
    text = (
        r"`model` gives NaN or infinity as 10 of 20 outputs; the first is for "
        r"condition 3 \(patterns=TA@4, n_patterns=1, control=none\) and sequence 0 "
    )
    with pytest.raises(ValueError, match=text):
        global_importance(model, blank, patterns)

    def func(model, X, args=None):
        return [torch.ones(len(X), 1), torch.full((len(X), 1), torch.inf)]

    with pytest.raises(ValueError, match=r"`func` gives NaN .* 5 of 10 outputs"):
        run(model, blank, func=func)


@pytest.mark.parametrize("scan", [kmer_scan, best_kmers])
@pytest.mark.parametrize(
    ("kmers", "name"),
    [
        (None, "k-mer CA"),
        (["CC", "CA", "AA"], "k-mer CA"),
        ({"one": "CC", "two": "CAN"}, r"condition 1 \(k-mer=two\)"),
    ],
)
def test_a_kmer_that_gives_nan_is_named_by_scans_and_races(scan, kmers, name):
    X = torch.zeros(30, 4, 24, dtype=torch.int8)
    X[:, 3] = 1

    class OnlyCA(torch.nn.Module):
        def forward(self, X):
            word = (X[:, 0, 5] == 1) & (X[:, 1, 4] == 1)
            return torch.where(word, torch.nan, gs(X)[:, 0])[:, None]

    with pytest.raises(ValueError, match=f"first is for {name} and sequence"):
        scan(OnlyCA(), X, k=2, kmers=kmers, start=4)


def test_a_race_names_the_row_of_x(X):
    class Late(torch.nn.Module):
        """NaN where the last letter in a sequence of C is A."""

        def forward(self, X):
            wrong = (X[:, 1].sum(dim=1) >= 22) & (X[:, 0, 5] == 1)
            return torch.where(wrong, torch.nan, gs(X)[:, 0])[:, None]

    X = random_one_hot((60, 4, 24), random_state=0)
    X[17] = 0
    X[17, 1] = 1
    with pytest.raises(ValueError, match="first is for k-mer AA and sequence 17 of"):
        best_kmers(Late(), X, k=2, start=4, random_state=0)


def fails_above(most, error):
    sizes = []

    def forward(X, *args):
        sizes.append(len(X))
        if len(X) > most:
            raise error("[...] DefaultCPUAllocator: not enough memory: you tried to")
        return gs(X)

    return forward, sizes


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError, RuntimeError])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_batches_are_halved_where_memory_runs_out(X, error, batch_size):
    model, sizes = fails_above(3, error)
    with pytest.warns(RuntimeWarning, match="memory ran out; going on with 2") as said:
        found = run(model, X, batch_size=batch_size)
    assert torch.equal(found[:, 0, 0], effect_of_gg(X))
    assert len(said) == 1
    # What was computed is kept: no more is asked than fails once for each size.
    assert [size for size in sizes if size > 3] == ([8, 4] if batch_size else [10, 5])
    model, sizes = fails_above(3, error)
    with pytest.warns(RuntimeWarning, match="going on with 2"):
        found = run(model, X, func=lambda model, X, args=None: model(X))
    assert torch.equal(found[:, 0, 0], effect_of_gg(X))


def test_a_single_sequence_that_does_not_fit_is_said(X):
    with pytest.raises(
        MemoryError, match="single sequence of length 24: give `device`"
    ):
        run(fails_above(0, RuntimeError)[0], X)
    with pytest.raises(RuntimeError, match="shapes"):
        run(Gs(lambda y: y @ torch.ones(2, 2)), X)


def test_a_result_that_cannot_fit_says_why(X, monkeypatch):
    monkeypatch.setattr("tangermeme_gia._core.memory._free_memory", lambda: 10**6)
    conditions = [[("GG", i)] for i in range(20)]
    model = Gs(lambda y: y.repeat(1, 2_000))
    text = (
        "the result would take 10 backgrounds x 20 conditions x 8,000 bytes of outputs "
        "= 1.6 MB, and 1.0 MB of memory are free. `save_to` writes it to a folder"
    )
    with pytest.raises(ValueError, match=text):
        global_importance(model, X, conditions)
    assert global_importance(model, X, conditions, target=3).y_afters.shape == (10, 20)
    with pytest.raises(ValueError, match=r"the scan would take 64 k-mers x 2,000 outp"):
        kmer_scan(model, X, k=3)


def test_sizes_are_multiplied_out():
    check_fits("it", {"rows": 2, "bytes": 3}, "")
    text = r"it would take 4,000 rows x 1,000,000,000,000 bytes = 4,000,000.0 GB"
    with pytest.raises(ValueError, match=text):
        check_fits("it", {"rows": 4000, "bytes": 10**12}, "")


def test_what_is_alive_is_counted_once_and_views_whole():
    y = torch.zeros(2, 100)
    assert bytes_alive({"a": y[:, :1], "b": (y, None)}) == 800
    assert structure(y[:, :1]) == "a tensor of shape (2, 1)"
    assert as_module(Gs().forward).owner is not None
    assert bytes_alive(Output(torch.zeros(5))) == 20


def test_packed_backgrounds_are_asked_alike(X):
    packed = PackedSequence.from_one_hot(X)
    for func in (predict, lambda model, X, args=None: model(X)):
        assert torch.equal(run(Gs(), packed, func=func)[:, 0, 0], effect_of_gg(X))
