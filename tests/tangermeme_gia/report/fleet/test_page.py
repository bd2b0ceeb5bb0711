"""The page of many models: what it says, leads to, and leaves alone."""

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from tangermeme_gia.report import Entry, report_entry, write_fleet

from ..test_page import Page
from .conftest import LOGO, entry, with_interval, write_report, write_scan


def page_of(root):
    page = Page((root / "index.html").read_text(encoding="utf-8"))
    assert page.open == []
    return page


def table_of(root):
    return pd.read_csv(root / "tables" / "models.tsv", sep="\t", keep_default_na=False)


def rows_of(root):
    """The cells of the page's table, by class of the row."""
    text = (root / "index.html").read_text(encoding="utf-8")
    body = text.split('<table class="fleet">')[1].split("</table>")[0]
    return [
        (kind, [re.sub("<.*?>", "", cell).strip() for cell in re.findall(CELL, row)])
        for kind, row in re.findall(r'<tr class="(\w+)">(.*?)</tr>', body, re.S)
    ]


CELL = r"<t[hd].*?>(.*?)</t[hd]>"


def reports(root, n):
    return [
        report_entry(
            write_report(
                root / f"m{i}",
                f"<m{i}>",
                motif="GAC",
                **with_interval("effect", float(i)),
                output_sd=2.0,
                r2=None if i == 0 else 0.9 + i / 100,
                left=0.5 + i / 4,
                right=0.9 + i / 10,
            )
        )
        for i in range(n)
    ]


def test_models_are_a_table_on_the_page_and_a_file(tmp_path):
    table = write_fleet(tmp_path, reports(tmp_path, 2), title="Two <models>")
    assert table["name"].tolist() == ["<m0>", "<m1>"]
    assert table["r2"].isna().tolist() == [True, False]
    page = page_of(tmp_path)
    assert "Two <models>" in page.text
    assert "2 models, all finished." in page.text
    assert [image["data-name"] for image in page.all("img")] == ["effects"]
    assert rows_of(tmp_path)[0] == (
        "single",
        ["&lt;m0&gt;", "GAC", "0.0 [−0.5, 0.5]", "", "0.5", "0.9"],
    )
    saved = table_of(tmp_path)
    assert list(saved.columns)[:4] == ["name", "group", "state", "error"]
    assert saved["effect"].astype(float).tolist() == [0.0, 1.0]
    assert saved["state"].tolist() == ["finished", "finished"]


def test_no_model_is_a_page_that_says_so(tmp_path):
    assert write_fleet(tmp_path, []).empty
    page = page_of(tmp_path)
    assert "No models yet." in page.text
    assert page.all("table") == []
    assert list(table_of(tmp_path).columns) == ["name", "group", "state", "error"]


def test_those_that_failed_are_listed_with_the_reason(tmp_path):
    entries = [
        Entry("<bad>", "g", state="failed", error="3 outputs & no target"),
        Entry("gone", state="failed"),
        entry("good", effect=1.0),
        entry("next", state="running"),
        entry("last", state="waiting"),
    ]
    table = write_fleet(tmp_path, entries)
    assert table["name"].tolist() == ["good"]
    text = page_of(tmp_path).text
    assert "5 models: 1 finished, 1 running, 1 waiting, 2 failed." in text
    assert "g: <bad>: 3 outputs & no target" in text
    assert "gone: no reason is known" in text
    states = [cells[1] for _, cells in rows_of(tmp_path)]
    assert states == ["failed", "failed", "finished", "running", "waiting"]
    assert table_of(tmp_path)["error"].tolist()[0] == "3 outputs & no target"


def test_all_may_have_failed(tmp_path):
    entries = [Entry(f"{i}", "g", state="failed", error="no file") for i in range(3)]
    assert write_fleet(tmp_path, entries).empty
    assert "3 models: 3 failed." in page_of(tmp_path).text
    assert [kind for kind, _ in rows_of(tmp_path)] == ["whole", *["member"] * 3]


def test_a_group_has_a_row_of_its_mean_above_its_members(tmp_path):
    entries = [
        entry("one", effect=9.0),
        entry("fold 1", "A1CF", effect=1.0),
        entry("fold 1", "other", effect=7.0),
        entry("fold 2", "A1CF", effect=3.0),
    ]
    write_fleet(tmp_path, entries)
    assert rows_of(tmp_path) == [
        ("single", ["one", "9"]),
        ("whole", ["A1CF (2 models)", "2.0 (1.0 to 3.0)"]),
        ("member", ["fold 1", "1"]),
        ("member", ["fold 2", "3"]),
        ("single", ["other: fold 1", "7"]),
    ]
    text = page_of(tmp_path).text
    assert "the mean over its finished members, with the lowest and the highest" in text
    assert table_of(tmp_path)["group"].tolist() == ["", "A1CF", "other", "A1CF"]


