"""How good are fits to logarithms on the scale of published values?

    python benchmarks/published_scale.py full all.tsv [--structure-cache profiles]

`full` is the folder of `residualbind benchmark` on a table of probes with the columns
set and sequence, and one of natural logarithms, log(intensity + 1), for each
experiment; `all.tsv` is this table. Of every fit the test Pearson correlation on the
scale of training; of exponentiated predictions and scores; and of these, clipped at the
99.95th percentile of the scores, as authors of other methods clip before they train.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import residualbind as rb
from tangermeme_gia.sweep.ledger import read_entries

CLIPPED = 0.9995


def scales(y: np.ndarray, y_hat: np.ndarray) -> dict[str, float]:
    """Of logarithms: the correlation as they are, exponentiated, and clipped.

    >>> scales(np.log([1.0, 2.0, 9.0]), np.log([1.0, 3.0, 4.0]))["exponentiated"] < 0.9
    True
    """
    high, high_hat = np.expm1(y), np.expm1(y_hat)
    most = np.quantile(high, CLIPPED)
    pairs = {
        "log": (y, y_hat),
        "exponentiated": (high, high_hat),
        "clipped": (np.minimum(high, most), np.minimum(high_hat, most)),
    }
    return {name: float(np.corrcoef(*pair)[0, 1]) for name, pair in pairs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("probes", type=Path)
    parser.add_argument("--structure-cache", type=Path)
    options = parser.parse_args()
    rows, tests = [], {}
    for task, entry in read_entries(options.folder).items():
        if entry["state"] != "finished":
            continue
        name = entry["labels"].get("row", task)
        if name not in tests:
            data = rb.read_table(options.probes, score=name, set_column="set")
            tests[name] = data.subset(torch.from_numpy(data.sets == "B"))
        test = tests[name]
        fitted = rb.load_fitted(
            options.folder / "tasks" / entry["folder"] / "model.safetensors"
        )
        y_hat = fitted.predict(test.X, cache_folder=options.structure_cache)
        if fitted.transform is not None:
            y_hat = torch.as_tensor(fitted.transform.invert(y_hat))
        found = scales(test.y.numpy().ravel(), y_hat.numpy().ravel())
        rows.append({"experiment": name, "method": fitted.name, **found})
        print(rows[-1], flush=True)
    print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
