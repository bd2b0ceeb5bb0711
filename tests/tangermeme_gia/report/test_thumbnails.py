"""Small pictures show what numbers say, and leave out what is not one."""

import math
import re
import xml.etree.ElementTree as ET

import torch

from tangermeme_gia.report.thumbnails import curve, logo, strip


def parts(svg, tag):
    return list(ET.fromstring(svg).iter(tag))


def test_a_strip_has_a_point_for_each_number():
    svg = strip(
        ["a & b", "long name of it", "c"], [1, math.nan, -1], [0, 0, -2], [2, 0, 0]
    )
    circles = [float(each.get("cx")) for each in parts(svg, "circle")]
    assert len(circles) == 2
    assert circles[0] > circles[1]
    names = [each.text for each in parts(svg, "text")]
    assert names == ["a & b", "long name of …", "c"]
    whiskers = [e for e in parts(svg, "path") if e.get("class") == "whisker"]
    ends = re.fullmatch(r"M(.+),.+H(.+)", whiskers[0].get("d")).groups()
    # From 0 to 2 on a scale of −2 to 2, from 84 to 214 pixels.
    assert [float(end) for end in ends] == [149.0, 214.0]


def test_an_effect_without_an_interval_is_a_point():
    svg = strip(["a"], [1], [math.nan], [math.nan])
    assert len(parts(svg, "circle")) == 1
    assert not [e for e in parts(svg, "path") if e.get("class") == "whisker"]


def test_a_curve_goes_through_its_points():
    svg = curve([0, 1, 2], [0, 4, math.nan], [0, 4, 0], [0, 4, 0])
    points = parts(svg, "polyline")[0].get("points").split()
    assert points == ["4.0,90.0", "216.0,6.0"]


def test_what_has_no_numbers_is_empty():
    assert parts(curve([0], [math.nan], [0], [0]), "polyline") == []
    assert parts(curve([0, 1], [0, 0], [0, 0], [0, 0]), "polyline")


def test_a_logo_has_the_letters_of_the_motif_and_no_others():
    ppm = torch.tensor([[1.0, 0.25], [0.0, 0.25], [0.0, 0.25], [0.0, 0.25]])
    assert [each.text for each in parts(logo(ppm, "ACGU"), "text")] == ["A"]
