"""A report runs once, goes on where it stopped, and writes the same again."""

import errno
import logging
import os
import re
import subprocess
import sys
from dataclasses import replace

import matplotlib as mpl
import pandas as pd
import pytest
import torch

from tangermeme_gia import plot
from tangermeme_gia._core.identity import model_checksum
from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.report import (
    EXPERIMENTS,
    OneOutput,
    OutputError,
    ReportInputs,
    ReportOptions,
    load_results,
    run_report,
)
from tangermeme_gia.report import run as run_module
from tangermeme_gia.report import store as store_module
from tangermeme_gia.report.figures import save_figures
from tangermeme_gia.report.section import Figure, Section

from .conftest import AU, LENGTH, OPTIONS, RNA, SMALL, Counter, Sites, inputs_of

LOGGER = "tangermeme_gia.report"
# The best k-mer of some models here is AA or H, which have no shuffle.
pytestmark = pytest.mark.filterwarnings("ignore:a shuffled control of")


@pytest.fixture
def said(caplog):
    """What the last run said of its parts, by part."""
    caplog.set_level(logging.INFO, LOGGER)

    def read() -> dict[str, str]:
        found = [
            re.match(r"\d/\d (\w+)(.*)", record.message) for record in caplog.records
        ]
        caplog.clear()
        return {match[1]: match[2].strip(": ") for match in found if match}

    return read


AS_SAVED = "as saved (same model, sequences and options)"


@pytest.mark.usefixtures("quick")
def test_a_second_run_predicts_next_to_nothing_and_says_so(tmp_path, said):
    model = Counter(Sites())
    first = run_report(inputs_of(model), tmp_path, SMALL)
    assert set(said().values()) == {""}
    page = (tmp_path / "index.html").read_text()
    model.reset()
    second = run_report(inputs_of(model), tmp_path, SMALL)
    # Whether the model can be asked at all, and says what it said of four backgrounds,
    # with the ends of the scan in them and with the motif.
    assert model.seen == 2 + (4 + 2 * 4) + (4 + 4)
    assert said() == dict.fromkeys(["scan", "motif", "sites"], AS_SAVED)
    assert [s.sentence for s in first] == [s.sentence for s in second]
    assert (tmp_path / "index.html").read_text() == page
    assert page.count("<td>") > 10


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ({"n": 9}, {"scan": "n", "motif": "n", "sites": "n"}),
        (
            {"random_state": 1},
            dict.fromkeys(["scan", "motif", "sites"], "random_state"),
        ),
        ({"both_strands": True}, {"scan": "both_strands", "motif": "both_strands"}),
        ({"experiments": ("motif",)}, {}),
    ],
)
def test_only_what_follows_from_a_change_is_done_again(tmp_path, said, changed, again):
    # AA is the best, and so it is with its reverse complement.
    model = Sites(weight=0.0, base=1.0)
    run_report(inputs_of(model), tmp_path, SMALL)
    said()
    run_report(inputs_of(model), tmp_path, replace(SMALL, **changed))
    for part, line in said().items():
        if part in again:
            assert line.startswith("again, changed: ")
            assert again[part] in line
        else:
            assert line == AS_SAVED or "motif" in line


@pytest.mark.usefixtures("quick")
def test_another_model_is_done_anew(tmp_path, said):
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    said()
    sections = run_report(inputs_of(Sites(weight=3.0)), tmp_path, SMALL)
    assert set(said().values()) == {"again, changed: model"}
    fresh = run_report(inputs_of(Sites(weight=3.0)), tmp_path / "fresh", SMALL)
    assert [s.sentence for s in sections] == [s.sentence for s in fresh]


