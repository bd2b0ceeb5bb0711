"""Helper modules beside these tests, and the scripts, can be imported by name."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]


@pytest.fixture
def _folder_of_my_models(tmp_path, monkeypatch) -> None:
    """The current folder, from which commands import `my_models`."""
    monkeypatch.chdir(tmp_path)
