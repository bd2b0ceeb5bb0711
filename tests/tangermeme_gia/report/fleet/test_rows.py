"""Rows of models and of groups, by hand."""

import math

import numpy as np
import pytest

from tangermeme_gia.report.fleet.rows import (
    all_numbers,
    columns_of,
    row_of,
    row_of_group,
    units_of,
)

from .conftest import entry, with_interval


def texts(row):
    return [cell.text for cell in row.cells]


def group_of(*entries):
    (unit,) = units_of(entries)
    return row_of_group(unit, [""] * len(entries), columns_of(entries))


def test_groups_stand_where_they_begin_and_one_of_a_group_is_no_group():
    entries = [
        entry("x", "a"),
        entry("y"),
        entry("z", "a"),
        entry("x", "b"),
        entry("y"),
    ]
    units = units_of(entries)
    assert [[each.name for each in unit.entries] for unit in units] == [
        ["x", "z"],
        ["y"],
        ["x"],
        ["y"],
    ]
    assert [unit.is_group for unit in units] == [True, False, False, False]
    assert [unit.name for unit in units] == ["a", "y", "b: x", "y"]


def test_columns_are_there_where_some_model_has_a_number_of_it():
    entries = [
        entry("a", spearman=0.5, own_metric=3.0, effect=None, r2=math.nan, output_sd=1),
        entry("b", motif="GAC", consensus="", **with_interval("pearson", 0.5)),
    ]
    columns = columns_of(entries)
    assert [(each.name, each.title, each.is_number) for each in columns] == [
        ("motif", "motif", False),
        ("pearson", "Pearson", True),
        ("spearman", "Spearman", True),
        ("own_metric", "own metric", True),
    ]
    assert columns_of([]) == []


def test_numbers_that_only_look_like_ends_of_an_interval_are_shown():
    names = [each.name for each in columns_of([entry("a", gc_low=1.0, gc=None)])]
    assert names == ["gc_low"]


def test_a_cell_has_its_interval_and_is_sorted_by_the_number():
    each = entry("a", **with_interval("effect", 2.0), r2=0.99995, left=math.nan)
    columns = columns_of([each, entry("b", left=1.0)])
    row = row_of(each, "./a/index.html", "<svg/>", columns, "a")
    assert texts(row) == ["2.0 [1.5, 2.5]", "1.000", ""]
    assert [cell.value for cell in row.cells] == [2.0, 0.99995, None]
    assert (row.name, row.state, row.logos) == ("a", "finished", ["<svg/>"])


@pytest.mark.parametrize("end", [math.nan, None, math.inf])
def test_an_interval_without_an_end_is_none(end):
    each = entry("a", effect=2.0, effect_low=1.0, effect_high=end)
    assert texts(row_of(each, "", "", columns_of([each]), "a")) == ["2"]


def test_a_group_has_mean_lowest_and_highest():
    row = group_of(
        entry("a", "g", effect=1.0, motif="GAC"),
        entry("b", "g", effect=2.0, motif="GAC"),
        entry("c", "g", effect=6.0, motif="CCC"),
    )
    motif, effect = row.cells
    assert effect == ("3.0 (1.0 to 6.0)", 3.0)
    assert motif == ("GAC (2), CCC", "GAC")
    assert row.state == "3 finished"


def test_what_members_lack_is_not_averaged_and_said():
    row = group_of(
        entry("a", "g", effect=1.0, r2=0.5),
        entry("b", "g", effect=math.nan, r2=0.7),
        entry("c", "g", effect=3.0, r2=0.9),
        entry("d", "g", state="failed"),
        entry("e", "g", state="running", r2=100.0),
    )
    assert texts(row) == ["2.0 (1.0 to 3.0), 2 of 3", "0.700 (0.500 to 0.900)"]
    assert row.state == "3 finished, 1 running, 1 failed"


def test_a_group_of_which_none_is_finished_has_no_numbers():
    row = group_of(entry("a", "g", state="failed"), entry("b", "g", "running", r2=1.0))
    assert row.cells == [("", None)]


def test_equal_members_have_one_number():
    row = group_of(entry("a", "g", effect=2.0), entry("b", "g", effect=2.0))
    assert texts(row) == ["2"]


def test_many_words_and_logos_of_a_group_are_few():
    entries = [entry(f"{i}", "g", motif="ACGUA"[i]) for i in range(5)]
    assert texts(group_of(*entries)) == ["A (2), C, G, 1 more"]
    (unit,) = units_of(entries)
    row = row_of_group(unit, ["a", "", "b", "c", "d"], columns_of(entries))
    assert (row.logos, row.more) == (["a", "b", "c"], 1)


def test_the_table_has_every_entry_and_the_raw_numbers():
    entries = [
        entry("a", "g", effect=1 / 3, r2=None),
        entry("b", state="failed", effect=None),
        entry("c", motif="GAC"),
    ]
    table = all_numbers(entries)
    names = ["name", "group", "state", "error", "effect", "r2", "motif"]
    assert list(table.columns) == names
    assert table["effect"].tolist()[0] == 1 / 3
    assert np.isnan(table["effect"][1:].to_numpy(float)).all()
    assert table["r2"].dtype == float
    assert list(all_numbers([]).columns) == names[:4]
