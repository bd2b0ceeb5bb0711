"""Tests of residualbind.data.rnacompete."""

import dataclasses
import logging

import numpy as np
import pytest
import torch

from residualbind.data.encoding import encode_sequences
from residualbind.data.rnacompete import RNAcompete
from residualbind.data.splits import split_sets

NAN = float("nan")


def make_data(n: int = 20, **changes) -> RNAcompete:
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("ACGU"), size=30 + i % 12)) for i in range(n)]
    y = torch.arange(2.0 * n).reshape(n, 2)
    y[3, 0] = y[5, 0] = NAN
    fields = {
        "X": encode_sequences(sequences),
        "y": y,
        "sets": np.array(["A"] * (n - 5) + ["B"] * 5),
        "experiments": ("RNCMPT00001", "RNCMPT00002"),
    }
    return RNAcompete(**(fields | changes))


def test_length_sequences_and_repr_describe_the_probes():
    data = make_data()
    assert len(data) == 20
    assert [len(s) for s in data.sequences] == [30 + i % 12 for i in range(20)]
    assert torch.equal(encode_sequences(data.sequences), data.X)
    assert repr(data) == (
        "RNAcompete(20 probes of 41 columns, 4 channels, 2 experiment(s); A: 15, B: 5)"
    )


def test_data_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_data().n_dropped = 3


def test_select_drops_and_counts_probes_without_a_score(caplog):
    data = make_data()
    with caplog.at_level(logging.INFO, logger="residualbind.data.rnacompete"):
        one = data.select("RNCMPT00001")
    kept = [i for i in range(20) if i not in (3, 5)]
    assert one.n_dropped == 2
    assert one.experiments == ("RNCMPT00001",)
    assert one.y.tolist() == [[2.0 * i] for i in kept]
    assert one.sequences == [data.sequences[i] for i in kept]
    assert one.sets.tolist() == data.sets[kept].tolist()
    assert caplog.messages == [
        "RNCMPT00001: 2 of 20 probes have no score and are left out"
    ]


def test_select_of_a_complete_experiment_keeps_all_probes():
    two = make_data().select("RNCMPT00002")
    assert (len(two), two.n_dropped) == (20, 0)
    assert two.y[:, 0].tolist() == [2.0 * i + 1 for i in range(20)]


def test_select_counts_again_on_every_call():
    one = make_data().select("RNCMPT00001")
    assert one.select("RNCMPT00001").n_dropped == 0
    assert one.subset([0]).n_dropped == 0


def test_select_of_an_unknown_experiment_names_near_ones():
    with pytest.raises(
        ValueError, match="`experiment`='RNCMPT0001' is not one of the 2"
    ):
        make_data().select("RNCMPT0001")
    with pytest.raises(ValueError, match="such as 'RNCMPT00001', 'RNCMPT00002'"):
        make_data().select("HuR")


def test_select_of_an_experiment_without_scores_is_an_error():
    data = make_data(y=torch.full((20, 2), NAN))
    with pytest.raises(ValueError, match="'RNCMPT00002' has no score for any probe"):
        data.select("RNCMPT00002")


@pytest.mark.parametrize(
    "rows",
    [
        [7, 2, 2],
        np.array([7, 2, 2]),
        np.array([7, 2, 2], np.uint8),
        torch.tensor([7, 2, 2]),
    ],
)
def test_subset_keeps_order_and_repeats(rows):
    data = make_data()
    part = data.subset(rows)
    assert part.sequences == [data.sequences[i] for i in (7, 2, 2)]
    assert part.y[:, 1].tolist() == [15.0, 5.0, 5.0]
    assert part.experiments == data.experiments
    assert data.subset([19, 0]).sets.tolist() == ["B", "A"]


def test_subset_takes_masks_and_nothing():
    data = make_data()
    mask = data.sets == "B"
    assert data.subset(mask).y[:, 1].tolist() == [31.0, 33.0, 35.0, 37.0, 39.0]
    assert torch.equal(data.subset(torch.tensor(mask)).X, data.subset(mask).X)
    assert len(data.subset([])) == 0
    assert repr(data.subset([])).endswith("no set)")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([0, 20], "`rows` holds 20; there are 20 probes, so rows are 0 to 19"),
        ([-1], "`rows` holds -1"),
        ([True] * 19, "mask of length 19; there are 20 probes"),
        ([0.0], "`rows` is an array of float64"),
        ([[0]], r"with shape \(1, 1\)"),
        (3, r"with shape \(\)"),
    ],
)
def test_wrong_rows_are_errors(rows, message):
    with pytest.raises(ValueError, match=message):
        make_data().subset(rows)


