"""Many reports side by side."""

import json
import re
from urllib.parse import unquote

import pandas as pd
import pytest

from tangermeme_gia.report import write_overview

from .test_page import Page


def report(folder, name, **headline):
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<!DOCTYPE html>")
    (folder / "report.json").write_text(
        json.dumps({"name": name, "headline": headline})
    )
    return folder


def reports(folder, n):
    return [
        report(
            folder / f"m{i}",
            f"<m{i}>",
            motif="GAC",
            effect=float(i),
            r2=None if i == 0 else 0.9 + i / 100,
            left=0.5 + i / 4,
            right=0.9 + i / 10,
        )
        for i in range(n)
    ]


def test_two_models_are_a_table(tmp_path):
    table = write_overview(tmp_path, reports(tmp_path, 2))
    assert table["name"].tolist() == ["<m0>", "<m1>"]
    assert table["r2"].isna().tolist() == [True, False]
    page = Page((tmp_path / "index.html").read_text())
    assert page.open == []
    assert page.all("img") == []
    assert "What have 2 models learned?" in page.text
    assert "<m1>" in page.text
    saved = pd.read_csv(tmp_path / "tables" / "models.tsv", sep="\t")
    assert saved["effect"].tolist() == [0.0, 1.0]
    assert not list((tmp_path / "figures").iterdir())


def test_outputs_that_were_chosen_are_named_as_the_option_takes_them(tmp_path):
    folders = reports(tmp_path, 3)
    for folder, output in zip(folders, (["counts", 0], 2), strict=False):
        held = json.loads((folder / "report.json").read_text())
        (folder / "report.json").write_text(json.dumps({**held, "output": output}))
    table = write_overview(tmp_path, folders)
    assert table["output"].tolist()[:2] == ["counts,0", "2"]
    assert table["output"].isna().tolist() == [False, False, True]
    page = (tmp_path / "index.html").read_text()
    assert "<td>counts,0</td>" in page
    assert "output" not in write_overview(tmp_path, folders[2:])


def test_the_pair_of_each_model_is_named_where_pairs_were_asked_about(tmp_path):
    interaction = {"pair_interaction": 2.0, "pair_interaction_low": 1.9}
    interaction |= {"pair_interaction_high": 2.1, "pair_rule": "hard"}
    folders = [
        report(tmp_path / "a", "a", motif="AP1", pair="AP1 and <ETS>", **interaction),
        report(tmp_path / "b", "b", motif="AP1"),
    ]
    table = write_overview(tmp_path, folders)
    assert table["pair_rule"].tolist()[0] == "hard"
    page = (tmp_path / "index.html").read_text()
    assert "acting together" in page
    assert "<td>AP1 and &lt;ETS&gt;</td>" in page
    assert "2.00 [1.90, 2.10]" in page
    write_overview(tmp_path, folders[1:])
    assert "acting together" not in (tmp_path / "index.html").read_text()


def test_four_models_have_histograms(tmp_path):
    write_overview(tmp_path, reports(tmp_path, 4))
    page = Page((tmp_path / "index.html").read_text())
    r2, gc = (image["alt"] for image in page.all("img"))
    assert "the median R² is 0.920" in r2
    # 0.9, 1.0, 1.1 and 1.2 times: two are more than once.
    assert "2 of 4 motifs have a larger effect with GC 3′ of them" in gc
    for image in page.all("img"):
        assert image["src"].startswith("data:image/svg+xml;base64,")
    for a in page.all("a"):
        assert (tmp_path / a["href"]).exists()


def with_interval(name, effect):
    return {name: effect, f"{name}_low": effect - 0.5, f"{name}_high": effect + 0.5}


def test_every_number_has_its_interval_and_no_clear_effect_no_ratio(tmp_path):
    ends = ("lowest", "highest")
    both = {
        k: v
        for part in ("interaction", "position", "background")
        for i, end in enumerate(ends)
        for k, v in with_interval(f"{part}_{end}", float(i)).items()
    }
    names = ("effect", "per_site", "deviation", "left", "right")
    one = {k: v for name in names for k, v in with_interval(name, 2.0).items()}
    gone = dict.fromkeys(
        f"{side}{part}" for side in ("left", "right") for part in ("", "_low", "_high")
    )
    folders = [
        report(tmp_path / "a", "a", motif="GAC", consensus="GA", **one, **both),
        report(tmp_path / "b", "b", motif="CCC", **(one | gone), **both),
    ]
    write_overview(tmp_path, folders)
    source = (tmp_path / "index.html").read_text()
    first, second = re.findall(r"<tr><th scope=.row.*?</tr>", source)
    cells = re.findall("<td>(.*?)</td>", first)
    single, ends = "2.0 [1.5, 2.5]", "0.0 [−0.5, 0.5] to 1.0 [0.5, 1.5]"
    assert cells == [
        "GAC",
        "GA",
        single,
        single,
        single,
        ends,
        ends,
        single,
        single,
        ends,
    ]
    cells = re.findall("<td>(.*?)</td>", second)
    assert cells[1] == cells[7] == cells[8] == ""
    assert cells[9] == ends


