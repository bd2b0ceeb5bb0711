"""How fast are probes encoded and score tables read, against pandas alone?

    python benchmarks/readers.py [--repeats 5]

241,000 simulated probes of RNAcompete lengths: seconds to encode them, and a table of
20 experiments read by `read_ray2013` and by a bare `pandas.read_csv`, interleaved.
Then a genome of four chromosomes in 204 MB of FASTA is read through, and 20,000 windows
of 2,114 bases are taken from it; with the memory that Python and NumPy take for both.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
from machine import describe_machine

from residualbind import encode_sequences, read_ray2013
from tangermeme_gia._core.fasta import fasta_records
from tangermeme_gia.cli.sequences import read_sequences

N_PROBES, N_EXPERIMENTS = 241_000, 20
N_CHROMOSOMES, N_BASES, N_WINDOWS = 4, 50_000_000, 20_000


def write_genome(genome: Path, regions: Path) -> None:
    rng = np.random.default_rng(1)
    lines = np.full((N_BASES // 50, 51), ord("\n"), dtype=np.uint8)
    with open(genome, "wb") as file:
        for i in range(N_CHROMOSOMES):
            codes = rng.integers(0, 8, N_BASES, dtype=np.uint8)
            lines[:, :50] = np.frombuffer(b"ACGTacgt", np.uint8)[codes].reshape(-1, 50)
            file.write(b">chr%d\n" % i + lines.tobytes())
    starts = rng.integers(2000, N_BASES - 4000, N_WINDOWS)
    regions.write_text(
        "".join(f"chr{i % N_CHROMOSOMES}\t{i}\t{i + 500}\n" for i in starts)
    )


def measure_genome() -> None:
    with tempfile.TemporaryDirectory() as folder:
        genome, regions = Path(folder, "genome.fa"), Path(folder, "regions.bed")
        write_genome(genome, regions)
        size = genome.stat().st_size / 1e6
        for what, task in {
            f"{size:.0f} MB of FASTA read through": lambda: [
                len(record.letters) for record in fasta_records(genome)
            ],
            f"{N_WINDOWS} windows of 2114 taken": lambda: read_sequences(
                regions, genome=genome, length=2114
            ),
        }.items():
            start = time.process_time()
            task()
            seconds = time.process_time() - start
            tracemalloc.start()
            task()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            print(f"{what}: {seconds:.2f} processor s, {peak / 2**20:.0f} MiB")


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
    measure_genome()


if __name__ == "__main__":
    main()
