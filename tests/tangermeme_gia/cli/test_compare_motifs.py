import numpy as np
import pytest
import torch

import tangermeme_gia as gia

KNOWN = ["--known", "known.meme"]


@pytest.fixture
def known(here):
    """Thirty motifs of six letters in known.meme, of which one is GATTAC."""
    rng = np.random.default_rng(0)
    words = {"gata": [2, 0, 3, 3, 0, 1]}
    words |= {f"m{i}": rng.integers(4, size=6) for i in range(29)}
    motifs = {name: torch.eye(4)[:, list(word)] for name, word in words.items()}
    gia.motifs.write_meme(here / "known.meme", motifs)
    gia.motifs.write_meme(here / "mine.meme", {"mine": motifs["gata"]})
    return motifs


@pytest.mark.parametrize("options", [[], ["--no-both-strands"], ["--n-nearest", "2"]])
def test_comparisons_are_those_of_the_library(table, known, options, assert_same):
    shown = table("compare-motifs", "--motifs", "mine.meme", *KNOWN, *options)
    keywords = {"both_strands": False} if "--no-both-strands" in options else {}
    keywords |= {"n_nearest": 2} if "--n-nearest" in options else {}
    mine = gia.read_motifs("mine.meme")
    assert_same(shown, gia.motifs.compare_motifs(mine, "known.meme", **keywords))
    assert shown["known"][0] == "gata"


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--motifs no.meme --known known.meme", "`--motifs`: there is no file no.meme"),
        ("--motifs mine.meme --known no.meme", "`--known`: there is no file no.meme"),
        ("--motifs mine.meme", "required: --known"),
        ("--motifs mine.meme --known known.meme --n-nearest 0", "`n_nearest`=0 must"),
        ("--motifs mine.meme --known known.meme --out none/a", "`--out`: there is no"),
    ],
)
def test_what_cannot_be_compared_is_one_line(failure, words, message):
    assert message in failure("compare-motifs", *words.split())
