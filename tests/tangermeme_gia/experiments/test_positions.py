import numpy as np
import pytest
import torch
from tangermeme.ersatz import substitute
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence, one_hot_encode, random_one_hot

from tangermeme_gia._core.motif import Motif
from tangermeme_gia.experiments.positions import positional_bias, random_position


def test_every_valid_start_is_the_default(X, additive_model):
    result = positional_bias(additive_model, X, "GACC")
    assert result.conditions["start"].tolist() == list(range(21))
    assert result.conditions["end"].tolist() == list(range(4, 25))
    for start in (0, 7, 20):
        expected = predict(additive_model, substitute(X, "GACC", start=start))
        assert torch.equal(result.y_afters[:, start], expected)


def test_given_starts_keep_their_order(X, additive_model):
    result = positional_bias(additive_model, X, "GACC", np.array([9, 0, 20]))
    assert result.conditions["start"].tolist() == [9, 0, 20]
    every = positional_bias(additive_model, X, "GACC").y_afters
    assert torch.equal(result.y_afters, every[:, [9, 0, 20]])


def test_a_model_blind_to_position_is_flat(blank, motif_model):
    effects = positional_bias(motif_model, blank, "GACC").global_importance
    assert effects[:, 0].tolist() == 21 * [1]


def test_insertion_may_follow_the_last_base(X, motif_model):
    with pytest.warns(UserWarning, match="`insert`=True moves all that follows"):
        result = positional_bias(motif_model, X, "GACC", insert=True)
    assert result.conditions["start"].tolist() == list(range(25))
    motif = one_hot_encode("GACC").expand(10, 4, 4)
    expected = predict(motif_model, torch.cat([X, motif], dim=2))
    assert torch.equal(result.y_afters[:, 24], expected)


@pytest.mark.parametrize(
    ("motif", "starts", "message"),
    [
        ("GACC", [3, 21], "condition 1: `start`=21 with a 4-mer runs past"),
        ("GACC", [], "`starts` is empty"),
        ("G" * 25, None, "a 25-mer is longer than `X` of length 24"),
    ],
)
def test_wrong_starts_are_named(X, additive_model, motif, starts, message):
    with pytest.raises(ValueError, match=message):
        positional_bias(additive_model, X, motif, starts)


@pytest.mark.parametrize("motif", ["GACC", "GNNC", torch.full((4, 4), 0.25)])
def test_each_background_has_the_motif_at_its_start(X, additive_model, motif):
    result = random_position(additive_model, X, motif, random_state=3)
    starts = result.conditions["starts"][0]
    assert len(set(starts)) > 3
    codes = Motif.parse(motif).draw(10, 3)
    for i, start in enumerate(starts):
        treated = X[i].clone()
        for j, code in enumerate(codes[i % len(codes)]):
            if code >= 0:
                treated[:, start + j] = torch.eye(4)[code]
        expected = predict(additive_model, treated[None])[0]
        assert torch.equal(result.y_afters[i, 0], expected)


def test_a_start_belongs_to_its_row(X, additive_model):
    whole = random_position(additive_model, X, "GACC", random_state=3)
    part = random_position(additive_model, X[:4], "GACC", random_state=3)
    assert part.conditions["starts"][0] == whole.conditions["starts"][0][:4]
    other = random_position(additive_model, X, "GACC", random_state=4)
    assert other.conditions["starts"][0] != whole.conditions["starts"][0]


def test_starts_are_uniform_and_reach_both_ends(additive_model):
    X = random_one_hot((4200, 4, 24), random_state=0)
    result = random_position(additive_model, X, "GACC", random_state=0)
    counts = np.bincount(result.conditions["starts"][0], minlength=21)
    assert len(counts) == 21
    # 200 expected, standard deviation 14.
    assert abs(counts - 200).max() < 60


def test_the_position_is_marginalised_out(additive_model):
    X = random_one_hot((1, 4, 24), random_state=0).repeat(5000, 1, 1)
    every = positional_bias(additive_model, X[:1], "GACC").local_importance
    drawn = random_position(additive_model, X, "GACC", random_state=0).to_frame()
    assert drawn["low"][0] < every.mean().item() < drawn["high"][0]
    assert drawn["se"][0] < 0.1 * every.std().item()


def test_padding_is_avoided_or_not_on_request(padded, additive_model):
    X = padded.repeat(100, 1, 1)
    is_base = X.any(dim=1)
    first = is_base.int().argmax(dim=1)
    last = 24 - is_base.flip(1).int().argmax(dim=1)
    starts = torch.tensor(
        random_position(additive_model, X, "GACC", random_state=0).conditions["starts"][
            0
        ]
    )
    assert (starts >= first).all()
    assert (starts + 4 <= last).all()
    # Both ends are reached, and the N inside is no padding.
    assert (starts == first).any()
    assert (starts + 4 == last).any()
    assert ((starts < 11) & (starts > 7)).any()
    anywhere = random_position(
        additive_model, X, "GACC", avoid_padding=False, random_state=0
    )
    assert {0, 20} <= set(anywhere.conditions["starts"][0])


def test_packed_backgrounds_have_the_same_starts(padded, additive_model):
    packed = PackedSequence.from_one_hot(padded)
    expected = random_position(additive_model, padded, "GACC", random_state=0)
    result = random_position(additive_model, packed, "GACC", random_state=0)
    assert result.conditions.equals(expected.conditions)
    assert torch.equal(result.y_afters, expected.y_afters)


def test_a_motif_longer_than_a_background_is_named(padded, additive_model):
    padded[6, :, :19] = 0
    message = "4-mer finds no place in background 6 of `X`, which has 3 positions"
    with pytest.raises(ValueError, match=message):
        random_position(additive_model, padded, "GACC")
    padded[6] = 0
    with pytest.raises(ValueError, match=r"background 6 .* has 0 positions"):
        random_position(additive_model, padded, "GACC")
    random_position(additive_model, padded, "GACC", avoid_padding=False)


def test_controls_stand_at_the_drawn_starts(blank, recorder, additive_model):
    result = random_position(
        additive_model, blank, "CNCG", n_controls=1, random_state=0, func=recorder
    )
    assert result.conditions["control"].tolist() == ["none", "random 1", "shuffled 1"]
    assert result.conditions["starts"].nunique() == 1
    treated = recorder.batches[-1].reshape(5, 3, 4, 24)
    for i, start in enumerate(result.conditions["starts"][0]):
        outside = [j for j in range(24) if j not in (start, start + 2, start + 3)]
        assert torch.equal(
            treated[i][:, :, outside], blank[i][None][:, :, outside].expand(3, -1, -1)
        )
        shuffled = treated[i, 2][:, [start, start + 2, start + 3]]
        assert shuffled.sum(dim=1).tolist() == [0, 2, 1, 0]
