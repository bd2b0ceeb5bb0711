"""`save_to`: outputs in a folder while conditions finish, whatever happens."""

import copy
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from tangermeme.utils import PackedSequence, random_one_hot

import tangermeme_gia as gia
from tangermeme_gia import GIAResult, Readout, load
from tangermeme_gia._core.effects_folder import EffectsFolder
from tangermeme_gia._core.storage import only_one

# Fewer sequences at once than there are backgrounds, so that blocks begin small.
SMALL = {"max_memory": 1000}
AFTERS, FINISHED = "y_afters.safetensors", "finished.jsonl"


class Additive(torch.nn.Module):
    """Adds up weights of letters; counts sequences, and breaks off when told."""

    def __init__(self, post=lambda y: y, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        weights = torch.randint(-9, 10, (2, 4, 24), generator=generator)
        self.weights = torch.nn.Parameter(weights.float())
        self.post = post
        # Private, so that no checksum sees it.
        self._seen: list[int] = []
        self._most, self._shift = 10**9, 0.0

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self._seen.append(len(X))
        if sum(self._seen) > self._most:
            raise KeyboardInterrupt
        y = torch.einsum(
            "ncl,ocl->no", X[..., :24].to(self.weights.dtype), self.weights
        )
        return self.post(y + self._shift)

    @property
    def n_seen(self) -> int:
        return sum(self._seen)


@pytest.fixture
def X() -> torch.Tensor:
    return random_one_hot((10, 4, 24), random_state=0)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "effects"


SLOW = """
import time
import torch
from tangermeme.utils import random_one_hot
from tangermeme_gia import positional_bias

class Slow(torch.nn.Module):
    def __init__(self, seconds):
        super().__init__()
        self._seconds = seconds

    def forward(self, X):
        time.sleep(self._seconds)
        return X[:, 0].float() @ torch.arange(24.0)[:, None]

def run(seconds, folder):
    X = random_one_hot((10, 4, 24), random_state=0)
    return positional_bias(Slow(seconds), X, "GATA", save_to=folder, max_memory=1000)
"""


def positions(model, X, folder=None, **options):
    return gia.positional_bias(model, X, "GATA", save_to=folder, **options)


def interrupted(X, folder, most: int = 120, **options) -> None:
    """A run that ends when so many sequences were asked."""
    model = Additive()
    model._most = most
    with pytest.raises(KeyboardInterrupt):
        positions(model, X, folder, **SMALL, **options)


def blocks(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / FINISHED).read_text().splitlines()]


def as_list(y) -> list[torch.Tensor]:
    return y if isinstance(y, list) else [y]


def assert_same(result: GIAResult, expected: GIAResult) -> None:
    for name in ("y_before", "y_afters"):
        found, wanted = getattr(result, name), getattr(expected, name)
        assert type(found) is type(wanted)
        for one, other in zip(as_list(found), as_list(wanted), strict=True):
            assert one.dtype == other.dtype
            assert one.shape == other.shape
            assert torch.allclose(one.double(), other.double(), rtol=1e-5, atol=1e-4)
    assert result.conditions.equals(expected.conditions)
    assert result.outputs == expected.outputs
    assert result.length == expected.length
    assert (result.clusters is None) == (expected.clusters is None)
    if result.clusters is not None:
        assert result.clusters.tolist() == expected.clusters.tolist()


POSTS = {
    "one": lambda y: y,
    "no axis": lambda y: y[:, 0],
    "a list of one": lambda y: [y],
    "several": lambda y: [y[:, :1] > 0, y.double(), y[:, 0].to(torch.int16)],
    "profiles": lambda y: y[:, :, None].repeat(1, 1, 7),
    "halves": lambda y: y.to(torch.bfloat16),
}


@pytest.mark.parametrize("post", POSTS)
def test_outputs_of_any_kind_are_those_without_a_folder(X, folder, post):
    model = Additive(POSTS[post])
    expected = positions(model, X)
    assert_same(positions(model, X, folder, **SMALL), expected)
    assert len(blocks(folder)) > 1
    assert_same(load(folder), expected)


