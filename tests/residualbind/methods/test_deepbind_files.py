"""DeepBind's published files, on small ones written here."""

import gzip
import itertools

import numpy as np
import pytest
import torch
from tangermeme.utils import one_hot_encode, reverse_complement

from residualbind import load_deepbind
from residualbind.methods import gia_models
from tangermeme_gia.models.loading import load_model

WIDTH, N_DETECTORS = 3, 2


def parameters(*, average: int, hidden: int, both_strands: int = 0) -> dict:
    rng = np.random.default_rng(0)
    n_features = N_DETECTORS * (1 + average)
    sizes = {
        "detectors": WIDTH * 4 * N_DETECTORS,
        "thresholds": N_DETECTORS,
        "weights1": n_features * (hidden or 1),
        "biases1": hidden or 1,
        "weights2": hidden,
        "biases2": int(hidden > 0),
    }
    head = {
        "reverse_complement": both_strands,
        "num_detectors": N_DETECTORS,
        "detector_len": WIDTH,
        "has_avg_pooling": average,
        "num_hidden": hidden,
    }
    return head | {name: rng.normal(size=n).round(3) for name, n in sizes.items()}


def written(path, values: dict):
    lines = [f"{k} = {','.join(map(str, np.ravel(v)))}" for k, v in values.items()]
    path.write_text("# deepbind 0.1\n" + "\n".join(lines) + "\n")
    return path


def score_by_loops(values: dict, sequence: str) -> float:
    """The published description, letter by letter."""
    average, hidden = values["has_avg_pooling"], values["num_hidden"]
    scores = []
    for first in range(max(len(sequence) - WIDTH, 0) + 1):
        window = "N" * (WIDTH - 1) + sequence[first : first + WIDTH] + "N" * (WIDTH - 1)
        features = []
        for detector in range(N_DETECTORS):
            outputs = []
            for at in range(len(window) - WIDTH + 1):
                total = values["thresholds"][detector]
                for position, (base, letter) in itertools.product(
                    range(WIDTH), enumerate("ACGT")
                ):
                    found = window[at + position]
                    share = 0.25 if found == "N" else float(found == letter)
                    place = detector + N_DETECTORS * (base + 4 * position)
                    total += share * values["detectors"][place]
                outputs.append(max(total, 0))
            features += [max(outputs), np.mean(outputs)][: 1 + average]
        weights = values["weights1"].reshape(len(features), hidden or 1)
        y = np.array(features) @ weights + values["biases1"]
        if hidden:
            y = np.maximum(y, 0) @ values["weights2"] + values["biases2"]
        scores.append(float(y.item()))
    return max(scores)


def score(model, sequence: str) -> float:
    return model(one_hot_encode(sequence, ignore=["N"]).float()[None]).item()


@pytest.mark.parametrize(("average", "hidden"), [(0, 0), (1, 0), (0, 3), (1, 3)])
def test_scores_are_those_of_the_published_description(tmp_path, average, hidden):
    values = parameters(average=average, hidden=hidden)
    model = load_deepbind(written(tmp_path / "model.txt", values))
    for sequence in ("ACGTTGCA", "GGGAC", "TTT", "AC", "NNGTACNA", "ACGT" * 30):
        expected = score_by_loops(values, sequence)
        assert score(model, sequence) == pytest.approx(expected, abs=1e-5)


def test_the_higher_score_of_both_strands_counts(tmp_path):
    values = parameters(average=1, hidden=3, both_strands=1)
    model = load_deepbind(written(tmp_path / "model.txt", values))
    strands = [score_by_loops(values, s) for s in ("GGACTTT", "AAAGTCC")]
    assert abs(strands[0] - strands[1]) > 0.01
    for sequence in ("GGACTTT", reverse_complement("GGACTTT")):
        assert score(model, sequence) == pytest.approx(max(strands), abs=1e-5)


def test_both_strands_tell_the_alphabet_unless_it_is_given(tmp_path):
    one, two = (
        written(tmp_path / f"{n}.txt", parameters(average=0, hidden=0, both_strands=n))
        for n in (0, 1)
    )
    assert "".join(load_deepbind(one).alphabet) == "ACGU"
    assert "".join(load_deepbind(two).alphabet) == "ACGT"
    assert "".join(load_deepbind(one, alphabet="ACGT").alphabet) == "ACGT"


def test_it_is_in_eval_mode_and_packed_files_are_read(tmp_path):
    path = written(tmp_path / "m.txt", parameters(average=0, hidden=0))
    packed = tmp_path / "m.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    model, same = load_deepbind(path), load_deepbind(packed)
    assert not model.training
    assert score(model, "ACGTT") == score(same, "ACGTT")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("# deepbind 0.1", "# other", "is no parameter file of DeepBind"),
        ("num_hidden = 0\n", "", "has no num_hidden; is it cut off"),
        ("num_hidden = 0", "num_hidden = 1.5", "`num_hidden` must be a whole number"),
        ("num_hidden = 0", "num_hidden = " + "9" * 9999, "`num_hidden` must be a whol"),
        ("num_hidden = 0", "num_hidden = 2", "`weights1` has 2 numbers; 2 detectors"),
        ("detector_len = 3", "detector_len = 0", "announces no detectors"),
        ("reverse_complement = 0", "reverse_complement = 2", "number up to 1"),
        ("biases1 = ", "biases1 = nan", "`biases1`"),
        ("biases1 = ", "biases1 = 1e999,", "values that are not finite"),
        ("biases1 = ", "biases1 = x", "`biases1`: could not convert"),
        ("biases1 = ", "biases3 = ", "line 10: 'biases3' is no field of DeepBind's"),
        ("num_hidden = 0", "num_hidden = 0\nnum_hidden = 0", "is there twice"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, before, after, said):
    path = written(tmp_path / "m.txt", parameters(average=0, hidden=0))
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(ValueError, match=said) as error:
        load_deepbind(path)
    assert str(path) in str(error.value)


def test_commands_take_the_file(tmp_path):
    path = written(tmp_path / "D1.txt", parameters(average=0, hidden=3, both_strands=1))
    assert gia_models.reads(str(path))
    source = load_model(str(path))
    assert (source.name, "".join(source.alphabet)) == ("D1", "ACGT")
    assert source.model(torch.zeros(2, 4, 9)).shape == (2, 1)
    other = tmp_path / "notes.txt"
    other.write_text("# notes\n")
    assert not gia_models.reads(str(other))
