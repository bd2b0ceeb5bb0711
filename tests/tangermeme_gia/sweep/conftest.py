"""Tasks that do what can happen, and drivers in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tangermeme_gia.sweep.ledger import read_entries, read_ledger

ROOT = Path(__file__).parents[3]

# What the tasks of the tests do; workers import it by its name.
WORKS = """
import os, resource, signal, time
from pathlib import Path
from tangermeme_gia.sweep import Done

def wait(folder, seconds=0.0):
    with open(folder / "runs.txt", "a") as file:
        file.write("x")
    time.sleep(seconds)
    return Done({"effect": seconds, "effect_low": 0.0, "effect_high": 1.0})

def hold(folder, path):
    with open(folder / "runs.txt", "a") as file:
        file.write("x")
    while not Path(path).exists():
        time.sleep(0.02)
    return Done({"effect": 1.0, "effect_low": 0.0, "effect_high": 1.0})

def kill_once(folder):
    if not (folder / "killed").exists():
        (folder / "killed").write_text("")
        os.kill(os.getpid(), signal.SIGKILL)

def kill(folder):
    os.kill(os.getpid(), signal.SIGKILL)

def allocate(folder):
    held = []
    while True:
        held.append(b"x" * 50_000_000)
        time.sleep(0.02)

def fail(folder):
    raise ValueError("`start`=99 runs past `X`")

def break_down(folder):
    raise ZeroDivisionError("a defect")

def leave(folder):
    raise SystemExit(3)

def slow_on_one(folder):
    time.sleep(3 if os.environ.get("SLOW") else 0.05)
    (folder / "done_by").write_text("slow" if os.environ.get("SLOW") else "quick")

def fill(folder, size):
    (folder / "large").write_bytes(b"x" * size)
"""
DRIVER = """
import json, sys
from tangermeme_gia.sweep import Task, run_sweep

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    tasks = [Task(name, f"works:{work}", options) for name, work, options in asked[0]]
    table = run_sweep(tasks, "out", **asked[1])
    sys.exit(int((table["state"] == "failed").any()))
"""


class Drivers:
    """Starts drivers in a folder, and reads what has become of their tasks."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.started: list[subprocess.Popen] = []
        (folder / "works.py").write_text(textwrap.dedent(WORKS))
        (folder / "driver.py").write_text(textwrap.dedent(DRIVER))
        paths = [str(folder), str(ROOT)]
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(paths),
            "OMP_NUM_THREADS": "1",
        }

    def python(self, *words: str, **more: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def one_done_others_held(self, n: int) -> list:
        """Tasks of which the first is finished at once, others after `let_go`.

        Nothing then depends on how fast this machine starts another process.
        """
        held = [[f"w{i}", "hold", {"path": str(self.folder / "go")}] for i in range(n)]
        return [["w0", "wait", {}], *held[1:]]

    def let_go(self) -> None:
        (self.folder / "go").touch()

    def start(self, tasks: list, **options) -> subprocess.Popen:
        return self.python("driver.py", json.dumps([tasks, options]))

    def run(self, tasks: list, **options) -> tuple[int, str]:
        """The exit code of a driver, and what it says."""
        process = self.start(tasks, **options)
        said, errors = process.communicate(timeout=120)
        return process.returncode, said + errors

    def states(self) -> dict[str, str]:
        return dict(read_ledger(self.out)[["task", "state"]].to_numpy())

    def error(self, task: str) -> str:
        return read_entries(self.out)[task].get("error", "")

    def runs(self, task: str) -> int:
        """How often a task was begun."""
        path = self.out / "tasks" / task / "runs.txt"
        return len(path.read_text()) if path.exists() else 0

    def wait_for(self, task: str, state: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (self.out / "ledger.jsonl").exists() and self.states().get(
                task
            ) == state:
                return
            time.sleep(0.1)
        raise AssertionError(f"{task} is not {state}: {self.states()}")

    def finished_lines(self) -> list[str]:
        """Tasks in the order in which the ledger says that they are finished."""
        lines = (self.out / "ledger.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        return [e["task"] for e in events if e["state"] == "finished"]

    def end(self) -> None:
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def drivers(tmp_path):
    found = Drivers(tmp_path)
    yield found
    found.end()


def in_session(session: int) -> list[int]:
    """Processes that a driver and its workers are."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found