OPTIONS = {
    "an index": {"target": 1},
    "a function": {"target": lambda y: y[:, :1] * 2},
    "clusters": {"clusters": list("aabbccddee")},
    "controls": {"n_controls": 2, "random_state": 0},
    "a dtype": {"dtype": "float64"},
    "insertions": {"insert": True},
    "kept": {"keep": [0, 1, 2]},
    "reused": {"reuse": True},
    "another func": {"func": lambda model, X, args=None, **kw: model(X.float())},
}


@pytest.mark.filterwarnings("ignore:`insert`=True moves")
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_options_mean_what_they_mean_without_a_folder(X, folder, options):
    expected = positions(Additive(), X, **options)
    assert_same(positions(Additive(), X, folder, **options), expected)
    assert_same(load(folder), expected)


def test_packed_sequences_and_side_inputs(X, folder):
    class Shifted(Additive):
        def forward(self, X, shift):
            return super().forward(X) + shift

    packed, args = PackedSequence.from_one_hot(X), [torch.arange(10.0)[:, None]]
    expected = positions(Shifted(), X, args=args)
    assert_same(positions(Shifted(), packed, folder, args=args, **SMALL), expected)
    with pytest.raises(ValueError, match="it had other `args`"):
        positions(Shifted(), X, folder, args=[args[0] + 1])


class Bases(torch.nn.Module):
    """A track: at each base its number, where there is an A."""

    def __init__(self, most: int = 10**9) -> None:
        super().__init__()
        self._left = most

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self._left -= len(X)
        if self._left < 0:
            raise KeyboardInterrupt
        return X[:, :1].float() * torch.arange(X.shape[-1])


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_readout_that_follows_what_is_placed(X, folder, is_interrupted):
    options = {"starts": range(4, 16), "target": Readout(around=0, width=3), **SMALL}
    if is_interrupted:
        with pytest.raises(KeyboardInterrupt):
            positions(Bases(60), X, folder, **options)
        assert 0 < len(blocks(folder)) < 4
    expected = positions(Bases(), X, **options)
    for _ in range(2):
        assert_same(positions(Bases(), X, folder, **options), expected)
    assert_same(load(folder), expected)


def test_conditions_that_place_the_same_are_predicted_once(X, folder):
    model = Additive()
    conditions = [[("GATA", 2)], [("CC", 9)], [("GATA", 2)], [], [("CC", 9)]]
    expected = gia.global_importance(Additive(), X, conditions)
    result = gia.global_importance(model, X, conditions, save_to=folder)
    assert_same(result, expected)
    assert_same(load(folder), expected)
    # Two backgrounds are asked twice.
    assert model.n_seen == 2 + 10 + 3 * 10


def test_what_follows_from_a_result_is_that_of_one_in_memory(X, folder, monkeypatch):
    monkeypatch.setattr("tangermeme_gia._core.moments._BLOCK", 10)
    options = {"n_controls": 1, "random_state": 0}
    expected = positions(Additive(), X, **options)
    result = positions(Additive(), X, folder, **options)
    pd.testing.assert_frame_equal(result.to_frame(), expected.to_frame())
    local = expected.y_afters - expected.y_before[:, None]
    assert torch.allclose(result.local_importance, local)
    assert torch.allclose(result.global_importance, local.mean(dim=0), atol=1e-5)
    averaged, wanted = result.average("control"), expected.average("control")
    assert torch.allclose(averaged.y_afters, wanted.y_afters)
    assert repr(result) == repr(expected)
    one = result.output(1).select(control="none")
    assert one.y_afters.shape == (10, 21)
    one.plot()


def test_other_programs_read_the_outputs(X, folder):
    result = positions(Additive(), X, folder)
    with safe_open(folder / AFTERS, "pt") as file:
        assert [*file.keys()] == ["y_afters"]
        held = file.get_tensor("y_afters")
    assert torch.equal(held.transpose(0, 1), result.y_afters)
    assert {each.name for each in folder.iterdir()} == {
        *(AFTERS, FINISHED, "result.safetensors", ".lock")
    }


