"""Tests of residualbind.data.readers; those of the tables are with `_core.readers`."""

import os

import numpy as np
import pytest
import torch

from residualbind.data.encoding import encode_sequences
from residualbind.data.fasta import read_fasta
from residualbind.data.readers import (
    read_deepbind,
    read_ray2013,
    read_score_pair,
    read_scores,
    read_table,
)

NAN = float("nan")
RAY = (
    "Probe_Set\tRNA_Seq\tProbe_ID\tRNCMPT00001\tRNCMPT00002\n"
    "SetA\tAGAGGACUGAGG\tP1\t-0.25\t1\n"
    "SetB\tAGAUGUAGG\tP2\tNaN\t2.5e-1\n"
    "SetA\tAGGCUUACG\tP3\t1.5\t\n"
)


def assert_scores(data, expected):
    np.testing.assert_array_equal(data.y.numpy(), np.array(expected, np.float32))


# score sequence lines


def test_score_lines_are_read(write):
    path = write("-0.25 AGAGG\n1e3\tAGAUC\n NA  aggta \n", "RNCMPT00001.train.txt")
    data = read_scores(path)
    assert data.sequences == ["AGAGG", "AGAUC", "AGGUA"]
    assert_scores(data, [[-0.25], [1000], [NAN]])
    assert data.sets.tolist() == ["A"] * 3
    assert data.experiments == ("RNCMPT00001",)
    assert data.X.shape == (3, 4, 41)


def test_label_experiment_and_length_are_options(write):
    path = write("1 AGAGG\n2 AGA\n", "probes.txt")
    data = read_scores(path, "test", experiment="HuR", length=None)
    assert data.sets.tolist() == ["test"] * 2
    assert data.experiments == ("HuR",)
    assert data.X.shape == (2, 4, 5)
    with pytest.raises(ValueError, match="`set_label`: 'C' is not a set; sets are"):
        read_scores(path, "C")


def test_pair_is_set_a_then_set_b(write):
    train = write("1 AGAG\n2 AGG\n", "HuR.train.txt.gz")
    test = write("3 AGGUUU\n", "HuR.test.txt")
    data = read_score_pair(train, test, length=None)
    assert data.sets.tolist() == ["A", "A", "B"]
    assert data.sequences == ["AGAG", "AGG", "AGGUUU"]
    assert_scores(data, [[1], [2], [3]])
    assert data.experiments == ("HuR",)
    assert data.X.shape[2] == 6


def test_a_missing_file_of_a_pair_is_named_before_the_names(write, tmp_path):
    train = write("-0.39 AGAGGACUGAGG\n", "HuR.txt")
    with pytest.raises(FileNotFoundError, match=r"nofile.txt"):
        read_score_pair(train, tmp_path / "nofile.txt")


def test_pair_of_two_names_has_both_unless_it_is_named(write):
    train, test = write("1 AG\n", "HuR.A.txt"), write("3 AG\n", "PTB.B.txt")
    assert read_score_pair(train, test).experiments == ("HuR+PTB",)
    assert read_score_pair(train, test, experiment="HuR").experiments == ("HuR",)


def test_pair_names_the_file_and_line_and_warns_once(write):
    train = write("1 AGR\n2 AG\n", "HuR.train.txt")
    test = write("1 AGY\n2 AGGU\n", "HuR.test.txt")
    with pytest.raises(ValueError, match=r"HuR\.test\.txt, line 2: the sequence has 4"):
        read_score_pair(train, test, length=3)
    with pytest.warns(UserWarning, match=r"^2 letter\(s\) \(R, Y\) in 2 ") as caught:
        read_score_pair(train, test)
    assert len(caught) == 1
    assert str(caught[0].message).endswith("HuR.train.txt, line 1.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 AG\n2\n", r"p\.txt, line 2 has 1 field\(s\) where 2 are expected"),
        ("1 AG\n2 AG 3\n", r"p\.txt, line 2 has 3 field\(s\) where 2 are"),
        ("1 AG 3\n2 AG 3\n", r"p\.txt, line 1 has 3 field\(s\)"),
        ("1 AG\nAG 2\n", r"p\.txt, line 2: 'AG' in column 'score' is not a number"),
        ("score sequence\n1 AG\n", r"p\.txt, line 1: 'score' in column 'score' is not"),
        ("1 AG\n\n2 AG\n", r"p\.txt, line 2 is blank"),
        ("1 AG\n2 0.5\n", r"p\.txt, line 2: '0' at position 1 of the sequence is not"),
        ("1 AG\ninf AG\n", r"p\.txt, line 2: the score in column 'score' is infinite"),
        ("1 AG\n-1e39 AG\n", r"p\.txt, line 2: the score .* or too large for 32 bits"),
    ],
)
def test_malformed_score_lines_are_errors(write, text, message):
    with pytest.raises(ValueError, match=message):
        read_scores(write(text, "p.txt"))