def test_two_models_have_a_figure_of_their_effects(tmp_path):
    folders = [
        report(tmp_path / n, n, motif=m, output_sd=sd, **with_interval("effect", e))
        for n, m, e, sd in (("a", "GAC", 2.0, 4.0), ("b", "CC", -3.0, 0.5))
    ]
    write_overview(tmp_path, folders)
    (image,) = Page((tmp_path / "index.html").read_text()).all("img")
    # −3 is 6 of its standard deviations, 2 is half of one.
    assert "the largest is that of CC in b." in image["alt"]
    assert (tmp_path / "figures" / "effects.svg").stat().st_size > 1000


def test_models_without_a_spread_are_not_compared(tmp_path):
    folders = [
        report(tmp_path / n, n, motif="C", output_sd=sd, **with_interval("effect", 1.0))
        for n, sd in (("a", 0.0), ("b", None), ("c", 1.0))
    ]
    write_overview(tmp_path, folders)
    assert Page((tmp_path / "index.html").read_text()).all("img") == []


def test_links_hold_for_any_name(tmp_path):
    folders = [
        report(tmp_path / name, name, effect=1.0)
        for name in ("models:build", "a b#c?d", "100%&")
    ]
    write_overview(tmp_path, folders)
    page = Page((tmp_path / "index.html").read_text())
    links = [a["href"] for a in page.all("a")]
    links = [link for link in links if link.endswith("index.html")]
    assert len(links) == 3
    for link, folder in zip(links, folders, strict=True):
        assert link.startswith("./")
        assert not {"#", "?", " "} & {*link}
        assert (tmp_path / unquote(link)).parent == folder


def test_models_with_few_numbers_have_few_figures(tmp_path):
    folders = [report(tmp_path / f"m{i}", f"m{i}", effect=1.0) for i in range(3)]
    table = write_overview(tmp_path, folders)
    assert list(table.columns) == ["name", "effect"]
    assert Page((tmp_path / "index.html").read_text()).all("img") == []


def test_an_unfinished_report_is_named(tmp_path):
    (tmp_path / "m").mkdir()
    with pytest.raises(ValueError, match=r"`reports`: .*m holds no finished report"):
        write_overview(tmp_path, [tmp_path / "m"])
    assert not (tmp_path / "index.html").exists()


def test_a_report_elsewhere_is_named(tmp_path):
    folder = report(tmp_path / "m", "m", effect=1.0)
    with pytest.raises(ValueError, match="is not inside"):
        write_overview(tmp_path / "other", [folder])


def test_a_whole_report_can_be_read(finished):
    table = write_overview(finished.parent, [finished])
    assert table["motif"].tolist() == ["GAC"]
    assert table["deviation"].tolist() == [0.0]


def test_models_without_a_report_are_listed_with_the_reason(tmp_path):
    failed = {"<bad>": "it has 3 outputs & no target", "gone": "no file"}
    write_overview(tmp_path, reports(tmp_path, 1), failed)
    page = Page((tmp_path / "index.html").read_text())
    assert page.open == []
    assert "What has 1 model learned?" in page.text
    assert "<bad>: it has 3 outputs & no target" in page.text
    assert write_overview(tmp_path, [], failed).empty
    text = Page((tmp_path / "index.html").read_text()).text
    assert "What have 0 models learned?" in text
    assert "gone: no file" in text


def test_figures_of_more_models_go_when_there_are_fewer(tmp_path):
    folders = reports(tmp_path, 4)
    write_overview(tmp_path, folders)
    assert (tmp_path / "figures" / "r2.svg").exists()
    (tmp_path / "figures" / "mine.svg").touch()
    write_overview(tmp_path, folders[:2])
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["mine.svg"]


@pytest.mark.parametrize("text", ["[]", "{", '{"name": 3}', '{"a": 1}', "\xff"])
def test_a_file_that_is_no_report_is_named(tmp_path, text):
    folder = report(tmp_path / "m", "m")
    (folder / "report.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="m holds no finished report"):
        write_overview(tmp_path, [folder])
