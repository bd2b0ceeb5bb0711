"""Scans of motifs and discoveries show themselves, and come back from a file."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia


class CountsG(torch.nn.Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X[:, 2].sum(dim=1, keepdim=True)


@pytest.fixture(scope="module")
def X() -> torch.Tensor:
    return random_one_hot((60, 4, 30), random_state=0).float()


@pytest.fixture(scope="module")
def scan(X) -> gia.MotifScan:
    motifs = {"one": "GRTAAC", "two": "CTTAGT"}
    return gia.motif_scan(CountsG(), X, motifs, strands="apart", random_state=0)


@pytest.fixture(scope="module")
def discovery(X) -> gia.MotifDiscovery:
    return gia.discover_motifs(
        CountsG(), X, motifs={"one": "GGT", "two": "CTA"}, random_state=0
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["scan", "discovery"])
def test_it_comes_back_and_says_the_same(name, request, tmp_path):
    result = request.getfixturevalue(name)
    result.save(tmp_path / "kept")
    loaded = gia.load(tmp_path / "kept")
    pd.testing.assert_frame_equal(loaded.to_frame(), result.to_frame())
    assert loaded.motifs == result.motifs
    assert repr(loaded) == repr(result)
    assert len(repr(result).splitlines()) <= 8
    assert "<table" in result._repr_html_()
    plt.close(loaded.plot().figure)


def test_what_it_is_stands_in_the_first_line(scan, discovery):
    assert repr(scan).startswith("MotifScan: 2 motifs on 60 backgrounds, 1 output")
    assert "effects beyond those of controls, 95 % intervals" in repr(scan)
    assert repr(discovery).startswith("MotifDiscovery: 2 patterns of ")
