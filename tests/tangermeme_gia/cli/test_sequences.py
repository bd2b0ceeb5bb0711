import gzip

import numpy as np
import pytest
import torch
from tangermeme.utils import characters

from tangermeme_gia.cli.sequences import encode, read_sequences

RNA = ("A", "C", "G", "U")
BASES = "AACCGGTTNNACGTRAtgca"


def letters(X, alphabet=("A", "C", "G", "T")):
    return [characters(x, list(alphabet), allow_N=True) for x in X]


@pytest.mark.parametrize("ending", ["fa", "fasta.gz", "fna"])
def test_fasta_may_have_lower_case_n_u_t_and_gzip(here, ending):
    path = here / f"probes.{ending}"
    opened = gzip.open if ending.endswith("gz") else open
    with opened(path, "wt") as file:
        file.write(">one\nacgU\nTN\n>two\nACG\n")
    observed = read_sequences(path, RNA, length=8)
    assert letters(observed.X, RNA) == ["NACGUUNN", "NNACGNNN"]
    assert observed.X.dtype == torch.int8
    assert observed.scores is None
    assert observed.origin == f"2 sequences of {path.name}"
    assert letters(read_sequences(path, length=6).X) == ["ACGTTN", "NACGNN"]


@pytest.mark.parametrize("ending", ["tsv", "csv", "tsv.gz"])
def test_tables_have_named_columns(here, ending):
    separator = "," if "csv" in ending else "\t"
    rows = (
        ["id", "probe", "score", "other"],
        ["a", "NA", "1", "5"],
        ["b", "CC", "2", "6"],
    )
    path = here / f"table.{ending}"
    opened = gzip.open if ending.endswith("gz") else open
    with opened(path, "wt") as file:
        file.write("".join(separator.join(row) + "\n" for row in rows))
    observed = read_sequences(path, sequence="probe")
    assert letters(observed.X) == ["NA", "CC"]
    assert observed.scores.tolist() == [1, 2]
    assert read_sequences(path, sequence="probe", score="other").scores.tolist() == [
        5,
        6,
    ]


def test_lines_are_a_score_and_a_sequence(here):
    path = here / "scores.txt"
    path.write_text("-1.5 ACGU\n2.01e1\tACGA\n")
    observed = read_sequences(path, RNA)
    assert letters(observed.X, RNA) == ["ACGU", "ACGA"]
    assert observed.scores.tolist() == [-1.5, 20.1]


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.float16, np.float64])
def test_arrays_may_be_of_any_numbers(here, dtype):
    X = np.eye(4)[[0, 1, 2, 3, 3]].T[None].repeat(3, axis=0).astype(dtype)
    np.savez(here / "a.npz", X=X, y=np.array([[1.0], [2], [3]], dtype=np.float32))
    observed = read_sequences(here / "a.npz", length=5)
    assert letters(observed.X) == ["ACGTT"] * 3
    assert observed.X.dtype == torch.int8
    assert observed.scores.tolist() == [1, 2, 3]
    np.savez(here / "b.npz", X=X)
    assert read_sequences(here / "b.npz").scores is None


@pytest.fixture
def genome(here):
    path = here / "genome.fa"
    path.write_text(f">chr1 first\n{BASES}\n>chr2\nAAAAAACCCCCC\n")
    return path


def test_regions_are_read_from_the_genome_on_their_strand(here, genome):
    path = here / "peaks.bed"
    path.write_text(
        "track name=peaks\n# comment\nchr1\t0\t4\nchr1\t2\t6\tx\t0\t-\n"
        "chr1\t8\t12\tx\t0\t+\nchr1\t13\t17\tx\t0\t-\n"
    )
    expected = ["AACC", "ACCG", "NNAC", "ATNA"]
    # 2 to 6 is CCGG, its own reverse complement; 1 to 5 tells the strands apart.
    expected[1] = "CCGG"
    observed = read_sequences(path, genome=genome)
    assert letters(observed.X) == expected
    assert observed.origin == "4 regions of peaks.bed in genome.fa"
    as_rna = read_sequences(path, RNA, genome=genome)
    assert torch.equal(as_rna.X, observed.X)
    swapped = read_sequences(path, ("T", "G", "C", "A"), genome=genome)
    assert letters(swapped.X, "TGCA") == expected


@pytest.mark.parametrize("zipped", [False, True])
def test_windows_are_centred_and_what_does_not_fit_is_said(
    here, genome, caplog, zipped
):
    path = here / ("peaks.bed.gz" if zipped else "peaks.bed")
    with (gzip.open if zipped else open)(path, "wt") as file:
        file.write("chr1\t0\t2\tx\t0\t-\nchr2\t5\t8\tx\t0\t-\nchr2\t4\t8\n")
    caplog.set_level("INFO", "tangermeme_gia")
    observed = read_sequences(path, genome=genome, length=6)
    assert letters(observed.X) == ["GGGTTT", "AAACCC"]
    assert observed.origin.endswith(
        "(1 that reach past a chromosome's end are left out)"
    )
    assert observed.origin in caplog.text


def test_padding_and_unknown_letters_are_no_letter_of_a_protein():
    protein = "ACDEFGHIKLMNPQRSTVWY"
    X = encode(["NNX"], protein, 5, "here")
    assert X.sum(dim=1).tolist() == [[0, 1, 1, 0, 0]]
    assert X[0, protein.index("N")].tolist() == [0, 1, 1, 0, 0]


