"""Commands, and what they are asked about."""

import io

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia.cli import main
from tangermeme_gia.cli.main import build_parser
from tangermeme_gia.models.loading import load_model

LENGTH = 24


def filled_commands() -> dict:
    """The parser of each command by its name, with all its options."""
    commands = build_parser()._subparsers._group_actions[0].choices
    for parser in commands.values():
        parser.complete()
    return commands


def overridden(words: list[str], options: list[str]) -> list[str]:
    """Words of a command with options that take the place of their namesakes."""
    names = {word for word in options if word.startswith("--")}
    kept, dropped = [], False
    for word in words:
        dropped = word in names if word.startswith("--") else dropped
        kept += [] if dropped else [word]
    return kept + options


@pytest.fixture
def toy(toys) -> list[str]:
    """Options of an additive model of DNA with 24 bases."""
    return ["--model", f"{toys}:Additive", "--length", str(LENGTH)]


@pytest.fixture
def table(capsys):
    """Run a command that succeeds; the table it writes to stdout."""

    def run(*words) -> pd.DataFrame:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        return pd.read_csv(io.StringIO(captured.out), sep="\t")

    return run


@pytest.fixture
def failure(capsys):
    """Run a command that fails; the one line it says."""

    def run(*words) -> str:
        try:
            code = main([str(word) for word in words])
        except SystemExit as exit_:
            code = exit_.code
        captured = capsys.readouterr()
        assert code == 2, captured.err
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert captured.err.startswith(f"tangermeme-gia {words[0]}: error: ")
        return captured.err

    return run


@pytest.fixture
def assert_same():
    """Whether a table that was read back is the one that was written."""

    def compare(table: pd.DataFrame, expected: pd.DataFrame) -> None:
        pd.testing.assert_frame_equal(
            table, _written(expected), rtol=1e-5, atol=1e-5, check_dtype=False
        )

    return compare


@pytest.fixture
def model(toys) -> torch.nn.Module:
    """The additive model of the module."""
    return load_model(f"{toys}:Additive").model


@pytest.fixture
def observed(here):
    """Forty sequences and scores that fall with their number."""
    X = random_one_hot((40, 4, 24), random_state=1)
    y = torch.arange(40.0).flip(0)
    np.savez(here / "observed.npz", X=X.numpy(), y=y.numpy())
    return X, y


def _written(table: pd.DataFrame) -> pd.DataFrame:
    columns = {
        name: [
            ",".join(map(str, v)) if isinstance(v, tuple) else v for v in table[name]
        ]
        for name in table
    }
    text = pd.DataFrame(columns).to_csv(index=False)
    return pd.read_csv(io.StringIO(text))
