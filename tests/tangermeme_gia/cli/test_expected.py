"""The command `expected`: ranks, and verdicts in words."""

import pandas as pd
import pytest

import tangermeme_gia as gia
from tangermeme_gia.cli import main

from .conftest import overridden

WORDS = ["expected", "--model", "A1CF", "--motifs", "UAAU", "GCAU", "--n", "20"]


def test_the_table_the_lines_and_the_picture_are_written(here, caplog):
    files = ["--out", "t.tsv", "--ranks", "r.tsv", "--plot", "e.svg", "--save", "e.gia"]
    assert main([*WORDS, *files]) == 0
    table, kept = pd.read_csv("t.tsv", sep="\t"), gia.load("e.gia")
    assert table["motif"].tolist() == ["UAAU", "GCAU"]
    assert table["rank"].iloc[0] == 1
    assert table["verdict"].tolist() == kept.to_frame()["verdict"].tolist()
    assert all(line in caplog.text for line in kept.lines())
    assert "Intervals are over 20 backgrounds; fixed: the model" in caplog.text
    assert len(pd.read_csv("r.tsv", sep="\t")) == len(kept.ranks()) == 6
    assert (here / "e.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--motifs UXAU", "`motif` 'UXAU' has 'X' at position 1"),
        ("--motifs UA", "at least 3 are needed"),
        ("--motifs no.meme", "there is no file 'no.meme'"),
        ("--k 2", "`k`=2"),
        ("--alpha 2", "`alpha`=2"),
    ],
)
def test_what_cannot_be_asked_is_one_line(here, failure, words, message):
    assert message in failure(*overridden(WORDS, words.split()))
    assert not list(here.iterdir())
