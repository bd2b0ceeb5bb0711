import re

import numpy as np
import pandas as pd
import pytest
import scipy
import torch
from tangermeme.utils import PackedSequence, random_one_hot

from residualbind import load_pretrained, load_profile
from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.backgrounds.profiles import profile_background
from tangermeme_gia.kmers.race import best_kmers
from tangermeme_gia.kmers.scan import kmer_scan
from tangermeme_gia.statistics.racing import (
    Race,
    race,
    round_sizes,
    surely_below,
    unseen_share,
)

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


def candidates_left(found: Race) -> set[int]:
    return {*found.measured.tolist(), *found.others.tolist()}


def race_on(values: np.ndarray, seed: int, top: int, delta: float = 0.01) -> Race:
    shuffled = np.random.default_rng(seed).permutation(values)
    n, n_candidates = values.shape
    return race(lambda c, m: shuffled[m, c], n_candidates, n, top=top, delta=delta)


@pytest.mark.parametrize("seed", range(8))
def test_the_best_are_those_of_the_exhaustive_scan(X, seed):
    model = Letters(seed)
    whole = kmer_scan(model, X, k=3, start=4)
    found = best_kmers(model, X, k=3, start=4, top=3, random_state=seed)
    assert_same_best(found, whole, 3)
    assert found.n_scanned == 64
    assert found.n_exhaustive == whole.n_predictions == whole.n_exhaustive == 64 * 200
    assert found.n_predictions < found.n_exhaustive


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
    assert found.n_predictions == found.n_exhaustive
    assert found.se.tolist() == [[0.0]] * 3


def test_near_ties_are_told_apart_by_all_members(X):
    kmers = ["GAT", "GAT", "ACC", "CCA", "GAT"]
    whole = kmer_scan(Letters(), X, kmers=kmers)
    found = best_kmers(Letters(), X, kmers=kmers, top=2)
    assert_same_best(found, whole, 2)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(300, 1))
    # The last is best by less than any interval could tell before the end.
    values = noise + 1e-3 * rng.normal(size=(300, 40))
    values += np.where(np.arange(40) < 35, -1, 0)
    values[:, 39] += values[:, 35:39].mean(axis=0).max() - values[:, 39].mean() + 1e-9
    for seed in range(20):
        left = candidates_left(race_on(values, seed, top=1))
        assert 39 in left
        assert left <= set(range(35, 40))


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
    # 64 k-mers on 24 backgrounds and 3 on all 200 have 17,088 bytes of values after the
    # first round, and never more than 64 x 200 x 8.
    none = best_kmers(Letters(), X, max_memory=17_087, **options)
    assert_same_best(none, whole, 3)
    assert none.n_predictions == none.n_exhaustive
    enough = best_kmers(Letters(), X, max_memory=102_400, **options)
    assert_same_best(enough, whole, 3)
    assert enough.n_predictions == free.n_predictions < free.n_exhaustive


def rare_effects(rng: np.random.Generator) -> np.ndarray:
    """Three best of 60: two are so everywhere, one owes it to 4 % of the members.

    A fourth is close to it everywhere, and twenty others have effects as large on 1 %.
    """
    values = rng.normal(scale=0.3, size=(300, 60))
    values[:, :2] += 1
    values[:, 3] += 0.7
    for j in [2, *range(40, 60)]:
        values[rng.permutation(300)[: 12 if j == 2 else 3], j] += 20
    return values


def skewed_effects(rng: np.random.Generator) -> np.ndarray:
    """Lognormal effects of skewness 6 whose means differ by little."""
    return rng.lognormal(sigma=1, size=(300, 60)) * np.linspace(0.2, 2, 60)


def few_steps(rng: np.random.Generator) -> np.ndarray:
    """Effects of 0 or 1 only: most differences have no variance in a small sample."""
    return (rng.random((300, 60)) < np.linspace(0, 0.3, 60)).astype(float)


@pytest.mark.parametrize("draw", [rare_effects, skewed_effects, few_steps])
def test_heavy_tails_are_missed_no_more_often_than_allowed(draw):
    n_repetitions, delta, top = 200, 0.01, 3
    missed, asked = 0, 0.0
    for seed in range(n_repetitions):
        values = draw(np.random.default_rng(seed))
        best = np.argsort(-values.mean(axis=0), kind="stable")[:top]
        found = race_on(values, seed, top, delta)
        missed += not set(best) <= candidates_left(found)
        left = len(found.others) * (len(values) - len(found.values))
        asked += (found.n_asked + left) / values.size / n_repetitions
    assert missed <= scipy.stats.binom.ppf(0.99, n_repetitions, delta)
    assert asked < 1


