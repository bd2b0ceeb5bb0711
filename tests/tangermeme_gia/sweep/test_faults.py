"""Nothing is lost, whatever happens: each is a row of a table in the docs.

Every test has a driver in a process of its own, and two worker processes.
"""

import os
import signal
import subprocess
import time

import pytest

from tangermeme_gia.sweep.ledger import read_entries

from .conftest import in_session

pytest.importorskip("distributed")
pytestmark = pytest.mark.cluster

SEVERAL = [[f"w{i}", "wait", {"seconds": 0.3}] for i in range(6)]


def all_finished(drivers, tasks):
    """Every task is finished, and once into the results."""
    assert drivers.states() == {name: "finished" for name, *_ in tasks}
    lines = drivers.finished_lines()
    assert sorted(lines) == sorted({*lines})


def test_a_worker_killed_in_the_middle_of_a_task(drivers):
    tasks = [*SEVERAL, ["k", "kill_once", {}]]
    code, _ = drivers.run(tasks, workers=2)
    assert code == 0
    all_finished(drivers, tasks)
    assert (drivers.out / "tasks/k/killed").exists()


def test_a_task_that_always_kills_its_worker(drivers):
    tasks = [["k", "kill", {}], *SEVERAL]
    code, _ = drivers.run(tasks, workers=2)
    assert code == 1
    assert drivers.states() == {"k": "failed", **{n: "finished" for n, *_ in SEVERAL}}
    assert "its worker died (killed, or out of memory) 3 times" in drivers.error("k")


def test_a_worker_out_of_memory(drivers):
    tasks = [["large", "allocate", {}], *SEVERAL]
    code, _ = drivers.run(tasks, workers=2, memory_limit="700MB")
    assert code == 1
    assert drivers.states()["large"] == "failed"
    assert "out of memory" in drivers.error("large")
    assert [drivers.states()[name] for name, *_ in SEVERAL] == ["finished"] * 6


def test_a_driver_killed_and_run_again(drivers):
    tasks = drivers.one_done_others_held(6)
    driver = drivers.start(tasks, workers=2)
    drivers.wait_for("w0", "finished")
    driver.kill()
    driver.wait()
    before = drivers.states()
    assert "finished" in before.values()
    assert {"waiting", "running"} & {*before.values()}
    end = time.monotonic() + 10
    while in_session(driver.pid) and time.monotonic() < end:
        time.sleep(0.1)
    assert in_session(driver.pid) == []
    drivers.let_go()
    code, said = drivers.run(tasks, workers=2)
    assert code == 0, said
    assert drivers.states() == {name: "finished" for name, *_ in tasks}


def test_a_ledger_that_was_cut_off_in_the_middle_of_a_line(drivers):
    drivers.run(SEVERAL)
    path = drivers.out / "ledger.jsonl"
    with path.open("ab") as file:
        file.write(b'{"task": "w0", "state": "fini')
    assert drivers.states()["w0"] == "finished"
    code, said = drivers.run(SEVERAL)
    assert code == 0, said
    assert drivers.states() == {name: "finished" for name, *_ in SEVERAL}


def command(*words):
    """A command of Dask's."""
    return ["-m", "dask", *words]


@pytest.fixture
def scheduler(drivers, tmp_path):
    """A scheduler that somebody else has started, and its address."""
    file = tmp_path / "scheduler.json"
    process = drivers.python(
        *command("scheduler", "--port", "0", "--dashboard-address", ":0"),
        *("--scheduler-file", str(file)),
    )
    end = time.monotonic() + 30
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.1)
    import json

    return process, json.loads(file.read_text())["address"]


def worker(drivers, address, name, **environment):
    return drivers.python(
        *command("worker", address, "--name", name, "--nthreads", "1"),
        *("--no-dashboard", "--death-timeout", "20"),
        **environment,
    )


def wait_for_workers(address, n):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(n, timeout=60)


def test_a_scheduler_that_is_gone(drivers, scheduler):
    process, address = scheduler
    for name in ("a", "b"):
        worker(drivers, address, name)
    tasks = drivers.one_done_others_held(8)
    driver = drivers.start(tasks, client=address)
    drivers.wait_for("w0", "finished")
    os.killpg(process.pid, signal.SIGKILL)
    _, said = driver.communicate(timeout=60)
    assert driver.returncode == 1
    assert "PoolLost: the scheduler at tcp://" in said
    before = drivers.states()
    assert "finished" in before.values()
    assert {"waiting", "running"} & {*before.values()}
    drivers.let_go()
    code, said = drivers.run(tasks, workers=2)
    assert code == 0, said
    assert drivers.states() == {name: "finished" for name, *_ in tasks}


def other_version(tmp_path):
    """A folder that says that another version of the package is installed."""
    info = tmp_path / "other" / "tangermeme_gia-0.0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tangermeme-gia\nVersion: 0.0.1\n"
    )
    return info.parent


