"""How a model is loaded and reads sequences, by adapt's words on the command line."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia.cli import main
from tangermeme_gia.cli.models import (
    Loading,
    read_args,
    read_vocabulary,
    word_or_number,
)
from tangermeme_gia.models.loading import load_model

NETS = """
import torch

WEIGHTS = torch.arange(96.0).reshape(4, 24) % 7


class Tracks(torch.nn.Module):
    '''Sequences with channels last and a control; outputs (n, 2 tracks, 24 bins).'''

    def forward(self, X, control):
        assert X.shape[1:] == (24, 4) and control.shape[1:] == (2, 24)
        bins = X @ WEIGHTS.T.diagonal().new_tensor([1.0, 2, 3, 4])
        return bins[:, None] * torch.tensor([1.0, 10])[:, None] + control


class Last(torch.nn.Module):
    def forward(self, X):
        return torch.einsum("nlc,cl->n", X, WEIGHTS)


class Words(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(99, 1)
        self.table.weight.data = torch.arange(99.0)[:, None] ** 2

    def forward(self, tokens):
        return self.table(tokens).sum(dim=1)
"""
ONE = ["--patterns", "ACG@3", "--n", "6"]


@pytest.fixture
def nets(here):
    (here / "nets.py").write_text(NETS)
    return here


def run(*words):
    assert main(["global-importance", *words, *ONE, "--out", "t.tsv"]) == 0
    return pd.read_csv("t.tsv", sep="\t")


def expected(model, **options):
    """The effect in Python, on the sequences of the command."""
    X = random_one_hot((40, 4, 24), random_state=0)
    return gia.global_importance(model, X[:6], [("ACG", 3)], **options)


@pytest.fixture
def sequences(nets):
    X = random_one_hot((40, 4, 24), random_state=0)
    np.savez("x.npz", X=X[:6].numpy())
    return ["--sequences", "x.npz", "--background", "observed"]


def test_tracks_with_control_of_a_model_with_channels_last(nets, sequences):
    given = ["--layout", "channels_last", "--args", "zeros:2,24", "--target", "1,4"]
    table = run("--model", "nets.py:Tracks", *sequences, *given)
    net = load_model("nets.py:Tracks").model
    model = gia.adapt(net, "channels_last", args=[torch.zeros(2, 24)])
    frame = expected(model, target=(1, 4)).to_frame()
    assert table["effect"].tolist() == pytest.approx(frame["effect"].tolist(), rel=1e-4)
    assert abs(table["effect"].item()) > 1
    np.save("control.npy", np.ones((2, 24)))
    given[3] = "control.npy"
    other = run("--model", "nets.py:Tracks", *sequences, *given)
    assert other["effect"].tolist() == pytest.approx(table["effect"].tolist(), rel=1e-4)


def test_letters_in_another_order_and_words(nets, sequences):
    given = ["--layout", "channels_last", "--alphabet", "TGCA"]
    table = run("--model", "nets.py:Last", *sequences, *given)
    net = load_model("nets.py:Last").model
    frame = expected(gia.adapt(net, "channels_last", alphabet="TGCA")).to_frame()
    assert table["effect"].tolist() == pytest.approx(frame["effect"].tolist(), rel=1e-4)
    words = ["[CLS]", *(a + b for a in "GATC" for b in "CATG")]
    (nets / "vocab.txt").write_text("\n".join(words) + "\n")
    given = ["--layout", "tokens", "--tokens", "vocab.txt", "--token-k", "2"]
    given += ["--token-stride", "2", "--cls", "[CLS]", "--eos", "50", "--unknown", "7"]
    table = run("--model", "nets.py:Words", *sequences, *given)
    model = gia.adapt(
        load_model("nets.py:Words").model, "tokens", tokens=words, k=2, stride=2
    )
    frame = expected(model).to_frame()
    assert table["effect"].tolist() == pytest.approx(frame["effect"].tolist(), rel=1e-4)


def test_a_report_of_a_model_with_channels_last(nets):
    words = ["--model", "nets.py:Tracks", "--layout", "channels_last", "--length", "24"]
    words += ["--args", "zeros:2,24", "--target", "0,10", "--motif", "ACG", "--n", "20"]
    words += ["--experiments", "motif", "--backgrounds", "profile", "--out", "r"]
    assert main(["report", *words]) == 0
    page = (nets / "r" / "index.html").read_text()
    assert "channels_last" in page


def test_provenance_says_how_the_model_reads(nets):
    loading = Loading(layout="n l c")
    assert loading.load("nets.py:Last", None).origin["layout"] == "n l c"
    assert "layout" not in Loading().load("nets.py:Last", None).origin


def failure(capsys, *words):
    assert main(["global-importance", *words, *ONE, "--length", "24"]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["nets.py:Last"],
            "The model answers for (n, length, letters): `adapt(model, ",
        ),
        (["nets.py:Words"], "`--layout tokens`"),
        (["nets.py:Tracks"], "Inputs beside the sequence come by `args` (`--args`)"),
        (["nets.py:Last", "--layout", "last"], "`--layout`='last' must be channels_f"),
        (
            ["nets.py:Last", "--token-k", "6"],
            "`--token-k` goes with `--layout`='tokens'",
        ),
        (["nets.py:Last", "--tokens", "no.txt"], "`--tokens`: there is no file no.txt"),
        (["nets.py:Last", "--args", "no.npy"], "`--args`: there is no file no.npy"),
        (["nets.py:Last", "--args", "3"], "`--args`='3' must be a file .npy or .npz"),
        (["nets.py:Last", "--unknown", "N"], "`--unknown`='N' must be a letter of"),
    ],
)
def test_what_does_not_go_is_said_in_one_line(nets, capsys, words, message):
    text = failure(capsys, "--model", *words)
    assert message in text
    assert text.count("\n") == 1


def test_words_and_numbers():
    assert [word_or_number(w) for w in ("3", "-1", "0.5", "N", "nan", "<s>")] == [
        3,
        -1,
        0.5,
        "N",
        "nan",
        "<s>",
    ]


def test_vocabularies_are_lines_or_json(here):
    (here / "a.txt").write_text("[PAD]\nA\nC\n")
    (here / "a.json").write_text(json.dumps({"A": 5, "C": 6}))
    (here / "b.json").write_text(json.dumps(["A", "C"]))
    assert read_vocabulary(here / "a.txt") == ["[PAD]", "A", "C"]
    assert read_vocabulary(here / "a.json") == {"A": 5, "C": 6}
    assert read_vocabulary(here / "b.json") == ["A", "C"]
    for text in ("{", '{"A": "5"}', "3", '{"A": true}'):
        (here / "w.json").write_text(text)
        with pytest.raises(ValueError, match=r"`--tokens`: .*w\.json"):
            read_vocabulary(here / "w.json")


def test_args_are_zeros_or_arrays(here):
    np.savez("two.npz", a=np.zeros(3), b=np.array(2))
    a, b = read_args("two.npz")
    assert (a.shape, b.item(), b.dtype) == ((3,), 2, torch.int64)
    np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    (here / "text.npy").write_text("nothing")
    for word in ("zeros:", "zeros:0", "zeros:2,x", "objects.npy", "text.npy"):
        with pytest.raises(ValueError, match=r"`--args`"):
            read_args(word)
