"""Adapted models give what a hand-weighted model of (n, letters, length) gives."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.predict import predict
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from tangermeme.utils import one_hot_encode, random_one_hot

import tangermeme_gia as gia
from tangermeme_gia import adapt

LENGTH = 12
X = random_one_hot((6, 4, LENGTH), random_state=0)
# Of every base: the output of a model is the sum of those that are there.
WEIGHTS = torch.arange(1.0, 4 * LENGTH + 1).reshape(4, LENGTH)
EXPECTED = (X * WEIGHTS).sum(dim=(1, 2))


class Weighted(torch.nn.Module):
    """The sum of the weights of the bases, one-hot with axes as einsum writes them."""

    def __init__(self, axes, weights=WEIGHTS):
        super().__init__()
        self.axes = axes
        self.weights = torch.nn.Parameter(weights.clone())

    def forward(self, X):
        return torch.einsum(f"{self.axes},cl->n", X, self.weights)[:, None]


class OfTokens(torch.nn.Module):
    """The sum of the numbers of the tokens."""

    def __init__(self, n_tokens):
        super().__init__()
        self.table = torch.nn.Embedding(n_tokens, 1)
        self.table.weight.data = torch.arange(float(n_tokens))[:, None]

    def forward(self, input_ids, attention_mask=None):
        assert input_ids.dtype == torch.long
        y = self.table(input_ids)
        return (y if attention_mask is None else y * attention_mask[..., None]).sum(1)


class Keeps(torch.nn.Module):
    """Gives back what it is given."""

    def forward(self, *given, **named):
        self.given, self.named = given, named
        return given[0].float().flatten(1)


def given_to(X, *args, **keywords):
    """The first thing that a model gets when it is adapted so."""
    model = Keeps()
    adapt(model, **keywords)(X, *args)
    return model.given[0]


@pytest.mark.parametrize(
    ("layout", "axes", "shape"),
    [
        ("channels_first", "ncl", (6, 4, 12)),
        ("channels_last", "nlc", (6, 12, 4)),
        ("conv2d", "ncil", (6, 4, 1, 12)),
        ("n c l 1", "ncli", (6, 4, 12, 1)),
        ("n 1 l c", "nilc", (6, 1, 12, 4)),
    ],
)
def test_every_layout_gives_the_same(layout, axes, shape):
    model = adapt(Weighted(axes), layout)
    assert predict(model, X)[:, 0].tolist() == EXPECTED.tolist()
    assert given_to(X, layout=layout).shape == shape
    # Attributions are those of the model that needs no adapting.
    own = Weighted("ncl")
    for func in (deep_lift_shap, saturation_mutagenesis):
        keywords = {} if func is saturation_mutagenesis else {"random_state": 0}
        found, expected = (func(m, X.float(), **keywords) for m in (model, own))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
        assert found.abs().max() > 1


def test_an_experiment_takes_it_and_its_letters():
    model = adapt(Weighted("nlc"), "channels_last", alphabet="ACGU")
    result = gia.global_importance(model, X, [("UU", 3)])
    placed = X.clone()
    placed[:, :, 3:5] = one_hot_encode("TT")
    effect = (placed * WEIGHTS).sum(dim=(1, 2)) - EXPECTED
    assert result.local_importance[:, 0, 0].tolist() == effect.tolist()
    assert model.alphabet == ("A", "C", "G", "U")


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_channels_in_another_order(layout):
    # The model's channels are A, G, C, T; sequences stay A, C, G, T.
    turned = WEIGHTS[[0, 2, 1, 3]]
    axes = {"channels_first": "ncl", "channels_last": "nlc"}[layout]
    model = adapt(Weighted(axes, turned), layout, alphabet="AGCT")
    assert model.alphabet == ("A", "C", "G", "T")
    assert model(X.float())[:, 0].tolist() == EXPECTED.tolist()


def test_a_model_may_state_the_order_and_other_alphabets_keep_theirs():
    inner = Weighted("ncl", WEIGHTS[[3, 2, 1, 0]])
    inner.alphabet = "TGCA"
    assert adapt(inner)(X.float())[:, 0].tolist() == EXPECTED.tolist()
    assert adapt(Keeps(), alphabet="ACDE").alphabet == ("A", "C", "D", "E")
    # One that is no alphabet, such as a tokenizer's, is not taken.
    inner.alphabet = ["<cls>", "A"]
    assert adapt(inner).alphabet == ("A", "C", "G", "T")


WITH_N = one_hot_encode("ACNT", allow_N=True)[None]


@pytest.mark.parametrize(
    ("keywords", "column"),
    [
        ({}, [0, 0, 0, 0]),
        ({"unknown": 0.25}, [0.25] * 4),
        ({"unknown": -1}, [-1] * 4),
        ({"unknown": "N", "alphabet": "ACGTN"}, [0, 0, 0, 0, 1]),
        ({"unknown": "N", "alphabet": "NTGCA"}, [1, 0, 0, 0, 0]),
    ],
)
def test_n_becomes_what_is_said(keywords, column):
    given = given_to(WITH_N.float(), layout="channels_last", **keywords)
    assert given[0, 2].tolist() == column
    # What is known stays what it is.
    order = keywords.get("alphabet", "ACGT")
    assert given[0, 0].tolist() == [float(letter == "A") for letter in order]
    assert given[0, 3].tolist() == [float(letter == "T") for letter in order]


def test_n_is_no_letter_where_tokens_are_read():
    for keywords in ({}, {"k": 2}, {"tokens": lambda words: torch.zeros(len(words))}):
        model = adapt(Keeps(), "tokens", **keywords)
        with pytest.raises(ValueError, match=r"sequence 0 has no letter at position 2"):
            model(WITH_N.float())


TATA = one_hot_encode("TATA")[None].float()
VOCABULARY = {"<cls>": 0, "<eos>": 2, "<unk>": 3, "T": 4, "A": 5, "C": 6, "G": 7}


@pytest.mark.parametrize(
    ("keywords", "tokens"),
    [
        ({}, [3, 0, 3, 0]),
        ({"alphabet": "TGCA"}, [0, 3, 0, 3]),
        ({"tokens": VOCABULARY}, [4, 5, 4, 5]),
        ({"tokens": VOCABULARY, "cls": "<cls>", "eos": 2}, [0, 4, 5, 4, 5, 2]),
        ({"tokens": ["", "G", "C", "T", "A"]}, [3, 4, 3, 4]),
        ({"k": 2}, [12, 3, 12]),
        ({"k": 2, "stride": 2}, [12, 12]),
        ({"k": 3}, [51, 12]),
        ({"k": 2, "eos": 99}, [12, 3, 12, 99]),
    ],
)
def test_tokens_are_the_numbers_of_the_words(keywords, tokens):
    assert given_to(TATA, layout="tokens", **keywords).tolist() == [tokens]


@pytest.mark.parametrize(
    ("keywords", "tokens"),
    [
        ({"unknown": 4}, [0, 1, 4, 3]),
        ({"unknown": "<unk>", "tokens": VOCABULARY}, [5, 6, 3, 4]),
        ({"unknown": "N", "alphabet": "NACGT"}, [1, 2, 0, 4]),
        # Every word with the N in it.
        ({"unknown": 16, "k": 2}, [1, 16, 16]),
        ({"unknown": 16, "k": 2, "stride": 2}, [1, 16]),
    ],
)
def test_words_with_n_are_the_unknown_token(keywords, tokens):
    assert given_to(WITH_N.float(), layout="tokens", **keywords).tolist() == [tokens]


def _padded(words):
    """As Hugging Face's tokenizers: pairs of letters, of which AC is a word."""
    split = [word.replace("AC", "x") for word in words]
    longest = max(map(len, split))
    ids = [["ACGTNx".index(c) for c in s] + [0] * (longest - len(s)) for s in split]
    mask = [[1] * len(s) + [0] * (longest - len(s)) for s in split]
    return {"input_ids": ids, "attention_mask": torch.tensor(mask)}


