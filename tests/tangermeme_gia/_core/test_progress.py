"""Bars, and lines where nobody watches one."""

import time

import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia._core.progress import (
    in_lines_off_terminals,
    progress,
    whole,
)


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_off_a_terminal_a_line_every_30_seconds_says_how_long_it_takes(clock, capsys):
    with in_lines_off_terminals(), progress(1000, "sequences", verbose=True) as update:
        for _ in range(10):
            clock[0] += 20
            update(50)
    lines = capsys.readouterr().err.splitlines()
    # 40, 80, ... 200 seconds; 2.5 sequences a second.
    assert lines == [
        "100 of 1,000 sequences, about 6 min left",
        "200 of 1,000 sequences, about 5 min left",
        "300 of 1,000 sequences, about 5 min left",
        "400 of 1,000 sequences, about 4 min left",
        "500 of 1,000 sequences, about 3 min left",
    ]


def test_what_has_no_known_end_says_how_far_it_is(clock, capsys):
    with in_lines_off_terminals(), progress(None, "epochs", verbose=True) as update:
        clock[0] += 7300
        update(3, {"loss": "0.5"})
    assert capsys.readouterr().err == "3 epochs in 2 h, loss 0.5\n"


def test_what_was_done_before_does_not_make_it_look_faster(clock, capsys):
    with in_lines_off_terminals(), progress(10, "epochs", True, 5) as update:
        clock[0] += 60
        update(1)
    assert capsys.readouterr().err == "6 of 10 epochs, about 4 min left\n"


def test_a_whole_shows_one_bar_for_all_within(capsys):
    with whole(6, "sequences", verbose=True):
        for _ in range(3):
            with progress(2, "sequences", verbose=True) as update:
                update(2)
    shown = capsys.readouterr().err
    assert "6/6" in shown
    assert "2/2" not in shown
    with progress(2, "sequences", verbose=True) as update:
        update(2)
    assert "2/2" in capsys.readouterr().err


def test_nothing_is_shown_unless_asked_for(capsys):
    with whole(6, "sequences", verbose=False), progress(2, "x", True) as update:
        update(2, {"loss": 1})
    assert capsys.readouterr().err == ""


def test_a_race_has_one_bar(capsys):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 1))
    X = random_one_hot((100, 4, 12), random_state=0)
    gia.best_kmers(model, X, k=3, top=1, verbose=True, random_state=0)
    assert capsys.readouterr().err.count("00:00,") > 0
    with in_lines_off_terminals():
        gia.best_kmers(model, X, k=3, top=1, verbose=True, random_state=0)
    assert capsys.readouterr().err == ""
