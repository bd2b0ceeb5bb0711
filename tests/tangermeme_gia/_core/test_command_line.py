from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tangermeme_gia._core.command_line import (
    check_device,
    check_files,
    check_folders,
    write_table,
)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("kept.tsv").write_text("kept")


def test_two_options_never_write_the_same_file():
    check_files(out=Path("a.tsv"), local=Path("b.tsv"), plot=None)
    check_files(out=Path("/dev/null"), local=Path("/dev/null"))
    for other in ("kept.tsv", "./kept.tsv"):
        with pytest.raises(ValueError, match="`--out` and `--local` are the same file"):
            check_files(out=Path("kept.tsv"), local=Path(other))


@pytest.mark.parametrize("folder", ["kept.tsv", "kept.tsv/below"])
def test_a_folder_that_cannot_be_is_named(folder):
    with pytest.raises(NotADirectoryError, match=r"`--structure-cache`: .* is a file"):
        check_folders(structure_cache=Path(folder))
    check_folders(structure_cache=Path("new/below"), folder=None)
    assert not Path("new").exists()


def test_a_folder_that_is_only_read_is_named(monkeypatch):
    """Also for root, whom no permission stops."""
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(
        PermissionError, match=r"`--folder`: nothing may be written in \."
    ):
        check_folders(folder=Path())
    with pytest.raises(PermissionError, match=r"`--out`: kept\.tsv may not be"):
        check_files(out=Path("kept.tsv"))


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", "none of cpu, cuda, mps; did you mean cuda?$"),
        ("gpu:1", "none of cpu, cuda, mps; did you mean cuda?$"),
        ("CUDA", "none of cpu, cuda, mps; did you mean cuda?$"),
        ("abacus", r"none of cpu, cuda, mps\.$"),
        ("", r"none of cpu, cuda, mps\.$"),
    ],
)
def test_a_device_that_is_none_is_one_short_line(device, message):
    with pytest.raises(
        ValueError, match=f"`--device`='{device}' cannot be used: "
    ) as e:
        check_device(device)
    assert e.match(message.replace("?$", r"\?$"))
    check_device("cpu")


def test_a_table_is_written_as_parquet_with_all_digits(tmp_path):
    pytest.importorskip("pyarrow")
    table = pd.DataFrame(
        {
            "effect": [1 / 3, np.nan],
            "starts": [(3, 10), (3,)],
            "output": [0, "K562"],
            "p": pd.Series([None, 2.0], dtype=object),
        }
    )
    write_table(table, tmp_path / "t.parquet")
    read = pd.read_parquet(tmp_path / "t.parquet")
    assert read["effect"].iloc[0] == 1 / 3
    assert read["starts"].tolist() == ["3,10", "3"]
    assert read["output"].tolist() == ["0", "K562"]
    assert read["p"].isna().tolist() == [True, False]