def test_a_tokenizer_is_given_letters():
    two = torch.cat([TATA, one_hot_encode("ACAC")[None]])
    model = adapt(Keeps(), "tokens", tokens=lambda words: [[len(w)] for w in words])
    assert model(two).tolist() == [[4.0], [4.0]]
    inner = OfTokens(6)
    model = adapt(inner, "tokens", tokens=_padded)
    # T, A, T, A; and AC twice, whose padding the mask leaves out.
    assert model(two)[:, 0].tolist() == [6.0, 10.0]
    heard = []
    model = adapt(
        OfTokens(6),
        "tokens",
        alphabet="ACGU",
        unknown="N",
        tokens=lambda words: heard.extend(words) or {"input_ids": [[0]]},
    )
    model(WITH_N.float())
    assert heard == ["ACNU"]


def test_a_tokenizer_whose_rows_differ_is_told_what_to_do():
    model = adapt(Keeps(), "tokens", tokens=lambda words: [[1], [1, 2]])
    with pytest.raises(TypeError, match=r'return_tensors="pt", padding=True'):
        model(torch.cat([TATA, TATA]))


def test_tokens_have_mutations_and_no_gradient():
    inner = OfTokens(4)
    model = adapt(inner, "tokens")
    with pytest.raises(TypeError, match="no gradient with respect to `X`"):
        deep_lift_shap(model, X.float(), random_state=0)
    with pytest.raises(TypeError, match="`saturation_mutagenesis` does"):
        gia.global_importance(model, X, [("AA", 3)], func=deep_lift_shap)
    # The number of a base is its channel: attributions are these, less their mean.
    found = saturation_mutagenesis(model, X.float(), hypothetical=True)
    expected = (torch.arange(4.0) - 1.5)[None, :, None].expand_as(found)
    torch.testing.assert_close(found, expected)
    assert not model(X.float()).isnan().any()


