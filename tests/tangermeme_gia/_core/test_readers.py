"""Reading text files: what is accepted, and where errors are said to be."""

import gzip

import numpy as np
import pytest

from tangermeme_gia._core import readers
from tangermeme_gia._core.readers import column_names, open_table

NAN = float("nan")
# A file of "score sequence" without a header.
LINES = {"sep": r"\s+", "columns": ["score", "sequence"]}


def read(path, dtype=np.float64, **options):
    """The columns `sequence` and `score` of a file."""
    table = open_table(path, **options)
    (letters,), y = table.read(["sequence"], ["score"], dtype)
    return letters, y[:, 0]


@pytest.mark.parametrize("separator", ["\t", ",", "  ", ";"])
def test_tables_of_any_separator_are_read(write, separator):
    rows = [["id", "rna", "kd"], ["1", "AGAGG", "0.1"], ["2", "NA", "NA"]]
    path = write("".join(separator.join(row) + "\n" for row in rows))
    table = open_table(path, sep=separator if separator == ";" else None)
    (letters, names), y = table.read(["rna", "id"], ["kd"], np.float64)
    assert (letters, names) == (["AGAGG", "NA"], ["1", "2"])
    np.testing.assert_array_equal(y, [[0.1], [NAN]])
    assert y.dtype == np.float64
    assert table.read([], ["kd"])[1].dtype == np.float32
    assert table.place(1) == f"{path}, line 3"


def test_lines_without_a_header_have_the_columns_given(write):
    letters, y = read(write("-0.5 ACGU\n1e3\tACGA\n  NA   ACG\n"), **LINES)
    assert letters == ["ACGU", "ACGA", "ACG"]
    np.testing.assert_array_equal(y, [-0.5, 1000, NAN])


def test_a_number_must_fit_its_type(write):
    path = write("score,sequence\n1e39,AG\n")
    assert read(path)[1].tolist() == [1e39]
    with pytest.raises(ValueError, match=r"line 2: .* too large for 32 bits"):
        read(path, np.float32)


def test_who_asks_for_a_column_is_named(write):
    table = open_table(write("a,b\n1,2\n"))
    with pytest.raises(ValueError, match=r"^`--score`: .* has no column 'c'; its col"):
        table.require("a", "c", argument="--score")


def test_names_of_columns_are_one_or_more():
    assert column_names("a", "score") == ("a",)
    with pytest.raises(ValueError, match=r"`score`=\('a', 'a'\) must name one or more"):
        column_names(["a", "a"], "score")


def test_quoted_fields_as_r_writes_them_are_read(write):
    text = '"name","sequence","score"\n"HuR, human","AGAGG",0.5\n"x","GG",NA\n'
    letters, y = read(write(text))
    assert letters == ["AGAGG", "GG"]
    np.testing.assert_array_equal(y, [0.5, NAN])


@pytest.mark.parametrize(
    "text",
    [
        "sequence,score\r\nAG,1\r\nGG,2\r\n",
        "sequence,score\rAG,1\rGG,2",
        "\ufeffsequence,score\nAG,1\nGG,2\n",
        "sequence,score\nAG,1\nGG,2\n\n  \n\n",
        " sequence , score \n AG , 1 \n GG , 2 \n",
    ],
)
def test_line_ends_byte_order_marks_and_blanks_do_not_matter(write, text):
    letters, y = read(write(text))
    assert letters == ["AG", "GG"]
    assert y.tolist() == [1, 2]


@pytest.mark.parametrize("text", ["NA", "na", "NaN", "nan", "NAN", ""])
def test_scores_that_were_not_measured_are_nan(write, text):
    _, y = read(write(f"score,sequence\n1,AG\n{text},AG\n"))
    np.testing.assert_array_equal(y, [1, NAN])


@pytest.mark.parametrize(
    "text",
    ["True", "FALSE", "1,5", "0x10", "1_000", "12a", "--1", "null", "-", " NA", "1 2"],
)
def test_scores_that_are_no_numbers_are_errors(write, text):
    for rows in (f"AG\t{text}\n", f"AG\t{text}\nAG\t1\n", f"AG\t{text}\nAG\tNA\n"):
        with pytest.raises(
            ValueError, match=r"line 2: .* in column 'score' is not a num"
        ):
            read(write(f"sequence\tscore\n{rows}"))