def test_each_value_is_asked_for_once_and_values_stay_with_their_candidates():
    values = np.random.default_rng(0).normal(size=(300, 50)) + np.linspace(0, 5, 50)
    seen = np.zeros_like(values, dtype=int)

    def ask(candidates: np.ndarray, members: slice) -> np.ndarray:
        seen[members, candidates] += 1
        return values[members, candidates]

    found = race(ask, 50, 300, top=5, delta=0.01)
    assert 5 <= len(candidates_left(found)) < 50
    assert seen.max() == 1
    assert seen.sum() == found.n_asked
    np.testing.assert_array_equal(found.measured_values, values[:, found.measured])
    n_seen = len(found.values)
    np.testing.assert_array_equal(found.values, values[:n_seen][:, found.others])


def test_pairing_tells_apart_what_shares_its_background():
    shared = np.random.default_rng(0).normal(scale=100, size=(400, 1))
    own = 0.1 * np.random.default_rng(1).normal(size=(400, 20))
    values = shared + own + np.arange(20)
    found = race_on(values, 0, top=4)
    assert found.measured.tolist() == [16, 17, 18, 19]
    assert len(found.others) == 0


def test_whoever_is_left_behind_is_below_the_exact_mean_by_its_interval():
    # Mean 1; the residuals' standard deviation with two degrees of freedom is the root
    # of 2, and that of the mean of 4 of 8 members 0.5. The interval ends at 5 if t = 8.
    values = np.array([[0.0], [2.0], [0.0], [2.0]])
    full = np.full((8, 2), [5.0, 4.0])
    probability = scipy.stats.t.sf(8, 2)
    assert surely_below(values, full, 1, probability * 1.01).tolist() == [True]
    assert surely_below(values, full, 1, probability * 0.99).tolist() == [False]
    assert surely_below(values, full, 2, probability * 1.01).tolist() == [False]


def test_whoever_is_left_behind_could_not_hide_what_others_show():
    # A share of 0.415 can have been missed with a probability of 0.1. The last shows
    # a value so high that, in that share, it would lift the first to the mean of 5.
    full = np.full((8, 1), 5.0)
    for highest, below in [(12.0, True), (12.1, False)]:
        values = np.zeros((4, 2))
        values[3, 1] = highest
        assert surely_below(values, full, 1, 0.1)[0] == below


def test_the_mean_is_estimated_by_regression_on_those_measured():
    rng = np.random.default_rng(0)
    full = rng.normal(size=(300, 1))
    values = 0.5 * full[:100] + 0.01 * rng.normal(size=(100, 1))
    mean = full.mean() * 0.5
    full += 0.1 + mean - full.mean()
    # The estimate is exact to 0.001, the mean of the values seen to 0.05 only.
    fit = scipy.stats.linregress(full[:100, 0] - full.mean(), values[:, 0])
    assert fit.intercept == pytest.approx(mean, abs=0.004)
    values -= mean
    distance = {0.0: True, 0.094: True, 0.106: False}
    for shift, below in distance.items():
        assert surely_below(values + mean + shift, full, 1, 0.3)[0] == below


def test_the_share_that_can_be_missed_has_the_stated_probability():
    for n, n_seen, probability in [(1000, 32, 1e-4), (400, 256, 1e-3)]:
        hidden = int(np.ceil(unseen_share(probability, n_seen, n) * n))
        # All of so many members are missed less often, half as many more often.
        missed = scipy.stats.hypergeom.pmf(
            0, n, np.array([hidden, hidden // 2]), n_seen
        )
        assert missed[0] <= probability < missed[1]
    assert 0.9999 < unseen_share(1e-9, 2, 10) < 1


def test_rounds_grow_by_half_and_end_before_the_whole():
    assert round_sizes(200) == [24, 36, 54, 81, 121, 181]
    assert round_sizes(36) == [24]
    assert round_sizes(24) == []


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


def test_the_lowest_are_not_to_be_had_from_a_race_for_the_highest(X):
    found = best_kmers(Letters(), X, k=2, top=2)
    with pytest.raises(ValueError, match="holds only the 2 highest of 16 k-mers"):
        found.top(1, lowest=True)
    assert len(kmer_scan(Letters(), X, k=2).top(1, lowest=True)) == 1
    everything = best_kmers(Letters(), X, k=2, top=16)
    assert len(everything.top(1, lowest=True)) == 1


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