def test_sequences_that_are_not_one_hot_have_no_tokens():
    for wrong in (torch.full((1, 4, 3), 0.25), 2 * TATA, TATA + TATA.flip(1)):
        with pytest.raises(ValueError, match="`X` is not one-hot, and only such"):
            adapt(Keeps(), "tokens")(wrong)


class Side(torch.nn.Module):
    """The cell type's number, times the depth, beside sequences of channels last."""

    def __init__(self):
        super().__init__()
        self.cells = torch.nn.Embedding(3, 1)
        self.cells.weight.data = torch.tensor([[0.0], [10.0], [100.0]])

    def forward(self, X, cell, depth, scale=1):
        assert X.shape[1:] == (LENGTH, 4)
        return scale * self.cells(cell) * depth + X[:, :, 1].sum(dim=1, keepdim=True)


def test_side_inputs_stay_whole_numbers_and_follow_the_sequences():
    cell = torch.tensor([0, 1, 2, 0, 1, 2])
    depth = torch.full((6, 1), 0.5)
    n_c = X[:, 1].sum(dim=1).float()
    expected = torch.tensor([0.0, 10, 100] * 2) + n_c
    model = adapt(Side(), "channels_last", integer_args=[0], scale=2)
    for y in (
        model(X.float(), cell, depth),
        predict(model, X, args=(cell, depth)),
        gia.global_importance(model, X, [("A", 3)], args=(cell, depth)).y_before,
    ):
        assert y[:, 0].tolist() == expected.tolist()
    # Without it they come as they are.
    plain = adapt(Side(), "channels_last", scale=2)
    result = gia.global_importance(plain, X, [("A", 3)], args=(cell, depth))
    assert result.y_before[:, 0].tolist() == expected.tolist()


def test_side_inputs_that_are_the_same_for_all():
    model = adapt(Side(), "channels_last", args=[torch.tensor(2), np.full(1, 0.5)])
    n_c = X[:, 1].sum(dim=1).float()
    assert predict(model, X)[:, 0].tolist() == (50 + n_c).tolist()
    inner = Keeps()
    control = torch.zeros(2, LENGTH, dtype=torch.float64)
    adapt(inner, args=[control], head="human")(X.float())
    assert inner.given[1].shape == (6, 2, LENGTH)
    assert inner.given[1].dtype == torch.float32  # as the sequences
    assert inner.named == {"head": "human"}


def test_tensors_follow_the_model_to_its_device_and_state_is_its_own():
    inner = torch.nn.Conv1d(4, 1, 3)
    model = adapt(
        inner, unknown=0.25, args=[torch.zeros(2)], mask=torch.ones(3), name="a"
    )
    assert {tensor.device.type for tensor in model.to("meta").buffers()} == {"meta"}
    own = adapt(torch.nn.Conv1d(4, 1, 3), unknown=0.25)
    assert own.state_dict().keys() == {"model.weight", "model.bias"}
    own.load_state_dict(own.state_dict())


@pytest.mark.parametrize(
    ("layout", "keywords"),
    [("channels_last", {}), ("conv2d", {"unknown": 0.25}), ("tokens", {"k": 2})],
)
def test_copies_and_pickles_are_the_same_model(layout, keywords):
    axes = {"channels_last": "nlc", "conv2d": "ncil"}
    inner = OfTokens(16) if layout == "tokens" else Weighted(axes[layout])
    model = adapt(inner, layout, **keywords)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other(X.float()).tolist() == model(X.float()).tolist()
        assert other.alphabet == model.alphabet


def test_modes_are_those_of_the_model():
    inner = torch.nn.Sequential(torch.nn.Dropout(0.5))
    assert adapt(inner).training
    model = adapt(inner.eval(), "channels_last")
    assert not model.training
    assert model(X.float()).tolist() == X.float().transpose(1, 2).tolist()
    assert model.train().model[0].training


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_functions_and_torchscript_are_models():
    model = adapt(lambda X: X.sum(dim=2), "channels_last")
    assert predict(model, X).tolist() == [[1.0] * LENGTH] * 6
    script = torch.jit.script(torch.nn.Flatten())
    assert adapt(script, "channels_last")(X.float()).shape == (6, 48)
    with pytest.raises(TypeError, match="`model` is the class Weighted; make a model"):
        adapt(Weighted)


