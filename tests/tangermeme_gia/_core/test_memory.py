"""What is alive at the worst moment, measured in processes of their own."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource

import pandas as pd
import torch
from tangermeme.predict import predict

from tangermeme_gia import GIAResult, global_importance, kmer_scan

torch.set_num_threads(1)


class Wide(torch.nn.Module):
    # 250 kB for each sequence.
    def forward(self, X):
        return X.sum(dim=(1, 2))[:, None].repeat(1, 62_500)


class Sliced(Wide):
    def forward(self, X):
        return super().forward(X)[:, :1]


class Pair(Wide):
    def forward(self, X):
        y = super().forward(X)
        return y[:, :1], y[:, 5:7]


def reduces(model, X, args=None, batch_size=32):
    return predict(model, X, batch_size=batch_size).mean(dim=1, keepdim=True)


def slices(model, X, args=None):
    return model(X.float())[:, :1]


X = torch.zeros(200, 4, 40, dtype=torch.int8)
X[:, 1] = 1
conditions = [[("GATA", start)] for start in range(8)]


def run(model, **options):
    global_importance(model, X, conditions, max_memory=2**26, **options)


def frame():
    y = torch.zeros(20, 400_000)
    return GIAResult(y, y[:, None].repeat(1, 5, 1), pd.DataFrame({"i": range(5)}))


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# What the libraries take comes first.
small = GIAResult(torch.zeros(2, 2), torch.zeros(2, 1, 2), pd.DataFrame({"i": [1]}))
small.to_frame()
for func in (predict, reduces):
    global_importance(Sliced(), X[:2], conditions[:1], func=func)
for call in CALLS:
    result = frame() if "to_frame" in call else None
    before = peak()
    eval(call)
    print(peak() - before)
"""


def peaks_of(*calls):
    """By how many MiB each of the calls, one after the other, raises the peak."""
    code = SCRIPT.replace("CALLS", repr(calls))
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return list(map(float, found.stdout.split()))


pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there is no resource module"
)


def test_the_limit_holds_for_all_that_is_alive():
    found = peaks_of(
        "run(Wide(), func=reduces)",
        "run(Wide(), func=reduces, batch_size=1000)",
        "run(Wide(), func=slices)",
        "run(Sliced())",
        "run(Sliced(), batch_size=1000)",
        "run(Pair())",
        "run(Wide(), target=3)",
        "run(Wide(), additional_func_kwargs={'func': lambda y: y[:, :2]})",
        "kmer_scan(Sliced(), X[:100], k=2, max_memory=2**26)",
    )
    # All outputs would take 450 MiB. The allocator keeps some of what is given back.
    assert sum(found) < 64 * 1.75


def test_a_table_is_made_block_by_block():
    # 2,000,000 rows of seven columns; the differences alone would take 305 MiB more.
    assert peaks_of("result.to_frame()")[0] < 350