@pytest.mark.usefixtures("quick")
def test_another_target_is_another_model(tmp_path):
    class Both(Sites):
        def forward(self, X):
            y = super().forward(X)
            return torch.cat([y, -y], dim=1)

    effects = []
    for target in (0, 1):
        inputs = ReportInputs(
            "m", OneOutput(Both(), target), RNA, profile=torch.full((4, LENGTH), 0.25)
        )
        options = ReportOptions(motif="GAC", n=8, experiments=("motif",))
        (section,) = run_report(inputs, tmp_path, options)
        effects.append(section.headline["effect"])
    assert effects[0] == -effects[1] != 0


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("out of memory")])
def test_finished_parts_outlive_an_interruption(tmp_path, said, error):
    model = Counter(Sites())
    options = replace(SMALL, experiments=("scan", "motif", "sites", "position"))
    whole = run_report(inputs_of(model), tmp_path / "whole", options)
    in_all = model.seen
    said()
    model.reset()
    model.fail_after(in_all - 20, error)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        run_report(inputs_of(model), tmp_path / "broken", options)
    assert not (tmp_path / "broken" / "index.html").exists()
    said()
    model.reset()
    rest = run_report(inputs_of(model), tmp_path / "broken", options)
    lines = said()
    assert lines.pop("position") == ""
    assert set(lines.values()) == {AS_SAVED}
    assert [s.sentence for s in rest] == [s.sentence for s in whole]


@pytest.mark.usefixtures("quick")
def test_a_full_disk_keeps_what_is_finished(tmp_path, said, monkeypatch):
    write = store_module.write_atomically

    def full(path, content):
        if path.name == "sites.safetensors":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(store_module, "write_atomically", full)
    with pytest.raises(OSError, match="No space left"):
        run_report(inputs_of(Sites()), tmp_path, SMALL)
    assert sorted(load_results(tmp_path)) == ["motif", "scan"]
    monkeypatch.setattr(store_module, "write_atomically", write)
    said()
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    assert said() == {"scan": AS_SAVED, "motif": AS_SAVED, "sites": ""}
    assert sorted(load_results(tmp_path)) == ["motif", "scan", "sites"]


@pytest.mark.usefixtures("quick")
def test_a_damaged_part_is_done_again(tmp_path, said):
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    path = tmp_path / "results" / "sites.safetensors"
    path.write_bytes(path.read_bytes()[:50])
    said()
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    assert said() == {"scan": AS_SAVED, "motif": AS_SAVED, "sites": ""}


def test_a_model_that_fails_does_so_before_anything_is_written(tmp_path):
    with pytest.raises(OutputError, match="the model fails on sequences of shape"):
        run_report(inputs_of(torch.nn.Linear(3, 1)), tmp_path / "out", SMALL)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("quick")
def test_a_part_that_does_not_apply_says_why_on_the_page(tmp_path, said):
    options = ReportOptions(motif="GAC", n=8, experiments=("sites", "gc"), start=0)
    sections = run_report(inputs_of(Sites()), tmp_path, options)
    assert [section.name for section in sections] == ["motif"]
    assert said()["gc"] == "left out, there is no room for flanks beside the motif"
    page = (tmp_path / "index.html").read_text()
    assert "gc: there is no room for flanks beside the motif." in page


@pytest.mark.usefixtures("quick")
def test_a_model_without_any_motif_has_a_report(tmp_path):
    class Falls(torch.nn.Module):
        def forward(self, X):
            return 5 - (X[:, 1:3].sum(dim=(1, 2)) ** 2)

    options = ReportOptions(k=2, n=8, n_scan=4, experiments=("alignment", "motif"))
    inputs = inputs_of(Falls(), profile=torch.tensor([[1.0], [0], [0], [0]]) + AU * 0)
    sections = run_report(inputs, tmp_path, options)
    assert [section.name for section in sections] == ["scan", "motif"]
    page = (tmp_path / "index.html").read_text()
    assert "alignment: no k-mer raises the output" in page


@pytest.mark.usefixtures("quick")
def test_proteins_have_a_report_without_a_nucleotide_motif_file(tmp_path):
    letters = tuple("ACDEFGHIKLMNPQRSTVWY")
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(20 * 15, 1))
    profile = torch.full((20, 15), 0.05)
    inputs = inputs_of(model, alphabet=letters, profile=profile)
    sections = run_report(inputs, tmp_path, replace(SMALL, k=1, experiments=None))
    names = [section.name for section in sections]
    assert "alignment" in names
    assert not {"gc", "hairpin"} & {*names}
    assert not (tmp_path / "tables" / "motif.meme").exists()
    page = (tmp_path / "index.html").read_text()
    assert "motif.meme" not in page
    assert "sequences of 15 residues" in page
    text = page.split("</style>")[1].split("</main>")[0]
    assert "base" not in text.replace("base64", "")


