"""What is computed by what changes equals what is computed in full, or is not used."""

import numpy as np
import pytest
import torch
from tangermeme.predict import predict
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia._core import reuse as reuse_module
from tangermeme_gia._core.asking import Asked
from tangermeme_gia._core.changed import RULES, Part
from tangermeme_gia._core.changed_blocks import error_beyond_rounding
from tangermeme_gia._core.recorded import Recorded, is_apart
from tangermeme_gia._core.reuse import Reuse

nn, F = torch.nn, torch.nn.functional
LENGTH = 61
X = random_one_hot((5, 4, LENGTH), random_state=0)
# The first and the last base, both edges and the middle, windows that touch neither.
STARTS = [0, 1, 17, 28, LENGTH - 7, LENGTH - 6]


class Model(nn.Module):
    """A model of layers and of what is done with them."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.layers = nn.ModuleDict(layers)
        self.run = forward

    def forward(self, X, *args):
        return self.run(self.layers, X, *args)


def conv(n_in, n_out, k, **kwargs):
    return nn.Conv1d(n_in, n_out, k, **kwargs)


def dense(*layers):
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(3))


def bpnet(m, X):
    h = torch.relu(m["first"](X))
    for name in ("a", "b", "c"):
        h = torch.add(h, torch.relu(m[name](h)))
    return m["profile"](h)[:, :, 5:-5], m["counts"](h[:, :, 3:-3].mean(dim=2))


def both_strands(m, X):
    one, two = m["net"](X), m["net"](torch.flip(X, (1, 2)))
    return (one + two.flip(2)).mean(2) + torch.maximum(one, two).mean(2)


def gated(m, X):
    a, b = m["conv"](X).chunk(2, dim=1)
    h = torch.sigmoid(a) * torch.tanh(b) - 0.5 * a
    return (2 - h).sum(dim=(1, 2))[:, None]


def channels_last(m, X):
    h = m["norm"](F.gelu(m["begin"](X.transpose(1, 2))))
    h = h + m["out"](h) @ torch.eye(8, dtype=h.dtype)
    return torch.cat([h.mean(1), h[:, 3], h[:, -2]], dim=1)


def two_dimensional(m, X):
    h = torch.relu(m["conv"](X.unsqueeze(1))).squeeze(2)
    return m["end"](F.max_pool2d(h.unsqueeze(2), (1, 3), (1, 2)).flatten(1))


def inplace(m, X):
    h = m["conv"](X)
    h = F.relu(h, inplace=True)
    h += 1
    h *= 2.0
    return F.avg_pool1d(h, 4, 2, padding=1).sum(2)


def attention(m, X):
    h = torch.relu(m["conv"](X)).transpose(1, 2)
    h, _ = m["attention"](h, h, h, need_weights=False)
    return h.mean(1)


def over_length(m, X):
    h = m["conv"](X)
    h = F.layer_norm(h, h.shape[-1:])
    return (F.softmax(h, dim=-1) * h).sum(-1) + h.amax(-1)


def recurrent(m, X):
    h, _ = m["lstm"](torch.relu(m["conv"](X)).transpose(1, 2))
    return h[:, -1]


def padded(m, X):
    h = m["conv"](F.pad(X, (3, 1)))
    h = torch.cat([h, h.new_ones(len(h), 1, h.shape[-1])], dim=1)
    h = F.pad(h, (0, 0, 1, 0))
    return h[:, 1:].sum(2) + h.permute(0, 2, 1).reshape(len(h), -1)[:, :6]


def batch_norm():
    norm = nn.BatchNorm1d(6)
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    return norm


MODELS = {
    "linear": lambda: dense(),
    "basset": lambda: dense(
        conv(4, 6, 7, padding=3), batch_norm(), nn.ReLU(), nn.MaxPool1d(3),
        conv(6, 9, 5, padding="same"), nn.ELU(), nn.MaxPool1d(2, ceil_mode=True),
    ),
    "strided": lambda: dense(
        conv(4, 9, 5, stride=3, padding=2), nn.GELU(), nn.AvgPool1d(3, 2),
        conv(9, 9, 3, stride=2, dilation=2),
    ),
    "grouped": lambda: dense(
        conv(4, 18, 3), nn.SiLU(), conv(18, 18, 5, groups=2, padding=4),
        nn.MaxPool1d(3, stride=2, padding=1), nn.Softplus(), nn.Dropout(0.5),
    ),
    "long filters": lambda: dense(
        conv(4, 12, 5), nn.ReLU(), conv(12, 1, 21, padding=10)
    ),
    "global maximum": lambda: nn.Sequential(
        conv(4, 9, 9), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten()
    ),
    "global mean": lambda: nn.Sequential(
        conv(4, 9, 9), nn.PReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
        nn.Linear(9, 2), nn.Sigmoid(),
    ),
    "bpnet": lambda: Model(
        bpnet, first=conv(4, 10, 9, padding=4),
        a=conv(10, 10, 3, dilation=2, padding=2),
        b=conv(10, 10, 3, dilation=4, padding=4),
        c=conv(10, 10, 3, dilation=8, padding=8),
        profile=conv(10, 2, 17, padding=8), counts=nn.Linear(10, 1),
    ),
    "both strands": lambda: Model(both_strands, net=conv(4, 6, 7, padding="same")),
    "gated": lambda: Model(gated, conv=conv(4, 12, 5)),
    "channels last": lambda: Model(
        channels_last, begin=nn.Linear(4, 8), norm=nn.LayerNorm(8), out=nn.Linear(8, 8)
    ),
    "two-dimensional": lambda: Model(
        two_dimensional, conv=nn.Conv2d(1, 6, (4, 7), padding=(0, 3)),
        end=nn.LazyLinear(2),
    ),
    "in place": lambda: Model(inplace, conv=conv(4, 9, 7, padding=2)),
    "attention": lambda: Model(
        attention, conv=conv(4, 8, 5),
        attention=nn.MultiheadAttention(8, 2, batch_first=True),
    ),
    "over the length": lambda: Model(over_length, conv=conv(4, 9, 5)),
    "recurrent": lambda: Model(
        recurrent, conv=conv(4, 8, 5), lstm=nn.LSTM(8, 3, batch_first=True)
    ),
    "padded": lambda: Model(padded, conv=conv(4, 5, 5)),
    "itself": lambda: Model(lambda m, X: {"a": X[:, :, 2], "b": [X * 2]}),
}  # fmt: skip


def make(name, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = MODELS[name]().double()
        model.eval()
        with torch.no_grad():
            model(X[:2].double())
    return model


def assert_same(model, experiment, **kwargs):
    """Outputs with reuse are those without, but for rounding."""
    full, reused = (experiment(model, X, reuse=r, **kwargs) for r in (False, True))
    for one, two in zip(heads(full), heads(reused), strict=True):
        error, largest = (one - two).abs().max(), one.abs().max()
        assert error <= 1e-13 * largest
    return full


def heads(result):
    y = result.y_afters
    return y if isinstance(y, list) else [y]


def target_of(name):
    return (
        (lambda y: torch.cat([y["a"], y["b"][0][:, 0]], 1))
        if name == "itself"
        else None
    )


def at_starts(model, X, **kwargs):
    return gia.positional_bias(model, X, "GATTAC", STARTS, **kwargs)


# A warning that all is computed in full is an error in all that follows.
@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_those_of_full_passes(name):
    result = assert_same(make(name), at_starts, target=target_of(name))
    assert all(effect.abs().max() > 0 for effect in effects(result))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("start", [0, LENGTH // 2, LENGTH - 1])
def test_single_bases_at_the_edges_count(name, start):
    def letters(model, X, **kwargs):
        placed = [[(letter, start)] for letter in "ACGT"]
        return gia.global_importance(model, X, placed, **kwargs)

    assert_same(make(name), letters, target=target_of(name))


def effects(result):
    found = result.local_importance
    return found if isinstance(found, list) else [found]


ANCHOR = [[(letters, 30)] for letters in ("GATTACA", "CCCCCCC", "ACACACA", "TGTGTGT")]


def importance(model, X, **kwargs):
    return gia.global_importance(model, X, ANCHOR, **kwargs)


@pytest.fixture
def long_X():
    return random_one_hot((3, 4, 600), random_state=0)


@pytest.mark.parametrize(
    "name", ["basset", "bpnet", "grouped", "gated", "channels last"]
)
def test_only_what_changes_is_computed(name, long_X):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MODELS[name]().eval()
    with torch.no_grad():
        model(long_X[:2].float())
    recorded = Recorded(Asked(model, None, None, ()), long_X, None, None, {})
    changed = random_one_hot((6, 4, 7), random_state=1).unflatten(0, (3, 2))
    recorded.ask(slice(0, 3), 300, changed)
    assert recorded.tape.largest < 0.2 * max(recorded.sizes(None))


def test_side_inputs_follow_their_sequences():
    def forward(m, X, track, cell):
        h = torch.cat([m["conv"](X), track], dim=1)
        return F.relu(m["end"](h)).mean(2) * cell

    model = Model(forward, conv=conv(4, 5, 5), end=conv(6, 9, 3)).double()
    track = torch.rand(len(X), 1, LENGTH - 4, dtype=torch.float64)
    cell = torch.arange(1.0, 6.0, dtype=torch.float64)[:, None]
    assert_same(model, at_starts, args=[track, cell])


def test_weights_that_are_made_in_every_call_are_made_anew():
    def forward(m, X):
        for scale in (1.0, 2.0, 3.0):
            h = F.conv1d(X, m["conv"].weight * scale, m["conv"].bias)
            X = torch.relu(F.conv1d(h, m["back"].weight / scale, padding=4))
        return X.sum(2)

    layers = {"conv": conv(4, 12, 5), "back": conv(12, 4, 5)}
    assert_same(Model(forward, **layers).double(), at_starts)


def assert_falls_back(model, match, experiment=importance):
    with pytest.warns(RuntimeWarning, match=f"`reuse`: all .* in full, since {match}"):
        return assert_same(model, experiment)


def test_what_numbers_decide_is_computed_in_full():
    def forward(m, X):
        h = m["conv"](X)
        return (torch.relu(h) if h[:, 0].max() > m["conv"].bias[0] + 1.9 else h).sum(2)

    layer = conv(4, 3, 7).double()
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, :, :] = torch.tensor([2.0, -1, -1, -1])[:, None] / 7

    def all_letters(model, X, **kwargs):
        placed = [[(7 * letter, 30)] for letter in "CGTA"]
        return gia.global_importance(model, X, placed, **kwargs)

    model = Model(forward, conv=layer)
    assert_falls_back(model, "it computes `relu` where it computed `sum`", all_letters)


def test_views_of_what_is_changed_in_place_are_computed_in_full():
    def forward(m, X):
        h = m["conv"](X)
        first = h[:, :2]
        first.relu_()
        return h.sum(2)

    assert_falls_back(
        Model(forward, conv=conv(4, 3, 7)).double(), "it reads a view of what was"
    )


def test_tensors_that_are_written_into_are_computed_in_full():
    def forward(m, X):
        h = torch.zeros(len(X), 3, X.shape[-1] + 4, dtype=X.dtype)
        h[:, :, 5:-5] = m["conv"](X)
        return h.sum(2)

    assert_falls_back(
        Model(forward, conv=conv(4, 3, 7)).double(), "it writes into a tensor"
    )


def test_a_wrong_rule_is_found_and_named(monkeypatch):
    wrong = lambda func, args, kwargs, tape: Part(args[0].span, args[0].new_values())  # noqa: E731
    monkeypatch.setitem(RULES, "relu", wrong)
    assert_falls_back(make("basset"), "`relu` of the model gives outputs")


@pytest.mark.parametrize(
    ("error", "apart", "said"),
    [
        (0.0005, "relu", ""),
        (0.002, None, ""),
        (0.002, "relu", "`relu` of the model gives outputs that differ by up to 0.002"),
        (0.2, None, "the model gives outputs that differ by up to 0.2 from"),
    ],
)
def test_errors_matter_by_their_size_and_where_they_arise(error, apart, said):
    # Of one effect of 1, whose activations are so large that they round to 0.002.
    before = torch.zeros(1, 1)
    truth = torch.ones(1, 1, 1)
    found = error_beyond_rounding(truth + error, truth, before, lambda: apart)
    assert found.startswith(said)
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    ("error", "largest", "is_so"), [(1e-3, 1.0, True), (1e-3, 1e3, False)]
)
def test_activations_round_as_the_largest_of_them(error, largest, is_so):
    truth = torch.ones(3)
    assert is_apart(truth + error, truth, largest) == is_so


def test_activations_that_only_later_windows_need_are_computed_again(monkeypatch):
    kept = []

    def keep_nothing(self, needed, recorded):
        kept.append(needed)
        keep(self, set() if needed else None, recorded)

    keep = Reuse._keep
    monkeypatch.setattr(Reuse, "_keep", keep_nothing)
    assert_same(make("basset"), importance)
    assert kept[0]
    assert kept[1:] == [None]


def test_activations_that_do_not_fit_are_not_kept():
    with pytest.warns(RuntimeWarning, match=r"one background, \d+ bytes, is more than"):
        assert_same(make("basset"), importance, max_memory=6_000)


def test_what_is_compiled_is_followed_as_it_was_written():
    class Compiled(nn.Module):
        """As `torch.compile` gives it, but for the compiler, which not all have."""

        def __init__(self, model):
            super().__init__()
            self._orig_mod = model

        def forward(self, X):
            assert type(X) is torch.Tensor
            return self._orig_mod(X)

    assert_same(Compiled(make("basset")), at_starts)


def test_other_functions_and_dtypes_are_computed_in_full():
    def doubled(model, X, args=None, **kwargs):
        return 2 * predict(model, X, **kwargs)

    with pytest.warns(RuntimeWarning, match="only `predict` without `dtype`"):
        assert_same(make("basset"), importance, func=doubled)
    with pytest.raises(TypeError, match="`reuse`='yes' must be True, False or None"):
        importance(make("basset"), X, reuse="yes")


def test_small_effects_are_closer_to_the_truth_than_by_full_passes():
    # A thousand, of which a motif changes a few thousandths: single precision rounds.
    def forward(m, X):
        return 1e3 + m["net"](X)

    def error(reuse):
        model = Model(forward, net=make("global mean").float())
        return (importance(model, X, reuse=reuse).global_importance - truth).abs().max()

    exact = Model(forward, net=make("global mean"))
    truth = importance(exact, X, reuse=False).global_importance
    assert error(True) <= 1.01 * error(False)


@pytest.mark.parametrize("name", ["basset", "bpnet"])
def test_scans_races_and_surveys_are_the_same(name):
    model, kmers = make(name), [a + b + "GA" for a in "ACGT" for b in "ACGT"]
    target = 1 if name == "bpnet" else 0
    scans = [
        gia.kmer_scan(model, X, kmers=kmers, target=target, reuse=reuse)
        for reuse in (False, True)
    ]
    torch.testing.assert_close(scans[1].effect, scans[0].effect, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(scans[1].se, scans[0].se, rtol=1e-9, atol=1e-12)
    races = [
        gia.best_kmers(
            model, X, kmers=kmers, target=target, top=3, random_state=0, reuse=reuse
        )
        for reuse in (False, True)
    ]
    assert races[0].kmers == races[1].kmers
    torch.testing.assert_close(races[1].effect, races[0].effect, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("most", "is_faster"), [(np.inf, True), (0.0, False)])
def test_without_being_asked_it_is_done_where_it_is_faster(
    monkeypatch, long_X, most, is_faster
):
    asked, ask = [], Recorded.ask

    def counted(self, rows, first, sequences):
        asked.append(sequences.shape[0] * sequences.shape[1])
        return ask(self, rows, first, sequences)

    monkeypatch.setattr(Recorded, "ask", counted)
    monkeypatch.setattr(reuse_module, "_MOST_TIME", most)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(conv(4, 9, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1)).eval()
    X = long_X.repeat(2, 1, 1)
    scan = gia.kmer_scan(model, X, k=4)
    assert (sum(asked) > 256 * len(X)) == is_faster
    full = gia.kmer_scan(model, X, k=4, reuse=False)
    torch.testing.assert_close(scan.effect, full.effect, rtol=1e-3, atol=1e-6)


def test_little_is_asked_without_a_trial(monkeypatch, long_X):
    recorded, make_one = [], Recorded.__init__

    def counted(self, *args):
        recorded.append(self)
        make_one(self, *args)

    monkeypatch.setattr(Recorded, "__init__", counted)
    importance(make("linear"), X)
    gia.kmer_scan(make("linear"), X, k=4)
    assert not recorded
    importance(make("linear"), X, reuse=True)
    assert recorded
