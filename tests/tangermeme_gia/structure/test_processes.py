"""The pool of processes: what stays, what dies, what is said of it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tangermeme_gia.structure import processes
from tangermeme_gia.structure.processes import count_jobs, run_task

HAIRPIN = "GGGGAAAACCCC"
# The answer to a request for one sequence, before anything goes wrong.
READ = "import sys\nsys.stdin.readline()\n"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    """No process waits from before, and none is left behind."""
    monkeypatch.setattr(processes, "_idle", {})
    yield
    processes._close_workers()


def fold_all(sequences, n_jobs=1, task="structure", parameters=None):
    return list(run_task(task, [(x,) for x in sequences], n_jobs, parameters))


def answer_with(monkeypatch, tmp_path, code):
    """Fold with another program."""
    program = tmp_path / "program.py"
    program.write_text(code)
    monkeypatch.setattr(processes, "_PROGRAM", program)


def idle():
    return [worker for workers in processes._idle.values() for worker in workers]


def test_processes_stay_for_the_next_call():
    fold_all([HAIRPIN])
    (worker,) = idle()
    fold_all([HAIRPIN, "ACACACACA"], task="matrix")
    assert idle() == [worker]
    fold_all([HAIRPIN] * 100, n_jobs=2)
    assert worker in idle()
    assert len(idle()) <= 2


def test_each_set_of_parameters_has_its_own_processes():
    import RNA

    before, again = [fold_all([HAIRPIN]) for _ in range(2)]
    (worker,) = idle()
    others = fold_all([HAIRPIN], parameters=RNA.parameter_set_rna_andronescu2007)
    assert before == again
    assert others != before
    assert len(idle()) == 2
    assert worker in idle()
    with pytest.raises(RuntimeError, match="could not load the energy parameters"):
        fold_all([HAIRPIN], parameters="none")


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_answers_come_in_order_whoever_gives_them(n_jobs):
    sequences = ["ACGU" * (5 + i % 13) for i in range(150)]
    found = fold_all(sequences, n_jobs)
    assert [len(structure) for structure, _, _ in found] == [len(x) for x in sequences]
    assert fold_all([]) == []


def test_every_bit_of_a_number_arrives():
    from tangermeme_gia.structure import vienna

    sequence = "GGUCACCUGGGAGGACGAUACGAGCGAU"
    for task, more in (
        ("unpaired", []),
        ("matrix", []),
        ("pairs", [[[0, 27], [3, 9]]]),
    ):
        ((structure, energy, values),) = run_task(task, [(sequence, *more)], 1)
        expected = getattr(vienna, task)(sequence, *more)
        assert (structure, energy) == expected[:2]
        np.testing.assert_array_equal(values, expected[2])
        assert values.dtype == np.float64
    for task in ("pairedness", "contexts"):
        (values,) = run_task(task, [(sequence, 40.0)], 1)
        np.testing.assert_array_equal(values, getattr(vienna, task)(sequence, 40.0))


def test_a_process_that_was_killed_is_replaced():
    expected = fold_all([HAIRPIN])
    (worker,) = idle()
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    assert fold_all([HAIRPIN]) == expected


def test_an_interrupt_is_left_to_the_caller():
    expected = fold_all([HAIRPIN])
    (worker,) = idle()
    os.kill(worker.process.pid, signal.SIGINT)
    assert fold_all([HAIRPIN]) == expected
    assert idle() == [worker]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys\nsys.exit('no space left')\n", "code 1: no space left"),
        (READ + "sys.exit(3)\n", "code 3: it says nothing"),
        (READ + "print('{\"answers\": ', end='')\n", "code 0: it says nothing"),
        (READ + 'print(\'{"error": "no"}\')\n', "with ViennaRNA failed: no$"),
    ],
)
def test_a_process_that_fails_is_an_error_with_its_last_words(
    monkeypatch, tmp_path, code, message
):
    answer_with(monkeypatch, tmp_path, code)
    with pytest.raises(RuntimeError, match=message):
        fold_all([HAIRPIN] * 200, n_jobs=2)
    assert not idle()


def test_what_the_library_says_is_handed_on():
    with pytest.raises(RuntimeError, match="ViennaRNA failed: KeyError: 'nonsense'"):
        fold_all([HAIRPIN], task="nonsense")
    assert not idle()
    assert fold_all([HAIRPIN])


def recorded(monkeypatch):
    """Processes that are started from now on."""
    started = []
    start = subprocess.Popen

    def popen(*args, **kwargs):
        started.append(start(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(processes.subprocess, "Popen", popen)
    return started


def test_a_process_that_is_killed_in_between_is_replaced_and_its_chunk_repeated(
    monkeypatch,
):
    sequences = ["ACGU" * (10 + i % 3) for i in range(200)]
    expected = fold_all(sequences)
    processes._close_workers()
    started = recorded(monkeypatch)

    def kill():
        while not started:
            time.sleep(0.01)
        os.kill(started[0].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    assert fold_all(sequences) == expected
    killer.join()
    assert [process.returncode for process in started] == [-signal.SIGKILL, None]


def test_a_chunk_that_ends_two_processes_is_an_error(monkeypatch, tmp_path):
    """As one whose fold needs more memory than there is."""
    answer_with(
        monkeypatch,
        tmp_path,
        "import os, signal, sys\nsys.stdin.readline()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    started = recorded(monkeypatch)
    with pytest.raises(RuntimeError, match="has ended with code -9"):
        fold_all([HAIRPIN])
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2
    assert not idle()


LONG_FOLDS = """
import random, subprocess, sys, time
from tangermeme_gia.structure import processes