@pytest.mark.usefixtures("quick")
def test_names_with_blanks_are_one_word_in_the_motif_file(tmp_path):
    inputs = ReportInputs("my model", OneOutput(Sites()), RNA, profile=AU)
    run_report(inputs, tmp_path, replace(SMALL, experiments=("alignment",)))
    assert "MOTIF my_model" in (tmp_path / "tables" / "motif.meme").read_text()


@pytest.mark.usefixtures("quick")
def test_results_of_an_earlier_report_are_not_mixed_in(tmp_path):
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    options = ReportOptions(motif="GAC", n=8, experiments=("motif",))
    run_report(inputs_of(Sites(weight=3.0)), tmp_path, options)
    assert list(load_results(tmp_path)) == ["motif"]


def test_a_whole_report_holds_every_part(finished):
    results = load_results(finished)
    # The alignment reads the scan, and two sites add up.
    others = {"alignment", "quality", "motifs", "grammar", "saturation"}
    assert {*results} == {*EXPERIMENTS} - others
    for part, by_name in results.items():
        for result in by_name.values():
            if part != "scan":
                assert len(result.y_before) == OPTIONS.n
    assert not list((finished / "results").glob("*.chunks"))
    assert not list(finished.rglob("*.tmp"))
    assert "MOTIF Sites" in (finished / "tables" / "motif.meme").read_text()


def test_a_whole_report_states_what_the_model_was_given(finished):
    import json

    headline = json.loads((finished / "report.json").read_text())["headline"]
    assert headline["motif"] == headline["consensus"] == "GAC"
    assert headline["effect_low"] < 1.95 < headline["effect_high"]
    assert headline["deviation"] == 0
    assert headline["interaction_lowest"] == headline["interaction_highest"] == 0
    assert headline["left_beyond"] == 0


def test_neither_seeds_nor_settings_nor_inputs_change(tmp_path):
    with mpl.rc_context({"font.size": 33, "svg.fonttype": "none"}):
        inputs = inputs_of(Sites())
        settings, state = dict(mpl.rcParams), torch.random.get_rng_state()
        before = inputs.profile.clone()
        options = ReportOptions(motif="GAC", n=8, experiments=("motif",))
        run_report(inputs, tmp_path, options)
        assert dict(mpl.rcParams) == settings
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(inputs.profile, before)
    assert inputs.model.training


def test_figures_are_the_same_bytes_whatever_the_settings(tmp_path):
    frame = pd.DataFrame({"spacing": [0, 1, 2], "effect": [1.0, 2.0, 0.5]})
    section = Section("s", "", "", [Figure("f", lambda: plot.spacing_curve(frame), "")])
    save_figures(section, tmp_path / "a")
    settings = {"axes.facecolor": "red", "xtick.direction": "in", "savefig.dpi": 10}
    with mpl.rc_context(settings):
        save_figures(section, tmp_path / "b")
    for ending in ("svg", "png"):
        a, b = ((tmp_path / x / f"f.{ending}").read_bytes() for x in "ab")
        assert a == b
        assert len(a) > 1000


def files(folder):
    return {
        path.relative_to(folder).as_posix()
        for name in ("figures", "tables")
        for path in (folder / name).rglob("*")
    }