def test_numbers_that_are_not_defined_are_empty_and_break_nothing(tmp_path):
    nan = float("nan")
    names = ("effect", "r2", "left", "right", "pearson")
    entries = [entry(f"m{i}", "g", **dict.fromkeys(names, nan)) for i in range(4)]
    entries.append(entry("whole", **dict.fromkeys(names, 1.0)))
    table = write_fleet(tmp_path, entries)
    assert np.isnan(table["r2"].to_numpy()[:4]).all()
    assert rows_of(tmp_path)[0] == ("whole", ["g (4 models)", *[""] * 5])
    assert page_of(tmp_path).all("img") == []


@pytest.mark.parametrize(
    "name",
    ["<b>a & b</b>", "models:build", "a  b", "x" * 200, "$x^", "é/ü", '"quoted"'],
)
def test_any_name_is_shown_as_it_is(tmp_path, name):
    folder = write_report(tmp_path / "m", name, LOGO, r2=0.5)
    entries = [
        report_entry(folder, group=name),
        Entry(f"{name}2", name, state="failed"),
    ]
    write_fleet(tmp_path, entries)
    page = page_of(tmp_path)
    shown = re.sub(r"\s+", " ", name)
    assert page.text.count(shown) >= 4
    assert f"{shown} (2 models)" in page.text
    assert page.all("b") == []
    assert [group["data-group"] for group in page.all("tbody") if group] == [name]
    saved = pd.read_csv(tmp_path / "tables" / "models.tsv", sep="\t")
    assert saved["name"].tolist() == [name, f"{name}2"]


def test_bytes_that_are_no_text_stop_no_page(tmp_path):
    entries = [Entry("b\udcff", state="failed", error="no file \udcfe.pt")]
    write_fleet(tmp_path, entries)
    assert "b\\udcff: no file \\udcfe.pt" in page_of(tmp_path).text
    assert table_of(tmp_path)["name"].tolist() == ["b\\udcff"]


def test_logos_stand_once_and_are_shown_in_the_table_and_the_gallery(tmp_path):
    entries = [
        report_entry(write_report(tmp_path / "a", "a", LOGO, consensus="A"), group="g"),
        report_entry(write_report(tmp_path / "b", "b", LOGO, motif="GAC"), group="g"),
        report_entry(write_report(tmp_path / "c", "c", None, motif="CCC")),
        report_entry(write_report(tmp_path / "d", "d", {"A": [3.0, "x"]})),
        entry("trained", pearson=0.5),
    ]
    write_fleet(tmp_path, entries)
    page = page_of(tmp_path)
    groups = [g["id"] for g in page.all("g")]
    assert groups == ["logo-0", "logo-1"]
    used = [use["href"] for use in page.all("use")]
    # In the row of the group, those of its members, and the gallery.
    assert sorted(used) == sorted(["#logo-0", "#logo-1"] * 3)
    assert "Motifs of 3 models" in page.text
    gallery = (tmp_path / "index.html").read_text().split('class="gallery"')[1]
    assert re.findall(r"<span>(.*?)</span>", gallery)[:3] == ["A", "GAC", "CCC"]


def test_every_link_leads_to_a_file_and_none_to_a_page_that_is_missing(tmp_path):
    entries = reports(tmp_path, 4)
    (tmp_path / "m3" / "index.html").unlink()
    write_fleet(tmp_path, [*entries, Entry("new", folder=tmp_path / "new")])
    links = [a["href"] for a in page_of(tmp_path).all("a")]
    assert len([link for link in links if link.endswith("index.html")]) == 2 * 3
    for link in links:
        assert (tmp_path / unquote(link)).exists() or link.startswith("#")


def test_figures_are_of_what_is_stored(tmp_path):
    rng = np.random.default_rng(0)
    entries = reports(tmp_path, 4)
    for each in entries[:3]:
        write_scan(each.folder, rng.normal(size=16))
    write_fleet(tmp_path, entries)
    page = page_of(tmp_path)
    images = {image["data-name"]: image["alt"] for image in page.all("img")}
    assert [*images] == ["effects", "r2", "gc", "gc_difference", "similarity"]
    assert "the median R² of 3 models is 0.920" in images["r2"]
    assert "Clustering of 3 models" in images["similarity"]
    assert "no scan of k-mers: <m3>" in page.text
    for name in images:
        for ending in ("svg", "png"):
            assert (tmp_path / "figures" / f"{name}.{ending}").stat().st_size > 1000


def test_no_scan_at_all_is_not_worth_a_word(tmp_path):
    write_fleet(tmp_path, reports(tmp_path, 3))
    assert "clustering" not in page_of(tmp_path).text


def test_a_page_reloads_itself_only_while_something_goes_on(tmp_path):
    for going_on in (True, False):
        write_fleet(tmp_path, reports(tmp_path, 1), going_on=going_on)
        page = page_of(tmp_path)
        told = [p for p in page.all("p") if "data-reload" in p]
        refresh = [m for m in page.all("meta") if m.get("http-equiv") == "refresh"]
        assert [p["data-reload"] for p in told] == ["30"] * going_on
        assert [m["content"] for m in refresh] == ["30"] * going_on
        assert ("reloads itself every 30 seconds" in page.text) == going_on