def test_a_worker_with_another_version_of_the_package(drivers, scheduler, tmp_path):
    _, address = scheduler
    old = drivers.environment["PYTHONPATH"]
    wrong = os.pathsep.join([str(other_version(tmp_path)), old])
    worker(drivers, address, "old", PYTHONPATH=wrong)
    worker(drivers, address, "new")
    code, said = drivers.run(SEVERAL, client=address)
    assert code == 0, said
    all_finished(drivers, SEVERAL)
    entries = read_entries(drivers.out)
    assert {entry["worker"] for entry in entries.values()} == {"new"}
    assert "they have tangermeme-gia 0.0.1, not" in said


def test_a_worker_that_comes_later_with_another_version(drivers, scheduler, tmp_path):
    _, address = scheduler
    worker(drivers, address, "new")
    tasks = drivers.one_done_others_held(12)
    driver = drivers.start(tasks, client=address)
    drivers.wait_for("w0", "finished")
    old = drivers.environment["PYTHONPATH"]
    wrong = os.pathsep.join([str(other_version(tmp_path)), old])
    worker(drivers, address, "old", PYTHONPATH=wrong)
    wait_for_workers(address, 2)
    drivers.let_go()
    _, said = driver.communicate(timeout=60)
    assert driver.returncode == 0, said
    all_finished(drivers, tasks)
    assert {e["worker"] for e in read_entries(drivers.out).values()} == {"new"}


def test_no_worker_with_this_version(drivers, scheduler, tmp_path):
    _, address = scheduler
    old = drivers.environment["PYTHONPATH"]
    wrong = os.pathsep.join([str(other_version(tmp_path)), old])
    worker(drivers, address, "old", PYTHONPATH=wrong)
    wait_for_workers(address, 1)
    code, said = drivers.run(SEVERAL, client=address)
    assert code == 1
    assert "no worker has tangermeme-gia" in said
    assert {*drivers.states().values()} == {"waiting"}


def test_a_slow_worker(drivers, scheduler):
    _, address = scheduler
    worker(drivers, address, "slow", SLOW="1")
    worker(drivers, address, "quick")
    wait_for_workers(address, 2)
    tasks = [[f"s{i}", "slow_on_one", {}] for i in range(20)]
    code, said = drivers.run(tasks, client=address)
    assert code == 0, said
    all_finished(drivers, tasks)
    paths = [drivers.out / "tasks" / name / "done_by" for name, *_ in tasks]
    by = [path.read_text() for path in paths]
    assert by.count("quick") > by.count("slow")


def test_a_small_disk_that_is_full(drivers, tmp_path):
    drivers.out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(drivers.out)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted")
    try:
        waits = [[f"w{i}", "wait", {}] for i in range(120)]
        tasks = [["small", "fill", {"size": 300_000}], *waits]
        code, said = drivers.run(tasks, workers=2)
        assert code == 1, said
        said += " ".join(map(drivers.error, drivers.states()))
        assert "No space left on device" in said
        before = [n for n, state in drivers.states().items() if state == "finished"]
        assert "small" in before
        assert len(before) < len(tasks)
        # There is room again, and what is finished is known.
        subprocess.run(["mount", "-o", "remount,size=8m", str(drivers.out)], check=True)
        code, said = drivers.run(tasks, workers=2)
        assert code == 0, said
        assert drivers.states() == {name: "finished" for name, *_ in tasks}
    finally:
        subprocess.run(["umount", str(drivers.out)], check=True)


def test_an_interrupt_ends_all_within_seconds(drivers):
    tasks = [[f"w{i}", "wait", {"seconds": 30}] for i in range(4)]
    driver = drivers.start(tasks, workers=2)
    drivers.wait_for("w1", "running")
    assert len(in_session(driver.pid)) >= 3
    began = time.monotonic()
    os.killpg(driver.pid, signal.SIGINT)
    driver.communicate(timeout=20)
    took = time.monotonic() - began
    assert driver.returncode != 0
    assert in_session(driver.pid) == []
    print(f"ended after {took:.1f} s")
    assert took < 10
    assert not (drivers.out / "driver.json").exists()


def test_two_drivers_in_one_folder(drivers):
    tasks = drivers.one_done_others_held(4)
    first = drivers.start(tasks, workers=2)
    drivers.wait_for("w0", "finished")
    code, said = drivers.run(tasks)
    assert code == 1
    assert "LeaseError: another sweep writes to out: process" in said
    drivers.let_go()
    _, said = first.communicate(timeout=60)
    assert first.returncode == 0, said
    all_finished(drivers, tasks)
    assert {drivers.runs(name) for name, *_ in tasks} == {1}


