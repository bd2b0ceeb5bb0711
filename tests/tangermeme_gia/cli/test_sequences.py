import bz2
import gzip
import io
import lzma
import os
import zipfile

import numpy as np
import pytest
import torch
from tangermeme.utils import characters

from tangermeme_gia.cli.sequences import encode, read_sequences

RNA = ("A", "C", "G", "U")


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
    observed = read_sequences(here / "a.npz", length=5, keep_copies=True)
    assert letters(observed.X) == ["ACGTT"] * 3
    assert observed.X.dtype == torch.int8
    assert observed.scores.tolist() == [1, 2, 3]
    np.savez(here / "b.npz", X=X)
    assert read_sequences(here / "b.npz").scores is None


@pytest.mark.parametrize(
    ("name", "text", "scores"),
    [
        ("x.fa", ">a\nACGU\n>b\nGGAN\n>c\nacgt\n>d\nACGT\n", None),
        ("x.csv", "sequence,score\nACGT,1\nGGAN,5\nacgu,2\nACGT,6\n", [3, 5]),
        ("x.txt", "1 ACGT\n5 GGAN\n2 ACGU\n6 ACGT\n", [3, 5]),
    ],
)
def test_sequences_that_are_there_twice_count_once(here, caplog, name, text, scores):
    """Four of one sequence are no four independent backgrounds."""
    path = here / name
    path.write_text(text)
    caplog.set_level("INFO", "tangermeme_gia")
    observed = read_sequences(path)
    assert letters(observed.X) == ["ACGT", "GGAN"]
    averaged = ", scores averaged" if scores else ""
    note = f"(2 copies of others are left out{averaged}; see --keep-copies)"
    assert observed.origin == f"2 sequences of {name} {note}"
    assert caplog.messages == [observed.origin]
    if scores:
        assert observed.scores.tolist() == pytest.approx(scores)
    kept = read_sequences(path, keep_copies=True)
    assert letters(kept.X) == ["ACGT", "GGAN", "ACGT", "ACGT"]
    assert scores is None or kept.scores.tolist() == [1, 5, 2, 6]


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
    ("x.tsv", b"\xff\xfe\x00", "x.tsv is UTF-16 text"),
    (
        "x.tsv.gz",
        gzip.compress(b"sequence\nACGT\n", mtime=0)[:-9],
        "damaged or cut off",
    ),
    ("x.txt", "1 ACGT extra\n", r"line 1 has 3 field\(s\) where 2 are"),
    ("x.txt", "", "x.txt is empty"),
    ("x.txt", "ACGT 1\n", "line 1: 'ACGT' in column 'score' is not a"),
    (
        "x.npz",
        {"a": ONE_HOT},
        r"holds a; an array `X` of shape \(n, 4, len",
    ),
    ("x.npz", {"X": ONE_HOT[:, :3]}, r"holds X \(1, 3, 4\)"),
    ("x.npz", {"X": ONE_HOT / 2}, "must be 0 or 1 everywhere"),
    ("x.npz", {"X": ONE_HOT * np.nan}, "must be 0 or 1 everywhere"),
    ("x.npz", {"X": ONE_HOT.astype(str)}, "must be 0 or 1 everywhere"),
    ("x.npz", {"X": ONE_HOT.astype(object)}, "no .npz file of numbers"),
    ("x.npz", {"X": ONE_HOT[:0]}, "holds no sequences"),
    ("x.npz", {"X": ONE_HOT, "y": np.ones(2)}, "1 sequences and 2 scores"),
    (
        "x.npz",
        {"X": ONE_HOT, "y": np.ones((1, 2))},
        r"scores are float64 of shape \(1, 2\)",
    ),
    ("x.npz", {"X": ONE_HOT, "y": np.array([{}])}, "no .npz file of numbers"),
    ("x.npz", {"X": np.ones((1, 4, 3))}, "has two bases at a position"),
    ("x.npz", {"X": ONE_HOT * 0}, "none of the 1 sequences has a known base"),
    ("x.npz", {"X": ONE_HOT, "y": np.float64(1)}, r"scores are float64 of shape \(\)"),
    ("x.npz", {"X": ONE_HOT, "y": np.array([1j])}, "scores are complex128 of shape"),
    ("x.csv", "sequence;score\nACGT;1,5\n", "names one column, 'sequence;score', as"),
    ("x.csv", "# a\nsequence,score\nACGT,1\n", "names one column, '# a', as fields"),
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


