"""Pictures that say their values, as Vega-Lite specifications of tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

Chart = dict[str, Any]

# More points than this are slow to draw in a browser, and many to hold in a page.
_MOST_POINTS = 6000
_DIGITS = 5
_ZERO: Chart = {
    "mark": {"type": "rule", "strokeDash": [3, 3], "stroke": "#888", "aria": False},
    "encoding": {"y": {"datum": 0}},
}
# Okabe and Ito's colours, as in the figures.
_COLOURS = ["#0072B2", "#D55E00", "#009E73"]


def curve_chart(
    frame: pd.DataFrame, x: str, titles: Mapping[str, str], by: str = ""
) -> Chart:
    """Effects along an axis with their intervals.

    `titles` are those of `x` and of "effect"; `by` has a curve for each of its values.

    Examples
    --------
    >>> table = pd.DataFrame({"start": [0], "effect": [1.0], "low": [0], "high": [2]})
    >>> chart = curve_chart(table, "start", {"start": "Start", "effect": "Effect"})
    >>> [layer["mark"]["type"] for layer in chart["layer"]]
    ['rule', 'area', 'line']
    """
    across: Chart = {"field": x, "type": "quantitative", "title": titles[x]}
    across["axis"] = {"tickMinStep": 1, "format": "d"}
    up = {"field": "low", "type": "quantitative", "title": titles["effect"]}
    colour: Chart = {"value": _COLOURS[0]}
    if by:
        colour = {"field": by, "type": "nominal", "scale": {"range": _COLOURS}}
        colour |= {"legend": {"orient": "top"}, "sort": None, "title": by}
    told = [_told(by, by)] if by else []
    told += [_told(x, titles[x]), *_TOLD]
    band = {"type": "area", "opacity": 0.2, "aria": False}
    line = {"type": "line", "point": {"size": 50}, "aria": False}
    columns = [x, "effect", "low", "high", *([by] if by else [])]
    return {
        "data": {"values": _records(frame[columns])},
        "encoding": {"x": across, "color": colour},
        "layer": [
            _ZERO,
            {"mark": band, "encoding": {"y": up, "y2": {"field": "high"}}},
            {
                "mark": line,
                "encoding": {"y": up | {"field": "effect"}, "tooltip": told},
            },
        ],
    }


def heat_chart(frame: pd.DataFrame, x: str, y: str, titles: Mapping[str, str]) -> Chart:
    """A cell for each `x` and `y`, coloured by "effect" with white at 0.

    Examples
    --------
    >>> table = pd.DataFrame({"a": ["A1"], "b": ["C"], "effect": [1.0]})
    >>> heat_chart(table, "a", "b", {"effect": "Change"})["mark"]["type"]
    'rect'
    """
    limit = float(frame["effect"].abs().max()) or 1.0
    scale = {"scheme": "purpleorange", "domain": [-limit, limit]}
    axes = {
        name: {"field": column, "type": "ordinal", "sort": None}
        | {"title": titles.get(column, column), "axis": {"labelAngle": 0}}
        for name, column in (("x", x), ("y", y))
    }
    shown = [name for name in ("low", "high") if name in frame]
    told = _TOLD if shown else _TOLD[:1]
    return {
        "data": {"values": _records(frame[[x, y, "effect", *shown]])},
        "mark": {"type": "rect", "aria": False},
        "encoding": axes
        | {
            "color": {"field": "effect", "type": "quantitative", "scale": scale}
            | {"title": titles["effect"]},
            "tooltip": [_told(x, titles.get(x, x)), _told(y, titles.get(y, y)), *told],
        },
    }


def rank_chart(frame: pd.DataFrame, effect: str) -> Chart | None:
    """Effects by rank, with a box that finds k-mers; None of too many.

    Examples
    --------
    >>> table = pd.DataFrame({"kmer": ["AC", "GU"], "effect": [1.0, 2.0]})
    >>> [row["rank"] for row in rank_chart(table, "Effect")["data"]["values"]]
    [1, 2]
    """
    if len(frame) > _MOST_POINTS:
        return None
    ordered = frame.sort_values("effect", ascending=False, kind="stable")
    ordered = ordered[["kmer", "effect"]].assign(rank=range(1, len(ordered) + 1))
    found = "wanted && indexof(datum.kmer, upper(trim(wanted))) >= 0"
    box = {"input": "text", "name": "Find k-mers with: ", "autocomplete": "off"}
    point = {"type": "point", "filled": True, "opacity": 1, "aria": False}
    marked = {"condition": {"test": found, "value": "#D55E00"}, "value": "#0072B2"}
    return {
        "data": {"values": _records(ordered)},
        "params": [{"name": "wanted", "value": "", "bind": box}],
        "layer": [
            _ZERO,
            {
                "mark": point,
                "encoding": {
                    "x": {"field": "rank", "type": "quantitative", "title": "Rank"}
                    | {"scale": {"type": "log"}, "axis": {"format": ",d"}},
                    "y": {"field": "effect", "type": "quantitative", "title": effect},
                    "color": marked,
                    "size": {"condition": {"test": found, "value": 90}, "value": 14},
                    "tooltip": [
                        _told("kmer", "k-mer"),
                        _told("rank", "rank"),
                        _TOLD[0],
                    ],
                },
            },
        ],
    }


def scatter_chart(frame: pd.DataFrame, titles: Mapping[str, str]) -> Chart | None:
    """A point for each "sequence": "predicted", "measured", coloured by "matched".

    `titles` are those of the last three; None of too many.

    Examples
    --------
    >>> titles = {"predicted": "Output", "measured": "Score", "matched": "Letters"}
    >>> table = pd.DataFrame({"sequence": [1]} | dict.fromkeys(titles, [2.0]))
    >>> scatter_chart(table, titles)["encoding"]["x"]["title"]
    'Output'
    """
    if len(frame) > _MOST_POINTS:
        return None
    # The last drawn lies on top.
    ordered = frame.sort_values("matched", kind="stable")
    encoding: Chart = {
        channel: {"field": name, "type": "quantitative", "title": titles[name]}
        for channel, name in zip(("x", "y", "color"), titles, strict=True)
    }
    for channel in ("x", "y"):
        encoding[channel]["scale"] = {"zero": False}
    encoding["color"]["scale"] = {"scheme": "viridis", "reverse": True}
    encoding["color"]["legend"] = {"orient": "top", "tickMinStep": 1}
    told = [_told(name, title) for name, title in titles.items()]
    return {
        "data": {"values": _records(ordered)},
        "mark": {"type": "circle", "size": 14, "opacity": 1, "aria": False},
        "encoding": encoding | {"tooltip": [_told("sequence", "sequence"), *told]},
    }


def _told(field: str, title: str) -> Chart:
    return {"field": field, "title": title}


_TOLD: list[Chart] = [
    {"field": "effect", "title": "effect", "format": ".4~g"},
    {"field": "low", "title": "95 % from", "format": ".4~g"},
    {"field": "high", "title": "95 % to", "format": ".4~g"},
]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows in as few letters as are read; what is not a number is null."""
    return [
        {
            str(name): (None if value != value else float(f"{value:.{_DIGITS}g}"))
            if isinstance(value, float)
            else value
            for name, value in row.items()
        }
        for row in frame.to_dict("records")
    ]