def test_a_driver_that_slept_does_not_write_over_another(drivers):
    tasks = drivers.one_done_others_held(8)
    first = drivers.start(tasks)
    drivers.wait_for("w1", "running")
    os.killpg(first.pid, signal.SIGSTOP)
    drivers.let_go()
    began = time.monotonic()
    second = drivers.start(tasks)
    _, said = second.communicate(timeout=120)
    assert second.returncode == 0, said
    assert time.monotonic() - began > 25  # it waits for a sign of life
    n_lines = len((drivers.out / "ledger.jsonl").read_text().splitlines())
    os.killpg(first.pid, signal.SIGCONT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 1
    assert "LeaseError: another sweep has taken out" in said
    assert len((drivers.out / "ledger.jsonl").read_text().splitlines()) == n_lines
    assert drivers.states() == {name: "finished" for name, *_ in tasks}


NETS = """
import threading, torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.dense = torch.nn.Linear(80, 1)
    def forward(self, X):
        return self.dense(X.float().flatten(1))

class Picky(Net):
    "Raises where a motif stands at the first base."
    def forward(self, X):
        if (X[:, 2, 0] * X[:, 0, 1] * X[:, 3, 2] * X[:, 0, 3]).any():
            raise RuntimeError("this model does not read GATA at the start")
        return super().forward(X)

class NaN(Net):
    def forward(self, X):
        return super().forward(X) * float("nan")

class Locked(Net):
    "Cannot be pickled."
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.link = lambda y: y.exp()
    def forward(self, X):
        with self.lock:
            return self.link(super().forward(X))
"""


def sweep(drivers, table, *words):
    (drivers.folder / "nets.py").write_text(NETS)
    (drivers.folder / "models.tsv").write_text("\n".join(table) + "\n")
    program = "import sys; from tangermeme_gia.cli import main"
    program += "\nif __name__ == '__main__': sys.exit(main())"
    process = drivers.python(
        *("-c", program, "sweep", "models.tsv", "--out", "out", "--length", "20"),
        *("--command", "positional-bias", "--motif", "GATA", "--n", "20", *words),
    )
    said, errors = process.communicate(timeout=120)
    return process.returncode, said + errors


def test_models_that_raise_give_nan_or_cannot_be_pickled(drivers):
    table = ["name\tmodel"]
    table += [f"{n}\tnets.py:{n}" for n in ("Net", "Picky", "NaN", "Locked", "Absent")]
    code, said = sweep(drivers, table, "--workers", "2")
    assert code == 1
    finished, failed = "finished", "failed"
    assert drivers.states() == {
        "Net": finished,
        "Picky": failed,
        "NaN": failed,
        "Locked": finished,
        "Absent": failed,
    }
    assert "does not read GATA at the start" in drivers.error("Picky")
    assert "NaN" in drivers.error("NaN")
    assert "Absent" in drivers.error("Absent")
    for name in ("Picky", "NaN", "Absent"):
        assert f"{name} failed: " in said
        assert (drivers.out / f"tasks/{name}/log.txt").exists()


@pytest.mark.parametrize("damage", ["cut off", "another", "gone"])
def test_a_damaged_result_is_computed_again(drivers, damage):
    table = ["name\tmodel", "a\tnets.py:Net", "b\tnets.py:Locked"]
    code, said = sweep(drivers, table)
    assert code == 0, said
    effects = drivers.out / "tasks/a/effects/y_afters.safetensors"
    before = effects.read_bytes()
    if damage == "cut off":
        effects.write_bytes(before[:-40])
    elif damage == "another":
        effects.write_bytes(before[:-4] + b"\0\0\0\1")
    else:
        effects.unlink()
    code, said = sweep(drivers, table)
    assert code == 0, said
    entries = read_entries(drivers.out)
    assert not entries["a"]["reused"]
    assert entries["b"]["reused"]
    from tangermeme_gia import load

    assert load(effects.parent).y_afters.isfinite().all()


def test_a_changed_model_is_asked_again_and_no_other(drivers):
    table = ["name\tmodel", "a\tnets.py:Net", "b\tnets.py:Locked"]
    assert sweep(drivers, table)[0] == 0
    nets = NETS.replace("self.link = lambda y: y.exp()", "self.link = lambda y: 2 * y")
    globals_before = NETS
    try:
        globals()["NETS"] = nets
        assert sweep(drivers, table)[0] == 0
    finally:
        globals()["NETS"] = globals_before
    entries = read_entries(drivers.out)
    assert not entries["b"]["reused"]


def test_two_rows_of_one_name_are_refused_before_anything_is_done(drivers):
    table = ["name\tmodel", "a\tnets.py:Net", "b\tnets.py:Net", "a\tnets.py:Locked"]
    code, said = sweep(drivers, table)
    assert code == 2
    assert "a is the name of 2 tasks" in said
    assert not drivers.out.exists() or not (drivers.out / "ledger.jsonl").exists()
