"""numba finds a folder for its code on machines where it would refuse to start."""

import os
import stat

import pytest

from tangermeme_gia._core import numba_cache


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder of temporary files, where neither of numba's own can be written."""
    monkeypatch.setattr(numba_cache.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")  # as unset, and restored afterwards
    monkeypatch.setattr(
        numba_cache.os,
        "access",
        lambda path, mode: str(path).startswith(str(tmp_path)),
    )
    return tmp_path


def test_a_folder_that_nobody_else_can_write_takes_their_place(temporary):
    numba_cache.provide_numba_cache()
    folder = temporary / f"numba-{os.getuid()}"
    assert os.environ["NUMBA_CACHE_DIR"] == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_others_can_write_is_not_used(temporary):
    folder = temporary / f"numba-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    numba_cache.provide_numba_cache()
    chosen = os.environ["NUMBA_CACHE_DIR"]
    assert chosen != str(folder)
    assert chosen.startswith(str(temporary / "numba-"))


def test_what_is_set_stays(temporary, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/elsewhere")
    numba_cache.provide_numba_cache()
    assert os.environ["NUMBA_CACHE_DIR"] == "/elsewhere"
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HOME"])
def test_numba_keeps_its_own_choice_where_it_can_be_written(
    temporary, monkeypatch, variable
):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, str(temporary / "not yet there"))
    numba_cache.provide_numba_cache()
    assert not os.environ["NUMBA_CACHE_DIR"]


def test_nothing_is_set_where_no_folder_can_be_made(temporary, monkeypatch):
    monkeypatch.setattr(numba_cache.tempfile, "tempdir", str(temporary / "missing"))
    numba_cache.provide_numba_cache()
    assert not os.environ["NUMBA_CACHE_DIR"]
