"""What is saved comes back; what is damaged or has changed is recognised."""

import pandas as pd
import pytest
import torch

from tangermeme_gia._core.results import GIAResult
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.report import load_results
from tangermeme_gia.report.store import Probe, Store, read_results

PROBE = Probe(torch.eye(4, dtype=torch.int8)[None], torch.tensor([[0.5]]))


@pytest.fixture
def result() -> GIAResult:
    conditions = pd.DataFrame(
        {
            "starts": [(3, 10), (), (17,)],
            "start": pd.array([None, 3, 4], dtype="Int64"),
            "letter": [None, "A", "<&>"],
            "share": [0.5, float("nan"), 1e-300],
            "is_wild_type": [True, False, True],
            "n_sites": [1, 2, 3],
        }
    )
    y = torch.randn(5, 1, generator=torch.Generator().manual_seed(0))
    return GIAResult(y, y[:, None].repeat(1, 3, 1) + 1 / 3, conditions)


@pytest.fixture
def scan() -> KmerScan:
    effect = torch.tensor([[0.1], [float("nan")]], dtype=torch.float64)
    scan = KmerScan(["AC", "CA"], effect, effect / 3, 7, 16, 40, 112)
    return scan._after_race(0.125, True)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "results")


def test_a_result_comes_back_to_the_last_bit(store, result):
    store.save("part", {"one": result}, {"n": "1"}, PROBE)
    back = store.load("part").results["one"]
    assert torch.equal(back.y_before, result.y_before)
    assert torch.equal(back.y_afters, result.y_afters)
    pd.testing.assert_frame_equal(back.conditions, result.conditions)
    pd.testing.assert_frame_equal(back.to_frame(), result.to_frame())


def test_a_scan_comes_back_to_the_last_bit(store, scan):
    store.save("scan", {"scan": scan}, {}, PROBE)
    back = store.load("scan").results["scan"]
    assert list(back.kmers) == ["AC", "CA"]
    assert back.unseen_share == 0.125
    with pytest.raises(ValueError, match="holds only the 2 lowest of 16"):
        back.top(1)
    assert (back.n, *back[4:]) == (7, 16, 40, 112)
    for name in ("effect", "se"):
        saved, loaded = getattr(scan, name), getattr(back, name)
        assert loaded.dtype == torch.float64
        assert torch.equal(saved.nan_to_num(9), loaded.nan_to_num(9))


def test_several_results_keep_their_names_and_order(store, result, scan):
    store.save("part", {"z": result, "a": scan, "m": result}, {}, PROBE)
    assert list(store.load("part").results) == ["z", "a", "m"]


def test_changes_names_what_has_changed(store, result):
    store.save("part", {"one": result}, {"model": "a", "n": "1", "gone": "x"}, PROBE)
    assert store.changes("part", {"model": "a", "n": "1", "gone": "x"}) == []
    changed = store.changes("part", {"model": "b", "n": "1", "new": "y"})
    assert changed == ["gone", "model", "new"]


def test_what_was_never_saved_has_no_changes(store):
    assert store.changes("part", {}) is None


@pytest.mark.parametrize("size", [0, 4, 100, -1])
def test_a_truncated_file_counts_as_none(store, result, size):
    store.save("part", {"one": result}, {}, PROBE)
    path = store.path("part")
    path.write_bytes(path.read_bytes()[:size])
    assert store.changes("part", {}) is None
    with pytest.raises(ValueError, match="holds no results of a report"):
        store.load("part")


def test_another_safetensors_file_counts_as_none(store):
    from safetensors.torch import save_file

    store.folder.mkdir()
    save_file({"weight": torch.zeros(2)}, store.path("part"))
    assert store.changes("part", {}) is None


def test_load_results_takes_all_parts_of_an_unfinished_report(store, result, scan):
    store.save("sites", {"sites": result}, {}, PROBE)
    store.save("scan", {"scan": scan}, {}, PROBE)
    assert sorted(load_results(store.folder.parent)) == ["scan", "sites"]


def test_load_results_leaves_out_parts_of_an_earlier_report(store, result):
    for part in ("gc", "sites"):
        store.save(part, {part: result}, {}, PROBE)
    (store.folder.parent / "report.json").write_text('{"parts": ["sites"]}')
    assert list(load_results(store.folder.parent)) == ["sites"]


def test_load_results_of_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no results"):
        load_results(tmp_path)


def test_read_results_gives_what_they_follow_from(store, result):
    store.save("part", {"one": result}, {"model": "a"}, PROBE)
    assert read_results(store.path("part")).fingerprint == {"model": "a"}


@pytest.mark.parametrize("labels", [[3, 3, 0, 1, 3], list("abbca")])
def test_clusters_come_back(store, result, scan, labels):
    result = GIAResult(*result, clusters=labels)
    scan = KmerScan(*scan, clusters=[0, 0, 1, 1, 1, 2, 2])
    store.save("part", {"one": result, "scan": scan}, {}, PROBE)
    back = store.load("part").results
    assert back["one"].clusters.tolist() == labels
    assert back["scan"].clusters.tolist() == [0, 0, 1, 1, 1, 2, 2]
    pd.testing.assert_frame_equal(back["one"].to_frame(), result.to_frame())
    pd.testing.assert_frame_equal(back["scan"].to_frame(), scan.to_frame())
    store.save("plain", {"one": GIAResult(*result)}, {}, PROBE)
    assert store.load("plain").results["one"].clusters is None
