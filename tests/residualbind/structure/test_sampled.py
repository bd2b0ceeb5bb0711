"""Structures drawn at random, as ThermoNet reads them."""

import numpy as np
import pytest
import RNA
import torch

import residualbind as rb
from residualbind.structure.profiles import structure_profiles
from tangermeme_gia.structure.vienna import _features

STABLE = "GGGGGCCAAAAGGCCCCC"
SEQUENCES = list(rb.simulate_rnacompete(n=30, random_state=1).sequences)


def split(profiles):
    """Features, shape=(n, 6, 9, length), and shares, shape=(n, 6, length)."""
    rows = profiles.unflatten(1, (6, 10))
    return rows[:, :, :9], rows[:, :, 9]


def test_features_of_a_structure_are_its_loops_and_the_ends_of_runs():
    # An external base, a stem of three with a bulge, a hairpin of four.
    hairpin, internal, multi, paired, external, *ends = _features(
        [".((.(....)))..", "." * 14]
    )[0]
    assert hairpin.tolist() == [0] * 5 + [1] * 4 + [0] * 5
    assert internal.tolist() == [0] * 3 + [1] + [0] * 10
    assert not multi.any()
    assert paired.tolist() == [0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0]
    assert external.tolist() == [1] + [0] * 11 + [1, 1]
    assert ends[0].tolist() == [0] * 5 + [1, 0.5, 0.5, 1] + [0] * 5
    assert not ends[1].any()  # a run of one base has no end
    assert ends[3].tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0.5, 1, 0, 0]


def test_a_multiloop_is_told_from_an_internal_one():
    _, internal, multi, *_ = _features(["(.((...)).((...)).)"])[0]
    assert np.flatnonzero(multi).tolist() == [1, 9, 17]
    assert not internal.any()


def test_shares_sum_to_one_and_each_base_of_a_structure_has_one_kind():
    features, shares = split(structure_profiles(SEQUENCES, "sampled"))
    inside = rb.encode_sequences(SEQUENCES).sum(dim=1).float()
    torch.testing.assert_close(shares.sum(dim=1), inside)
    kinds = features[:, :, :5].sum(dim=2)
    torch.testing.assert_close(kinds[:, :5], inside[:, None].expand(-1, 5, -1))
    others = inside * (shares[:, 5] > 0)
    torch.testing.assert_close(kinds[:, 5], others)
    assert (shares[:, :5].diff(dim=1) <= 1e-6).all()


def test_the_mean_over_draws_is_near_the_probabilities():
    features, shares = split(structure_profiles(SEQUENCES, "sampled"))
    mean = (features[:, :, :5] * shares[:, :, None]).sum(dim=1)
    exact = structure_profiles(SEQUENCES, "PHIME")[:, [1, 2, 3, 0, 4]]
    # 100 draws: a standard error of up to 0.05, over 30 sequences of about 37 bases.
    assert (mean - exact).abs().max() < 0.25
    assert (mean - exact).square().mean().sqrt() < 0.03


def test_the_most_frequent_structure_comes_first():
    structure = RNA.fold(STABLE)[0]
    features, shares = split(structure_profiles([STABLE], "sampled", length=None))
    paired = features[0, 0, 3]
    assert paired.tolist() == [float(symbol != ".") for symbol in structure]
    assert shares[0, 0, 0] > 0.2


def test_where_few_structures_differ_the_last_share_is_divided():
    features, shares = split(structure_profiles(["AAAAAAAA"], "sampled", length=None))
    torch.testing.assert_close(shares[0, :, 0], torch.tensor([0.2] * 5 + [0.0]))
    assert (features[0, :5, 4] == 1).all()
    assert not features[0, 5].any()


def test_draws_are_the_same_whatever_is_folded_beside():
    together = structure_profiles(SEQUENCES, "sampled")
    one = structure_profiles(SEQUENCES[7:8], "sampled", n_jobs=1)
    assert torch.equal(together[7:8], one)


def test_profiles_come_back_from_the_cache(tmp_path, monkeypatch):
    expected = structure_profiles(SEQUENCES, "sampled", cache_folder=tmp_path)
    monkeypatch.setattr("residualbind.structure.profiles.fold", lambda *given: [])
    found = structure_profiles(SEQUENCES, "sampled", cache_folder=tmp_path)
    assert torch.equal(found, expected)


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="must be one of 'PU', 'PHIME', 'sampled'"):
        structure_profiles(SEQUENCES, "drawn")
