"""Scans, discoveries and grammars show themselves, and come back from a file."""

import matplotlib.pyplot as plt
import numpy as np
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


class Together(torch.nn.Module):
    """1 for GGT with CTA behind it; all outputs are positive."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        pair = X[:, 2, :-8] * X[:, 2, 1:-7] * X[:, 3, 2:-6] * X[:, 1, 6:-2]
        return 1 + pair.sum(dim=1, keepdim=True)


@pytest.fixture(scope="module")
def grammar(X) -> gia.statistics.Grammar:
    motifs = {"one": "GGT", "MA1 two": "CTA"}
    options = {"triples": True, "random_state": 0, "clusters": np.arange(60) // 2}
    return gia.motif_grammar(Together(), X, motifs, range(6), **options)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["scan", "discovery", "grammar"])
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


def test_everything_of_a_grammar_comes_back(grammar, X, tmp_path):
    grammar.save(tmp_path / "kept")
    loaded = gia.load(tmp_path / "kept")
    assert type(loaded) is gia.statistics.Grammar
    for name in ("pairs", "profiles", "tests", "found", "triples"):
        kept, own = getattr(loaded, name), getattr(grammar, name)
        pd.testing.assert_frame_equal(kept, own, check_exact=True)
    for name in ("interactions", "log_interactions"):
        kept, own = getattr(loaded, name), getattr(grammar, name)
        assert torch.equal(kept.local_importance, own.local_importance)
        assert np.array_equal(kept.clusters, own.clusters)
    assert loaded.n_asked == grammar.n_asked
    # What was found once may be asked of another model, or of other backgrounds.
    again = gia.motif_grammar(
        Together(), X, loaded.motifs, range(6), found=loaded, random_state=1
    )
    assert len(again.to_frame()) == len(grammar.to_frame())


def test_a_grammar_without_anything_confirmed_is_shown_and_kept(X, tmp_path):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(120, 1))
    none = gia.motif_grammar(model, X[:20], ["GGT", "CTA"], [3], random_state=0)
    assert repr(none).splitlines() == [
        "Grammar: 3 pairs of 2 motifs, 0 confirmed on 10 backgrounds",
        "  motifs: GGT, CTA",
    ]
    none.save(tmp_path / "kept")
    assert repr(gia.load(tmp_path / "kept")) == repr(none)
    plt.close(none.plot().figure)


def test_the_confirmed_pairs_stand_first_to_last(grammar):
    assert grammar.confirmed["significant"].all()
    sizes = grammar.confirmed["effect"].abs()
    assert len(sizes) == grammar.pairs["significant"].sum() > 0
    assert sizes.is_monotonic_decreasing
    assert "one+ MA1 two+ at spacing 3" in repr(grammar)


def test_what_it_is_stands_in_the_first_line(scan, discovery):
    assert repr(scan).startswith("MotifScan: 2 motifs on 60 backgrounds, 1 output")
    assert "effects beyond those of controls, 95 % intervals" in repr(scan)
    assert repr(discovery).startswith("MotifDiscovery: 2 patterns of ")