def test_what_is_given_and_what_is_stored_stays(X, folder):
    model, before = Additive(), X.clone()
    weights = copy.deepcopy(model.state_dict())
    state = torch.get_rng_state()
    result = positions(model, X, folder)
    assert torch.equal(X, before)
    assert torch.equal(model.weights, weights["weights"])
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    # What a user writes into the tensor is theirs alone.
    expected = result.y_afters.clone()
    result.y_afters.add_(1)
    assert torch.equal(result.y_afters, expected + 1)
    assert torch.equal(load(folder).y_afters, expected)


def test_it_goes_on_where_it_was_interrupted(X, folder):
    interrupted(X, folder)
    n_done = sum(block["last"] - block["first"] for block in blocks(folder))
    assert 0 < n_done < 21
    with pytest.raises(ValueError, match=f"not finished: {n_done} of 21 conditions"):
        load(folder)
    model = Additive()
    # In other batches than before.
    result = positions(model, X, folder, batch_size=7)
    assert_same(result, positions(Additive(), X))
    # Of what is there, two backgrounds and two conditions of these.
    assert model.n_seen == 2 + 4 + 10 * (21 - n_done)


@pytest.mark.parametrize(("seconds", "first"), [(30, [1, 2, 4, 6, 6, 2]), (0, [1, 1])])
def test_blocks_grow_while_they_are_quick(X, folder, monkeypatch, seconds, first):
    monkeypatch.setattr("tangermeme_gia._core.saved_runs._SECONDS", seconds)
    positions(Additive(), X, folder, **SMALL)
    sizes = [block["last"] - block["first"] for block in blocks(folder)]
    assert sizes[: len(first)] == first
    assert sum(sizes) == 21


def test_numbers_lie_where_processors_read_them(X, folder):
    positions(Additive(POSTS["several"]), X, folder)
    for head in load(folder).y_afters:
        assert head.data_ptr() % head.itemsize == 0


def test_a_finished_run_only_asks_a_few_again(X, folder):
    expected = positions(Additive(), X, folder)
    model = Additive()
    assert_same(positions(model, X, folder), expected)
    assert model.n_seen == 6


