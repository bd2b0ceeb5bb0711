"""One driver for a folder, also where file systems have no locks (NFS, Lustre)."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from pathlib import Path
from typing import Any

from .._core.storage import write_atomically

_FILE = "driver.json"
# A driver that has not been heard of for so long is gone. Clocks of nodes may differ:
# what counts is whether the file changes while another watches it.
RENEWED, GONE = 2.0, 30.0


class LeaseError(RuntimeError):
    """Another driver has the folder."""


class Lease:
    """A folder that one driver writes to.

    It is a file that is renewed every few seconds; created in one step, it is held by
    one. A driver of this machine whose process has ended is gone at once; another is
    gone when its file does not change for `GONE` seconds.

    Parameters
    ----------
    folder: Path
        Of the sweep.

    Raises
    ------
    LeaseError
        If another driver has it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._token = secrets.token_hex(8)
        self._stop = threading.Event()
        self._lost = ""
        self._renewed = time.monotonic()

    def __enter__(self) -> Lease:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while not self._create():
            self._wait_for_the_other()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if _read(self._path).get("token") == self._token:
            self._path.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise where another driver has taken the folder, as while this one slept."""
        if time.monotonic() - self._renewed > GONE:
            self._look()
        if self._lost:
            raise LeaseError(self._lost)

    def _said(self, renewals: int) -> dict[str, Any]:
        who = {"host": socket.gethostname(), "pid": os.getpid(), "token": self._token}
        return {**who, "boot": _boot(), "renewals": renewals}

    def _create(self) -> bool:
        """Whether there was none: creation is one step on every file system."""
        try:
            file = self._path.open("xb", buffering=0)
        except FileExistsError:
            return False
        try:
            with file:
                file.write(json.dumps(self._said(0)).encode())
                os.fsync(file.fileno())
        except OSError as error:
            self._path.unlink(missing_ok=True)
            error.filename = str(self._path)
            raise
        return True

    def _wait_for_the_other(self) -> None:
        """Take away the lease of a driver that is gone; raise if it is there."""
        held = _read(self._path)
        began = time.monotonic()
        while _may_be_there(held) and time.monotonic() - began < GONE:
            time.sleep(0.2)
            if not self._path.exists():
                return
            now = _read(self._path)
            if now != held and now and _may_be_there(now):
                raise LeaseError(
                    f"another sweep writes to {self._path.parent}: process "
                    f"{now.get('pid')} on {now.get('host')}. Wait until it is "
                    "finished, or choose another `--out`."
                )
            held = now
        # Renamed by one of several that wait; a new one is not taken away.
        aside = self._path.with_name(f".{_FILE}.{self._token}")
        try:
            os.rename(self._path, aside)
        except FileNotFoundError:
            return
        taken = _read(aside)
        aside.unlink(missing_ok=True)
        if taken != held and _may_be_there(taken):
            raise LeaseError(f"another sweep has just begun in {self._path.parent}.")

    def _renew(self) -> None:
        renewals = 0
        while not self._stop.wait(RENEWED) and self._look():
            renewals += 1
            try:
                write_atomically(self._path, json.dumps(self._said(renewals)).encode())
                self._renewed = time.monotonic()
            except OSError:
                continue  # a full disk or a file system that is away for a moment

    def _look(self) -> bool:
        """Whether it is still this driver's, as far as can be seen."""
        try:
            held = json.loads(self._path.read_text())
        except FileNotFoundError:
            held = {}
        except (OSError, ValueError):
            return True
        if held.get("token") != self._token:
            self._lost = (
                f"another sweep has taken {self._path.parent}: process "
                f"{held.get('pid', 'unknown')} on {held.get('host', 'unknown')}."
            )
        return not self._lost


def _may_be_there(held: dict[str, Any]) -> bool:
    """False if it is of this machine, and its process has ended."""
    if held.get("host") != socket.gethostname() or not isinstance(held.get("pid"), int):
        return True
    if held.get("boot") != _boot():
        return False
    try:
        os.kill(held["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot() -> str:
    """Another one after the machine was started again, where it says so."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _read(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}
