"""What a method reads, from what is there."""

import sys

import pytest
import torch

import residualbind as rb
from residualbind.methods.inputs import KINDS, as_channels
from residualbind.structure import profiles

X = rb.encode_sequences(list(rb.simulate_rnacompete(6).sequences))


def test_channels_tell_the_kind_of_structure():
    assert KINDS == {6: "PU", 9: "PHIME", 64: "sampled"}


@pytest.mark.parametrize("channels", KINDS)
def test_structure_stands_behind_the_letters(channels):
    found = as_channels(X, channels, n_jobs=1)
    assert torch.equal(found[:, :4], X.float())
    expected = rb.structure_profiles(X, KINDS[channels], n_jobs=1)
    assert torch.equal(found[:, 4:], expected)


def test_what_is_there_is_not_folded_again(count_folds):
    nine = as_channels(X, 9, n_jobs=1)
    folded = count_folds(profiles)
    assert as_channels(nine, 9) is nine
    assert torch.equal(as_channels(nine, 4), X.float())
    assert not folded
    assert torch.equal(as_channels(nine, 6, n_jobs=1), as_channels(X, 6, n_jobs=1))
    assert len(folded) == 12


def test_the_cache_serves_later_calls(count_folds, tmp_path):
    folded = count_folds(profiles)
    first = as_channels(X, 64, cache_folder=tmp_path, n_jobs=1)
    again = as_channels(X, 64, cache_folder=tmp_path, n_jobs=1)
    assert len(folded) == 6
    assert torch.equal(first, again)


def test_folding_needs_vienna(monkeypatch):
    monkeypatch.setitem(sys.modules, "RNA", None)
    assert as_channels(X, 4) is X
    with pytest.raises(ImportError, match=r"tangermeme-gia\[vienna\]"):
        as_channels(X, 9)
