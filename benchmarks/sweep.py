"""What do workers gain for a fleet of models, and what does a task cost?

    python benchmarks/sweep.py [--models 50] [--repeats 2] [--parts fleet cost tiny]

- fleet: scans of all 4-mers by 50 small convolutional networks of 200 bases, in one
  worker of one thread, in two workers, and in this process with all cores; the three
  are timed one after the other, `--repeats` times.
- cost: tasks that wait for ten seconds on two workers; what is beyond that.
- tiny: 2,000 tasks that do nothing, on two workers.

Seconds of a whole sweep hold the start of the workers, which is given by itself, too.
Bytes are those of the sweep's folder by task.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pandas as pd
from interleaved import as_markdown
from machine import describe_machine

from tangermeme_gia.cli.sweep import run_words
from tangermeme_gia.sweep import Task, run_sweep
from tangermeme_gia.sweep.ledger import read_entries

NETS = """
import torch


def net(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv1d(4, 64, 15, padding=7),
        torch.nn.ReLU(),
        torch.nn.Conv1d(64, 64, 9, padding=4),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool1d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(64, 1),
    )


def __getattr__(name):
    if name.startswith("net_"):
        return lambda: net(int(name.removeprefix("net_")))
    raise AttributeError(name)
"""
SCAN = ("kmer-scan", "--k", "4", "--n", "100", "--length", "200", "--no-reuse")
PARTS = ("fleet", "cost", "tiny")


def wait(folder: Path, seconds: float) -> None:
    """A task that only takes its time."""
    time.sleep(seconds)


def ways() -> dict[str, dict[str, int | None]]:
    return {
        "1 worker of 1 thread": {"workers": 1},
        "2 workers of 1 thread": {"workers": 2},
        "this process, all cores": {"workers": None},
    }


def run_fleet(models: int, workers: int | None) -> tuple[float, float, float]:
    """Seconds of a sweep of scans, bytes for each task, and its median seconds."""
    work = f"{run_words.__module__}:{run_words.__name__}"
    with tempfile.TemporaryDirectory() as folder:
        nets = Path(folder, "nets.py")
        nets.write_text(NETS)
        tasks = [
            Task(f"m{i}", work, {"words": [*SCAN, "--model", f"{nets}:net_{i}"]})
            for i in range(models)
        ]
        out = Path(folder, "out")
        began = time.perf_counter()
        table = run_sweep(tasks, out, workers=workers)
        took = time.perf_counter() - began
        assert (table["state"] == "finished").all(), table["error"].tolist()
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        return took, size / models, table["seconds"].median()


def one(models: int, workers: int | None) -> None:
    """One sweep in a process of its own, whose threads are those of its way."""
    print("RESULT", *run_fleet(models, workers))


def fleet(models: int, repeats: int) -> str:
    seconds, each, sizes = defaultdict(list), defaultdict(list), []
    for _ in range(repeats):
        for name, way in ways().items():
            threads = {"OMP_NUM_THREADS": "1"} if way["workers"] == 1 else {}
            words = ["--one", str(models), str(way["workers"] or 0)]
            said = subprocess.run(
                [sys.executable, __file__, *words],
                env=os.environ | threads,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            (result,) = [s for s in said.splitlines() if s.startswith("RESULT")]
            took, size, median = map(float, result.split()[1:])
            seconds[name].append(took)
            each[name].append(median)
            sizes.append(size)
            print(f"{name}: {took:.1f} s", flush=True)
    first = statistics.median(seconds["1 worker of 1 thread"])
    rows = [
        {
            "way": name,
            "seconds": round(statistics.median(times), 1),
            "times as fast": round(first / statistics.median(times), 2),
            "models a minute": round(60 * models / statistics.median(times)),
            "median seconds of a task": round(statistics.median(each[name]), 2),
        }
        for name, times in seconds.items()
    ]
    size = f"{statistics.median(sizes) / 1000:.0f} kB on the disk for each model."
    return f"{as_markdown(pd.DataFrame(rows))}\n\n{size}"


def timed(tasks: list[Task]) -> tuple[float, dict[str, dict]]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run_sweep(tasks, folder, workers=2)
        return time.perf_counter() - began, read_entries(Path(folder))


def cost() -> str:
    """What tasks of ten seconds take beyond them, between first start and last end."""
    tasks = [Task(f"t{i}", "sweep:wait", {"seconds": 10.0}) for i in range(8)]
    took, entries = timed(tasks)
    ends = defaultdict(list)
    for entry in entries.values():
        ends[entry["worker"]].append(entry["time"])
    beyond = [
        later - earlier - 10
        for times in ends.values()
        for earlier, later in zip(sorted(times), sorted(times)[1:], strict=False)
    ]
    each = statistics.median(beyond)
    return (
        f"Of a task of 10 s, {each:.3f} s ({10 * each:.1f} %) are not its own; start "
        f"and end of two workers take {took - 40 - 4 * each:.1f} s."
    )


def tiny() -> str:
    tasks = [Task(f"t{i}", "tangermeme_gia.sweep.tasks:nothing") for i in range(2000)]
    took, entries = timed(tasks)
    times = [entry["time"] for entry in entries.values()]
    rate = (len(tasks) - 1) / (max(times) - min(times))
    return (
        f"2,000 tasks that do nothing: {rate:.0f} a second, {took:.0f} s in all with "
        "start, page and end."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], options.one[1] or None)
        return
    made = {
        "fleet": lambda: fleet(options.models, options.repeats),
        "cost": cost,
        "tiny": tiny,
    }
    parts = [made[name]() for name in options.parts]
    text = "\n\n".join([*parts, f"({describe_machine()})"])
    print(text)
    if set(options.parts) == set(PARTS):
        results = Path(__file__).parent / "results" / "sweep.md"
        results.write_text(text + "\n")


if __name__ == "__main__":
    main()