def test_reports_are_read_and_never_written(tmp_path):
    entries = reports(tmp_path, 3)
    write_scan(entries[0].folder, np.arange(16.0))
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    write_fleet(tmp_path, entries)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_figures_are_drawn_again_where_numbers_have_changed(tmp_path):
    def times():
        paths = (tmp_path / "figures").iterdir()
        return {path.name: path.stat().st_mtime_ns for path in paths}

    entries = reports(tmp_path, 4)
    for each in entries[:3]:
        write_scan(each.folder, np.random.default_rng(0).normal(size=16))
    write_fleet(tmp_path, entries)
    before = times()
    assert len(before) == 2 * 5
    # States and errors are on no figure.
    waiting = Entry("new", state="waiting")
    write_fleet(tmp_path, [*entries, waiting])
    assert times() == before
    assert "5 models: 4 finished, 1 waiting" in page_of(tmp_path).text

    changed = [*entries[:3], replace(entries[3], headline={"r2": 0.5})]
    write_fleet(tmp_path, changed)
    after = times()
    assert {name for name in before if before[name] == after.get(name)} == {
        f"similarity.{ending}" for ending in ("svg", "png")
    }
    write_scan(entries[0].folder, np.random.default_rng(1).normal(size=16))
    (tmp_path / "figures" / "r2.png").unlink()
    write_fleet(tmp_path, changed)
    drawn = {name for name, time in times().items() if time != after.get(name)}
    assert drawn == {f"{n}.{e}" for n in ("similarity", "r2") for e in ("svg", "png")}


def test_figures_of_more_models_go_when_there_are_fewer(tmp_path):
    entries = reports(tmp_path, 4)
    write_fleet(tmp_path, entries)
    assert (tmp_path / "figures" / "r2.svg").exists()
    (tmp_path / "figures" / "mine.svg").touch()
    write_fleet(tmp_path, entries[:1])
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["mine.svg"]
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        "index.html",
        ".written.json",
    }


def test_the_page_is_there_at_every_moment(tmp_path, monkeypatch):
    """A browser that reloads it while it is written finds the old one."""
    from tangermeme_gia.report.fleet import page as module

    write_fleet(tmp_path, reports(tmp_path, 4))
    seen = []

    def look(section, folder, **options):
        original(section, folder, **options)
        seen.append((tmp_path / "index.html").read_text())

    original = module.save_figures
    monkeypatch.setattr(module, "save_figures", look)
    write_fleet(tmp_path, reports(tmp_path, 3))
    assert ["4 models, all finished." in text for text in seen] == [True]
    assert "3 models, all finished." in (tmp_path / "index.html").read_text()


def test_what_is_wrong_is_said_before_anything_is_written(tmp_path):
    report = write_report(tmp_path / "m")
    with pytest.raises(ValueError, match="is not inside"):
        write_fleet(tmp_path / "other", [Entry("m", folder=report)])
    with pytest.raises(ValueError, match="`entries` has 2 of the name a"):
        write_fleet(tmp_path / "other", [Entry("a"), Entry("a")])
    assert not (tmp_path / "other").exists()


def test_outputs_that_were_chosen_are_named_as_the_option_takes_them(tmp_path):
    folders = [
        write_report(tmp_path / f"{i}", f"m{i}", output=output, effect=1.0)
        for i, output in enumerate((["counts", 0], 2, None))
    ]
    table = write_fleet(tmp_path, [report_entry(folder) for folder in folders])
    assert table["output"].tolist()[:2] == ["counts,0", "2"]
    assert [cells[1] for _, cells in rows_of(tmp_path)] == ["counts,0", "2", ""]


def test_relative_folders_are_of_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_report(Path("fleet/m"), "m", r2=0.5)
    write_fleet("fleet", [report_entry("fleet/m")])
    links = [a["href"] for a in page_of(tmp_path / "fleet").all("a")]
    assert "./m/index.html" in links


def test_whole_reports_can_be_read(finished):
    table = write_fleet(finished.parent, [report_entry(finished)])
    assert table["motif"].tolist() == ["GAC"]
    assert table["deviation"].tolist() == [0.0]
    page = page_of(finished.parent)
    assert len(page.all("use")) == 2
    # Every number that a report may have has words of its own.
    heads = (
        (finished.parent / "index.html").read_text().split('<table class="fleet">')[1]
    )
    titled = re.findall(
        r'data-column="(.*?)".*?>(.*?)</th>', heads.split("</thead>")[0]
    )
    assert len(titled) > 20
    same = {name for name, title in titled if title == name.replace("_", " ")}
    assert same <= {"motif", "effect"}