def test_describe_prints_what_goes_in_and_comes_out(capsys):
    model = adapt(Weighted("ncil"), "conv2d", alphabet="ACGU", unknown=0.25)
    model.describe(LENGTH)
    assert capsys.readouterr().out.splitlines() == [
        "X             (2, 4, 12) one-hot, A C G U",
        "model reads   tensor of shape (2, 4, 1, 12), torch.float32",
        "model gives   tensor of shape (2, 1)",
        "N             becomes 0.25 in every channel",
        "attributions  deep_lift_shap, saturation_mutagenesis",
    ]
    model = adapt(OfTokens(6), "tokens", tokens=_padded).train()
    model.describe(torch.cat([TATA] * 5))
    assert capsys.readouterr().out.splitlines() == [
        "X             (2, 4, 4) one-hot, A C G T",
        "model reads   input_ids tensor of shape (2, 4), torch.int64; attention_mask "
        "tensor of shape (2, 4), torch.int64",
        "model gives   tensor of shape (2, 1)",
        "N             is refused",
        "attributions  saturation_mutagenesis",
    ]
    assert model.training
    adapt(Side(), "channels_last").describe(X, torch.zeros(6).long(), torch.ones(6, 1))
    assert "(2, 1)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"layout": "last"}, "`layout`='last' must be channels_first, channels_last"),
        ({"layout": "l n c"}, "or axes such as 'n 1 c l'"),
        ({"layout": "n c l c"}, "`layout`='n c l c'"),
        ({"layout": 3}, "`layout`=3 must"),
        ({"k": 6}, "`k` goes with `layout`='tokens', not 'channels_first'"),
        ({"stride": 2}, "`stride` goes with"),
        ({"tokens": VOCABULARY}, "`tokens` goes with"),
        ({"cls": 0}, "`cls` goes with"),
        ({"unknown": "N"}, "`unknown`='N' must be a letter of `alphabet` A, C, G, T"),
        ({"unknown": None, "alphabet": "AA"}, "`alphabet`='AA' must hold"),
        ({"unknown": [0, 0, 0, 1]}, r"`unknown`=\[0, 0, 0, 1\] must be a number"),
        ({"unknown": float("nan")}, "`unknown`=nan must be a number"),
        ({"layout": "tokens", "k": 0}, "`k`=0 must be at least 1"),
        ({"layout": "tokens", "stride": 0}, "`stride`=0 must be at least 1"),
        ({"layout": "tokens", "k": 12}, "`k`=12: 4 letters make more than 4,194,304"),
        (
            {"layout": "tokens", "tokens": VOCABULARY, "k": 2},
            "`tokens` lacks 16 of the 16 words of `k`=2 letters A, C, G, T: AA, AC, AG",
        ),
        ({"layout": "tokens", "unknown": "N"}, "`unknown`='N' is no word of `tokens`"),
        ({"layout": "tokens", "unknown": 0.25}, "`unknown`=0.25 must be a token"),
        ({"layout": "tokens", "unknown": -1}, "`unknown`=-1 must be at least 0"),
        ({"layout": "tokens", "eos": "</s>"}, "`eos`='</s>' is no word of `tokens`"),
        ({"layout": "tokens", "tokens": _padded, "k": 6}, "makes the words and their"),
        (
            {"layout": "tokens", "tokens": _padded, "unknown": 5},
            "`unknown`=5 must be the letter that `tokens`",
        ),
        ({"args": ["zeros"]}, r"`args\[0\]` is of type str; it must be a tensor"),
    ],
)
def test_what_does_not_go_together_is_named(keywords, message):
    with pytest.raises((ValueError, TypeError), match=message):
        adapt(Keeps(), **keywords)


def test_words_have_to_cover_a_sequence():
    model = adapt(Keeps(), "tokens", k=6, stride=6)
    assert model(X.float()).shape == (6, 2)
    with pytest.raises(ValueError, match="11 positions, which words of `k`=6 letters"):
        model(X[..., 1:].float())
    with pytest.raises(ValueError, match="4 positions, which words"):
        adapt(Keeps(), "tokens", k=6)(TATA)


def test_partial_tokenizers_pickle():
    model = adapt(OfTokens(6), "tokens", tokens=functools.partial(_padded))
    assert pickle.loads(pickle.dumps(model))(TATA).tolist() == model(TATA).tolist()
