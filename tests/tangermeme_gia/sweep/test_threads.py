import os

import pytest

on_dask = pytest.importorskip("tangermeme_gia.sweep.on_dask", exc_type=ImportError)


@pytest.mark.parametrize(
    ("cores", "workers", "asked", "threads"),
    [
        (8, 2, None, 4),
        (8, 3, None, 2),
        (2, 8, None, 1),
        (8, 2, "1", 1),
        (8, 2, "16", 4),
        (8, 2, "", 4),
        (8, 2, "many", 4),
    ],
)
def test_workers_share_the_cores(monkeypatch, cores, workers, asked, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(cores), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert on_dask.threads_of(workers) == threads
