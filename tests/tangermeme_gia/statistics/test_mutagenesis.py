"""Errors of the changes that variants of a k-mer make."""

import numpy as np
import pytest
import torch

from tangermeme_gia import kmer_mutagenesis
from tangermeme_gia.statistics import (
    confidence_interval,
    mutagenesis_change,
    mutagenesis_intervals,
)


class Product(torch.nn.Module):
    """Whether C is at 2, times one more than the letters G beside it."""

    def forward(self, X):
        X = X.float()
        return (X[:, 1, 2] * (1 + X[:, 2, 5:].sum(dim=1)))[:, None]


def test_errors_are_those_of_the_paired_changes():
    rng = np.random.default_rng(0)
    X = torch.eye(4)[rng.integers(4, size=(30, 12))].transpose(1, 2)
    clusters = np.arange(30) // 3
    for known in (None, clusters):
        result = kmer_mutagenesis(
            Product(), X, "CA", start=2, n_controls=1, clusters=known, random_state=0
        )
        table = mutagenesis_intervals(result)
        change = mutagenesis_change(result)
        assert len(table) == 6
        for row in table.itertuples():
            assert row.effect == pytest.approx(change.loc[row.position, row.letter])
        own = -(1 + X[:, 2, 5:].sum(dim=1)).numpy()
        expected = confidence_interval(own, clusters=known)
        first = table[table["position"] == 0]
        for name in ("effect", "se", "low", "high"):
            assert first[name].tolist() == pytest.approx(
                [float(getattr(expected, name))] * 3
            )
        assert ("n_clusters" in table) == (known is not None)


def test_other_results_are_refused():
    from tangermeme_gia import global_importance

    X = torch.eye(4)[torch.zeros(4, 12, dtype=int)].transpose(1, 2)
    result = global_importance(Product(), X, [("CA", 2)])
    with pytest.raises(ValueError, match="kmer_mutagenesis"):
        mutagenesis_intervals(result)
