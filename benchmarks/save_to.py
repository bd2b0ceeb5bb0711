"""What does a result take that is larger than memory, with `save_to` and without?

    python benchmarks/save_to.py [--conditions 190] [--outputs 4000] [--group FOLDER]

One experiment on 500 backgrounds with a network of many outputs, in a process of its
own each time: held in memory, written to a folder, and the folder loaded again. Peaks
are of anonymous memory, which nothing can give back, and of all that is resident, which
counts pages of the mapped file, too, as long as nobody else needs their room. With
--group, a memory cgroup that is yours, each process joins it; give it a limit first.
Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile

import pandas as pd
from interleaved import as_markdown
from machine import describe_machine

CODE = """
import json
import os
import sys
import threading
import time

way, folder, n_conditions, n_outputs, group = sys.argv[1:]
if group:
    with open(f"{group}/cgroup.procs", "w") as file:
        file.write(str(os.getpid()))

import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia

peaks = {"RssAnon": 0, "VmHWM": 0}


def look():
    while True:
        with open("/proc/self/status") as file:
            text = file.read()
        for name in peaks:
            kilobytes = int(text.split(name + ":")[1].split()[0])
            peaks[name] = max(peaks[name], kilobytes)
        time.sleep(0.005)


threading.Thread(target=look, daemon=True).start()
torch.set_num_threads(1)
torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Conv1d(4, 16, 9, stride=4),
    torch.nn.ReLU(),
    torch.nn.Flatten(),
    torch.nn.Linear(16 * 48, int(n_outputs)),
)
X = random_one_hot((500, 4, 200), random_state=0)
seconds = [time.perf_counter()]
if way == "load":
    result = gia.load(folder)
else:
    save_to = folder if way == "save_to" else None
    starts = range(int(n_conditions))
    result = gia.positional_bias(model, X, "GATAAG", starts, save_to=save_to)
seconds.append(time.perf_counter())
effect = float(result.to_frame()["effect"].abs().sum())
seconds.append(time.perf_counter())
n_bytes = result.y_afters.nbytes
print(json.dumps([seconds, peaks, n_bytes, effect]))
"""
WAYS = {"memory": "in memory", "save_to": "`save_to`", "load": "`load` of the folder"}


def measure(way: str, folder: str, options: argparse.Namespace) -> dict[str, str]:
    """A row of the table."""
    sizes = map(str, (options.conditions, options.outputs))
    words = [sys.executable, "-c", CODE, way, folder, *sizes, options.group]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    if run.returncode:
        said = run.stderr.strip().splitlines()
        last = said[-1] if said else f"killed by signal {-run.returncode}"
        return {"way": WAYS[way], "seconds": last}
    (start, ran, shown), peaks, n_bytes, effect = json.loads(run.stdout)
    return {
        "way": WAYS[way],
        "seconds": f"{ran - start:.1f}",
        "`to_frame`, seconds": f"{shown - ran:.1f}",
        "peak, anonymous, MB": f"{peaks['RssAnon'] / 1e3:,.0f}",
        "peak, resident, MB": f"{peaks['VmHWM'] / 1e3:,.0f}",
        "outputs, MB": f"{n_bytes / 1e6:,.0f}",
        "sum of effects": f"{effect:.5g}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conditions", type=int, default=190)
    parser.add_argument("--outputs", type=int, default=4000)
    parser.add_argument("--group", default="", help="folder of a memory cgroup")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(way, f"{folder}/effects", options) for way in WAYS]
    table = pd.DataFrame(rows).fillna("")
    print(f"{describe_machine()}\n\n{as_markdown(table)}")


if __name__ == "__main__":
    main()
