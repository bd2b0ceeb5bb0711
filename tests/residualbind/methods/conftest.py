"""A small simulated experiment, folded once."""

from functools import cache
from typing import NamedTuple

import pytest
import torch

import residualbind as rb
from residualbind.methods.inputs import as_channels

MOTIF = "UGCAUG"


class Splits(NamedTuple):
    train: rb.RNAcompete
    valid: rb.RNAcompete
    test: rb.RNAcompete


@pytest.fixture(scope="session")
def prepared():
    """Probes of a protein that binds UGCAUG, whatever the structure."""
    truth = rb.Truth(MOTIF, loop_preference=0, stem_penalty=0, noise=0.5)
    data = rb.simulate_rnacompete(1600, truth, random_state=0).data
    return rb.prepare(data, transform="zscore")


@pytest.fixture(scope="session")
def with_channels(prepared):
    """The same probes with sequence and structure in so many channels."""

    @cache
    def splits(channels: int) -> Splits:
        parts = []
        for part in prepared[:3]:
            X = as_channels(part.X, channels, n_jobs=1)
            X = X if channels == 4 else X.float()
            parts.append(rb.RNAcompete(X, part.y, part.sets, part.experiments))
        return Splits(*parts)

    return splits


@pytest.fixture
def encoded():
    """One-hot float sequences, padded to one length."""

    def encode(*sequences: str, length: int | None = None) -> torch.Tensor:
        return rb.encode_sequences(list(sequences), length).float()

    return encode
