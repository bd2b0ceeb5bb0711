"""What is alive at the worst moment, measured in processes of their own."""

import subprocess
import sys

import pytest

from tangermeme_gia._core.memory import halved

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


FULL = """
import resource
import sys
import warnings

import torch

from tangermeme_gia import best_kmers, global_importance, kmer_scan

torch.set_num_threads(1)
LENGTH = 2_000
X = torch.zeros(400, 4, LENGTH, dtype=torch.int8)
X[torch.arange(400), torch.arange(400) % 4] = 1


def counts(X):
    return X[:, 2].float().sum(dim=1, keepdim=True)


def wide(X):
    # 1.6 MB for each sequence.
    return X.float()[..., None].repeat(1, 1, 1, 50)[:, 2, :, 0].sum(dim=1, keepdim=True)


def run(model, n, **options):
    conditions = [[("GG", start)] for start in range(n)]
    result = global_importance(model, X, conditions, **options)
    return result.local_importance[:, [0, -1], 0]


counts(X[:2])
run(counts, 2)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = used + 300 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    match sys.argv[1]:
        case "model":
            found, expected = run(wide, 2, batch_size=400), run(counts, 2)
        case "sequences":
            # 524 MB of sequences in a block.
            found, expected = run(counts, 160, max_memory=2**40), run(counts, 160)
        case "scan":
            scans = [
                kmer_scan(counts, X, k=4, max_memory=memory).effect
                for memory in (2**40, 2**24)
            ]
            found, expected = scans
assert torch.equal(found, expected)
print(*[str(warning.message) for warning in said], sep="\\n")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as by Linux")
@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("model", "memory ran out; going on with "),
        ("sequences", "memory ran out while sequences were made; going on with fewer"),
        ("scan", "memory ran out while sequences were made; going on with fewer"),
    ],
)
def test_where_memory_is_short_in_earnest_fewer_sequences_are_taken(what, text):
    ended = subprocess.run(
        [sys.executable, "-c", FULL, what], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(text)
    assert len(ended.stdout.splitlines()) == 1


def test_halves_keep_what_belongs_together():
    asked, said = [], []

    def run(part):
        asked.append((part.start, part.stop))
        if part.stop - part.start > 4:
            raise MemoryError
        return part.stop

    found = list(halved(run, slice(2, 16), lambda: said.append(1), together=2))
    # Of 7 pairs 3 and 4, of these 1 and 2, and 2 and 2.
    assert found == [4, 8, 12, 16]
    assert asked == [(2, 16), (2, 8), (2, 4), (4, 8), (8, 16), (8, 12), (12, 16)]
    assert len(said) == 3


@pytest.mark.parametrize("error", [ValueError("no"), RuntimeError("shapes")])
def test_other_errors_halve_nothing(error):
    def run(part):
        raise error

    with pytest.raises(type(error)):
        list(halved(run, slice(0, 8), pytest.fail))


def test_what_cannot_be_halved_is_an_error():
    def run(part):
        raise MemoryError("Unable to allocate 3 GiB")

    with pytest.raises(MemoryError, match="Unable"):
        list(halved(run, slice(0, 8), lambda: None, together=2))
