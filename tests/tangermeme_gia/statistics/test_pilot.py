import numpy as np
import pytest

from tangermeme_gia.statistics.pilot import (
    Pilot,
    count_responsive,
    count_scouts,
    draw_pairs,
)


@pytest.mark.parametrize(
    ("n_candidates", "n", "each"),
    [(4096, 1000, 50), (4096, 100, 256), (65_536, 100_000, 3), (64, 200, 4), (2, 9, 2)],
)
def test_members_get_as_many_candidates_of_their_own(n_candidates, n, each):
    drawn = draw_pairs(n_candidates, n, np.random.default_rng(0))
    assert drawn.shape == (n, each)
    assert drawn.min() >= 0
    assert drawn.max() < n_candidates
    counts = np.bincount(drawn.ravel(), minlength=n_candidates)
    assert counts.max() - counts.min() <= 1
    if n_candidates > 100:
        assert len({tuple(row) for row in drawn.tolist()}) == n


def test_scouts_explain_what_they_do_to_the_members():
    # Two families: 1 and 2 on member 0, 3 on members 4 and 5. The second scout is of
    # the second, though 2 is higher than 3.
    values = np.zeros((6, 7))
    values[0, 1:3] = 10, 9
    values[4:, 3] = 6
    everybody = np.tile(np.arange(7), (6, 1))
    pilot = Pilot.of(everybody, values)
    assert pilot.most_unexpected(np.zeros(6)) == 1
    assert pilot.most_unexpected(values[:, 1]) == 3
    assert pilot.most_unexpected(values.max(axis=1)) is None


def test_members_of_rare_effects_are_in_the_small_stratum():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1000, 4096))
    rare = rng.permutation(1000)[:20]
    values[np.ix_(rare, np.arange(200))] += 15
    candidates = draw_pairs(4096, 1000, rng)
    pilot = Pilot.of(candidates, np.take_along_axis(values, candidates, axis=1))
    scout = pilot.most_unexpected(np.zeros(1000))
    assert scout < 200
    responsive, rest = pilot.strata(values[:, [scout]], rng)
    assert set(rare.tolist()) <= set(responsive.tolist())
    assert sorted([*responsive, *rest]) == list(range(1000))
    assert len(responsive) == 62


def test_a_member_that_lifts_all_alike_responds():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(64, 5))
    values[7] += 100
    pilot = Pilot.of(np.tile(np.arange(5), (64, 1)), values)
    assert pilot.offsets.mean() == pytest.approx(0, abs=1e-12)
    assert 7 in pilot.strata(np.empty((64, 0)), rng)[0]


def test_sizes_of_the_pilot():
    assert [count_scouts(n) for n in (2, 64, 128, 4096, 10**6)] == [1, 1, 2, 16, 16]
    assert [count_responsive(n) for n in (20, 200, 1000)] == [2, 12, 62]
