"""`discover-motifs` on sequences that hold GATTACA, and a model that counts it."""

import numpy as np
import pytest
import torch

import tangermeme_gia as gia

from .conftest import LENGTH

CODE = """
import torch


class Counts(torch.nn.Module):
    def forward(self, X):
        words = torch.tensor([[2, 0, 3, 3, 0, 1, 0], [3, 2, 3, 0, 0, 3, 1]])
        filters = torch.eye(4)[words].transpose(1, 2)
        found = torch.nn.functional.conv1d(X.float(), filters) > 6.5
        return found.sum(dim=(1, 2)).float()[:, None]
"""
WORD = "GATTACA"


@pytest.fixture
def words(here):
    """The command with its model, sequences and patterns to test."""
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(list("ACGT"), LENGTH)) for _ in range(40)]
    lines = [line[:8] + WORD + line[15:] for line in lines]
    records = [f">{i}\n{line}\n" for i, line in enumerate(lines)]
    (here / "seen.fa").write_text("".join(records))
    (here / "counts_words.py").write_text(CODE)
    motif = {"mine": torch.eye(4)[:, ["ACGT".index(x) for x in WORD]]}
    gia.motifs.write_meme(here / "mine.meme", motif)
    model = ["--model", "counts_words:Counts", "--length", str(LENGTH)]
    return ["discover-motifs", *model, "--sequences", "seen.fa", "--batch-size", "64"]


def test_given_patterns_are_tested(table, words, here):
    options = ["--motifs", "mine.meme", "--meme", "out.meme", "--plot", "a.svg"]
    shown = table(*words, *options)
    assert shown["pattern"].tolist() == ["mine"]
    assert shown["consensus"].tolist() == [WORD]
    assert shown["n_removed"].tolist() == [40]
    assert shown["verdict"].tolist() == ["sufficient and necessary"]
    assert gia.read_motifs("out.meme") == gia.read_motifs("mine.meme")
    assert (here / "a.svg").stat().st_size > 1000


def test_a_line_says_what_placing_and_removing_are_over(words, table, caplog):
    caplog.set_level("INFO")
    table(*words, "--motifs", "mine.meme")
    said = caplog.text
    assert "each with its own letters; fixed: the model and places." in said
    assert "what was removed are over the sequences that held it (40 instances)" in said


@pytest.mark.slow
def test_patterns_are_found_as_by_the_library(table, words):
    shown = table(*words, "--attribution", "saturation_mutagenesis")
    assert shown["consensus"][0] in (WORD, gia.motifs.reverse_complement(WORD))
    assert shown["verdict"][0] == "sufficient and necessary"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--motifs no.h5", "`--motifs`: there is no file no.h5"),
        ("--database no.meme", "`--database`: there is no file no.meme"),
        ("--motifs mine.meme --n-shuffles 0", "`--n-shuffles`=0 must be at least 1"),
        ("--motifs mine.meme --alpha 2", "`alpha`=2"),
        ("--meme none/m.meme", "`--meme`: there is no folder"),
        ("--min-seqlets 1", "`min_seqlets`=1 must be at least 2"),
    ],
)
def test_what_cannot_be_done_is_one_line(words, failure, options, message):
    assert message in failure(*words, *options.split())


def test_sequences_are_needed(failure):
    assert "observed sequences: `--sequences`" in failure("discover-motifs")