def popen(*args, **kwargs):
    process = start(*args, **kwargs)
    print(process.pid, flush=True)
    return process

start, subprocess.Popen = subprocess.Popen, popen
long = "".join(random.Random(0).choices("ACGU", k=2500))
folded = processes.run_task("unpaired", [({first},), (long,)], 2)
next(folded)
print("first", flush=True)
time.sleep(600)
"""


def processor_seconds(pid: int) -> float:
    """What a process has used; none if it is not there."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until(condition, seconds: float) -> bool:
    """Whether it comes true before long."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc")
@pytest.mark.parametrize(
    ("how", "first"),
    [
        (signal.SIGKILL, "long"),
        (signal.SIGINT, "long"),
        (signal.SIGINT, "'GGGGAAAACCCC'"),  # while it waits for nothing
    ],
)
def test_no_process_outlives_the_caller_in_the_middle_of_a_long_fold(how, first):
    code = LONG_FOLDS.format(first=first)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as caller:
        workers = [int(caller.stdout.readline()) for _ in range(2)]
        if first != "long":
            assert caller.stdout.readline() == "first\n"
        # Times of the processes themselves, which a busy machine does not stretch: they
        # import ViennaRNA in one second, and fold for twenty and more.
        assert wait_until(lambda: max(map(processor_seconds, workers)) > 3, 120)
        limits = {pid: processor_seconds(pid) + 5 for pid in workers}
        caller.send_signal(how)
        while any(map(is_alive, workers)):
            assert all(processor_seconds(pid) < limits[pid] for pid in workers)
            time.sleep(0.02)
        caller.wait(60)


def test_nobody_goes_on_with_what_is_not_waited_for(monkeypatch, tmp_path):
    # One answer, then work without an end.
    monkeypatch.setattr(processes, "_CHUNK", processes._FEWEST)
    ready = tmp_path / "ready"
    answers = json.dumps({"answers": [0] * processes._FEWEST})
    answer_with(
        monkeypatch,
        tmp_path,
        f"{READ}print({answers!r}, flush=True)\nsys.stdin.readline()\n"
        f"open({str(ready)!r}, 'w').close()\nimport time\ntime.sleep(60)\n",
    )
    started = recorded(monkeypatch)
    folded = run_task("structure", [(HAIRPIN,)] * 1000, 1)
    before = time.monotonic()
    assert next(folded) == 0
    while not ready.exists():
        time.sleep(0.01)
    folded.close()
    assert time.monotonic() - before < 30
    assert [process.returncode for process in started] == [-signal.SIGKILL]


@pytest.fixture
def interruptible():
    """Ctrl-C is heard, also by tests that a shell has put into the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_process_that_starts_too_late_is_ended_at_once(monkeypatch):
    start, begun = processes._Worker, threading.Event()

    def slowly(parameters):
        begun.set()
        time.sleep(0.5)
        return start(parameters)

    started = recorded(monkeypatch)
    monkeypatch.setattr(processes, "_Worker", slowly)
    folded = run_task("structure", [(HAIRPIN,)] * 100, 2)

    def interrupt():
        begun.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        next(folded)
    assert {process.returncode for process in started} == {-signal.SIGKILL}
    assert not idle()


def test_the_caller_s_environment_does_not_reach_the_program(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise ImportError('the wrong json')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert fold_all([HAIRPIN])


def test_processes_end_with_the_one_that_started_them():
    code = (
        "from tangermeme_gia.structure import processes\n"
        "list(processes.run_task('structure', [('GGGGAAAACCCC',)], 1))\n"
        "((worker,),) = processes._idle.values()\n"
        "print(worker.process.pid)\n"
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
    assert processes._chunk_size([41] * 10_000, 2) == 256
    assert processes._chunk_size([41] * 100, 2) == 50
    assert processes._chunk_size([410] * 10_000, 2) == 2
    assert processes._chunk_size([9000], 2) == 1


def test_jobs_are_counted():
    assert count_jobs(3) == 3
    assert 1 <= count_jobs(None) <= (os.cpu_count() or 1)
