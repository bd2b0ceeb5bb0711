"""The report's pages in a real browser, at the width of a phone and of a desktop."""

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
import torch
from matplotlib import image

from tangermeme_gia._core.letters import RNA
from tangermeme_gia.cli import main
from tangermeme_gia.report import (
    Entry,
    OneOutput,
    ReportInputs,
    ReportOptions,
    load_results,
    report_entry,
    run_report,
    write_fleet,
)

WIDTHS = (390, 1280)
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
sync_api = pytest.importorskip(
    "playwright.sync_api", reason='playwright is missing: pip install ".[browser]"'
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on PATH"
)

# Text that is shown in letters smaller than 12 px.
SMALL_TEXT = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const small = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const size = parseFloat(getComputedStyle(node.parentElement).fontSize);
        if (node.data.trim() && size < 12) small.push(node.data.trim());
    }
    return small;
}"""


class Shown(NamedTuple):
    """A page in the browser, and what it did while it was opened."""

    page: "sync_api.Page"
    path: Path
    messages: list[str]
    requests: list[str]

    def problems(self) -> list[str]:
        """What a reader would stumble over; nothing for a good page."""
        page = self.page
        found = [f"message {text}" for text in self.messages]
        own = self.path.as_uri()
        found += [f"request {url}" for url in self.requests if url != own]
        found += [
            f"picture {alt}"
            for alt in page.evaluate(
                "[...document.images].filter(i => !i.complete || !i.naturalWidth)"
                ".map(i => i.alt)"
            )
        ]
        wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        if wide > 0:
            found.append(f"overflow of {wide} px")
        return found + [f"small text {text}" for text in page.evaluate(SMALL_TEXT)]


# Models without a page.
TRAINED = [
    Entry("a1", "alpha", headline={"pearson": 0.5}),
    Entry("a2", "alpha", headline={"pearson": 0.9}),
    Entry("x" * 200, headline={"pearson": 0.6}),
    Entry("next", state="waiting"),
]


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> Path:
    """A folder with the report of a small model, two copies, and a page of all."""
    root = tmp_path_factory.mktemp("reports")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(164, 1))
    inputs = ReportInputs(
        "one:a model", OneOutput(model), RNA, profile=torch.full((4, 41), 0.25)
    )
    parts = ("alignment", "mutagenesis", "sites", "position", "gc", "robustness")
    options = ReportOptions(k=2, n=8, n_scan=4, experiments=parts)
    folders = [root / name for name in (inputs.name, "two", "three")]
    run_report(inputs, folders[0], options)
    for folder in folders[1:]:
        shutil.copytree(folders[0], folder)
    others = [Entry("no <b>", state="failed", error="no file & no hope"), *TRAINED]
    title = "What have these models learned?"
    entries = [report_entry(folder) for folder in folders[:1]]
    entries += [report_entry(f, name=f.name, group="copies") for f in folders[1:]]
    write_fleet(root, [*entries, *others], title=title)
    return root


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        # As root, as in containers, Chromium runs only without its sandbox.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def show(browser):
    """Open a page at some width."""
    opened = []

    def open_(path: Path, width: int) -> Shown:
        page = browser.new_page(viewport={"width": width, "height": 800})
        opened.append(page)
        messages: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri(), wait_until="load")
        inside = [url for url in requests if not url.startswith("data:")]
        return Shown(page, path, messages, inside)

    yield open_
    for page in opened:
        page.close()


PAGES = ("one:a model/index.html", "index.html")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_well(reports, show, name, width):
    shown = show(reports / name, width)
    assert shown.problems() == []
    assert shown.page.locator("img").count() > 1
    assert shown.page.title().startswith("What ha")


@pytest.mark.parametrize("name", PAGES)
def test_open_tables_do_not_widen_the_page(reports, show, name):
    shown = show(reports / name, WIDTHS[0])
    while (summary := shown.page.locator("details:not([open]) > summary")).count():
        summary.first.click()
    assert shown.page.locator("table:visible").count() >= 1
    assert shown.problems() == []


def test_the_navigation_leads_to_every_section(reports, show):
    page = show(reports / PAGES[0], WIDTHS[0]).page
    links = page.locator("nav a").all()
    assert len(links) == 11
    for link in links:
        page.evaluate("scrollTo(0, 0)")
        link.click()
        target = link.get_attribute("href")
        top = page.locator(target).evaluate("e => e.getBoundingClientRect().top")
        assert -2 <= top < 800, target
        assert page.locator(f"{target} :is(h2, .verdict)").is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_that_are_there(reports, show, name):
    shown = show(reports / name, 1280)
    urls = shown.page.evaluate("[...document.links].map(a => a.href)")
    files = [urlsplit(url) for url in urls if url.startswith("file:")]
    assert len(files) > 2
    for url in files:
        assert Path(unquote(url.path)).stat().st_size > 0
    others = {url for url in urls if not url.startswith("file:")}
    assert others <= {"https://doi.org/10.1371/journal.pcbi.1008925"}


def test_small_pictures_lead_to_their_sections(reports, show):
    page = show(reports / PAGES[0], 1280).page
    links = page.locator(".findings a").all()
    assert len(links) == 6
    for link in links:
        assert link.locator("svg").bounding_box()["height"] > 40
        link.click()
        top = page.locator(link.get_attribute("href")).evaluate(
            "e => e.getBoundingClientRect().top"
        )
        assert -2 <= top < 800


def test_the_first_screen_says_what_was_found(reports, show):
    page = show(reports / PAGES[0], 1400).page
    verdict = page.locator(".verdict")
    assert 2 <= len(re.findall(r"\.(?= |$)", verdict.inner_text())) <= 4
    assert page.locator(".findings li").first.bounding_box()["y"] < 800


def open_table(page, name):
    box = page.locator(f'[data-table="{name}"]')
    if not box.is_visible():
        page.locator(f'details:has([data-table="{name}"]) > summary').click()
    return box


def test_a_table_is_sorted_searched_and_kept(reports, show, tmp_path):
    page = show(reports / PAGES[0], 1280).page
    box = open_table(page, "scan")
    assert box.locator("tbody tr").count() == 16
    effect = box.get_by_role("button", name="effect")
    for state, sign in (("descending", -1), ("ascending", 1)):
        effect.click()
        head = box.locator(f"th[aria-sort={state}]")
        assert head.get_attribute("data-column") == "effect"
        cells = box.locator("tbody tr td:nth-child(2)").all_inner_texts()
        numbers = [sign * float(cell.replace("−", "-")) for cell in cells]
        assert numbers == sorted(numbers)
    box.get_by_role("searchbox").fill("gu")
    assert box.locator("tbody td:first-child").all_inner_texts() == ["GU"]
    assert box.get_by_role("status").inner_text() == "1 row"
    with page.expect_download() as download:
        box.get_by_role("button", name="TSV").click()
    download.value.save_as(tmp_path / "scan.tsv")
    original = (reports / "one:a model" / "tables" / "scan.tsv").read_bytes()
    assert (tmp_path / "scan.tsv").read_bytes() == original
    box.get_by_role("button", name="Copy").click()
    box.get_by_text("copied").wait_for()


def test_charts_say_their_values(reports, show):
    page = show(reports / PAGES[0], 1280).page
    frame = load_results(reports / "one:a model")["position"]["position"].to_frame()
    points = page.locator("#chart-position .mark-symbol path")
    assert points.count() == len(frame)
    points.nth(3).hover()
    said = page.locator(".hint").inner_text().replace("−", "-").splitlines()
    assert said[0] == "Start of the motif (from 0): 3"
    assert float(said[1].split(": ")[1]) == pytest.approx(frame["effect"][3], rel=1e-3)
    page.locator("#chart-mutagenesis .mark-rect path").first.hover()
    assert re.search(r"Variant: [ACGU]\neffect: ", page.locator(".hint").inner_text())
    assert page.locator("img[data-name=position]").is_hidden()
    assert page.locator("img[data-name=gc]").is_visible()


def test_kmers_are_found_among_the_ranks(reports, show):
    page = show(reports / PAGES[0], 1280).page
    found = page.locator("#chart-scan .mark-symbol path[fill='#D55E00']")
    assert found.count() == 0
    page.get_by_label("Find k-mers with").fill("ga")
    found.first.wait_for()
    assert found.count() == 1


def test_pictures_stand_for_charts_in_print(reports, show):
    page = show(reports / PAGES[0], 1280).page
    page.emulate_media(media="print")
    assert page.locator("img[data-name=position]").is_visible()
    assert page.locator("#chart-position").is_hidden()


def test_the_page_can_be_mailed(reports):
    assert (reports / PAGES[0]).stat().st_size < 5_000_000


@pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is missing: npm install --no-save axe-core"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_keyboards_and_screen_readers_can_use_a_page(browser, reports, name, scheme):
    page = browser.new_page(color_scheme=scheme, bypass_csp=True)
    page.goto((reports / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run()")["violations"]
    page.close()
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_figures_are_kept_from_the_page_itself(reports, show, tmp_path):
    page = show(reports / PAGES[0], 1280).page
    for kind, head in (("SVG", b"<?xml"), ("PNG", b"\x89PNG")):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"{kind} of the figure gc").click()
        assert download.value.suggested_filename == f"gc.{kind.lower()}"
        download.value.save_as(tmp_path / "gc")
        assert (tmp_path / "gc").read_bytes().startswith(head)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_light_or_dark(browser, reports, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.goto((reports / PAGES[0]).as_uri())
    seen = [brightness(page)]
    page.get_by_role("button", name="Light" if scheme == "dark" else "Dark").click()
    seen.append(brightness(page))
    page.close()
    assert (seen[0] > 200, seen[1] > 200) == (scheme == "light", scheme == "dark")


def brightness(page) -> float:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_without_a_script(browser, reports, name):
    page = browser.new_page(java_script_enabled=False)
    page.goto((reports / name).as_uri())
    assert page.locator("img").first.is_visible()
    assert page.locator("noscript a").first.is_visible()
    page.locator("details:not([open]) > summary").last.click()
    assert page.locator("details[open] tbody tr").count() >= 3
    page.close()


def test_the_page_of_many_leads_to_each_report(reports, show):
    page = show(reports / "index.html", 390).page
    page.get_by_role("link", name="one:a model").first.click()
    assert page.locator("h1").inner_text() == "What has one:a model learned?"


def names(page) -> list[str]:
    """First cells of the rows of the table of many that are seen."""
    heads = page.locator(".fleet tbody tr:visible th").all()
    return [re.sub(r"x+", "x", head.inner_text()) for head in heads]


COPIES, ALPHA = "copies (2 models)", "alpha (2 models)"


@pytest.mark.parametrize("width", WIDTHS)
def test_models_are_sorted_by_keyboard_with_groups_in_one_piece(reports, show, width):
    page = show(reports / "index.html", width).page
    first = ["one:a model", COPIES, "no <b>", ALPHA, "x", "next"]
    assert names(page) == first
    head = page.locator('.fleet th[data-column="pearson"]')
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    # The mean of 0.5 and 0.9 is more than 0.6; those without a number come last.
    missing = ["one:a model", COPIES, "no <b>", "next"]
    assert names(page) == [ALPHA, "x", *missing]
    page.get_by_role("button", name="Open all groups").click()
    assert names(page)[:4] == [ALPHA, "a2", "a1", "x"]
    page.keyboard.press("Tab")
    head.get_by_role("button").focus()
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"
    assert names(page)[:4] == ["x", ALPHA, "a1", "a2"]
    assert page.locator("th[aria-sort]").count() == 1
    page.locator('.fleet th[data-column="name"]').get_by_role("button").click()
    assert names(page)[:3] == [ALPHA, "a1", "a2"]


def test_models_are_found_and_groups_opened_where_a_member_is(reports, show):
    page = show(reports / "index.html", 1280).page
    find = page.get_by_label("Show models with")
    status = page.locator("#fleet > .tools [role=status]")
    assert status.inner_text() == "8 of 8 models"
    find.fill("A2")
    assert names(page) == [ALPHA, "a2"]
    assert status.inner_text() == "1 of 8 models"
    find.fill("alpha")
    assert names(page) == [ALPHA]
    assert status.inner_text() == "2 of 8 models"
    group = page.get_by_role("button", name=ALPHA)
    assert group.get_attribute("aria-expanded") == "false"
    group.focus()
    page.keyboard.press("Enter")
    assert group.get_attribute("aria-expanded") == "true"
    assert names(page) == [ALPHA, "a1", "a2"]
    find.fill("failed")
    assert names(page) == ["no <b>"]
    find.fill("nothing of this")
    assert names(page) == []


def test_logos_have_letters_in_their_colours(reports, show):
    page = show(reports / "index.html", 1280).page
    # In the row of a group are those of both members, until these are shown.
    assert page.locator(".logos svg").count() == 1 + 2 + 2
    assert page.locator(".logos svg:visible").count() == 1 + 2
    assert page.locator(".gallery svg").count() == 3
    page.get_by_role("button", name=COPIES).click()
    assert page.locator(".logos svg:visible").count() == 1 + 2
    for picture in (".logos svg", ".gallery svg"):
        drawn = io.BytesIO(page.locator(picture).first.screenshot())
        pixels = (255 * image.imread(drawn)[..., :3]).round().reshape(-1, 3)
        colours = {tuple(map(int, pixel)) for pixel in pixels}
        # Those of A, C, G and U.
        known = {(0, 158, 115), (0, 114, 178), (230, 159, 0), (213, 94, 0)}
        assert len(known & colours) >= 2


@pytest.fixture
def going_on(reports, tmp_path):
    """The same while it goes on, and reloads itself each second."""

    def write(entries) -> Path:
        write_fleet(tmp_path, entries, going_on=True)
        path = tmp_path / "index.html"
        page = path.read_text(encoding="utf-8")
        assert page.count('data-reload="30"') == 1
        path.write_text(page.replace('data-reload="30"', 'data-reload="1"'))
        return path

    return write


def test_a_page_that_reloads_itself_stays_where_its_reader_is(going_on, show):
    many = [Entry(f"m{i:03d}", headline={"r": i / 7}) for i in range(200)]
    path = going_on([*many, *TRAINED])
    page = show(path, 390).page
    page.locator('.fleet th[data-column="r"]').get_by_role("button").click()
    page.get_by_role("button", name=ALPHA).click()
    page.get_by_label("Show models with").fill("1")
    page.get_by_role("button", name="Dark").click()
    page.get_by_role("button", name=ALPHA).focus()
    page.evaluate("scrollTo(0, 40)")
    page.evaluate("document.querySelector('#fleet .scroll').scrollTop = 300")
    seen = names(page)
    going_on([*many, *TRAINED, Entry("new 1", headline={"r": 99.0})])
    page.wait_for_function("document.body.innerText.includes('new 1')", timeout=30_000)
    page.wait_for_load_state()
    assert names(page) == ["new 1", *seen]
    assert page.get_by_label("Show models with").input_value() == "1"
    head = page.locator('.fleet th[data-column="r"]')
    assert head.get_attribute("aria-sort") == "descending"
    assert page.evaluate("scrollY") == 40
    assert page.evaluate("document.querySelector('#fleet .scroll').scrollTop") == 300
    assert page.evaluate("document.activeElement.textContent") == ALPHA
    assert page.get_by_role("button", name="Light").is_visible()
    assert brightness(page) < 100


def test_reloading_can_be_stopped(going_on, show):
    page = show(going_on(TRAINED), 1280).page
    assert "reloads itself every" in page.locator("[data-reload]").inner_text()
    page.get_by_role("button", name="Stop reloading").click()
    going_on([*TRAINED, Entry("new")])
    page.wait_for_timeout(2500)
    assert "new" not in names(page)
    page.get_by_role("button", name="Reload again").click()
    page.wait_for_function("document.body.innerText.includes('5 models')", timeout=9000)


def test_without_a_script_a_page_that_goes_on_is_asked_for_again(browser, going_on):
    page = browser.new_page(java_script_enabled=False)
    page.goto(going_on(TRAINED).as_uri())
    assert page.locator("noscript meta").get_attribute("content") == "30"
    assert names(page) == [ALPHA, "a1", "a2", "x", "next"]
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints(reports, show, name):
    printed = show(reports / name, 1280).page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert len(printed) > 10_000


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ('<img alt="x" src="https://example.invalid/x.png">', "request https://exa"),
        ('<img alt="gone" src="data:image/png;base64,AAAA">', "picture gone"),
        ("<script>console.error('no')</script>", "message no"),
        ("<script>undefined.x</script>", "message Cannot read"),
        ('<div style="width: 3000px">wide</div>', "overflow of "),
        ('<p style="font-size: 11px">tiny</p>', "small text tiny"),
    ],
)
def test_the_checks_find_what_is_broken(tmp_path, reports, show, broken, problem):
    source = (reports / "index.html").read_text(encoding="utf-8")
    path = tmp_path / "index.html"
    path.write_text(source.replace("</main>", f"{broken}</main>"), encoding="utf-8")
    found = show(path, 1280).problems()
    assert any(line.startswith(problem) for line in found), found


# What the summary of a bundled model's page has an effect and an interval for.
STATED = (
    "Effect of {motif}",
    "Each further site adds",
    "3 sites minus the sum of each",
    "Two sites minus the sum of each",
    "Effect by position",
    "GC-bias effect size, GC's own effect included",
    "Effect beside GC over that without GC",
    "In the loop of a hairpin",
    "Effect by background",
)


@pytest.mark.slow
def test_the_pages_of_the_bundled_models_state_their_effects(tmp_path, show):
    command = ["report", "--model", "A1CF", "ANKHD1", "--n", "60", "--n-scan", "4"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    for name in ("A1CF/index.html", "ANKHD1/index.html", "index.html"):
        for width in WIDTHS:
            assert show(tmp_path / name, width).problems() == []
    for name in ("A1CF", "ANKHD1"):
        page = show(tmp_path / name / "index.html", 1280).page
        rows = page.locator(".summary tbody tr")
        stated = {
            row.locator("th").inner_text(): row.locator("td").first.inner_text()
            for row in rows.all()
        }
        motif = load_results(tmp_path / name)["mutagenesis"]["mutagenesis"].conditions
        for title in STATED:
            answer = stated[title.format(motif=motif["motif"][0])]
            assert re.search(r"\d \[−?\d.*, −?\d.*\]", answer), title