def test_split_is_the_one_of_split_sets():
    data = make_data(60)
    split = data.split(valid_fraction=0.2, random_state=4)
    rows = split_sets(data.sets, valid_fraction=0.2, random_state=4)
    assert split._fields == ("train", "valid", "test")
    for part, expected in zip(split, rows, strict=True):
        assert part.y[:, 1].tolist() == data.y[expected, 1].tolist()
    assert len(split.valid) == 11


def test_split_made_elsewhere_is_kept():
    sets = ["test"] * 5 + ["valid"] * 2 + ["train"] * 13
    split = make_data(sets=sets).split()
    assert [len(part) for part in split] == [13, 2, 5]
    assert split.test.y[:, 1].tolist() == [1.0, 3.0, 5.0, 7.0, 9.0]


def test_checksum_is_of_values_shapes_and_types():
    data = make_data()
    digest = data.checksum()
    assert len(digest) == 64
    assert make_data().checksum() == digest
    assert make_data(sets=["A"] * 20, experiments=("a", "b")).checksum() == digest
    changed = data.y.clone()
    changed[0, 0] += 1e-5
    flipped = data.X.clone()
    flipped[0, :, 20] = flipped[0, :, 20].roll(1)
    others = [
        make_data(y=changed),
        make_data(X=flipped),
        make_data(X=data.X.float()),
        data.subset(range(19)),
        data.select("RNCMPT00002"),
    ]
    assert len({digest, *(other.checksum() for other in others)}) == 6


def test_checksum_takes_all_nan_for_the_same_and_any_memory_layout():
    data = make_data()
    bits = data.y.numpy().copy().view(np.uint32)
    bits[3, 0] ^= 1 << 31  # a NaN with its sign set
    y = torch.from_numpy(bits.view(np.float32))
    X = data.X.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    assert not X.is_contiguous()
    assert make_data(y=y, X=X).checksum() == data.checksum()


def test_checksum_does_not_change_between_versions():
    data = RNAcompete(
        encode_sequences(["ACGU", "GG"], length=5),
        torch.tensor([[0.5], [NAN]]),
        ["A", "B"],
        ("e",),
    )
    assert data.checksum().startswith("946154804a6fabf2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": torch.zeros(20, 41)}, r"`X` has shape \(20, 41\); it must be \(n, chan"),
        ({"X": torch.zeros(20, 3, 41)}, r"`X` has shape \(20, 3, 41\)"),
        (
            {"X": torch.zeros(20, 4, 41, dtype=torch.int64)},
            "`X` is torch.int64; it must",
        ),
        (
            {"y": torch.zeros(20, 2).double()},
            "`y` is torch.float64; it must be float32",
        ),
        ({"y": torch.zeros(20)}, r"`y` has shape \(20,\); 20 probes and 2 experiments"),
        ({"y": torch.zeros(19, 2)}, r"`y` has shape \(19, 2\).* need \(20, 2\)"),
        ({"experiments": ("a",)}, "20 probes and 1 experiments"),
        ({"experiments": ("a", "a")}, "`experiments` holds 'a' more than once"),
        ({"experiments": "ab"}, "`experiments`='ab' is one string"),
        ({"sets": ["A"] * 19}, r"`sets` has shape \(19,\); 20 probes need \(20,\)"),
        ({"sets": ["A"] * 19 + ["C"]}, r"`sets` holds \['A', 'C'\]; allowed are"),
        ({"sets": ["A"] * 19 + ["test"]}, r"`sets` holds \['A', 'test'\]"),
        (
            {"y": torch.zeros(20, 2).index_fill(0, torch.tensor(4), float("inf"))},
            "`y` is infinite in row 4 of experiment 'RNCMPT00001'",
        ),
    ],
)
def test_wrong_fields_are_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        make_data(**changes)