# the tables of Ray et al. and of DeepBind


def test_ray2013_table_is_read(write):
    for name in ("norm_data.txt", "norm_data.txt.gz"):
        data = read_ray2013(write(RAY, name))
        assert data.experiments == ("RNCMPT00001", "RNCMPT00002")
        assert data.sequences == ["AGAGGACUGAGG", "AGAUGUAGG", "AGGCUUACG"]
        assert data.sets.tolist() == ["A", "B", "A"]
        assert_scores(data, [[-0.25, 1], [NAN, 0.25], [1.5, NAN]])
        assert data.select("RNCMPT00001").n_dropped == 1


def test_ray2013_columns_may_be_in_any_order_and_some_only_be_read(write):
    text = "b\tRNA_Seq\ta\tProbe_Set\n1\tAG\tx\tA\n2\tUU\ty\tB\n"
    data = read_ray2013(write(text), experiments=["b"])
    assert data.experiments == ("b",)
    assert_scores(data, [[1], [2]])
    with pytest.raises(ValueError, match="line 2: 'x' in column 'a' is not a number"):
        read_ray2013(write(text))


@pytest.mark.parametrize("label", ["A", "SetA", "Set A", "set_a", "SETA"])
def test_documented_spellings_of_set_labels_are_the_same(write, label):
    text = f"Probe_Set\tRNA_Seq\te\n{label}\tAG\t1\nB\tAG\t1\n"
    assert read_ray2013(write(text)).sets.tolist() == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            RAY.replace("SetB", "SetC"),
            r"\.tsv, line 3: 'SetC' is not a set; sets are 'A'",
        ),
        (RAY.replace("SetB", ""), r"\.tsv, line 3: '' is not a set"),
        (RAY.replace("SetB", "test"), r"line 3: 'test' after 'SetA'; sets are either"),
        (
            RAY.replace("RNA_Seq", "seq"),
            r"has no column 'RNA_Seq'; its columns are 'Pr",
        ),
        (
            RAY.replace("Probe_Set", "Set"),
            r"no column 'Probe_Set'; .* 'Set', 'RNA_Seq'",
        ),
        (RAY.replace("00002", "00001"), r"line 1: column 'RNCMPT00001' is there twice"),
        (
            RAY.replace("2.5e-1", "high"),
            r"line 3: 'high' in column 'RNCMPT00002' is not",
        ),
        (
            RAY.replace("2.5e-1", "Inf"),
            r"line 3: the score in column 'RNCMPT00002' is inf",
        ),
        (RAY.replace("AGAUGUAGG", ""), r"line 3: the sequence is empty"),
        (
            RAY.replace("AGAUGUAGG", "A" * 42),
            r"line 3: the sequence has 42 letters, more",
        ),
        (RAY.replace("\t2.5e-1", ""), r"line 3 has 4 field\(s\) where 5 are expected"),
        (RAY.replace("2.5e-1", "2.5e-1\t"), r"line 3 has 6 field\(s\) where 5 are"),
        (RAY.replace("AGAUGUAGG", "NNNN"), r"line 3: there is no base"),
        (RAY.encode("utf-16"), "probes.tsv is UTF-16 text; save it as UTF-8 text"),
        (RAY.splitlines()[0], r"has a header but no rows"),
        (
            "Probe_Set\tRNA_Seq\tProbe_ID\nA\tAG\tP\n",
            "has no experiment: no column but",
        ),
        (RAY.encode() + b"SetA\tAG\xff\tP4\t1\t1\n", r"line 5: not UTF-8 text"),
    ],
)
def test_malformed_ray2013_tables_are_errors(write, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_ray2013(write(text))
    assert "probes.tsv" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\u00a0ACGU\n", r"line 1 has 1 field\(s\) where 2 are expected"),
        ("1 ACGU\n\t\n", "line 2 is blank"),
        ("1,5 ACGU\n", "line 1: '1,5' in column 'score' is not a number"),
        ("1 ACG*\n", r"line 1: '\*' at position 4 of the sequence is not a letter"),
        ("1 NNNN\n", "line 1: there is no base"),
        (">10000 GCACG\n", "line 1: '>10000' in column 'score' is not a number"),
        ("score sequence\n1 ACGU\n", "line 1: 'score' in column 'score' is not a"),
        (
            "1 ACG\xe9\n".encode("latin-1"),
            r"line 1: not UTF-8 text \(byte 0xe9\); save",
        ),
        ("", "is empty"),
    ],
)
def test_lines_that_are_no_score_and_sequence_are_errors(write, text, message):
    with pytest.raises(ValueError, match=rf"probes\.tsv.*{message}"):
        read_scores(write(text))


