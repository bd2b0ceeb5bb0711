"""What is known of each model, and what no page could show."""

import json
import re
from pathlib import Path

import pytest

from tangermeme_gia.report import Entry, report_entry
from tangermeme_gia.report.fleet.entries import check_entries, link_to

from .conftest import write_report


def test_a_report_is_read_with_its_numbers_and_its_output(tmp_path):
    folder = write_report(tmp_path, "m", output=["counts", 0], effect=2.0, r2=None)
    read = report_entry(folder)
    assert (read.name, read.group, read.folder) == ("m", "", tmp_path)
    assert read.headline == {"output": "counts,0", "effect": 2.0, "r2": None}
    assert (read.state, read.error) == ("finished", "")
    assert report_entry(str(folder), name="other", group="g") == Entry(
        "other", "g", tmp_path, read.headline
    )
    write_report(tmp_path, output=2)
    assert report_entry(folder).headline == {"output": "2"}
    write_report(tmp_path)
    assert report_entry(folder).headline == {}


@pytest.mark.parametrize("text", ["[]", "{", '{"name": 3}', '{"a": 1}', "\xff", None])
def test_what_is_no_finished_report_is_named(tmp_path, text):
    if text is not None:
        (tmp_path / "report.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"`folder`: .* holds no finished report"):
        report_entry(tmp_path)


def test_a_whole_report_has_all_that_the_page_shows(finished):
    read = report_entry(finished)
    shown = {"motif", "consensus", "effect", "r2", "left", "right", "loop"}
    shown |= {"stem_left", "stem_right", "position_lowest", "position_highest"}
    shown |= {"background_lowest", "background_highest"}
    assert shown <= {*read.headline}
    assert read.headline["motif"] == "GAC"
    assert read.headline["deviation"] == 0
    assert {*json.loads((finished / "report.json").read_text())["logo"]} == {*"ACGU"}


def test_an_unknown_state_is_named():
    states = "finished, running, waiting, failed"
    with pytest.raises(
        ValueError, match=f"`state`='done' of m must be one of {states}"
    ):
        Entry("m", state="done")


def test_values_that_are_neither_numbers_nor_words_are_named():
    with pytest.raises(TypeError, match="`headline` of m has 'starts' of type list"):
        Entry("m", headline={"starts": [1]})
    with pytest.raises(TypeError, match="'n' of type int; it must be a word or a num"):
        Entry("m", headline={"n": 10**400})
    with pytest.raises(ValueError, match="`headline` of m has 'state', which is"):
        Entry("m", headline={"state": "good"})
    with pytest.raises(ValueError, match="`name` must have letters"):
        Entry(" ")


def test_a_report_that_no_page_could_show_is_named(tmp_path):
    write_report(tmp_path, "m", effect=[1])
    where = f"`folder`: the report in {tmp_path}: `headline` of m has 'effect' of type"
    with pytest.raises(ValueError, match=re.escape(where)):
        report_entry(tmp_path)


def test_two_of_one_name_are_named_and_not_if_their_groups_differ(tmp_path):
    check_entries([Entry("a", "g"), Entry("a", "h"), Entry("a")], tmp_path)
    with pytest.raises(
        ValueError, match="`entries` has 2 of the name a in the group g"
    ):
        check_entries([Entry("a", "g"), Entry("a", "g")], tmp_path)
    with pytest.raises(ValueError, match=re.escape("`entries` has 3 of the name a.")):
        check_entries([Entry("a")] * 3, tmp_path)


def test_a_page_elsewhere_is_named(tmp_path):
    inside = Entry("a", folder=tmp_path / "fleet" / "a")
    check_entries([inside], tmp_path / "fleet")
    with pytest.raises(ValueError, match=r"`entries`: .*a is not inside .*other\."):
        check_entries([inside], tmp_path / "other")


@pytest.mark.parametrize("name", ["models:build", "a b#c?d", "100%&", "é"])
def test_links_hold_for_any_folder(tmp_path, name):
    from urllib.parse import unquote

    each = Entry("m", folder=write_report(tmp_path / name))
    link = link_to(each, tmp_path)
    assert link.startswith("./")
    assert not {"#", "?", " "} & {*link}
    assert (tmp_path / unquote(link)).samefile(tmp_path / name / "index.html")


def test_nothing_leads_to_a_page_that_is_not_there(tmp_path):
    assert link_to(Entry("m"), tmp_path) == ""
    assert link_to(Entry("m", folder=tmp_path / "m"), tmp_path) == ""
    assert link_to(Entry("m", folder=Path("nowhere")), tmp_path) == ""


def test_a_name_is_told_with_its_group_unless_that_begins_it():
    assert Entry("fold 1", "A1CF").label == "A1CF: fold 1"
    assert Entry("A1CF-1", "A1CF").label == "A1CF-1"
    assert Entry("A1CF").label == "A1CF"