def test_a_killed_process_loses_only_its_last_block(X, folder, tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text(SLOW)
    command = "import slow, sys; slow.run(0.1, sys.argv[1])"
    process = subprocess.Popen(
        [sys.executable, "-c", command, str(folder)], cwd=tmp_path
    )
    monkeypatch.syspath_prepend(tmp_path)
    import slow

    try:
        until = time.monotonic() + 60
        while not (folder / FINISHED).exists() or len(blocks(folder)) < 2:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        with pytest.raises(ValueError, match="is being written by another run"):
            slow.run(0, folder)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    n_blocks = len(blocks(folder))
    with pytest.raises(ValueError, match="is not finished"):
        load(folder)
    result = slow.run(0, folder)
    assert len(blocks(folder)) > n_blocks
    assert_same(result, slow.run(0, None))
    assert_same(load(folder), result)


OTHERS = {
    "`model`": lambda X, folder: positions(Additive(seed=1), X, folder),
    "`X`": lambda X, folder: positions(Additive(), X.flip(0), folder),
    "`clusters`": lambda X, folder: positions(
        Additive(), X, folder, clusters=range(10)
    ),
    "`target`": lambda X, folder: positions(Additive(), X, folder, target=0),
    "`func`": lambda X, folder: positions(Additive(), X, folder, dtype="bfloat16"),
    "conditions": lambda X, folder: gia.positional_bias(
        Additive(), X, "GATT", save_to=folder
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_folder_of_another_call_is_refused(X, folder, other):
    expected = positions(Additive(), X, folder)
    with pytest.raises(ValueError, match=f"`save_to`=.*it had other {other}"):
        OTHERS[other](X, folder)
    assert_same(load(folder), expected)


def test_other_draws_are_other_conditions(X, folder):
    motif = torch.full((4, 3), 0.25)
    gia.positional_bias(Additive(), X, motif, random_state=0, save_to=folder)
    gia.positional_bias(Additive(), X, motif, random_state=0, save_to=folder)
    for seed in (1, None):
        with pytest.raises(ValueError, match="An integer `random_state`"):
            gia.positional_bias(Additive(), X, motif, random_state=seed, save_to=folder)


@pytest.mark.parametrize("is_finished", [True, False])
def test_a_model_that_answers_otherwise_is_refused(X, folder, is_finished):
    if is_finished:
        positions(Additive(), X, folder)
    else:
        interrupted(X, folder)
    model = Additive()
    model._shift = 3.0  # which no checksum sees
    with pytest.raises(ValueError, match=r"`save_to`=.*`model` no longer gives"):
        positions(model, X, folder)


def test_other_folders_and_files_are_refused(X, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"`save_to`=.* holds other files.*mine\.txt"):
        positions(Additive(), X, tmp_path)
    with pytest.raises(ValueError, match=r"`save_to`=.*mine\.txt' is a file"):
        positions(Additive(), X, tmp_path / "mine.txt")
    with pytest.raises(TypeError, match="`save_to` is of type int"):
        positions(Additive(), X, 3)
    assert sorted(os.listdir(tmp_path)) in (["mine.txt"], [".lock", "mine.txt"])
    with pytest.raises(FileNotFoundError, match=r"no such file as result\.safetensors"):
        load(tmp_path)


def test_a_folder_that_another_run_holds_is_refused(X, folder):
    positions(Additive(), X, folder)
    with (
        only_one(folder / ".lock", AssertionError()),
        pytest.raises(ValueError, match=r"`save_to`=.* is being written by another"),
    ):
        positions(Additive(), X, folder)


def test_a_run_that_fails_at_once_leaves_nothing(X, folder):
    def fails(X):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        positions(fails, X, folder)
    assert not folder.exists()
    folder.mkdir()
    with pytest.raises(RuntimeError, match="broken"):
        positions(fails, X, folder)
    assert folder.exists()


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "a bit": lambda folder: flip(folder / AFTERS, -9),
    "the header": lambda folder: flip(folder / AFTERS, 20),
    "cut off": lambda folder: os.truncate(
        folder / AFTERS, (folder / AFTERS).stat().st_size - 50
    ),
    "gone": lambda folder: (folder / AFTERS).unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_and_mended(X, folder, damage):
    expected = positions(Additive(), X)
    positions(Additive(), X, folder, **SMALL)
    DAMAGE[damage](folder)
    with pytest.raises((ValueError, FileNotFoundError), match=AFTERS):
        load(folder)
    model = Additive()
    assert_same(positions(model, X, folder), expected)
    assert_same(load(folder), expected)
    if damage == "a bit":  # only its block
        assert 6 < model.n_seen < 100
    if damage == "the header":
        assert model.n_seen == 6


def test_a_line_that_was_cut_off_does_not_count(X, folder):
    expected = positions(Additive(), X, folder, **SMALL)
    path = folder / FINISHED
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="is not finished"):
        load(folder)
    assert_same(positions(Additive(), X, folder), expected)
    assert_same(load(folder), expected)


def test_a_damaged_description_is_named(X, folder):
    positions(Additive(), X, folder)
    flip(folder / "result.safetensors", -3)
    with pytest.raises(ValueError, match=r"result\.safetensors' is damaged"):
        load(folder)
    with pytest.raises(ValueError, match=r"result\.safetensors' is damaged"):
        positions(Additive(), X, folder)


def test_a_full_disk_is_found_before_conditions_are_asked(X, folder, monkeypatch):
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    model = Additive()
    with pytest.raises(OSError, match=f"`save_to` .*No space left.*{AFTERS}") as caught:
        positions(model, X, folder)
    assert caught.value.errno == errno.ENOSPC
    assert model.n_seen == 12
    assert not folder.exists()


def test_a_disk_without_room_for_the_description_is_left_empty(X, folder, monkeypatch):
    def full(path: Path, content: bytes) -> None:
        assert (folder / AFTERS).exists()
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("tangermeme_gia._core.effects_folder.write_atomically", full)
    with pytest.raises(OSError, match=r"`save_to` .*No space left.*result\.safet"):
        positions(Additive(), X, folder)
    assert not folder.exists()


@pytest.mark.parametrize("n_written", [4, 5])
def test_a_disk_that_fills_up_keeps_what_is_finished(X, folder, monkeypatch, n_written):
    """Of the outputs, or of the line that makes them count."""
    fsync, left = os.fsync, [2 + n_written]

    def full(number: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(number)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="`save_to` cannot be written: No space"):
            positions(Additive(), X, folder, **SMALL)
    assert len(blocks(folder)) >= 2
    model = Additive()
    assert_same(positions(model, X, folder), positions(Additive(), X))
    assert model.n_seen < 10 * 21


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk")
def test_a_small_disk(X, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount")
    try:
        model = Additive(lambda y: y.repeat(1, 500))
        with pytest.raises(OSError, match=f"`save_to` .*No space left.*{AFTERS}"):
            positions(model, X, disk / "effects")
        assert os.listdir(disk) == []
        positions(Additive(), X, disk / "effects")
        assert load(disk / "effects").y_afters.shape == (10, 21, 2)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_what_cannot_fit_in_memory_fits_in_a_folder(X, folder, monkeypatch):
    monkeypatch.setattr("tangermeme_gia._core.memory._free_memory", lambda: 500_000)
    model, some = Additive(lambda y: y.repeat(1, 500)), {"max_memory": 100_000}
    with pytest.raises(ValueError, match="`save_to` writes it to a folder"):
        positions(model, X, **some)
    assert positions(model, X, folder, **some).y_afters.shape == (10, 21, 1000)
    monkeypatch.setattr("tangermeme_gia._core.memory._free_memory", lambda: 30_000)
    with pytest.raises(ValueError, match="one condition would take 10 backgrounds"):
        positions(model, X, folder.with_name("other"), **some)
    assert not folder.with_name("other").exists()


SCANS = {
    "kmer_scan": lambda *given, **kw: gia.kmer_scan(*given, 2, **kw),
    "best_kmers": lambda *given, **kw: gia.best_kmers(*given, 2, **kw),
    "motif_scan": lambda *given, **kw: gia.motif_scan(*given, {"a": "GATA"}, **kw),
    "motif_grammar": lambda *given, **kw: gia.motif_grammar(
        *given, {"a": "GATA", "b": "CCC"}, [0, 1], **kw
    ),
    "discover_motifs": lambda *given, **kw: gia.discover_motifs(*given, **kw),
    "junction_effects": lambda *given, **kw: gia.junction_effects(
        *given, ["GATA", "ATAA"], **kw
    ),
}


@pytest.mark.parametrize("scan", SCANS)
def test_scans_and_surveys_refuse_it(X, folder, scan):
    with pytest.raises(ValueError, match="`save_to` is for experiments that return"):
        SCANS[scan](Additive(lambda y: y[:, 0]), X, save_to=folder)
    assert not folder.exists()


def test_comparisons_refuse_it(X, folder):
    sites = [("GATA", 3)]
    for compare in (
        lambda **kw: gia.across_models(gia.global_importance, [Additive()], X, **kw),
        lambda **kw: gia.across_backgrounds(
            gia.global_importance, Additive(), {"a": X}, **kw
        ),
    ):
        with pytest.raises(ValueError, match="`save_to` keeps the result of one"):
            compare(patterns=sites, save_to=folder)
    assert not folder.exists()


def test_regions_are_kept(X, folder):
    result = positions(Additive(), X, folder)
    regions = pd.DataFrame({"chrom": "chr1", "start": np.arange(10), "end": 50})
    EffectsFolder(folder).keep_regions(result.with_regions(regions).regions)
    assert load(folder).regions["start"].tolist() == list(range(10))
    assert positions(Additive(), X, folder).regions["end"].tolist() == [50] * 10
