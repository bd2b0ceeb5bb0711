import pytest
import torch

from residualbind.network.schedule import (
    Schedule,
    best_epoch,
    draw_batches,
    epoch_seed,
)

NAN = float("nan")


def test_the_best_epoch_is_the_first_of_the_highest():
    assert best_epoch([0.1, 0.5, 0.5, 0.2]) == 2
    assert best_epoch([-0.9, -0.5]) == 2


def test_an_undefined_correlation_is_no_better():
    assert best_epoch([NAN, 0.1, NAN]) == 2
    assert best_epoch([NAN, NAN]) == 0
    assert best_epoch([]) == 0


def test_the_learning_rate_falls_after_each_window_without_improvement():
    decay = Schedule().decay
    assert decay([0.5]) == pytest.approx(0.3**0)
    assert decay([0.5] + [0.4] * 6) == pytest.approx(0.3**0)
    assert decay([0.5] + [0.4] * 7) == pytest.approx(0.3**1)
    assert decay([0.5] + [0.4] * 13) == pytest.approx(0.3**1)
    assert decay([0.5] + [0.4] * 14) == pytest.approx(0.3**2)
    assert decay([0.5] + [0.4] * 6 + [0.6] + [0.5] * 6) == pytest.approx(0.3**0)
    assert decay([0.5] + [0.5] * 7) == pytest.approx(0.3**1)  # equal is not better
    assert decay([NAN] * 7) == pytest.approx(0.3**1)


def test_the_learning_rate_falls_after_set_epochs_whatever_the_validation_says():
    decay = Schedule(lr_decay=0.1, lr_patience=99, lr_drops=(2, 3)).decay
    rising = [0.1, 0.2, 0.3, 0.4]
    expected = [1, 1, 0.1, 0.01, 0.01]
    assert [decay(rising[:n]) for n in range(5)] == pytest.approx(expected)


def test_training_ends_after_epochs_without_improvement():
    schedule = Schedule(patience=2)
    assert schedule.goes_on([])
    assert schedule.goes_on([0.5, 0.4])
    assert not schedule.goes_on([0.5, 0.4, 0.5])
    assert not schedule.goes_on([NAN, NAN])


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"lr_decay": 1.5}, ValueError, "`lr_decay`=1.5 must be above 0 and at most 1"),
        ({"lr_decay": 0}, ValueError, "`lr_decay`=0 must be above 0"),
        ({"patience": 2.5}, TypeError, "`patience`=2.5 must be an integer"),
        ({"lr_patience": 0}, ValueError, "`lr_patience`=0 must be at least 1"),
        ({"lr_drops": (5, 0)}, ValueError, r"`lr_drops\[1\]`=0 must be at least 1"),
        ({"momentum": 1.0}, ValueError, "`momentum`=1.0 must be above 0 and below 1"),
    ],
)
def test_a_schedule_out_of_range_is_named(settings, error, message):
    with pytest.raises(error, match=message):
        Schedule(**settings)


def test_batches_partition_the_rows_without_a_single_example():
    for n, batch_size in [(101, 100), (100, 100), (5, 2), (3, 2), (2, 2), (1000, 7)]:
        batches = draw_batches(n, batch_size, torch.device("cpu"))
        assert sorted(torch.cat(batches).tolist()) == list(range(n))
        sizes = [len(batch) for batch in batches]
        assert min(sizes) >= 2
        assert max(sizes) - min(sizes) <= 1
        assert max(sizes) <= max(batch_size, 3)


def test_seeds_differ_between_epochs_and_runs():
    seeds = {epoch_seed(run, epoch) for run in range(20) for epoch in range(20)}
    assert len(seeds) == 400
