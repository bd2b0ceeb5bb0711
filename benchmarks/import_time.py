"""How long do the packages take to import, beside torch and tangermeme.predict alone?

    python benchmarks/import_time.py [--repeats 9]

Each import in a fresh interpreter, interleaved; processor seconds, which a busy machine
disturbs less than the clock.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys

from machine import describe_machine

IMPORTS = {
    "torch, tangermeme.predict": "import torch, tangermeme.predict",
    "tangermeme_gia": "import tangermeme_gia",
    "its multi_site": "from tangermeme_gia import multi_site",
    "residualbind": "import residualbind",
    "its load_pretrained": "from residualbind import load_pretrained",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    print(describe_machine())
    seconds: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for code in IMPORTS.values():  # files are then in the page cache
        processor_seconds(code)
    for _ in range(options.repeats):
        for name, code in IMPORTS.items():
            seconds[name].append(processor_seconds(code))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    alone = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{name:28} {median:5.2f} s  {median / alone:.2f}")


def processor_seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
