import copy
import pickle
import re

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import PackedSequence, random_one_hot

from residualbind import load_pretrained, load_profile
from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.backgrounds.profiles import profile_background
from tangermeme_gia.kmers.race import _highest, best_kmers
from tangermeme_gia.kmers.scan import kmer_scan

LENGTH = 12


class Letters(torch.nn.Module):
    """Whole-number weights of letters, and their neighbours' product with a gap.

    All sums are exact in float32, so that no order of rows or batches changes them.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        weight = torch.randint(-9, 10, (4, LENGTH), generator=generator)
        self.weight = torch.nn.Parameter(weight.float())

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        letters = (X * self.weight).sum(dim=1)
        return (letters + letters * letters.roll(3, dims=1)).sum(dim=1)[:, None]


class Constant(torch.nn.Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.sum(dim=(1, 2))[:, None]


@pytest.fixture(scope="module")
def X() -> torch.Tensor:
    return random_one_hot((200, 4, LENGTH), random_state=1)


def assert_same_best(found: KmerScan, whole: KmerScan, top: int) -> None:
    pd.testing.assert_frame_equal(found.top(top), whole.top(top), rtol=1e-9)
    assert found.n == whole.n
    assert len(found.kmers) == min(top, len(whole.kmers))
    in_order = iter(whole.kmers)
    assert all(kmer in in_order for kmer in found.kmers)


@pytest.mark.parametrize("seed", range(8))
def test_the_best_are_those_of_the_exhaustive_scan(X, seed):
    model = Letters(seed)
    whole = kmer_scan(model, X, k=3, start=4)
    found = best_kmers(model, X, k=3, start=4, top=3, random_state=seed)
    assert_same_best(found, whole, 3)
    assert found.n_scanned == 64
    assert found.n_exhaustive == whole.n_predictions == whole.n_exhaustive == 64 * 200
    assert found.n_predictions < found.n_exhaustive
    assert 0 < found.unseen_share < 0.25
    assert whole.unseen_share == 0


@pytest.mark.parametrize(
    "options",
    [
        {"kmers": ["GAT", "TTT", "ACC", "CAG", "GGG"], "start": None},
        {"kmers": ["GA", "TTANC", "A", "CCCCC"]},
        {"kmers": {"any": torch.full((4, 3), 0.25), "G": torch.eye(4)[[2]].T}},
        {"kmers": ["GCC", "TTT", "CAG", "GCC"], "both_strands": True},
        {"k": 3, "both_strands": True, "batch_size": 7},
        {"k": 2, "func": lambda model, X, args=None: model(X.float())[:, 0]},
    ],
    ids=["list", "gap", "ppm", "folded list", "folded", "func"],
)
def test_all_ways_to_scan_can_race(X, options):
    whole = kmer_scan(Letters(), X, random_state=5, **options)
    found = best_kmers(Letters(), X, random_state=5, top=2, **options)
    assert_same_best(found, whole, 2)
    assert found.effect.shape[1:] == whole.effect.shape[1:]


@pytest.mark.parametrize("fold", [False, True])
def test_a_race_counts_the_sequences_it_predicts(X, fold):
    asked = []

    def count(model, X, args=None):
        asked.append(len(X))
        return model(X.float())

    options = {"k": 3, "top": 2, "both_strands": fold, "random_state": 0}
    found = best_kmers(Letters(), X, func=count, **options)
    # Beside the backgrounds, and the two of them that every run asks first.
    assert found.n_predictions == sum(asked) - len(X) - 2
    assert found.n_exhaustive == (2 * 32 if fold else 64) * len(X)


def test_packed_sequences_and_rna_race_alike(X):
    options = {"k": 2, "top": 2, "random_state": 0}
    expected = best_kmers(Letters(), X, **options)
    packed = PackedSequence.from_one_hot(X)
    found = best_kmers(Letters(), packed, alphabet=RNA, **options)
    assert torch.equal(found.effect, expected.effect)
    assert found.n_predictions == expected.n_predictions
    assert list(found.kmers) == [k.replace("T", "U") for k in expected.kmers]


def test_arguments_follow_their_backgrounds_through_the_random_order(X):
    class Scaled(Letters):
        def forward(self, X: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            return super().forward(X) * scale

    args = [torch.arange(len(X), dtype=torch.float32)[:, None]]
    whole = kmer_scan(Scaled(), X, k=2, args=args)
    found = best_kmers(Scaled(), X, k=2, args=args, top=3)
    assert_same_best(found, whole, 3)


def test_a_seed_repeats_a_race_and_another_draws_other_subsets(X):
    found = [
        best_kmers(Letters(3), X, k=3, random_state=seed) for seed in [0, 0, 1, 2, 3]
    ]
    assert found[0].n_predictions == found[1].n_predictions
    assert len({scan.n_predictions for scan in found}) > 1
    assert all(list(scan.kmers) == list(found[0].kmers) for scan in found)


@pytest.mark.parametrize(("n", "k", "top"), [(15, 2, 3), (1, 2, 3), (40, 1, 10)])
def test_few_backgrounds_or_kmers_are_all_measured(X, n, k, top):
    whole = kmer_scan(Letters(), X[:n], k=k)
    found = best_kmers(Letters(), X[:n], k=k, top=top)
    assert_same_best(found, whole, top)
    assert found.n_predictions == found.n_exhaustive == 4**k * n


def test_one_kmer_wins(X):
    found = best_kmers(Letters(), X, kmers=["GAT"])
    assert_same_best(found, kmer_scan(Letters(), X, kmers=["GAT"]), 10)


def test_a_constant_model_asks_for_everything_and_keeps_the_order_of_the_scan(X):
    found = best_kmers(Constant(), X, k=2, top=3)
    assert found.kmers == ["AA", "AC", "AG"]
    assert found.top()["kmer"].tolist() == found.kmers
    # And the pilot, 3 on each background.
    assert found.n_predictions == found.n_exhaustive + 3 * len(X)
    assert found.unseen_share == 0
    assert found.se.tolist() == [[0.0]] * 3


def test_near_ties_are_told_apart_by_all_members(X):
    kmers = ["GAT", "GAT", "ACC", "CCA", "GAT"]
    whole = kmer_scan(Letters(), X, kmers=kmers)
    found = best_kmers(Letters(), X, kmers=kmers, top=2)
    assert_same_best(found, whole, 2)


def test_a_model_without_numbers_has_no_best(X):
    class NotANumber(Letters):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            y = super().forward(X)
            return torch.where(X[:, 0, 5, None] == 1, torch.nan, y)

    n = int((X[:, 0, 5] == 1).sum())
    with pytest.raises(ValueError, match=f"NaN or infinity as {n} of {len(X)} outputs"):
        best_kmers(NotANumber(), X, k=2, top=2)


def test_memory_for_fewer_values_ends_the_race_early(X):
    whole = kmer_scan(Letters(), X, k=3, start=4)
    options = {"k": 3, "start": 4, "top": 3, "random_state": 0}
    free = best_kmers(Letters(), X, **options)
    # 64 k-mers on 29 backgrounds and 3 on all 200 have 19,648 bytes of values after the
    # first round, and never more than 64 x 200 x 8.
    none = best_kmers(Letters(), X, max_memory=19_647, **options)
    assert_same_best(none, whole, 3)
    assert none.n_predictions == none.n_exhaustive
    enough = best_kmers(Letters(), X, max_memory=102_400, **options)
    assert_same_best(enough, whole, 3)
    assert enough.n_predictions == free.n_predictions < free.n_exhaustive


def test_the_bundled_model_needs_a_fraction_of_the_predictions():
    model = load_pretrained("A1CF")
    X = profile_background(load_profile("A1CF"), n=150, random_state=0)
    options = {"k": 3, "start": 17, "alphabet": RNA}
    whole = kmer_scan(model, X, **options)
    found = best_kmers(model, X, top=2, delta=0.05, random_state=0, **options)
    assert found.top()["kmer"].tolist() == whole.top(2)["kmer"].tolist()
    np.testing.assert_allclose(found.top()["effect"], whole.top(2)["effect"], atol=1e-5)
    assert found.n_predictions < 0.8 * found.n_exhaustive


def test_nothing_given_is_changed(X):
    model, before = Letters().train(), X.clone()
    state = torch.get_rng_state()
    best_kmers(model, X, k=2, top=2)
    assert model.training
    assert torch.equal(X, before)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_race_lists_only_the_end_that_it_holds(X):
    found = best_kmers(Letters(), X, k=2, top=2)
    with pytest.raises(ValueError, match="holds only the 2 highest of 16 k-mers"):
        found.top(1, lowest=True)
    lowest = best_kmers(Letters(), X, k=2, top=2, lowest=True)
    with pytest.raises(ValueError, match="holds only the 2 lowest of 16 k-mers"):
        lowest.top(1)
    with pytest.raises(ValueError, match="`lowest`=False to `best_kmers`"):
        lowest.output()._replace(n=3).top(1)
    assert len(kmer_scan(Letters(), X, k=2).top(1, lowest=True)) == 1
    everything = best_kmers(Letters(), X, k=2, top=16)
    assert len(everything.top(1, lowest=True)) == 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fold", [False, True])
def test_the_lowest_are_those_of_the_exhaustive_scan(X, seed, fold):
    options = {"k": 3, "start": 4, "both_strands": fold}
    whole = kmer_scan(Letters(seed), X, **options)
    found = best_kmers(
        Letters(seed), X, top=3, lowest=True, random_state=seed, **options
    )
    pd.testing.assert_frame_equal(
        found.top(3, lowest=True), whole.top(3, lowest=True), rtol=1e-9
    )
    assert found.n_predictions < found.n_exhaustive


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"top": 0}, ValueError, "`top`=0 must be at least 1"),
        ({"top": 2.5}, TypeError, "`top`=2.5 must be an integer"),
        ({"delta": 0.0}, ValueError, "`delta`=0.0"),
        ({"delta": 1.0}, ValueError, "`delta`=1.0"),
        (
            {"func": lambda model, X, args=None: model(X.float()).repeat(1, 2)},
            ValueError,
            "shape (2,); choose one with `target`",
        ),
        (
            {"func": lambda model, X, args=None: [model(X.float())] * 2},
            ValueError,
            "shape (1,), (1,); choose one with `target`",
        ),
    ],
)
def test_a_race_says_what_is_wrong(X, options, error, text):
    with pytest.raises(error, match=re.escape(text)):
        best_kmers(Letters(), X, k=2, **options)


class Partner(torch.nn.Module):
    """GAT, and half of it GAC, counts at base 4 where C begins the sequence only."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        X = X.float()
        kmer = X[:, 2, 4] * X[:, 0, 5] * (X[:, 3, 6] + 0.5 * X[:, 1, 6])
        letters = X[:, 1, 4:9].sum(dim=1) + 0.5 * X[:, 2, 8]
        return (letters + 300 * X[:, 1, 0] * kmer)[:, None]