@pytest.mark.usefixtures("quick")
def test_a_folder_holds_what_its_page_shows_and_what_others_put_there(tmp_path):
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    earlier = files(tmp_path)
    assert "figures/scan.svg" in earlier
    (tmp_path / "figures" / "mine.svg").write_text("<svg/>")
    (tmp_path / "tables" / "sites.tsv").write_text("my notes")
    (tmp_path / "notes.txt").touch()
    other = ReportOptions(motif="GAC", n=8, experiments=("motif",))
    run_report(inputs_of(Sites(weight=3.0)), tmp_path, other)
    shown = {"figures/motif.svg", "figures/motif.png", "tables/motif.tsv"}
    shown |= {"figures/null.svg", "figures/null.png", "tables/null.tsv"}
    shown |= {"tables/placed.tsv"}
    assert files(tmp_path) == shown | {"figures/mine.svg", "tables/sites.tsv"}
    assert (tmp_path / "notes.txt").exists()
    # Nothing is left of the model that was here before.
    results = {path.name for path in (tmp_path / "results").iterdir()}
    assert results == {"motif.safetensors"}


@pytest.mark.usefixtures("quick")
def test_other_experiments_of_the_same_model_are_kept_as_results_only(tmp_path, said):
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    fewer = replace(SMALL, experiments=("scan",))
    run_report(inputs_of(Sites()), tmp_path, fewer)
    left = {name.split("/")[1].split(".")[0] for name in files(tmp_path)}
    assert left == {"scan", "highest_and_lowest"}
    said()
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    assert set(said().values()) == {AS_SAVED}
    assert "figures/sites.svg" in files(tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_finished_page_is_not_drawn_again(tmp_path, monkeypatch):
    run_report(inputs_of(Sites()), tmp_path, SMALL)

    def draws(*_):
        raise AssertionError("drawn")

    with monkeypatch.context() as patched:
        patched.setattr(run_module, "save_figures", draws)
        run_report(inputs_of(Sites()), tmp_path, SMALL)
        renamed = replace(inputs_of(Sites()), name="other")
        with pytest.raises(AssertionError, match="drawn"):
            run_report(renamed, tmp_path, SMALL)
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    (tmp_path / "figures" / "motif.svg").unlink()
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    assert "figures/motif.svg" in files(tmp_path)


class Outside(torch.nn.Module):
    """Scaled by what no checksum sees, as the session of another library."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Sites()

    def forward(self, X):
        return self.inner(X) * float(os.environ["SCALE"])


@pytest.mark.usefixtures("quick")
def test_a_model_that_predicts_otherwise_is_another(tmp_path, said, monkeypatch):
    checksums = []
    for scale, expected in ((1.0, ""), (1.0, AS_SAVED), (1.00001, AS_SAVED)):
        monkeypatch.setenv("SCALE", str(scale))
        inputs = inputs_of(Outside())
        checksums.append(model_checksum(inputs.model))
        run_report(inputs, tmp_path, SMALL)
        assert set(said().values()) == {expected}
    monkeypatch.setenv("SCALE", "3")
    inputs = inputs_of(Outside())
    assert {model_checksum(inputs.model), *checksums} == {checksums[0]}
    sections = run_report(inputs, tmp_path, SMALL)
    again = "again, changed: predictions of the model"
    assert set(said().values()) == {again}
    monkeypatch.setenv("SCALE", "1")
    fresh = run_report(inputs_of(Outside()), tmp_path / "fresh", SMALL)
    # The motif is worth three times as much.
    effect, thrice = (s[1].headline["effect"] for s in (fresh, sections))
    assert thrice == pytest.approx(3 * effect, rel=1e-5)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("place", [0.3, 0.6, 0.9, 0.999])
def test_a_flipped_bit_is_noticed(tmp_path, said, place):
    first = run_report(inputs_of(Sites()), tmp_path, SMALL)
    path = tmp_path / "results" / "sites.safetensors"
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 4
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"sites\.safetensors holds no results"):
        load_results(tmp_path)
    said()
    again = run_report(inputs_of(Sites()), tmp_path, SMALL)
    assert said() == {"scan": AS_SAVED, "motif": AS_SAVED, "sites": ""}
    assert [s.sentence for s in again] == [s.sentence for s in first]


@pytest.mark.usefixtures("quick")
def test_the_chosen_output_is_named_in_tables_and_text(tmp_path):
    class Both(Sites):
        def forward(self, X):
            y = super().forward(X)
            return torch.cat([y, -y, 2 * y], dim=1)

    experiments = ("motif", "sites", "scan", "hairpin", "robustness", "mutagenesis")
    options = replace(SMALL, k=3, experiments=experiments, backgrounds=("profile",))
    for output, shown in (
        ("score", "score, output 2 of the model"),
        ("output of the model", "output 2 of the model"),
    ):
        inputs = inputs_of(Both(), output=output)
        inputs = replace(inputs, model=OneOutput(Both(), 2))
        sections = run_report(inputs, tmp_path, options)
        page = (tmp_path / "index.html").read_text()
        assert f"Global importance analysis of the {shown}." in page
        assert f"the {shown} by" in page
    tables = {k: t for section in sections for k, t in section.tables.items()}
    assert {"scan", "motif", "sites", "hairpin", "robustness", "mutagenesis"} <= {
        *tables
    }
    for name, table in tables.items():
        assert set(table["output"]) == {2}, name
        written = pd.read_csv(tmp_path / "tables" / f"{name}.tsv", sep="\t")
        assert set(written["output"]) == {2}, name


@pytest.mark.usefixtures("quick")
def test_the_first_output_is_named_on_the_page_like_any_other(tmp_path):
    class Both(Sites):
        def forward(self, X):
            return super().forward(X).repeat(1, 2)

    options = replace(SMALL, experiments=("sites",), motif="UGCAUG")
    for target, n in ((0, True), (None, False)):
        inputs = replace(inputs_of(Sites()), model=OneOutput(Sites(), None))
        if target is not None:
            inputs = replace(inputs, model=OneOutput(Both(), target))
        run_report(inputs, tmp_path, options)
        page = (tmp_path / "index.html").read_text()
        assert ('data-column="output"' in page) is n


@pytest.mark.usefixtures("quick")
def test_results_hold_the_label_of_the_chosen_output(tmp_path):
    class Both(Sites):
        def forward(self, X):
            return super().forward(X).repeat(1, 3)

    inputs = replace(inputs_of(Both()), model=OneOutput(Both(), 2))
    run_report(inputs, tmp_path, SMALL)
    for by_name in load_results(tmp_path).values():
        assert {label for r in by_name.values() for label in r.outputs} == {2}


@pytest.mark.usefixtures("quick")
def test_two_reports_into_one_folder_are_refused(tmp_path):
    holds = (
        "import sys\nfrom filelock import FileLock\n"
        f"held = FileLock({str(tmp_path / '.report.lock')!r}).acquire()\n"
        "print('held', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holds], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        text = f"another report is being written to {tmp_path}; wait until"
        with pytest.raises(ValueError, match=re.escape(text)):
            run_report(inputs_of(Sites()), tmp_path, SMALL)
        assert [path.name for path in tmp_path.iterdir()] == [".report.lock"]
    run_report(inputs_of(Sites()), tmp_path, SMALL)
    assert (tmp_path / "index.html").exists()


def test_a_named_output_keeps_its_clusters():
    y = torch.zeros(4, 1)
    result = GIAResult(y, y[:, None], pd.DataFrame({"a": [1]}), clusters=[0, 0, 1, 1])
    named = run_module._named(result, 2)
    assert named.outputs == [2]
    assert named.clusters.tolist() == [0, 0, 1, 1]


@pytest.mark.usefixtures("quick")
def test_the_page_says_where_backgrounds_agree(tmp_path):
    # The motif adds 2 to most backgrounds, and each further site as much.
    options = ReportOptions(motif="GAC", n=24, n_scan=2, experiments=("sites",))
    sections = run_report(inputs_of(Sites()), tmp_path, options)
    [caution] = sections[-1].cautions
    # 1 - 0.05 ** (1 / 24) = 0.117
    assert caution.startswith("None of 24 backgrounds shows any deviation in 2 of 2")
    assert "with 95 % confidence fewer than 12 % do" in caution
    page = (tmp_path / "index.html").read_text()
    assert f'<p class="caution">{caution}</p>' in page