@pytest.mark.parametrize(
    "text", ["+1", "1.", ".5", "1E-3", "007", "12345678901234567890"]
)
def test_all_ways_to_write_a_number_are_read(write, text):
    path = write(f"sequence\tscore\nAG\t{text}\nAG\t-2\n")
    assert read(path)[1].tolist() == [float(text), -2]


def test_number_that_is_bad_far_down_is_found(write):
    rows = ["AG\t1.25\n"] * 30_000
    rows[29_990] = "AG\tlow\n"
    with pytest.raises(ValueError, match="line 29992: 'low' in column 'score'"):
        read(write("sequence\tscore\n" + "".join(rows)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("sequence,score\n", "has a header but no rows"),
        (
            "sequence,value\nAG,1\n",
            "has no column 'score'; its columns are 'sequence', 'va",
        ),
        ("seq,score\nAG,1\n", "has no column 'sequence'"),
        ("sequence,score,score\nAG,1,2\n", "line 1: column 'score' is there twice"),
        ("sequence,score\nAG,1\n\nAG,2\n", "line 3 is blank"),
        ("sequence,score\nAG\n", r"line 2 has 1 field\(s\) where 2"),
        (
            "sequence,score\nAG,-2,87\n",
            r"line 2 has 3 field\(s\) where 2 are expected\. A decimal comma separ",
        ),
        ("sequence\tscore\nAG\t1\t1\n", r"has 3 field\(s\) where 2 are expected\.$"),
        ('sequence,score\n"AG,1\nGG,2\n', "line 2: a quote is not closed in its line"),
        ('x,sequence,score\n"a,AG,1\nb",GG,2\n', "line 2: a quote is not closed"),
        ('sequence,score\nAG,"1\nGG","2\n', "line 2: a quote is not closed"),
    ],
)
def test_malformed_tables_are_errors(write, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read(write(text))
    assert "probes.tsv" in str(caught.value)


def test_wrong_separator_and_missing_file_are_errors(write, tmp_path):
    with pytest.raises(ValueError, match="`sep`='::' must be one character"):
        open_table(write("a::b\n"), sep="::")
    with pytest.raises(FileNotFoundError, match="absent"):
        open_table(tmp_path / "absent.tsv")


def test_gzip_is_recognised_by_its_content(write):
    packed = write(gzip.compress(b"sequence,score\nAG,1\n"), "probes.csv")
    assert read(packed)[0] == ["AG"]
    plain = write("", "plain.csv.gz")
    plain.write_text("sequence,score\nAG,1\n")
    assert read(plain)[0] == ["AG"]


def test_truncated_gzip_is_an_error_that_says_how_far_it_is_sound(write):
    rng = np.random.default_rng(0)
    rows = [
        f"{x:.6f} {''.join(rng.choice(list('ACGU'), 38))}\n"
        for x in rng.normal(size=400)
    ]
    path = write("".join(rows), "HuR.txt.gz")
    data = path.read_bytes()
    for size in (20, len(data) // 2, len(data) - 4):
        path.write_bytes(data[:size])
        with pytest.raises(
            ValueError, match="gzip file is damaged or cut off"
        ) as caught:
            read(path, **LINES)
        assert "HuR.txt.gz" in str(caught.value)
        line = int(str(caught.value).split("line ")[1].split(" ")[0])
        assert line <= 401
    assert line > 300


def test_damaged_gzip_is_an_error(write):
    path = write("1 AG\n" * 50, "HuR.txt.gz")
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF  # the checksum of the content
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"HuR\.txt\.gz: the gzip file is damaged"):
        read(path, **LINES)


def test_line_numbers_hold_across_blocks(write, monkeypatch):
    monkeypatch.setattr(readers, "_BLOCK", 16)
    rows = [f"{i} {'ACGU'[: 1 + i % 4]}\n" for i in range(40)]
    path = write("".join(rows), "p.txt.gz")
    assert read(path, **LINES)[1].tolist() == list(range(40))
    path = write("".join([*rows[:33], "33\n", *rows[34:]]), "p.txt")
    with pytest.raises(ValueError, match=r"line 34 has 1 field"):
        read(path, **LINES)
    rows = [f'"HuR, {i}",AGG,{i}\n' if i % 3 else f"x,AGG,{i}\n" for i in range(40)]
    path = write("name,sequence,score\n" + "".join(rows))
    assert read(path)[1].tolist() == list(range(40))


def test_many_columns_are_not_all_named_in_an_error(write):
    header = "\t".join(f"c{i}" for i in range(244))
    with pytest.raises(ValueError, match="'c9' and 234 more"):
        read(write(f"{header}\n{header}\n"))
