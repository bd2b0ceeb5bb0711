import numpy as np
import pandas as pd
import pytest

import tangermeme_gia as gia

from .test_experiments import UNIFORM


def test_aligned_kmers_are_those_of_the_library(toy, table, here, model, assert_same):
    words = ["align-kmers", "--k", "3", "--top", "4", "--both-strands", "--start", "9"]
    words += ["--baseline", "0.5", "--max-shift", "1", "--min-coverage", "0.2"]
    files = ["--meme", "m.meme", "--plot", "m.svg", "--save", "scan.gia"]
    shown = table(*words, *toy, "--n", "9", *files)
    X = gia.backgrounds.profile_background(UNIFORM, 9, 0)
    scan = gia.kmer_scan(model, X, 3, start=9, both_strands=True)
    pd.testing.assert_frame_equal(gia.load("scan.gia").to_frame(), scan.to_frame())
    motif = gia.motifs.align_kmers(
        scan, top=4, both_strands=True, baseline=0.5, max_shift=1, min_coverage=0.2
    )
    assert shown.columns.tolist() == ["position", *"ACGT"]
    np.testing.assert_allclose(
        shown[list("ACGT")].to_numpy().T, motif.ppm, rtol=1e-5, atol=1e-6
    )
    (written,) = gia.read_motifs(here / "m.meme").values()
    assert written.name == motif.table["kmer"][0]
    np.testing.assert_allclose(written.ppm, motif.ppm)
    assert (here / "m.svg").stat().st_size > 1000


def test_motifs_of_rna_keep_their_letters(table, here):
    words = ["align-kmers", "--k", "2", "--top", "2", "--n", "4", "--meme", "m.meme"]
    assert table(*words).columns.tolist() == ["position", *"ACGU"]
    (written,) = gia.read_motifs(here / "m.meme").values()
    assert written.alphabet == ("A", "C", "G", "U")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--n 4 --top 0", "must be at least 1"),
        ("--n 4 --max-shift 2", "`max_shift`=2 between 0 and 1"),
        ("--n 4 --meme none/m.meme", "`--meme`: there is no folder"),
        ("--meme a --out a", "`--out` and `--meme` are the same"),
        ("--kmers no.meme", "there is no file 'no.meme'"),
    ],
)
def test_what_cannot_be_aligned_is_one_line(here, failure, words, message):
    assert message in failure("align-kmers", "--k", "2", *words.split())
    assert not list(here.iterdir())
