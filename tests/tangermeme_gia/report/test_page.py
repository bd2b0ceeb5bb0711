"""The page needs no other file, leads nowhere that is not there, and escapes names."""

import base64
import html
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from tangermeme_gia import read_motifs
from tangermeme_gia.report import OneOutput, ReportInputs, ReportOptions, run_report
from tangermeme_gia.report.figures import data_uri

from .conftest import RNA, Sites


class Page(HTMLParser):
    """All elements of a page with their attributes, and its text."""

    VOID = frozenset(["meta", "link", "img", "br", "input"])

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.texts))


@pytest.fixture(scope="session")
def page(finished) -> Page:
    return Page((finished / "index.html").read_text(encoding="utf-8"))


def test_every_element_is_closed(page):
    assert page.open == []
    assert {"main", "nav", "header", "h1"} <= {name for name, _ in page.elements}


def test_every_picture_is_in_the_page_and_can_be_read(page):
    images = page.all("img")
    assert len(images) == 14
    for image in images:
        kind, content = re.fullmatch(
            r"data:image/(svg\+xml|png);base64,(.+)", image["src"]
        ).groups()
        data = base64.b64decode(content, validate=True)
        if kind == "png":
            assert data.startswith(b"\x89PNG\r\n")
        else:
            assert ET.fromstring(data).tag.endswith("}svg")
        assert len(image["alt"]) > 20


def test_nothing_is_fetched_from_outside(page):
    assert page.all("iframe") == []
    assert all("src" not in script for script in page.all("script"))
    assert [link["href"] for link in page.all("link")] == ["data:,"]
    policy = next(m for m in page.all("meta") if "http-equiv" in m)["content"]
    assert policy.startswith("default-src 'none'; img-src data: blob:; ")
    style = next(text for text in page.texts if "--ink" in text)
    assert "url(" not in style
    assert "@import" not in style
    outside = [a["href"] for a in page.all("a") if ":" in a["href"]]
    assert outside == ["https://doi.org/10.1371/journal.pcbi.1008925"]


def test_every_link_leads_somewhere(page, finished):
    ids = [a["id"] for _, a in page.elements if "id" in a]
    ids = [name for name in ids if not name.startswith("chart-")]
    assert len(set(ids)) == len(ids) == 15
    hrefs = [a["href"] for a in page.all("a")]
    anchors = [href[1:] for href in hrefs if href.startswith("#")]
    # Each section in the contents, and again beside a small picture of it.
    assert len(anchors) == 14 + 9
    assert {*anchors} == {*ids} - {"skipped"}
    files = [href for href in hrefs if not href.startswith(("#", "https:"))]
    assert len(files) > 30
    for href in files:
        assert (finished / href).stat().st_size > 0


def test_every_file_that_is_linked_is_of_this_report(page, finished):
    linked = {a["href"] for a in page.all("a")}
    written = {
        path.relative_to(finished).as_posix()
        for folder in ("figures", "tables")
        for path in (finished / folder).iterdir()
    }
    assert written - linked == set()


def test_names_are_escaped(page, finished):
    source = (finished / "index.html").read_text()
    assert "made --by &lt;me&gt;" in source
    assert "<a> & b" in page.text
    assert "&lt;a&gt; &amp; b" in source


@pytest.mark.usefixtures("quick")
def test_a_hostile_name_is_text(tmp_path):
    name = '<script>alert("1")</script>&'
    inputs = ReportInputs(
        name, OneOutput(Sites()), RNA, profile=torch.full((4, 20), 0.25), output="<b>"
    )
    options = ReportOptions(motif="GAC", n=8, experiments=("motif",))
    run_report(inputs, tmp_path, options)
    source = (tmp_path / "index.html").read_text()
    assert "<script>alert" not in source
    assert "the <b>" not in source
    assert html.escape("<script>") in source


def test_the_page_says_how_it_was_made(page):
    for said in (
        "What has Sites learned?",
        "Koo et al. 2021",
        "95 % t intervals",
        "24 sequences of 41 bases",
        "The motif was chosen on 8 others.",
        "model SHA-256",
        "seed of the draws",
        "tangermeme 1",
    ):
        assert said in page.text


@pytest.mark.usefixtures("quick")
def test_the_first_screen_says_what_intervals_are_over(finished):
    first = (finished / "index.html").read_text(encoding="utf-8")
    summary = " ".join(first[: first.index('<section id="scan"')].split())
    said = "Intervals are over 24 backgrounds; fixed: the model, letters and places."
    assert f"intervals in brackets. {said}" in summary


def test_padding_and_given_motifs_are_said(tmp_path):
    X = torch.eye(4)[torch.arange(12 * 20).reshape(12, 20) % 4].transpose(1, 2)
    X[::2, :, :3] = 0
    inputs = ReportInputs("m", OneOutput(Sites()), RNA, X=X)
    options = ReportOptions(
        motif="GAC", n=6, n_scan=4, experiments=("motif",), backgrounds=("shuffle",)
    )
    run_report(inputs, tmp_path, options)
    text = Page((tmp_path / "index.html").read_text()).text
    assert "made of 12 observed sequences (shuffle)" in text
    assert re.search(r"[2-6] of them have padding or N, over which", text)
    assert "The motif was given." in text


def test_report_json_is_strict_json(finished):
    def refuse(name):
        raise AssertionError(name)

    text = (finished / "report.json").read_text()
    held = json.loads(text, parse_constant=refuse)
    assert held["name"] == "Sites"
    assert held["provenance"]["made by"] == "<a> & b"


def test_the_aligned_motif_is_kept_for_pages_of_many_models(finished):
    logo = json.loads((finished / "report.json").read_text())["logo"]
    assert tuple(logo) == RNA
    file = read_motifs(finished / "tables" / "motif.meme", alphabet=RNA)
    (motif,) = file.values()
    assert np.allclose([*logo.values()], motif.ppm, atol=1e-5)


@pytest.mark.usefixtures("quick")
def test_what_is_not_defined_is_null(tmp_path):
    options = ReportOptions(motif="GAC", n=8, experiments=("sites",), start=4)
    inputs = ReportInputs(
        "m", OneOutput(Sites()), RNA, profile=torch.full((4, 20), 0.25)
    )
    run_report(inputs, tmp_path, options)
    held = json.loads((tmp_path / "report.json").read_text())
    assert held["headline"]["r2"] is None


def test_a_large_drawing_is_shown_as_pixels(tmp_path):
    (tmp_path / "f.svg").write_text("<svg/>" + " " * 500_000)
    (tmp_path / "f.png").write_bytes(b"\x89PNG")
    assert data_uri(tmp_path / "f.svg").startswith("data:image/png;base64,")
    (tmp_path / "f.svg").write_text("<svg/>")
    assert data_uri(tmp_path / "f.svg").startswith("data:image/svg+xml;base64,")
