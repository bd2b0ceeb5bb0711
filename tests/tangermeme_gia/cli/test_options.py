import argparse
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from tangermeme.predict import predict
from tangermeme.utils import random_one_hot
from torch.testing import assert_close

import residualbind
from tangermeme_gia._core.command_line import HelpFormatter
from tangermeme_gia.cli.models import Loading
from tangermeme_gia.cli.options import (
    Reading,
    add_inputs,
    prediction_options,
    read_inputs,
)
from tangermeme_gia.report import OutputError


def parse(*words):
    parser = argparse.ArgumentParser()
    add_inputs(parser)
    return vars(parser.parse_args(words))


def test_the_options_are_those_that_the_reader_takes():
    given = parse("--sequences", "a.fa", "--length", "5")
    read = inspect.signature(read_inputs).parameters.keys()
    read -= {"model", "loading", "reading"}
    others = {"device", "batch_size", "random_state", "minus", "reuse"}
    taken = {*Loading._fields, *Reading._fields} - {"numbered"}
    assert given.keys() == {*read, *taken, *others}
    assert (given["sequences"], given["length"], given["random_state"]) == (
        Path("a.fa"),
        5,
        0,
    )


def test_help_shows_defaults_that_say_something():
    parser = argparse.ArgumentParser(formatter_class=HelpFormatter)
    parser.add_argument("--names", nargs="+", default=["a", "b"], help="some")
    parser.add_argument("--n", default=3, help="number")
    parser.add_argument("--no", action="store_true", help="switch")
    parser.add_argument("--none", help="nothing")
    text = " ".join(parser.format_help().split())
    assert "some (default: a b)" in text
    assert "number (default: 3)" in text
    assert text.count("default") == 2


def test_a_bundled_model_needs_nothing_else():
    inputs = read_inputs("A1CF")
    assert torch.equal(inputs.profile, residualbind.load_profile("A1CF"))
    assert (inputs.name, inputs.X, inputs.length) == ("A1CF", None, 41)
    assert inputs.alphabet == ("A", "C", "G", "U")
    assert inputs.origin["sequences"] == "the model's nucleotide profile"
    assert read_inputs("A1CF", alphabet="DNA").alphabet == ("A", "C", "G", "T")
    assert read_inputs("A1CF", length=41, alphabet="rna").alphabet == inputs.alphabet


def test_a_model_of_code_has_uniform_bases_of_the_alphabet(toys, caplog):
    caplog.set_level("INFO")
    inputs = read_inputs(f"{toys}:Additive", length=24)
    assert inputs.alphabet == ("A", "C", "G", "T")
    assert torch.equal(inputs.profile, torch.full((4, 24), 0.25))
    assert inputs.origin["sequences"] == "none; 24 uniform bases"
    assert "Additive comes without a profile" in caplog.text
    assert "backgrounds are of uniform bases" in caplog.text
    protein = read_inputs(f"{toys}:Additive", length=24, alphabet="protein")
    assert protein.profile.shape == (20, 24)
    spelled = read_inputs(f"{toys}:Additive", length=3, alphabet="tgca")
    assert spelled.alphabet == ("T", "G", "C", "A")


def test_sequences_take_the_place_of_the_profile(here):
    Path("probes.tsv").write_text("rna\tscore\nACGUU\t1\nGG\t2\n")
    inputs = read_inputs("A1CF", reading=Reading(Path("probes.tsv"), sequence="rna"))
    assert inputs.profile is None
    assert inputs.X.shape == (2, 4, 41)
    assert inputs.X.sum(dim=(1, 2)).tolist() == [5, 2]
    assert inputs.scores.tolist() == [1, 2]
    assert inputs.origin["sequences"] == "2 sequences of probes.tsv"


def test_sequences_tell_the_length_of_a_model_of_code(toys):
    np.savez("a.npz", X=np.eye(4)[None])
    reading = Reading(Path("a.npz"))
    assert read_inputs(f"{toys}:Additive", reading=reading).length == 4


def test_one_of_several_outputs_is_chosen(toys):
    X = random_one_hot((5, 4, 24), random_state=0)

    def model(name, target=None):
        return read_inputs(f"{toys}:{name}", length=24, target=target).model

    whole = predict(model("two").model, X)
    for target in (0, 1):
        assert_close(predict(model("two", target), X)[:, 0], whole[:, target])
    with pytest.raises(OutputError, match="2 outputs; choose one of 0 to 1 with"):
        predict(model("two"), X)
    with pytest.raises(OutputError, match="`--target` has 2 for axis 1"):
        predict(model("two", 2), X)
    with pytest.raises(OutputError, match="a list of 2 for 5 sequences"):
        predict(model("Many"), X)
    with pytest.raises(OutputError, match=r"fails on sequences of shape \(5, 4, 20\)"):
        predict(model("Additive"), X[..., :20])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 40}, "`--length`=40, but A1CF reads 41 bases"),
        ({"alphabet": "TGCA"}, "`--alphabet`='TGCA', but A1CF reads ACGU"),
        ({"alphabet": "A"}, "must be DNA, RNA, protein or distinct letters"),
        ({"length": -1}, "`--length`=-1 must be at least 1"),
        ({"reading": Reading(genome=Path("a.fa"))}, r"`--genome` goes with regions"),
        ({"reading": Reading(chroms=["chr8"])}, r"`--chroms` goes with regions"),
    ],
)
def test_options_that_do_not_fit_the_model_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        read_inputs("A1CF", **options)


def test_only_what_was_given_reaches_predict():
    assert prediction_options(None, None) == {}
    assert prediction_options("cpu", 3) == {"device": "cpu", "batch_size": 3}
    with pytest.raises(ValueError, match="`--device`='abacus' cannot be used: "):
        prediction_options("abacus", None)
    with pytest.raises(ValueError, match="`--batch-size`=0 must be"):
        prediction_options(None, 0)
