"""Every panel of the paper, drawn on a tiny budget, and the page of them."""

import importlib
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

import residualbind as rb
import tangermeme_gia as gia

ROOT = Path(__file__).parents[2]
if not (ROOT / "benchmarks").exists():  # a source distribution carries no benchmarks
    pytest.skip("there are no benchmarks here", allow_module_level=True)

pytest.importorskip("RNA", reason="panels of simulated structure need ViennaRNA")

NAMES = [
    "1a",
    "1b",
    "1c",
    "1d-1f",
    "2a",
    "2b",
    "2c",
    "2d",
    "2e",
    "2f",
    "2g",
    "3a",
    "3b",
]
NAMES += ["3c", "4a", "4b", "4c", "4d", "4e", "S1", "S2", "S3", "S4", "S5", "S Table 1"]
TINY = {"n": 28, "n_scan": 16, "k": 3, "probes": 600, "epochs": 2, "filters": 8}
MODULES = ("__main__", "material", "motifs", "performance", "registry", "simulated")


@pytest.fixture(scope="module")
def paper():
    """The modules of benchmarks/paper by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        for name in (*MODULES, "structure", "panel"):
            importlib.import_module(f"benchmarks.paper.{name}")
        package = importlib.import_module("benchmarks.paper")
        main = importlib.import_module("benchmarks.paper.__main__").main
        yield SimpleNamespace(**vars(package), main=main)


def arguments(folder, **options):
    words = ["--out", str(folder)]
    for name, value in (TINY | options).items():
        given = value if isinstance(value, list) else [value]
        words += [f"--{name.replace('_', '-')}", *map(str, given)]
    return words


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """A collection of 30 motifs, as TOMTOM needs 25."""
    path = tmp_path_factory.mktemp("motifs") / "known.meme"
    rng = np.random.default_rng(0)
    motifs = {f"M{i}": rng.dirichlet([0.2] * 4, 6).T for i in range(30)}
    gia.motifs.write_meme(path, motifs, alphabet="ACGU")
    return path


@pytest.fixture(scope="module")
def page(paper, collection, tmp_path_factory):
    """All panels, and what they returned."""
    folder, drawn = tmp_path_factory.mktemp("paper"), {}
    save = paper.__main__.save_panel

    def kept(panel, where):
        drawn[panel.name] = panel
        save(panel, where)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paper.__main__, "save_panel", kept)
        path = paper.main(arguments(folder, motifs=[collection]))
    return SimpleNamespace(path=path, html=path.read_text("utf-8"), panels=drawn)


def plain(html):
    return re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), html).replace("&gt;", ">")


def test_all_panels_of_the_paper_are_drawn(page, paper):
    assert list(page.panels) == NAMES == list(paper.registry.PANELS)
    assert "Panels that are not drawn" not in page.html


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_says_what_the_paper_says_and_what_is_found(page, name):
    panel, text = page.panels[name], plain(page.html)
    for part in (panel.question, panel.paper, panel.ours, panel.source, panel.differs):
        assert len(part) > 10
        assert part in text
    assert re.search(r"\d", panel.ours)
    assert "nan" not in panel.ours


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_has_figures_and_its_numbers_beside_them(page, name):
    panel, folder = page.panels[name], page.path.parent
    assert panel.tables
    for table in panel.tables:
        assert len(pd.read_csv(folder / "tables" / f"{table}.tsv", sep="\t"))
    # Two models make no histogram, and the table of motifs is one.
    assert bool(panel.figures) == (name not in ("2g", "4d", "4e", "S Table 1"))
    for figure in panel.figures:
        assert (folder / "figures" / f"{figure.name}.svg").stat().st_size > 1000


def test_simulated_panels_say_that_they_are(page):
    simulated = {n for n, p in page.panels.items() if "simulated" in p.source.lower()}
    bundled = {n for n, p in page.panels.items() if "bundled models" in p.source}
    assert bundled == {"2b", "2c", "2d", "2e", "2g", "4c", "4d", "4e", "S Table 1"}
    assert simulated == set(NAMES) - bundled


def test_the_page_needs_no_other_file(page):
    n_figures = sum(len(panel.figures) for panel in page.panels.values())
    assert page.html.count('<img src="data:image/') == n_figures
    assert not re.findall(r'src="(?!data:)', page.html)
    assert "28" in page.html.split('id="provenance"')[1]


def test_what_is_said_is_a_table_too(page):
    table = pd.read_csv(page.path.parent / "tables" / "panels.tsv", sep="\t")
    assert table["name"].tolist() == NAMES
    assert table["ours"].tolist() == [panel.ours for panel in page.panels.values()]


def test_the_documentation_has_a_line_for_every_panel():
    text = (ROOT / "docs" / "paper.md").read_text("utf-8")
    lines = re.findall(r"^\| \*\*(.+?)\*\*", text, re.M)
    assert lines == NAMES


def test_what_cannot_be_drawn_is_said(paper, tmp_path, capsys):
    path = paper.main(arguments(tmp_path, panels=["S Table 1"]))
    assert "no collection of known motifs was given" in path.read_text("utf-8")
    assert "S Table 1: not drawn" in capsys.readouterr().out


# Models of a folder.


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "models"
    for name in rb.pretrained_names():
        model, meta = rb.load_pretrained(name), rb.pretrained_metadata(name)
        (folder / name).mkdir(parents=True)
        rb.save(
            model,
            folder / name / "model.safetensors",
            experiments=meta.experiments,
            profile=rb.load_profile(name),
        )
    return folder


def test_models_of_a_folder_are_named_by_their_experiment(paper, data, tmp_path):
    given = paper.material.Given(data=data, subjects=("RNCMPT00002",))
    budget = paper.simulated.Budget(n=20)
    material = paper.material.Material(budget, tmp_path, given)
    assert list(material.subjects) == ["RNCMPT00001", "RNCMPT00002"]
    assert list(material.shown) == ["RNCMPT00002"]
    assert material.subjects["RNCMPT00001"].X.shape == (20, 4, 41)
    assert "2 models of the folder" in material.source


def test_unfit_folders_and_names_are_refused(paper, data, tmp_path):
    make, budget = paper.material.Material, paper.simulated.Budget()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"`data`=.* has no file"):
        _ = make(budget, tmp_path, paper.material.Given(tmp_path / "empty")).subjects
    with pytest.raises(ValueError, match=r"`subjects` has \['no'\]"):
        _ = make(budget, tmp_path, paper.material.Given(data, subjects=("no",))).shown
    original = data / "A1CF" / "model.safetensors"
    (data / "again.safetensors").write_bytes(original.read_bytes())
    with pytest.raises(ValueError, match="two models of RNCMPT00001"):
        _ = make(budget, tmp_path, paper.material.Given(data)).subjects


def test_measured_probes_of_a_given_model_are_drawn(paper, data, tmp_path):
    simulation = rb.simulate_rnacompete(200, rb.Truth("UAAUUA"))
    table = pd.DataFrame({"set": simulation.sets, "sequence": simulation.sequences})
    table["RNCMPT00001"] = simulation.y[:, 0].numpy()
    table.to_csv(tmp_path / "probes.tsv", sep="\t", index=False)
    given = paper.material.Given(data=data, measured=tmp_path / "probes.tsv")
    budget = paper.simulated.Budget(n=20, n_scan=16, k=3)
    material = paper.material.Material(budget, tmp_path, given)
    panel = paper.probes.panel_2a(material)
    assert "the model of RNCMPT00001" in panel.source
    assert len(panel.tables["2a"]) == 100  # set B
    # A1CF's model reads UAAUUA, which these simulated scores are of.
    assert panel.tables["2a"][["measured", "predicted"]].corr().iloc[0, 1] > 0.3


# Tables of scores.


@pytest.fixture
def scores(tmp_path):
    rows = [
        (e, "g", m, s, base + 0.1 * i + 0.01 * s)
        for i, e in enumerate("abc")
        for m, base in (("ResidualBind", 0.6), ("ResidualBind PU", 0.65), ("RCK", 0.4))
        for s in (0, 1)
    ]
    columns = ["experiment", "group", "method", "seed", "pearson"]
    path = tmp_path / "scores.tsv"
    pd.DataFrame(rows, columns=columns).to_csv(path, sep="\t", index=False)
    return path


def test_a_table_of_scores_is_averaged_over_seeds(paper, scores, tmp_path):
    given = paper.material.Given(performance=scores)
    material = paper.material.Material(paper.simulated.Budget(), tmp_path, given)
    panel = paper.performance.panel_1a(material)
    assert "ResidualBind PU 0.755 (3 experiments)" in panel.ours
    assert "RCK 0.505 (3 experiments)" in panel.ours
    assert panel.figures[0].draw().get_xticklabels()[2].get_text() == "RCK"
    panel = paper.performance.panel_1def(material)
    assert "PU 0.050 (a), 0.050 (b) and 0.050 (c)" in panel.ours


def test_a_table_without_a_column_is_refused(paper, scores, tmp_path):
    pd.read_csv(scores, sep="\t").drop(columns="method").to_csv(scores, sep="\t")
    given = paper.material.Given(performance=scores)
    material = paper.material.Material(paper.simulated.Budget(), tmp_path, given)
    with pytest.raises(ValueError, match="has no column method"):
        paper.performance.panel_1a(material)


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--motifs", "a licence", "is no motif file"),
        ("--performance", "experiment\tgroup\n", "has no column method"),
        ("--measured", "sequence\tscore\n", "has no column set"),
        ("--affinities", "kmer\tkd\nUGCAUG\tmuch\n", "could not convert"),
        ("--subjects", "", "`subjects` has"),
    ],
)
def test_what_cannot_be_read_is_said_before_the_first_panel(
    paper, option, text, message, tmp_path
):
    path = tmp_path / "given.tsv"
    path.write_text(text)
    value = f"A1CF={path}" if option == "--affinities" else str(path)
    words = ["--out", str(tmp_path / "out"), "--panels", "2c", option, value]
    with pytest.raises(ValueError, match=message):
        paper.__main__.main(words)
    assert not (tmp_path / "out").exists()


# What is simulated.


def test_structure_is_planted_in_one_of_two_proteins_with_the_same_probes(paper):
    sim = paper.simulated
    budget = sim.Budget(probes=400)
    folded, control = (sim.simulate(n, budget, None) for n in (sim.VTS1, sim.CONTROL))
    assert torch.equal(folded.X, control.X)
    gain = (folded.y - control.y)[:, 0]
    has_site = sim.truth_of(sim.VTS1).components(folded.X)["n_sites"].to_numpy() > 0
    assert (gain.numpy()[~has_site] == 0).all()
    assert gain.abs().max() > 2
    profiles = rb.structure_profiles(folded.X, "PHIME", n_jobs=1)
    row = int(gain.argmax())
    (start,) = [m.start() for m in re.finditer("GCUGGC", _spell(folded.X[row]))]
    paired, loop = profiles[row, :2, start : start + 6].mean(dim=1).tolist()
    assert gain[row].item() == pytest.approx(4 * loop - 4 * paired, abs=1e-4)


def _spell(x):
    return "".join("ACGU"[int(c.argmax())] if c.any() else "-" for c in x.T)


def test_the_truth_has_what_was_planted_in_loop_and_stem_and_the_control_nothing(paper):
    sim = paper.simulated
    X = gia.backgrounds.composition_background([0.25] * 4, 60, 41, random_state=0)
    X[:, :, [0, 39, 40]] = 0
    for read in (paper.structure.known_stems, paper.structure.random_stems):
        planted, none = (
            read(sim.true_model(name).eval(), X, "GCUGGC").gains["effect"].to_numpy()
            for name in (sim.VTS1, sim.CONTROL)
        )
        assert planted[0] > 2
        assert (planted[1:] < -1).all()
        assert np.abs(none).max() < 0.6


@pytest.mark.slow
def test_a_model_of_sequence_learns_planted_structure_and_none_where_none_is(
    paper, tmp_path
):
    budget = paper.simulated.Budget(probes=20_000, epochs=8, n=400)
    material = paper.material.Material(budget, tmp_path)
    table = paper.structure.panel_3c(material).tables["3c"]
    known = table[
        (table["reader"] == "model") & (table["stems"] == paper.structure.KNOWN)
    ].set_index(["protein", "place"])["effect"]
    folded, control = known["VTS1-like"], known["control"]
    assert folded["loop"] > 0.8
    assert (folded[["left arm", "right arm"]] < -0.5).all()
    # As measured, 0.06 in the loop and 0.57 in an arm, where stems make chance sites.
    assert abs(control["loop"]) < 0.3
    assert control.abs().max() < 1
    assert folded["loop"] - control["loop"] > 0.7
    assert (folded - control)[["left arm", "right arm"]].max() < -0.4


# Affinities that are known.


@pytest.mark.slow
def test_effects_of_a_trained_model_go_along_with_known_affinities(paper, tmp_path):
    budget = paper.simulated.Budget(probes=16_000, epochs=8, n=200, n_scan=16, k=3)
    material = paper.material.Material(budget, tmp_path)
    table = paper.motifs.panel_2f(material).tables["2f"].drop(columns="model")
    fit = np.polyfit(table["x"], table["effect"], 1)
    assert fit[0] == pytest.approx(-2, abs=0.6)
    assert np.corrcoef(table["x"], table["effect"])[0, 1] < -0.9


def _affinity_fit(paper, model, affinities):
    X = gia.backgrounds.composition_background([0.25] * 4, 300, 41, random_state=0)
    subject = SimpleNamespace(model=model.eval(), X=X)
    effects = paper.motifs.affinity_effects(subject, list(affinities.index))
    return gia.statistics.affinity_regression(effects, affinities, log=True)


def test_effects_of_a_protein_go_along_with_its_known_affinities(paper):
    sim, affinities = paper.simulated, paper.motifs.known_affinities()
    assert affinities["UGCAUG"] == affinities.min() == pytest.approx(np.exp(-4.0))
    fit = _affinity_fit(paper, sim.true_model(sim.RBFOX1), affinities)
    # Crowding by sites that backgrounds hold takes some of the planted -2.
    assert fit.slope.effect == pytest.approx(-2, abs=0.25)
    assert fit.r2 > 0.98
    assert fit.spearman.effect < -0.95


def test_another_protein_or_affinities_out_of_order_show_nothing(paper):
    sim, affinities = paper.simulated, paper.motifs.known_affinities()
    fit = _affinity_fit(paper, sim.true_model(sim.CONTROL), affinities)
    assert not fit.p < 0.05
    shuffled = pd.Series(affinities.to_numpy()[[3, 0, 5, 1, 6, 2, 4]], affinities.index)
    fit = _affinity_fit(paper, sim.true_model(sim.RBFOX1), shuffled)
    assert fit.p > 0.05


def test_affinities_are_read_with_comments(paper, tmp_path):
    path = tmp_path / "kd.tsv"
    path.write_text('# Source, cell 18; "Fox-1"\npattern\tkd\nUGCAUGU\t0.83\nAG\t4\n')
    assert paper.motifs.read_affinities(path).to_dict() == {"UGCAUGU": 0.83, "AG": 4.0}


def test_affinities_of_a_model_that_is_not_there_are_refused(paper, tmp_path):
    path = tmp_path / "kd.tsv"
    path.write_text("pattern\tkd\nUGCAUG\t0.83\n")
    given = paper.material.Given(affinities={"RBFOX1": path})
    material = paper.material.Material(paper.simulated.Budget(n=20), tmp_path, given)
    with pytest.raises(paper.panel.Missing, match="of RBFOX1, and models of"):
        paper.motifs.panel_2f(material)
