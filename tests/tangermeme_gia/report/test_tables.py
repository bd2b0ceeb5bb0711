"""Tables are whole in their files, and readable on the page."""

import pandas as pd

from tangermeme_gia.report.section import Section
from tangermeme_gia.report.tables import as_text, save_tables, shown

TABLE = pd.DataFrame(
    {
        "kmer": ["<i>", "AC"],
        "starts": [(3,), (3, 10)],
        "output": [0, 0],
        "control": ["none", "none"],
        "effect": [-1 / 3, float("nan")],
        "significant": [True, False],
    }
)


def test_tables_are_whole_in_their_files(tmp_path):
    table = pd.DataFrame({"motif": ["A\tB", "ü"], "effect": [1 / 3, float("nan")]})
    save_tables(Section("s", "", "", tables={"t": table}), tmp_path)
    back = pd.read_csv(tmp_path / "t.tsv", sep="\t")
    pd.testing.assert_frame_equal(back, table)


def test_tables_on_the_page_are_short():
    made = shown("t", TABLE)
    assert [column.name for column in made.columns] == [
        "kmer",
        "starts",
        "effect",
        "significant",
    ]
    assert [column.title for column in made.columns][:2] == ["k-mer", "starts (from 0)"]
    assert made.rows == [["<i>", "3", "−0.3333", "yes"], ["AC", "3, 10", "", "no"]]
    assert (made.more, made.left_out) == (0, 0)
    with_controls = shown("t", TABLE.assign(control=["none", "random 1"]))
    assert "control" in [column.name for column in with_controls.columns]


def test_no_tuple_is_written_as_python_does():
    assert "(" not in as_text(TABLE)
    assert as_text(TABLE).splitlines()[2].split("\t")[1] == "3, 10"


def test_the_page_holds_as_much_of_a_table_as_it_can():
    made = shown("t", pd.DataFrame({"effect": range(7000)}))
    assert len(made.rows) == 12
    assert made.more == 6988
    assert len(made.text.splitlines()) == 6001
    assert made.left_out == 1000
