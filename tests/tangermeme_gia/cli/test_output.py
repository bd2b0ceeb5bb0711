import errno
import os
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
import torch

from tangermeme_gia import GIAResult
from tangermeme_gia._core import command_line
from tangermeme_gia._core.command_line import write_table
from tangermeme_gia.cli.output import Output, local_table, write_plot

TABLE = pd.DataFrame({"starts": [(3, 10), (17,)], "effect": [1 / 3, float("nan")]})
TEXT = "starts\teffect\n3,10\t0.333333\n17\t\n"


def test_tables_have_tuples_as_given_and_six_digits(here, capsys):
    write_table(TABLE, None)
    assert capsys.readouterr().out == TEXT
    write_table(TABLE, Path("table.tsv"))
    assert Path("table.tsv").read_text() == TEXT
    assert TABLE["starts"].tolist() == [(3, 10), (17,)]


def test_an_empty_table_keeps_its_header(capsys):
    write_table(TABLE.head(0), None)
    assert capsys.readouterr().out == "starts\teffect\n"


def test_whole_numbers_and_missing_ones_stay(capsys):
    table = pd.DataFrame({"start": pd.array([None, 17], "Int64"), "n": [10**9, 2]})
    write_table(table, None)
    assert capsys.readouterr().out == "start\tn\n\t1000000000\n17\t2\n"


def test_links_and_devices_stay_what_they_are(here):
    Path("real.tsv").write_text("old")
    Path("link.tsv").symlink_to("real.tsv")
    write_table(TABLE, Path("link.tsv"))
    assert Path("link.tsv").is_symlink()
    assert Path("real.tsv").read_text() == TEXT
    # A pipe of this folder, never a device of the system, which a fault would replace.
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_table(TABLE, Path("pipe"))
    assert os.read(reader, 1000).decode() == TEXT
    os.close(reader)
    assert Path("pipe").is_fifo()


def test_a_full_disk_is_named_and_leaves_the_old_file(here, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", "hidden.tmp")

    monkeypatch.setattr(command_line, "write_atomically", full)
    Path("table.tsv").write_text("old")
    with pytest.raises(
        OSError, match=r"`--out`: table.tsv cannot be .*: No space left"
    ):
        write_table(TABLE, Path("table.tsv"))
    assert Path("table.tsv").read_text() == "old"


def test_files_are_checked_before_anything_runs(here, monkeypatch):
    def asked(out=None, plot=None, local=None, confidence=0.95):
        return Output(out, plot, confidence, local)

    asked(plot=Path("a.PNG"), local=Path("b"))
    assert list(here.iterdir()) == []
    with pytest.raises(ValueError, match=r"`--plot`='a' must end in \.png"):
        asked(plot=Path("a"))
    with pytest.raises(FileNotFoundError, match=r"`--out`: there is no folder .*none"):
        asked(out=Path("none/a.tsv"))
    with pytest.raises(IsADirectoryError, match=r"`--local`: \. is a folder"):
        asked(local=Path())
    with pytest.raises(ValueError, match="`--confidence`=1 must be between 0 and 1"):
        asked(confidence=1)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=r"`--out`: a\.tsv may not be written"):
        asked(out=Path("a.tsv"))


def test_local_importances_are_listed_by_sequence():
    y = torch.tensor([[1.0], [2.0]])
    after = torch.tensor([[[2.0], [4.0]], [[5.0], [8.0]]])
    table = local_table(GIAResult(y, after, pd.DataFrame({"site": ["a", "b"]})), "row")
    assert table.columns.tolist() == [
        "row",
        "site",
        "y_before",
        "y_after",
        "local_importance",
    ]
    assert table["row"].tolist() == [0, 0, 1, 1]
    assert table["site"].tolist() == ["a", "b"] * 2
    assert table["local_importance"].tolist() == [1, 3, 3, 6]


def test_pictures_do_not_depend_on_settings_and_change_none(here):
    from matplotlib import pyplot

    def draw():
        _, ax = pyplot.subplots(figsize=(1, 1))
        ax.plot([0, 1], [0, 1])
        return ax

    for name, width in (("a.svg", 1), ("b.svg", 9)):
        with mpl.rc_context({"lines.linewidth": width, "svg.hashsalt": name}):
            write_plot(draw, Path(name), "a $x_model")
            assert mpl.rcParams["lines.linewidth"] == width
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
    assert "<!-- a $x_model -->" in Path("a.svg").read_text()
    assert not pyplot.get_fignums()
