"""Tests of residualbind.data.fasta."""

import numpy as np
import pytest

from residualbind.data.fasta import read_fasta

NAN = float("nan")


def assert_scores(data, expected):
    np.testing.assert_array_equal(data.y.numpy(), np.array(expected, np.float32))


def test_fasta_and_scores_are_joined_by_name(write):
    fasta = write(">p1 first\nAGAG\nGU\n>p2\nuuu\n>p3\nGGG\n", "probes.fa")
    table = write("name\tscore\tset\np3\t3\tB\np1\t1\tA\np2\tNA\tA\n")
    data = read_fasta(fasta, table, set_column="set")
    assert data.sequences == ["AGAGGU", "UUU", "GGG"]
    assert_scores(data, [[1], [NAN], [3]])
    assert data.sets.tolist() == ["A", "A", "B"]
    assert read_fasta(fasta, table, set_label="test").sets.tolist() == ["test"] * 3
    assert not list(fasta.parent.glob("*.fai"))


def test_fasta_may_be_gzipped_and_columns_named(write):
    fasta = write(">a\r\nAGAG\r\n>b\r\nGG\r\n\r\n", "probes.fa.gz")
    table = write("id,x,y\nb,1,2\na,3,4\n", "scores.csv")
    data = read_fasta(fasta, table, name="id", score=["y", "x"])
    assert data.experiments == ("y", "x")
    assert_scores(data, [[4, 3], [2, 1]])


@pytest.mark.parametrize(
    ("fasta", "table", "message"),
    [
        (
            ">a\nAG\n>b\nGG\n",
            "a\t1\n",
            r"1 sequence\(s\) of .*fa are not in .*tsv; .* 'b'",
        ),
        (
            ">a\nAG\n",
            "a\t1\nb\t2\nc\t2\n",
            r"2 sequence\(s\) of .*tsv are not in .*fa; .* 'b'",
        ),
        (
            ">a\nAG\n",
            "a\t1\na\t2\n",
            r"line 3: the name 'a' was there before, in .*line 2",
        ),
        (
            ">a\n>b\nGG\n",
            "a\t1\nb\t2\n",
            r"probes\.fa, line 1: 'a' has no sequence",
        ),
        (">a\nA\n>b\nA-\n", "b\t1\na\t2\n", r"fa, sequence 'b': '-' at position 2"),
        (
            f">a\n{'A' * 42}\n",
            "a\t1\n",
            r"fa, sequence 'a': the sequence has 42 letters",
        ),
        (
            ">a\nAG\n>b\nGG\n>a\nAG\n",
            "a\t1\nb\t2\n",
            r"probes\.fa: 1 name\(s\) are there more than once, such as 'a'",
        ),
        (">a\nAG\n", "a\tx\n", r"line 2: 'x' in column 'score' is not a number"),
    ],
)
def test_malformed_fasta_is_an_error(write, fasta, table, message):
    paths = write(fasta, "probes.fa"), write("name\tscore\n" + table)
    with pytest.raises(ValueError, match=message):
        read_fasta(*paths)
