"""The command `grammar`: tables and pictures of pairs of motifs."""

import pandas as pd
import pytest

import tangermeme_gia as gia

WORDS = ["grammar", "--motifs", "UAAUUA", "GCAUG", "--spacings", "0:3", "--n", "16"]


@pytest.mark.filterwarnings("ignore::tangermeme_gia.statistics.FewEffectsWarning")
def test_tables_and_the_picture_are_written(here, table):
    files = ["--pairs", "p.tsv", "--profiles", "q.tsv", "--triples", "t.tsv"]
    files += ["--plot", "g.svg", "--save", "g.gia"]
    frame = table(*WORDS, *files)
    assert {"a", "b", "order", "spacing", "effect", "low", "high", "q"} <= set(frame)
    pairs = pd.read_csv("p.tsv", sep="\t")
    assert pairs["a"].tolist() == ["UAAUUA", "UAAUUA", "GCAUG"]
    assert pairs["b"].tolist() == ["UAAUUA", "GCAUG", "GCAUG"]
    assert set(pairs["class"]) <= {"none", "soft", "hard", "helical"}
    assert {"class", "peak", "period"} <= set(pd.read_csv("q.tsv", sep="\t"))
    assert {"a", "b", "c", "effect"} <= set(pd.read_csv("t.tsv", sep="\t"))
    assert (here / "g.svg").read_text().startswith("<?xml")
    kept = gia.load("g.gia")
    assert isinstance(kept, gia.statistics.Grammar)
    pd.testing.assert_frame_equal(kept.pairs[["a", "b"]], pairs[["a", "b"]])
    assert len(kept.to_frame()) == len(frame)
    assert [*kept.motifs] == ["UAAUUA", "GCAUG"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--start 30", "`X` has length 41"),
        ("--orders 1,1", "`orders` holds"),
        ("--alpha 2", "`alpha`=2"),
        ("--pairs a --profiles a", "`--pairs` and `--profiles` are the same"),
    ],
)
def test_what_cannot_be_asked_is_one_line(here, failure, words, message):
    assert message in failure(*WORDS, *words.split())
    assert not list(here.iterdir())
