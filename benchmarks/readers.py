"""How fast are probes encoded and score tables read, against pandas alone?

    python benchmarks/readers.py [--repeats 5]

241,000 simulated probes of RNAcompete lengths: seconds to encode them, and a table of
20 experiments read by `read_ray2013` and by a bare `pandas.read_csv`, interleaved.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from machine import describe_machine

from residualbind import encode_sequences, read_ray2013

N_PROBES, N_EXPERIMENTS = 241_000, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    letters = rng.choice(list("ACGU"), size=(N_PROBES, 41))
    lengths = rng.choice([30, 35, 38, 41], size=N_PROBES)
    probes = ["".join(row[:n]) for row, n in zip(letters, lengths, strict=True)]
    table = pd.DataFrame(rng.normal(size=(N_PROBES, N_EXPERIMENTS)).round(4))
    table.columns = [f"RNCMPT{i:05d}" for i in range(N_EXPERIMENTS)]
    table.insert(0, "RNA_Seq", probes)
    table.insert(0, "Probe_Set", np.where(np.arange(N_PROBES) % 2, "SetA", "SetB"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "norm_data.txt")
        table.to_csv(path, sep="\t", index=False)
        tasks = {
            "encode_sequences": lambda: encode_sequences(probes),
            "pandas.read_csv": lambda: pd.read_csv(path, sep="\t"),
            "read_ray2013": lambda: read_ray2013(path),
        }
        times: dict[str, list[float]] = {name: [] for name in tasks}
        for _ in range(options.repeats):
            for name, task in tasks.items():
                start = time.perf_counter()
                task()
                times[name].append(time.perf_counter() - start)
    print(f"{N_PROBES} probes, {N_EXPERIMENTS} experiments; {describe_machine()}")
    for name, values in times.items():
        print(f"{name:<18} median {statistics.median(values):.2f} s")
    ratio = statistics.median(times["read_ray2013"]) / statistics.median(
        times["pandas.read_csv"]
    )
    print(f"read_ray2013 / pandas.read_csv: {ratio:.2f}")


if __name__ == "__main__":
    main()
