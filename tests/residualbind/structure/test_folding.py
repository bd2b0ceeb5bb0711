import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from residualbind.structure import folding
from residualbind.structure.fold_worker import smooth_dangles
from residualbind.structure.folding import FoldSettings, count_jobs, fold

HAIRPIN = "GGGGAAAACCCC"


@pytest.fixture
def _fresh(monkeypatch):
    """No process waits from before, and none is left behind."""
    monkeypatch.setattr(folding, "_idle", {})
    yield
    folding._close_workers()


def fold_all(sequences, n_jobs=1, **settings):
    some = fold(sequences, FoldSettings("PU", **settings), n_jobs)
    return [pair for chunk in some for pair in chunk]


def answer_with(monkeypatch, tmp_path, code):
    """Fold with another program."""
    script = tmp_path / "worker.py"
    script.write_text(code)
    monkeypatch.setattr(folding, "_WORKER", script)


@pytest.mark.usefixtures("_fresh")
def test_processes_stay_for_the_next_call():
    fold_all([HAIRPIN])
    ((worker,),) = folding._idle.values()
    fold_all([HAIRPIN, "ACACACACA"])
    assert list(folding._idle.values()) == [[worker]]
    fold_all([HAIRPIN] * 100, n_jobs=2)
    (workers,) = folding._idle.values()
    assert worker in workers
    assert len(workers) <= 2


@pytest.mark.usefixtures("_fresh")
def test_a_process_that_was_killed_is_replaced():
    expected = fold_all([HAIRPIN])
    ((worker,),) = folding._idle.values()
    os.kill(worker._process.pid, signal.SIGKILL)
    worker._process.wait()
    found = fold_all([HAIRPIN])
    np.testing.assert_array_equal(found[0][1], expected[0][1])


@pytest.mark.usefixtures("_fresh")
def test_an_interrupt_is_left_to_the_caller():
    fold_all([HAIRPIN])
    ((worker,),) = folding._idle.values()
    os.kill(worker._process.pid, signal.SIGINT)
    assert [sequence for sequence, _ in fold_all([HAIRPIN])] == [HAIRPIN]
    assert worker.is_alive()


@pytest.mark.usefixtures("_fresh")
def test_a_process_that_ends_midway_is_an_error(monkeypatch, tmp_path):
    answer_with(
        monkeypatch,
        tmp_path,
        'import sys\nprint(\'{"viennarna": "0"}\', flush=True)\n'
        "sys.stdin.readline()\nsys.exit(3)\n",
    )
    with pytest.raises(RuntimeError, match="ended with code 3"):
        fold_all([HAIRPIN])
    assert not any(folding._idle.values())


@pytest.mark.usefixtures("_fresh")
def test_half_an_answer_is_an_error(monkeypatch, tmp_path):
    answer_with(
        monkeypatch,
        tmp_path,
        'import sys\nprint(\'{"viennarna": "0"}\', flush=True)\n'
        "sys.stdin.readline()\nprint('{\"n_bytes\": 96}')\nprint('half')\n",
    )
    with pytest.raises(RuntimeError, match="ended with code 0"):
        fold_all([HAIRPIN])


@pytest.mark.usefixtures("_fresh")
def test_what_the_library_says_is_handed_on():
    with pytest.raises(RuntimeError, match="ViennaRNA failed: KeyError: 'PUH'"):
        list(fold([HAIRPIN], FoldSettings("PUH"), 1))
    assert fold_all([HAIRPIN])  # the next call has another process


@pytest.mark.usefixtures("_fresh")
def test_a_failing_start_is_an_error(monkeypatch, tmp_path):
    answer_with(monkeypatch, tmp_path, 'print(\'{"error": "no RNA here"}\')\n')
    with pytest.raises(RuntimeError, match="no RNA here"):
        folding.vienna_version("turner1999")


@pytest.mark.usefixtures("_fresh")
def test_the_caller_s_environment_does_not_reach_the_script(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise ImportError('the wrong json')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert fold_all([HAIRPIN])


def test_processes_end_with_the_one_that_started_them():
    # By its path, because importing the package takes seconds.
    code = (
        "import importlib.util as u, sys\n"
        f"spec = u.spec_from_file_location('folding', {folding.__file__!r})\n"
        "folding = sys.modules['folding'] = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(folding)\n"
        "list(folding.fold(['GGGGAAAACCCC'], folding.FoldSettings(), 1))\n"
        "((worker,),) = folding._idle.values()\n"
        "print(worker._process.pid)\n"
    )
    output = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert output.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(output.stdout), 0)


def test_chunks_shrink_with_the_length_of_sequences():
    assert folding._chunk_size(["A" * 41] * 10_000, 2) == 256
    assert folding._chunk_size(["A" * 41] * 100, 2) == 50
    assert folding._chunk_size(["A" * 410] * 10_000, 2) == 2
    assert folding._chunk_size(["A" * 9000], 2) == 1


def test_jobs_are_counted():
    assert count_jobs(3) == 3
    assert 1 <= count_jobs(None) <= (os.cpu_count() or 1)


def test_the_correction_changes_two_rows_of_two_tables():
    rows = "\n".join(f"{i} {i} {i} {i} {i}" for i in range(35))
    table = (
        f"# mismatch_multi\n/* @ A C G U */\n{rows}\n# mismatch_exterior\n{rows}\n# END"
    )
    before, after = table.splitlines(), smooth_dangles(table).splitlines()
    changed = [
        i for i, pair in enumerate(zip(before, after, strict=True)) if len({*pair}) > 1
    ]
    assert [before[i] for i in changed] == ["8 8 8 8 8", "9 9 9 9 9"] * 2
    assert [after[i] for i in changed] == ["6 6 6 6 6", "7 7 7 7 7"] * 2