def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "HuR.txt")
    with pytest.raises(ValueError, match=r"HuR\.txt is a pipe or device; write it to"):
        read_scores(tmp_path / "HuR.txt")
    with pytest.raises(IsADirectoryError):
        read_scores(tmp_path)


def test_experiments_asked_for_must_be_there(write):
    path = write(RAY)
    with pytest.raises(ValueError, match="has no column 'HuR'; its columns are"):
        read_ray2013(path, experiments=["HuR"])
    with pytest.raises(ValueError, match=r"`experiments`=\(\) must name one or more"):
        read_ray2013(path, experiments=[])
    with pytest.raises(ValueError, match="each once"):
        read_ray2013(path, experiments=["RNCMPT00001", "RNCMPT00001"])


SEQUENCES = "Fold ID\tEvent ID\tseq\nA\te1\tAGAGG\nB\te2\tAGGUA\n"


def test_deepbind_pair_is_read(write):
    sequences = write(SEQUENCES, "sequences.tsv.gz")
    targets = write("RNCMPT00001\tRNCMPT00002\n0.5\tNaN\n-1\t2\n", "targets.tsv.gz")
    data = read_deepbind(sequences, targets)
    assert data.sets.tolist() == ["A", "B"]
    assert data.sequences == ["AGAGG", "AGGUA"]
    assert_scores(data, [[0.5, NAN], [-1, 2]])
    two = read_deepbind(sequences, targets, experiments=["RNCMPT00002"])
    assert_scores(two, [[NAN], [2]])


def test_deepbind_targets_of_one_experiment_may_have_empty_lines(write):
    sequences = write(SEQUENCES, "sequences.tsv")
    data = read_deepbind(sequences, write("e\n\n3\n", "targets.tsv"))
    assert_scores(data, [[NAN], [3]])


@pytest.mark.parametrize(
    ("sequences", "targets", "message"),
    [
        (SEQUENCES, "e\n1\n", r"sequences\.tsv has 2 rows and .*targets\.tsv has 1;"),
        (SEQUENCES, "e\n1\n2\n3\n", r"has 2 rows and .* has 3;"),
        (
            SEQUENCES.replace("seq", "rna"),
            "e\n1\n2\n",
            r"sequences\.tsv has no column 'seq'",
        ),
        (SEQUENCES.replace("Fold ID", "Fold"), "e\n1\n2\n", "has no column 'Fold ID'"),
        (
            SEQUENCES.replace("B\t", "C\t"),
            "e\n1\n2\n",
            r"sequences\.tsv, line 3: 'C' is",
        ),
        (SEQUENCES, "e\te\n1\t1\n2\t2\n", r"targets\.tsv, line 1: column 'e' is there"),
        (
            SEQUENCES,
            "e\n1\nx\n",
            r"targets\.tsv, line 3: 'x' in column 'e' is not a num",
        ),
        (SEQUENCES, "", r"targets\.tsv is empty"),
    ],
)
def test_malformed_deepbind_pairs_are_errors(write, sequences, targets, message):
    paths = write(sequences, "sequences.tsv"), write(targets, "targets.tsv")
    with pytest.raises(ValueError, match=message):
        read_deepbind(*paths)


# any table


