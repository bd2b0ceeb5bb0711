"""Acceptance, as a lab of reporter assays has it: docs/howto/mpra.md, one command."""

import io
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from code_blocks import read_blocks
from printed import differences

from tangermeme_gia.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "mpra.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMAND, SHOWN = re.search(
    r"^\$ tangermeme-gia (.*) \| grep -e effect -e crossed\n(.*?)```",
    TEXT,
    re.MULTILINE | re.DOTALL,
).groups()
# By motif and output. A base of G or C counts 0.05 and 0.04; GATAAG brings one less,
# and CACGTG one more, than the half that was there.
PLANTED = {
    ("GATA1", "0"): 2 - 0.05,
    ("GATA1", "1"): -0.04,
    ("GATA1", "0 - 1"): 2 - 0.01,
    ("USF1", "0"): 1 + 0.05,
    ("USF1", "1"): 1 + 0.04,
    ("USF1", "0 - 1"): 0.01,
}


@pytest.fixture
def printed(tmp_path, monkeypatch, capsys) -> str:
    monkeypatch.chdir(tmp_path)
    for block in read_blocks(PAGE):
        exec(block.code, {"__name__": "page"})
    assert main(shlex.split(COMMAND)) == 0
    return capsys.readouterr().out


def test_the_page_shows_what_the_command_prints(printed):
    lines = printed.splitlines(keepends=True)
    kept = [line for line in lines if "effect" in line or "crossed" in line]
    assert not differences(SHOWN, "".join(kept))


def test_each_motif_in_each_cell_type_and_their_difference_come_out(printed):
    table = pd.read_csv(io.StringIO(printed), sep="\t")
    assert set(table["model"]) == {"MPRA"}
    # Two motifs, both cell types and their difference, five folds and all of them.
    assert len(table) == 2 * 3 * 6
    crossed = table[table["folds"] == "5 crossed"].set_index(["motif", "output"])
    assert set(crossed.index) == set(PLANTED)
    for key, effect in PLANTED.items():
        row = crossed.loc[key]
        assert row["low"] < effect < row["high"], key
        # Folds have learned effects that differ by 0.1.
        assert row["se"] == pytest.approx(0.1 / 5**0.5, rel=1)
        assert (row["p"] < 0.001) == (abs(effect) > 0.5), key
    # A fold alone is surer than it should be: it does not know of the others.
    of_folds = table[~table["folds"].eq("5 crossed")]
    narrow = of_folds.groupby(["motif", "output"])["se"].max()
    assert (narrow < crossed["se"].reindex(narrow.index)).all()


def test_adapters_are_never_changed(printed, capsys):
    on_them = f"{COMMAND} --patterns MOTIF@12"
    assert main(shlex.split(on_them)) == 2
    assert "changes positions that `keep` holds" in capsys.readouterr().err