def write(path, text):
    if isinstance(text, dict):
        np.savez(path, **text)
    elif isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(text)


ONE_HOT = np.eye(4)[None]
CASES = [
    ("x.fa", "ACGT\n", "a FASTA file starts with '>'"),
    ("x.fa", ">a\nACGT\n>b\nACG\n", "3 to 4 letters. Models read one length"),
    (
        "x.fa",
        ">a\nACXT\n",
        "sequence 1 has the letters 'X'; the alphabet is A, C, G, T",
    ),
    ("x.tsv", "", "x.tsv is empty"),
    ("x.tsv", "seq\nACGT\n", "`--sequence`: .*no column 'sequence'; its columns are"),
    (
        "x.tsv",
        "sequence\tscore\nACGT\t1\nACGT\t\n",
        "score of sequence 2 is no number;",
    ),
    ("x.tsv", "sequence\tscore\nAC\tNaN\nAC\t\n", "nor of 1 others; leave"),
    (
        "x.tsv",
        "sequence\tscore\nACGT\t1\n\t2\n",
        "x.tsv, line 3: the sequence is empty",
    ),
    ("x.tsv", "sequence\tscore\n", "a header but no rows"),
    ("x.tsv", b"\xff\xfe\x00", "x.tsv, line 1: not UTF-8 text"),
    ("x.tsv.gz", gzip.compress(b"sequence\nACGT\n")[:-9], "damaged or cut off"),
    ("x.txt", "1 ACGT extra\n", r"line 1 has 3 field\(s\) where 2 are"),
    ("x.txt", "", "x.txt is empty"),
    ("x.txt", "ACGT 1\n", "line 1: 'ACGT' in column 'score' is not a"),
    (
        "x.npz",
        {"a": ONE_HOT},
        r"holds a \(1, 4, 4\); an array `X` of shape \(n, 4, len",
    ),
    ("x.npz", {"X": ONE_HOT[:, :3]}, r"holds X \(1, 3, 4\)"),
    ("x.npz", {"X": ONE_HOT / 2}, "must be 0 or 1 everywhere"),
    ("x.npz", {"X": ONE_HOT * np.nan}, "must be 0 or 1 everywhere"),
    ("x.npz", {"X": ONE_HOT.astype(str)}, "must be 0 or 1 everywhere"),
    ("x.npz", {"X": ONE_HOT.astype(object)}, "no .npz file of numbers"),
    ("x.npz", {"X": ONE_HOT[:0]}, "holds no sequences"),
    ("x.npz", {"X": ONE_HOT, "y": np.ones(2)}, "1 sequences and 2 scores"),
    ("x.npz", {"X": ONE_HOT, "y": np.ones((1, 2))}, r"scores have shape \(1, 2\)"),
    ("x.npz", b"PK\x03\x04 cut off", "no .npz file of numbers"),
    ("x.npz", "text", "no .npz file of numbers"),
    ("x.tif", "", "ends in none of .fa, .fasta"),
    ("x.bed", "chr1\t0\t4\n", "`--genome` goes with regions"),
]


@pytest.mark.parametrize(("name", "text", "message"), CASES)
def test_what_cannot_be_read_is_explained(here, name, text, message):
    write(here / name, text)
    with pytest.raises(ValueError, match=message):
        read_sequences(here / name)


def test_lengths_that_do_not_fit_are_refused(here):
    (here / "x.fa").write_text(">a\nACGTA\n")
    np.savez(here / "x.npz", X=ONE_HOT)
    with pytest.raises(ValueError, match="up to 5 letters, more than the 4 of the"):
        read_sequences(here / "x.fa", length=4)
    with pytest.raises(ValueError, match="sequences of 4 bases; the model"):
        read_sequences(here / "x.npz", length=5)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.fa"):
        read_sequences(here / "none.fa")


@pytest.mark.parametrize(
    ("bed", "message"),
    [
        ("chr1\t0\t4\nchr1\t0\t5\n", "regions of 4 to 5 bases; `--length` is needed"),
        ("chr3\t0\t4\n", "chr3"),
        ("chr1\t4\t4\n", "peaks.bed, line 1: .* is no region: chromosome"),
        ("chr1\t0\tx\n", "peaks.bed, line 1: .* is no region: chromosome"),
        ("#\nchr1 0 4\n", "line 2: 'chr1 0 4' is no region: .* between tabs"),
        ("track\n", "peaks.bed holds no regions"),
    ],
)
def test_regions_that_cannot_be_had_are_explained(here, genome, bed, message):
    (here / "peaks.bed").write_text(bed)
    with pytest.raises(ValueError, match=message):
        read_sequences(here / "peaks.bed", genome=genome)


def test_a_genome_that_cannot_be_had_is_explained(here, genome):
    path = here / "peaks.bed"
    path.write_text("chr1\t0\t4\n")
    (here / "zipped.fa.gz").write_bytes(gzip.compress(genome.read_bytes()))
    with pytest.raises(ValueError, match=r"`--genome`: .*zipped\.fa\.gz is no FASTA"):
        read_sequences(path, genome=here / "zipped.fa.gz")
    with pytest.raises(FileNotFoundError, match="`--genome`: there is no file"):
        read_sequences(path, genome=here / "none.fa")
    with pytest.raises(ValueError, match="no complementary bases"):
        read_sequences(path, "ACDEF", genome=genome)
    with pytest.raises(ValueError, match="`--genome` goes with regions"):
        read_sequences(genome, genome=genome)
