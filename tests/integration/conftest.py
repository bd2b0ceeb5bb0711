"""Helper modules beside these tests, and the scripts, can be imported by name."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]


@pytest.fixture
def _folder_of_my_models(tmp_path, monkeypatch):
    """The current folder, from which commands import `my_models` anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("my_models", None)
