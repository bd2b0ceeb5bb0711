"""Charts hold the numbers of their tables; what draws them is as it was published."""

import hashlib
import json
import math
from pathlib import Path

import pandas as pd
import pytest

from tangermeme_gia import report
from tangermeme_gia.report.charts import (
    curve_chart,
    heat_chart,
    rank_chart,
    scatter_chart,
)
from tangermeme_gia.report.rendering import render, shown_figures
from tangermeme_gia.report.section import Figure

TITLES = {"start": "Start", "effect": "Effect (score)"}
TABLE = pd.DataFrame(
    {
        "start": [0, 1],
        "effect": [1 / 3, math.nan],
        "low": [0.1, math.nan],
        "high": [0.5, math.nan],
    }
)


def test_a_curve_holds_its_values_and_null_for_none():
    chart = curve_chart(TABLE, "start", TITLES)
    first, second = chart["data"]["values"]
    assert first == {"start": 0, "effect": 0.33333, "low": 0.1, "high": 0.5}
    assert second == {"start": 1, "effect": None, "low": None, "high": None}
    told = chart["layer"][2]["encoding"]["tooltip"]
    assert [each["title"] for each in told] == [
        "Start",
        "effect",
        "95 % from",
        "95 % to",
    ]
    json.dumps(chart, allow_nan=False)


def test_a_heat_map_is_white_at_0():
    cells = pd.DataFrame({"a": ["x", "y"], "b": "c", "effect": [-3.0, 1.0]})
    colour = heat_chart(cells, "a", "b", TITLES)["encoding"]["color"]
    assert colour["scale"]["domain"] == [-3.0, 3.0]
    assert colour["title"] == "Effect (score)"


def test_ranks_fall_and_too_many_have_no_chart():
    scan = pd.DataFrame({"kmer": ["AC", "GU", "CC"], "effect": [1.0, 3.0, 2.0]})
    values = rank_chart(scan, "Effect")["data"]["values"]
    assert [(row["rank"], row["kmer"]) for row in values] == [
        (1, "GU"),
        (2, "CC"),
        (3, "AC"),
    ]
    many = pd.DataFrame({"kmer": "A", "effect": range(6001)})
    assert rank_chart(many, "Effect") is None


def test_a_scatter_names_each_sequence_the_best_match_last():
    titles = {"predicted": "Output", "measured": "Score", "matched": "Letters"}
    points = pd.DataFrame(
        {
            "sequence": [1, 2],
            "predicted": [1 / 3, 2.0],
            "measured": [4.0, 5.0],
            "matched": [6, 3],
        }
    )
    chart = scatter_chart(points, titles)
    assert [row["sequence"] for row in chart["data"]["values"]] == [2, 1]
    assert chart["data"]["values"][1]["predicted"] == 0.33333
    told = [each["title"] for each in chart["encoding"]["tooltip"]]
    assert told == ["sequence", "Output", "Score", "Letters"]
    json.dumps(chart, allow_nan=False)
    many = pd.DataFrame({"sequence": range(6001)} | dict.fromkeys(titles, 0.0))
    assert scatter_chart(many, titles) is None


def test_no_name_ends_the_data(tmp_path):
    (tmp_path / "f.svg").write_text("<svg/>")
    figure = Figure("f", lambda: None, "f", {"name": "</script><b>"})
    text = shown_figures([figure], tmp_path)[0]["chart"]
    assert "<" not in text
    assert json.loads(text) == {"name": "</script><b>"}


def test_pages_without_a_chart_do_not_hold_what_draws_them():
    lists = ("failed", "units", "gallery", "figures", "large", "left_out")
    values = {"title": "", "counts": "", "reload": 0} | {name: [] for name in lists}
    small = render("fleet.html.jinja", **values)
    large = render("fleet.html.jinja", charts=True, **values)
    assert len(small) < 30_000 < 700_000 < len(large) < 900_000
    assert "sourceMappingURL" not in large


@pytest.mark.parametrize(
    ("name", "checksum"),
    [
        (
            "vega.min.js",
            "8f6a3587cf8d4f42c7e08120e3eb05d067e746d554e39d2dcf52acc0bd5ba28f",
        ),
        (
            "vega-lite.min.js",
            "35a9821df838825b05a6a73e9414b58747a1b18321583858ed903c66393a5c7e",
        ),
    ],
)
def test_what_draws_charts_is_as_it_was_published(name, checksum):
    folder = Path(report.__file__).parent / "vendor"
    data = (folder / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == checksum
    assert b"</script" not in data
    licence = folder / f"{name.removesuffix('.min.js')}.LICENSE"
    assert "Redistribution and use" in licence.read_text(encoding="utf-8")