PACKED = [
    (
        gzip.compress(gzip.compress(b">a\nACGT\n", mtime=0), mtime=0),
        "x.fa is gzipped twice; save it as",
    ),
    (">a\nACGT\n".encode("utf-16"), "x.fa is UTF-16 text; save it as UTF-8"),
    (bz2.compress(b">a\nACGT\n"), "x.fa is packed by bzip2, xz or zstd; save"),
    (lzma.compress(b">a\nACGT\n"), "x.fa is packed by bzip2, xz or zstd; save"),
    (b"PK\x03\x04\x14", "x.fa is a zip archive, or the workbook of"),
    (b"\x89HDF\r\n", "x.fa is HDF5; save it"),
    (">caf\xe9\nACGT\n".encode("latin-1"), r"x.fa, line 1: not UTF-8 text \(byte 0xe9"),
]


@pytest.mark.parametrize(("data", "message"), PACKED)
def test_what_is_no_utf8_text_is_named(here, data, message):
    (here / "x.fa").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_sequences(here / "x.fa")


def test_sequences_without_a_known_base_are_left_out_and_counted(here):
    (here / "x.csv").write_text("sequence,score\nNNNN,1\nACGT,2\nRRRR,3\n")
    with pytest.warns(UserWarning, match="4 letters"):
        observed = read_sequences(here / "x.csv")
    assert letters(observed.X) == ["ACGT"]
    assert observed.scores.tolist() == [2]
    assert observed.origin.endswith("(2 without any known base are left out)")


def test_sequences_that_are_known_by_number_must_all_be_there(here):
    for other, reason in (
        ("ACGT", "copies of others .* --keep"),
        ("NNNN", "any known"),
    ):
        (here / "x.fa").write_text(f">a\nACGT\n>b\n{other}\n>c\nGGGG\n")
        with pytest.raises(ValueError, match=f"1 .*{reason}.* numbers of the others"):
            read_sequences(here / "x.fa", numbered=True)
    (here / "x.fa").write_text(">a\nACGT\n>b\nACGT\n")
    X = read_sequences(here / "x.fa", numbered=True, keep_copies=True).X
    assert letters(X) == ["ACGT", "ACGT"]


@pytest.mark.parametrize("name", ["x.fa", "x.csv", "x.npz"])
def test_a_folder_and_a_pipe_are_named(here, name):
    (here / name).mkdir()
    with pytest.raises(IsADirectoryError):
        read_sequences(here / name)
    (here / name).rmdir()
    os.mkfifo(here / name)
    with pytest.raises(ValueError, match=f"{name} is a pipe or device; write it to a"):
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


@pytest.mark.parametrize("alphabet", ["ACGT", "ACGU"])
def test_letters_of_several_bases_are_unknown_and_counted(here, alphabet):
    (here / "x.fa").write_text(">a\nACrYN\n>b\nRCGTA\n")
    with pytest.warns(UserWarning, match=r"3 letters of .*x\.fa .* \(R, Y\).* as N"):
        X = read_sequences(here / "x.fa", alphabet).X
    assert letters(X) == ["ACNNN", "NCGTA"]


def test_a_letter_that_is_in_the_alphabet_is_a_letter(recwarn):
    protein = "ACDEFGHIKLMNPQRSTVWY"
    assert encode(["RYK"], protein, None, "here").sum() == 3
    assert not recwarn


def test_an_array_that_claims_more_than_its_file_holds_is_refused(here):
    path = here / "x.npz"
    header = io.BytesIO()
    claimed = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 4, 8)}
    np.lib.format.write_array_header_1_0(header, claimed)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("X.npy", header.getvalue() + bytes(100))
    with pytest.raises(ValueError, match="'X' is to have 256,000,000,000,000 bytes"):
        read_sequences(path)


def test_a_file_that_may_not_be_read_is_not_called_damaged(here, monkeypatch):
    np.savez(here / "x.npz", X=ONE_HOT)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(here), "read_bytes", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        read_sequences(here / "x.npz")


def test_more_fields_than_columns_are_refused(here):
    """A decimal comma: -2,87 must not be read as -2."""
    (here / "x.csv").write_text("sequence,score\nACGT,1,5\nACGT,-2,87\n")
    with pytest.raises(ValueError, match=r"x\.csv, line 2 has 3 field\(s\) where 2"):
        read_sequences(here / "x.csv")


@pytest.mark.parametrize("name", ["x.fa", "x.csv", "x.txt"])
def test_a_byte_order_mark_is_no_letter(here, name):
    text = {"x.fa": ">a\nACGT\n", "x.csv": "sequence\nACGT\n", "x.txt": "1 ACGT\n"}
    (here / name).write_bytes(b"\xef\xbb\xbf" + text[name].encode())
    assert letters(read_sequences(here / name).X) == ["ACGT"]
