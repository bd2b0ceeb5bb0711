"""Where does the time of a scan go, by function?

    python benchmarks/profiles.py [--threads 2]

An exhaustive scan of 64 6-mers and a race of all, on 1,000 profile backgrounds by a
bundled model, under cProfile: what is spent in the model, and the dearest functions.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from interleaved import as_markdown
from machine import describe_machine

import residualbind as rb
import tangermeme_gia as gia
from tangermeme_gia._core.letters import RNA
from tangermeme_gia.kmers.codes import all_kmers

SHOWN = 6


def measure() -> dict[str, pd.DataFrame]:
    model = rb.load_pretrained("A1CF")
    X = gia.backgrounds.profile_background(
        rb.load_profile("A1CF"), n=1000, random_state=0
    )
    options = {"start": 17, "alphabet": RNA, "device": "cpu"}
    kmers = all_kmers(6, RNA)[::64]
    race = {"random_state": 0}
    gia.best_kmers(model, X[:64], 2, **race, **options)  # imports what is imported late
    return {
        "Exhaustive scan of 64 k-mers": profile(
            lambda: gia.kmer_scan(model, X, kmers=kmers, **options)
        ),
        "Race of 4,096 k-mers": profile(
            lambda: gia.best_kmers(model, X, 6, **race, **options)
        ),
    }


def profile(run: Callable[[], object]) -> pd.DataFrame:
    """Share of the time in the functions that take most themselves."""
    profiler = cProfile.Profile()
    profiler.runcall(run)
    stats = pstats.Stats(profiler)
    total = stats.total_tt
    functions = sorted(stats.stats.items(), key=lambda item: -item[1][2])
    rows = [
        {
            "function": name_function(*function),
            "calls": f"{calls:,}",
            "share of the time": f"{own / total:.1%}",
        }
        for function, (_, calls, own, _, _) in functions[:SHOWN]
    ]
    in_model = sum(
        cumulative
        for (file, _, name), (_, _, _, cumulative, _) in stats.stats.items()
        if file.endswith("residualbind/network/model.py") and name == "forward"
    )
    rows.append(
        {"function": "all in the model", "calls": "", "share of the time": ""}
        | {"share of the time": f"{in_model / total:.1%}"}
    )
    return pd.DataFrame(rows)


def name_function(file: str, line: int, name: str) -> str:
    if file == "~":
        return f"`{name.strip('<>')}`"
    return f"`{'/'.join(Path(file).parts[-2:])}: {name}`"


def report() -> str:
    return "\n\n".join(
        f"{title}:\n\n{as_markdown(table)}" for title, table in measure().items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(describe_machine())
    print(report())


if __name__ == "__main__":
    main()