@pytest.mark.parametrize("seed", range(3))
def test_kmers_that_need_a_rare_partner_are_found(seed):
    X = random_one_hot((300, 4, LENGTH), random_state=seed)
    X[:, :, 0] = torch.eye(4, dtype=X.dtype)[0]
    X[np.random.default_rng(seed).permutation(300)[:9], :, 0] = torch.eye(4).to(X)[1]
    options = {"k": 5, "start": 4}
    whole = kmer_scan(Partner(), X, **options)
    assert whole.top(2)["kmer"].tolist() == ["GATCC", "GATCG"]
    found = best_kmers(Partner(), X, top=2, random_state=seed, **options)
    assert_same_best(found, whole, 2)


def test_one_kmer_follows_another_on_each_background_in_the_pilot(X):
    asked = []

    def keep(model, X, args=None):
        asked.append(X[:, :, 4:7].argmax(dim=1))
        return model(X.float())

    best_kmers(Letters(), X, k=3, start=4, top=3, func=keep, random_state=0)
    # After the backgrounds, 4 of the 64 k-mers on each of 200.
    pilot = torch.cat(asked)[len(X) + 2 :][: 4 * len(X)]
    numbers = (pilot * torch.tensor([16, 4, 1])).sum(dim=1)
    assert numbers.bincount(minlength=64).tolist() == pytest.approx(
        [12.5] * 64, abs=0.5
    )


def test_what_was_not_seen_stays_with_the_scan(X):
    found = best_kmers(Letters(), X, k=3, start=4, top=3, random_state=0)
    again = pickle.loads(pickle.dumps(found))
    for scan in (found.output(), found._replace(n=3), copy.copy(found), again):
        assert scan.unseen_share == found.unseen_share > 0
    with pytest.raises(AttributeError):
        found.unseen_share = 0.5


def test_of_effects_that_are_equal_but_for_rounding_the_first_is_taken():
    effect = np.array([0.1, 0.3, 0.1 + 0.2])
    assert effect[2] > effect[1]
    assert _highest(effect, np.array([4, 5, 6]), 1).tolist() == [1]
    assert _highest(effect, np.array([4, 9, 6]), 1).tolist() == [2]
    assert _highest(-effect, np.array([4, 5, 6]), 2).tolist() == [0, 1]
