"""Sweeps in this process."""

import logging
import sys

import pandas as pd
import pytest

from tangermeme_gia.sweep import Task, read_ledger, run_sweep
from tangermeme_gia.sweep.ledger import read_entries

from .conftest import WORKS


@pytest.fixture
def works(tmp_path, monkeypatch):
    """A module of tasks, and a folder for their sweep."""
    (tmp_path / "works.py").write_text(WORKS)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "out"
    sys.modules.pop("works", None)


def tasks(*works, **options):
    return [Task(f"t{i}", f"works:{work}", options) for i, work in enumerate(works)]


def test_a_task_that_fails_stops_no_other(works):
    asked = tasks("wait", "fail", "break_down", "leave", "wait", "absent")
    table = run_sweep(asked, works)
    assert table["state"].tolist() == [
        *("finished", "failed", "failed", "failed", "finished", "failed"),
    ]
    assert table["error"].tolist()[1:4] == [
        "`start`=99 runs past `X`",
        "ZeroDivisionError: a defect",
        "it ended with exit code 3",
    ]
    assert "absent" in table["error"].iloc[-1]
    pd.testing.assert_frame_equal(table, read_ledger(works))


def test_a_defect_leaves_its_traceback_in_the_log(works):
    run_sweep(tasks("break_down", "fail"), works)
    assert "Traceback" in (works / "tasks/t0/log.txt").read_text()
    assert "Traceback" not in (works / "tasks/t1/log.txt").read_text()
    assert "runs past" in (works / "tasks/t1/log.txt").read_text()


def test_what_a_task_finds_is_in_the_ledger(works):
    run_sweep(tasks("wait", seconds=0.0), works)
    entry = read_entries(works)["t0"]
    assert entry["headline"] == {"effect": 0.0, "effect_low": 0.0, "effect_high": 1.0}
    assert entry["worker"] == "this process"


def test_only_what_has_changed_waits_when_the_sweep_is_interrupted(works, monkeypatch):
    run_sweep(tasks("wait", "wait"), works)
    monkeypatch.setattr(
        "tangermeme_gia.sweep.pools.perform", lambda *_: (_ for _ in ()).throw(KeyError)
    )
    changed = [tasks("wait")[0], Task("t1", "works:wait", {"seconds": 0.01})]
    with pytest.raises(KeyError):
        run_sweep(changed, works)
    assert read_ledger(works)["state"].tolist() == ["running", "waiting"]


def test_nothing_of_the_process_is_changed(works, tmp_path, monkeypatch):
    import os

    import torch

    monkeypatch.chdir(tmp_path)
    logger = logging.getLogger("tangermeme_gia")
    before = os.getcwd(), torch.get_num_threads(), logger.level, logger.propagate
    run_sweep(tasks("wait", "fail"), works)
    after = os.getcwd(), torch.get_num_threads(), logger.level, logger.propagate
    assert after == before
    assert logger.handlers == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": 0}, "`workers`=0 must be at least 1"),
        ({"workers": 2, "client": "tcp://x"}, "`workers` and `client` exclude"),
    ],
)
def test_what_cannot_be_asked_is_refused(works, given, message):
    with pytest.raises(ValueError, match=message):
        run_sweep(tasks("wait"), works, **given)
    assert not works.exists()


def test_without_dask_workers_are_an_extra(works, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "tangermeme_gia.sweep.on_dask", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'tangermeme-gia\[cluster\]'"):
        run_sweep(tasks("wait"), works, workers=2)
    assert run_sweep(tasks("wait"), works)["state"].tolist() == ["finished"]


def test_a_page_that_cannot_be_written_stops_no_task(works, monkeypatch, caplog):
    def fail(root, tasks, title, going_on):
        raise OSError("no room for the page")

    monkeypatch.setattr("tangermeme_gia.sweep.run.write_page", fail)
    with pytest.raises(OSError, match="no room for the page"):
        run_sweep(tasks("wait", "wait"), works)
    assert read_ledger(works)["state"].tolist() == ["finished", "finished"]
    assert caplog.text.count("the page could not be written: no room") == 1
