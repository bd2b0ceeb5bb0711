"""Positions that no sampler and no condition changes."""

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia import backgrounds
from tangermeme_gia._core.engine import run_design
from tangermeme_gia._core.kept import free_starts, resolve_keep

KEEP = [*range(5), *range(17, 20)]


class Flat(torch.nn.Module):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.asked += len(X)
        return X[:, 0].sum(dim=1, keepdim=True)


@pytest.fixture
def X() -> torch.Tensor:
    return random_one_hot((30, 4, 20), random_state=0)


@pytest.mark.parametrize(
    "keep",
    [
        KEEP,
        np.array(KEEP),
        torch.tensor(KEEP),
        [*range(5), -3, -2, -1],
        np.isin(np.arange(20), KEEP),
    ],
)
def test_positions_are_given_in_any_way(keep):
    assert np.flatnonzero(resolve_keep(keep, 20)).tolist() == KEEP
    assert np.flatnonzero(resolve_keep(slice(5), 20)).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        ([20], "`keep` holds 20; it must be from 0 to 19"),
        ([0.5], "`keep` is a list of float64"),
        ([True] * 5, "`keep` has 5 of True and False for 20"),
    ],
)
def test_positions_that_are_not_there_are_named(X, keep, said):
    with pytest.raises((TypeError, ValueError), match=said):
        gia.global_importance(Flat(), X, [("GA", 9)], keep=keep)
    with pytest.raises((TypeError, ValueError), match=said):
        backgrounds.shuffled_background(X, keep=keep)


@pytest.mark.parametrize("name", ["shuffle", "dinucleotide", "quartile4"])
def test_samplers_keep_the_template_there_and_change_the_rest(X, name):
    (drawn,), (rows,) = (
        each.values()
        for each in backgrounds.sample_backgrounds(
            X, [name], 7, range(30), 0, keep=KEEP, return_templates=True
        )
    )
    templates = X[torch.from_numpy(rows)]
    assert torch.equal(drawn[..., KEEP], templates[..., KEEP].to(drawn))
    if name != "quartile4":
        free = np.setdiff1d(np.arange(20), KEEP)
        assert torch.equal(
            drawn[..., free].sum(2), templates[..., free].sum(2).to(drawn)
        )
        assert not torch.equal(drawn, templates.to(drawn))
    without = backgrounds.sample_backgrounds(X, [name], 7, range(30), 0)[name]
    assert (name == "quartile4") == torch.equal(without, drawn)


def test_a_profile_keeps_what_all_sequences_share(X):
    adapters = X.clone()
    adapters[..., KEEP] = X[:1, :, KEEP]
    drawn = backgrounds.profile_background(adapters, 9, keep=KEEP)
    assert torch.equal(drawn[..., KEEP], adapters[:9, :, KEEP].to(drawn))
    with pytest.raises(
        ValueError, match="`keep` holds position 0, where the sequences"
    ):
        backgrounds.sample_backgrounds(X, ["profile"], 9, keep=KEEP)


CHANGING = {
    "a motif": lambda m, X: gia.global_importance(m, X, [("GA", 4)], keep=KEEP),
    "one of several": lambda m, X: gia.multi_site(m, X, "GA", [8, 16], keep=KEEP),
    "a gap": lambda m, X: gia.motif_spacing(m, X, ["GA", "TC"], [7, 8, 9], keep=KEEP),
    "a flank": lambda m, X: gia.gc_flank(m, X, "GA", left="GC", right="GC", keep=KEEP),
    "k-mers": lambda m, X: gia.kmer_scan(m, X, k=2, start=16, keep=KEEP),
    "given k-mers": lambda m, X: gia.kmer_scan(
        m, X, kmers=["GNA", "TC"], start=16, keep=KEEP
    ),
    "a race": lambda m, X: gia.best_kmers(m, X, k=2, top=1, start=16, keep=KEEP),
    "a variant": lambda m, X: gia.kmer_mutagenesis(m, X, "GAT", start=16, keep=KEEP),
    "a window": lambda m, X: gia.occlusion(m, X, [(6, 9), (14, 18)], keep=KEEP),
    "a region": lambda m, X: gia.occlusion_annotations(
        m, X, [[0, 6, 9], [1, 3, 6]], keep=KEEP
    ),
    "a stem": lambda m, X: gia.hairpin_importance(
        m, X, "GA", "....((((....))))....", keep=KEEP
    ),
    "an inserted motif": lambda m, X: gia.global_importance(
        m, X, [("GA", 3)], insert=True, keep=KEEP
    ),
}


@pytest.mark.filterwarnings("ignore:`insert`=True moves")
@pytest.mark.parametrize("what", CHANGING)
def test_what_would_change_them_is_an_error_before_the_model_is_asked(X, what):
    model = Flat()
    with pytest.raises(ValueError, match="changes positions that `keep` holds") as e:
        CHANGING[what](model, X)
    assert "condition" in str(e.value) or "k-mer" in str(e.value)
    assert model.asked == 0


@pytest.mark.filterwarnings("ignore:`insert`=True moves")
def test_what_leaves_them_alone_runs_as_without(X):
    for insert, starts in ((False, [5, 15]), (True, [5, 17])):
        patterns = [[("GA", start)] for start in starts]
        kept = gia.global_importance(Flat(), X, patterns, insert=insert, keep=KEEP)
        plain = gia.global_importance(Flat(), X, patterns, insert=insert)
        torch.testing.assert_close(kept.y_afters, plain.y_afters)
    gapped = gia.global_importance(Flat(), X, [("GNNNNGA", 11)], keep=[12, 13, 14])
    assert gapped.y_afters.shape == (30, 1, 1)


def test_positions_that_are_chosen_here_are_free_ones(X):
    starts = gia.positional_bias(Flat(), X, "GAT", keep=KEEP).conditions["start"]
    assert starts.tolist() == list(range(5, 15))
    drawn = gia.random_position(
        Flat(), X, "GAT", keep=[*KEEP, 10], random_state=0
    ).conditions["starts"][0]
    assert set(drawn) == {5, 6, 7, 11, 12, 13, 14}
    with pytest.raises(ValueError, match="`keep` leaves no place for a motif of 13"):
        gia.positional_bias(Flat(), X, "G" * 13, keep=KEEP)


def test_free_starts_are_those_that_change_no_kept_letter():
    rng = np.random.default_rng(0)
    for _ in range(50):
        kept = rng.random(12) < 0.2
        motif = "".join(rng.choice(list("GN"), 4)) + "G"
        written = [i for i, letter in enumerate(motif) if letter == "G"]
        expected = [s for s in range(8) if not kept[[s + i for i in written]].any()]
        if expected:
            assert free_starts(kept, np.array(written), 5).tolist() == expected


def test_a_design_of_ones_own_names_what_it_changes(X):
    class Own:
        any_device, columns = True, None
        conditions = pd.DataFrame({"own": ["x", "y"]})
        lengths = np.array([20, 20])

        def describe(self, built, row):
            return f"condition {built} (own)"

        def touching(self, kept):
            return [False, True]

    with pytest.raises(ValueError, match=r"condition 1 \(own\) changes .* first of 1"):
        run_design(Flat(), X, Own(), keep=[0])