@pytest.mark.parametrize("separator", ["\t", ",", "  ", ";"])
def test_tables_of_any_separator_are_read(write, separator):
    rows = [["id", "rna", "kd", "fold"], ["1", "AGAGG", "0.5", "valid"]]
    rows.append(["2", "UUU", "NA", "Train"])
    path = write("".join(separator.join(row) + "\n" for row in rows))
    sep = separator if separator == ";" else None
    data = read_table(path, sequence="rna", score="kd", set_column="fold", sep=sep)
    assert data.sequences == ["AGAGG", "UUU"]
    assert_scores(data, [[0.5], [NAN]])
    assert data.sets.tolist() == ["valid", "train"]
    assert data.experiments == ("kd",)


def test_table_without_sets_is_one_set(write):
    path = write("sequence,score\nAG,1\nGG,2\n", "probes.csv")
    assert read_table(path).sets.tolist() == ["A", "A"]
    assert read_table(path, set_label="B").sets.tolist() == ["B", "B"]


def test_table_may_have_several_scores(write):
    path = write("sequence,b,a\nAG,1,2\n")
    data = read_table(path, score=["a", "b"])
    assert data.experiments == ("a", "b")
    assert_scores(data, [[2, 1]])
    with pytest.raises(ValueError, match=r"`score`=\('a', 'a'\) must name one or more"):
        read_table(path, score=["a", "a"])


def test_sequences_that_look_like_missing_values_are_sequences(write):
    data = read_table(write("sequence,score\nNA,1\nNAN,2\n"))
    assert torch.equal(data.X, encode_sequences(["NA", "NAN"]))


def test_set_column_may_not_be_missing(write):
    with pytest.raises(ValueError, match="has no column 'fold'"):
        read_table(write("sequence,score\nAG,1\n"), set_column="fold")


# all formats


def test_all_formats_give_the_same_data(write, tmp_path):
    rng = np.random.default_rng(1)
    n = 30
    letters = [
        "".join(rng.choice(list("ACGU"), rng.integers(30, 42))) for _ in range(n)
    ]
    scores = [f"{x:.6f}" for x in rng.normal(size=n)]
    sets = ["A"] * 20 + ["B"] * 10
    rows = list(zip(letters, scores, sets, strict=True))
    lines = [f"{y} {s}\n" for s, y, _ in rows]
    datasets = [
        read_score_pair(
            write("".join(lines[:20]), "e.A.txt"),
            write("".join(lines[20:]), "e.B.txt.gz"),
        ),
        read_deepbind(
            write(
                "seq\tFold ID\n" + "".join(f"{s}\t{a}\n" for s, _, a in rows), "s.tsv"
            ),
            write("e\n" + "\n".join(scores), "t.tsv"),
        ),
        read_ray2013(
            write(
                "Probe_Set\tRNA_Seq\tProbe_ID\te\n"
                + "".join(f"Set{a}\t{s}\tP\t{y}\n" for s, y, a in rows)
            )
        ),
        read_table(
            write("s,e,a\n" + "".join(f"{s},{y},{a}\n" for s, y, a in rows)),
            "s",
            "e",
            "a",
        ),
        read_fasta(
            write("".join(f">p{i}\n{s}\n" for i, s in enumerate(letters)), "p.fa"),
            write(
                "name,e,a\n"
                + "".join(f"p{i},{y},{a}\n" for i, (_, y, a) in enumerate(rows))
            ),
            score="e",
            set_column="a",
        ),
    ]
    assert len({data.checksum() for data in datasets}) == 1
    for data in datasets:
        assert data.sequences == letters
        assert data.sets.tolist() == sets
        assert data.experiments == ("e",)
        assert data.y[:, 0].tolist() == [float(np.float32(y)) for y in scores]


def test_wide_tables_are_read_value_by_value(write):
    rng = np.random.default_rng(0)
    y = [[f"{x:.5f}" for x in row] for row in rng.normal(size=(200, 100))]
    header = "Probe_Set\tRNA_Seq\tProbe_ID\t" + "\t".join(f"e{i}" for i in range(100))
    rows = [f"SetA\tAGAGGACUGAGGUACC\tP\t{chr(9).join(row)}\n" for row in y]
    data = read_ray2013(write(header + "\n" + "".join(rows)))
    expected = np.array(y, np.float64).astype(np.float32)
    np.testing.assert_array_equal(data.y.numpy(), expected)
