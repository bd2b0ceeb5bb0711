import errno
import json
import os
import socket

import pytest

from tangermeme_gia.sweep import lease
from tangermeme_gia.sweep.lease import Lease, LeaseError
from tangermeme_gia.sweep.ledger import FILE, Ledger, read_entries, read_ledger
from tangermeme_gia.sweep.tasks import Task

TASKS = [Task("a", "m:f", {"n": 1}, "g", {"protein": "P"}), Task("b", "m:f", {"n": 2})]


def states(folder):
    return dict(read_ledger(folder)[["task", "state"]].to_numpy())


def test_what_is_asked_running_finished_and_failed(tmp_path):
    with Ledger(tmp_path) as ledger:
        folders = ledger.ask(TASKS)
        assert folders["a"] == tmp_path / "tasks" / "a"
        ledger.note("a", "running", worker="1")
        ledger.note("a", "finished", seconds=2.0, worker="1", reused=False)
        ledger.note("b", "failed", error="why")
    table = read_ledger(tmp_path)
    assert table["state"].tolist() == ["finished", "failed"]
    assert table["error"].tolist() == ["", "why"]
    assert table["group"].tolist() == ["g", ""]
    assert read_entries(tmp_path)["a"]["labels"] == {"protein": "P"}


def test_a_changed_task_waits_again_and_a_dropped_one_is_not_shown(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
        for name in "ab":
            ledger.note(name, "finished", seconds=1.0)
    with Ledger(tmp_path) as ledger:
        ledger.ask([TASKS[0], Task("b", "m:f", {"n": 3})])
    assert states(tmp_path) == {"a": "finished", "b": "waiting"}
    assert read_ledger(tmp_path)["seconds"].isna().tolist() == [False, True]
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS[:1])
    assert states(tmp_path) == {"a": "finished"}
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
    assert states(tmp_path) == {"a": "finished", "b": "waiting"}


def test_what_was_running_when_its_driver_ended_waits(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
        ledger.note("a", "running", worker="1")
    assert states(tmp_path)["a"] == "running"
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
    assert states(tmp_path)["a"] == "waiting"


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_line_without_an_end_says_nothing_and_is_removed(tmp_path, cut):
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
        ledger.note("a", "finished", seconds=1.0)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-cut])
    assert states(tmp_path)["a"] == "waiting"
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
        ledger.note("b", "finished", seconds=1.0)
    assert states(tmp_path) == {"a": "waiting", "b": "finished"}


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"task": "z", "state": "finished"}', '{"task": "a"}', "null"]
)
def test_a_whole_line_that_is_none_of_a_ledger_is_named(tmp_path, line):
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
    with (tmp_path / FILE).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match="line 3 is damaged"):
        read_ledger(tmp_path)
    with pytest.raises(ValueError, match="line 3"), Ledger(tmp_path):
        pass
    assert not (tmp_path / "driver.json").exists()


class Full:
    """A file on a disk with room for a few bytes."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        if self._room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        n = self._file.write(data[: self._room])
        self._room -= n
        return n

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_a_full_disk_leaves_whole_lines(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
        before = (tmp_path / FILE).read_bytes()
        real, ledger._file = ledger._file, Full(ledger._file, 20)
        with pytest.raises(OSError, match="make room and run the same command again"):
            ledger.note("a", "finished", seconds=1.0)
        assert (tmp_path / FILE).read_bytes() == before
        assert ledger.tasks["a"]["state"] == "waiting"
        ledger._file = real
        ledger.note("a", "finished", seconds=1.0)
    assert states(tmp_path)["a"] == "finished"


def test_a_second_driver_is_refused_while_the_first_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "RENEWED", 0.1)
    with (
        Ledger(tmp_path),
        pytest.raises(LeaseError, match=f"process {os.getpid()} on"),
        Ledger(tmp_path),
    ):
        pass
    with Ledger(tmp_path):
        pass


def left_behind(tmp_path, **said):
    held = {"host": socket.gethostname(), "boot": lease._boot(), "renewals": 3}
    held |= {"token": "another", "pid": 2**22 + 1, **said}
    (tmp_path / "driver.json").write_text(json.dumps(held))


@pytest.mark.parametrize("said", [{}, {"boot": "before", "pid": os.getpid()}])
def test_a_driver_of_this_machine_that_ended_is_gone_at_once(
    tmp_path, said, monkeypatch
):
    def wait(seconds):
        raise AssertionError("it waits for a sign of life")

    monkeypatch.setattr(lease.time, "sleep", wait)
    left_behind(tmp_path, **said)
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
        held = json.loads((tmp_path / "driver.json").read_text())
        assert (held["pid"], held["token"] == "another") == (os.getpid(), False)
    assert states(tmp_path) == {"a": "waiting", "b": "waiting"}


@pytest.mark.parametrize("content", [None, "", "{", "[1]"])
def test_a_driver_of_another_machine_is_gone_when_it_gives_no_sign(
    tmp_path, content, monkeypatch
):
    monkeypatch.setattr(lease, "GONE", 0.5)
    left_behind(tmp_path, host="elsewhere")
    if content is not None:
        (tmp_path / "driver.json").write_text(content)
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
    assert states(tmp_path) == {"a": "waiting", "b": "waiting"}


def test_a_driver_whose_folder_was_taken_writes_no_more(tmp_path, monkeypatch):
    with Ledger(tmp_path) as ledger:
        ledger.ask(TASKS)
        left_behind(tmp_path, host="elsewhere", pid=7)
        monkeypatch.setattr(lease, "GONE", 0.0)  # it has slept
        with pytest.raises(LeaseError, match="process 7 on elsewhere"):
            ledger.note("a", "finished", seconds=1.0)
    assert json.loads((tmp_path / "driver.json").read_text())["pid"] == 7
    assert states(tmp_path)["a"] == "waiting"


def test_one_of_many_that_start_at_once_gets_the_folder(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    def take(_):
        held = Lease(tmp_path)
        return held if held._create() else None

    with ThreadPoolExecutor(8) as threads:
        held = [one for one in threads.map(take, range(50)) if one is not None]
    assert len(held) == 1
