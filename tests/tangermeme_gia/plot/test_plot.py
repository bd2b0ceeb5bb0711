"""What holds for every plot; what each draws is tested beside its module."""

import copy
import io
import itertools
import subprocess
import sys
from functools import cache

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia._core.motif import Motif
from tangermeme_gia._core.results import GIAResult

mpl.use("Agg")

import matplotlib.pyplot as plt
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from tangermeme.utils import characters, random_one_hot

from tangermeme_gia import ExpectedMotifs, motif_grammar, plot, rank_expected
from tangermeme_gia.plot.style import SKY, VERMILION
from tangermeme_gia.statistics import EffectNull, Grammar, effect_null
from tangermeme_gia.statistics.comparisons import Comparison
from tangermeme_gia.statistics.site_sets import site_sets
from tangermeme_gia.surveys.motif_scan import motif_scan
from tangermeme_gia.surveys.motif_scan_result import MotifScan


def result(**conditions: list) -> GIAResult:
    local = torch.randn(
        12, len(next(iter(conditions.values()))), 1, generator=torch.manual_seed(0)
    )
    before = torch.ones(12, 1)
    return GIAResult(before, local + before[:, None], pd.DataFrame(conditions))


def change() -> pd.DataFrame:
    return pd.DataFrame([[0, -3.0, -4, 0], [-1, 0, 0, 0]], columns=list("ACGU"))


def folded(names=("UGCAUG@3", "UGCAUG@9")) -> pd.DataFrame:
    """As from `importance_by_structure`, of 40 backgrounds."""
    rng = np.random.default_rng(0)
    n = 40 * len(names)
    return pd.DataFrame(
        {
            "patterns": np.repeat(names, 40),
            "background": np.tile(np.arange(40), len(names)),
            "output": 0,
            "energy": -9 * rng.random(n),
            "unpaired": rng.random(n),
            "local_importance": rng.standard_normal(n),
        }
    )


class Discovery:
    """As of `discover_motifs`, with one pattern known by its contributions."""

    def __init__(self, names=("pos_patterns.pattern_0", "ELK4"), verdict="neither"):
        self.motifs = {n: Motif.parse("GGAAGT") for n in names}
        self.cwms = {names[0]: torch.eye(4)[:, [2, 2, 0]]}
        self.table = pd.DataFrame({"pattern": names, "verdict": verdict})
        for kind, effect in (("placed", 1.0), ("removed", -1.0)):
            self.table[f"{kind}_effect"] = effect
            self.table[f"{kind}_low"] = effect - 0.1
            self.table[f"{kind}_high"] = effect + 0.1

    def __eq__(self, other):
        return self.table.equals(other.table) and self.motifs == other.motifs

    def to_frame(self, confidence=0.95, alpha=0.05):
        return self.table


def scan(names=("Gata", "Ebox", "Gata2")) -> MotifScan:
    """Of models that read the first letter."""
    X = random_one_hot((30, 4, 20), random_state=0)
    letters = ["GATAACTG", "CACGTGAA", "CAGTTATC"]
    letters += [characters(y) for y in random_one_hot((30, 4, 15), random_state=0)]
    motifs = dict(zip(names, letters, strict=False))
    return motif_scan(
        lambda X: X[:, 2, 4:9].sum(dim=-1, keepdim=True),
        X,
        motifs,
        strands="apart",
        random_state=0,
    )


def expected() -> ExpectedMotifs:
    """Of a model that reads the first letter."""
    X = random_one_hot((30, 4, 20), random_state=0)
    return rank_expected(
        lambda X: X[:, 2, 4:9].sum(dim=-1, keepdim=True), X, ["GATC", "CCC"]
    )


def graded() -> GIAResult:
    """Effects of 20 sites that grow with their score to level off."""
    score = list(range(20))
    given = result(score=score, level=score)
    effect = torch.tensor(score).clamp(max=8)[None, :, None]
    return given._replace(y_afters=given.y_afters * 0.1 + effect)


def cells() -> GIAResult:
    """Of a grid whose sum is squared, and both at full strength higher."""
    levels = np.array(list(np.ndindex(4, 4, 3)))
    y = levels.sum(axis=1) + 1.5 * (levels[:, :2] == 3).all(axis=1)
    columns = ["level_a", "level_b", "level_c"]
    given = result(**dict(zip(columns, levels.T.tolist(), strict=True)))
    return given._replace(y_afters=torch.tensor(y**2)[None, :, None].repeat(12, 1, 1))


def curve() -> GIAResult:
    """Of three sites, two elements and a sum that is squared."""
    cells = [(*s, *cd) for s in site_sets(3) for cd in np.ndindex(4, 3)]
    names = ["level_1", "level_2", "level_3", "level_c", "level_d"]
    levels = np.array(cells)
    columns = dict(zip(names, levels.T.tolist(), strict=True))
    given = result(**columns, n_sites=levels[:, :3].sum(axis=1).tolist())
    y = torch.tensor((1.0 + levels @ np.array([1, 1, 1, 0.5, 0.4])) ** 2)
    return given._replace(y_afters=y[None, :, None].repeat(12, 1, 1))


class Product(torch.nn.Module):
    """The number of A times that of T, in 800."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        counts = X.float().sum(dim=-1)
        return counts[:, [0]] * counts[:, [3]] / 800


def null(n: int = 60) -> EffectNull:
    """Of a motif, with as many random words and shuffles."""
    kinds = [f"{kind} {i}" for kind in ("random", "shuffled") for i in range(n)]
    return effect_null(
        result(
            control=["none", *kinds],
            control_letters=["", *kinds],
            start=[3] * (2 * n + 1),
        )
    )


@cache
def pairs() -> Grammar:
    """Of two motifs that act together everywhere."""
    X = torch.eye(4)[torch.arange(16 * 30).reshape(16, 30) ** 2 % 11 % 4]
    motifs = ["AAAA", "TTTTT"]
    return motif_grammar(Product(), X.transpose(1, 2), motifs, range(4), random_state=0)


FACTORS = {"arm": ["A", "B", "AB"], "A": [True, False, True], "B": [False, True, True]}
GRID = pd.DataFrame({"background": ["a", "b"], "n_sites": [1, 1], "effect": [1.0, 2]})


def compared(*names: str, **conditions: list) -> Comparison:
    return Comparison({name: result(**conditions) for name in names})


KD = {"AA": 1.0, "AC": 2.0, "AG": 4.0}
CASES = {
    "affinity_regression": lambda: (result(kmer=["AA", "AC", "AG"]), KD),
    "additivity_histogram": lambda: (np.array([0.9, 0.8]),),
    "additivity_line": lambda: (result(n_sites=[1, 2, 3]),),
    "affinity_curve": lambda: (graded(),),
    "background_boxes": lambda: (compared("a", "b", n_sites=[1, 2]),),
    "background_grid": lambda: (GRID.copy(),),
    "expected_ranks": lambda: (expected(),),
    "factorial_bars": lambda: (result(**FACTORS),),
    "fitting_plot": lambda: (result(spacing=[0, 1]),),
    "gc_bias_histograms": lambda: (
        pd.DataFrame({"left": [1.0, 2.0], "right": [2.0, 3.0]}),
    ),
    "grammar_overview": lambda: (pairs(),),
    "interaction_bars": lambda: (result(**FACTORS),),
    "kmer_ranks": lambda: (result(kmer=["AA", "AC", "AG"]),),
    "latent_curve": lambda: (curve(),),
    "latent_link": lambda: (cells(),),
    "local_importance_boxes": lambda: (result(start=[3, 9]),),
    "motif_effects": lambda: (scan(),),
    "motif_logo": lambda: (torch.eye(4), "ACGU"),
    "mutagenesis_heatmap": lambda: (change(), "AC", "ACGU"),
    "mutagenesis_logo": lambda: (change(), "AC", "ACGU"),
    "null_histogram": lambda: (null(),),
    "pair_matrix": lambda: (pairs(),),
    "pair_network": lambda: (pairs(),),
    "pairedness_scatter": lambda: (folded(),),
    "pattern_effects": lambda: (Discovery(),),
    "position_curve": lambda: (result(start=[3, 9]),),
    "spacing_heatmap": lambda: (pairs(),),
    "stability_scatter": lambda: (folded(),),
    "structure_arcs": lambda: (".((...)).",),
    "unpaired_logo": lambda: ([0.5, 1.0], "AC", "ACGU"),
    "predicted_measured": lambda: ([1.0, 2, 4], [1.0, 3, 2], [0, 1, 1]),
    "spacing_curve": lambda: (result(spacing=[0, 1]),),
}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def same(a: object, b: object) -> bool:
    if isinstance(a, Grammar):
        tables = ("pairs", "profiles", "tests", "found")
        return all(same(getattr(a, t), getattr(b, t)) for t in tables)
    if isinstance(a, Comparison):
        return all(same(a.results[name], b.results[name]) for name in a.results)
    if isinstance(a, GIAResult):
        return all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, EffectNull):
        return same(a.motifs, b.motifs) and same(a.words, b.words)
    if isinstance(a, MotifScan | ExpectedMotifs):
        return same(a.to_frame(), b.to_frame())
    if isinstance(a, pd.DataFrame):
        return a.equals(b)
    if isinstance(a, dict):
        return a == b
    return bool(np.all(np.asarray(a) == np.asarray(b)))


def test_every_plot_is_covered_here():
    assert set(CASES) == set(plot.__all__)


@pytest.mark.parametrize("name", CASES)
def test_axes_given_are_drawn_on_and_returned(name):
    figure, axes = plt.subplots(1, 2)
    drawn = getattr(plot, name)(*CASES[name](), ax=axes[1])
    assert drawn is axes[1]
    assert plt.get_fignums() == [figure.number]
    assert figure.axes == list(axes)
    assert any(each.has_data() for each in [drawn, *drawn.child_axes])
    assert not axes[0].has_data()


@pytest.mark.parametrize("name", CASES)
def test_a_new_figure_has_the_width_of_one_column_and_legible_type(name):
    ax = getattr(plot, name)(*CASES[name]())
    assert len(plt.get_fignums()) == 1
    assert ax.figure.get_size_inches()[0] == 3.5
    # Ticks and their labels exist only once drawn.
    ax.figure.canvas.draw()
    texts = [t for t in ax.figure.findobj(Text) if t.get_visible() and t.get_text()]
    assert texts
    assert min(text.get_fontsize() for text in texts) >= 7
    width, height = ax.figure.canvas.get_width_height()
    # Matplotlib keeps tick labels outside the limits, which are not drawn.
    ticks = [
        label
        for each in ax.figure.findobj(Axes)
        for label in each.get_xticklabels() + each.get_yticklabels()
    ]
    for text in texts:
        if text not in ticks:
            box = text.get_window_extent()
            assert -1 <= box.x0 < box.x1 <= width + 1, text.get_text()
            assert -1 <= box.y0 < box.y1 <= height + 1, text.get_text()


LONG = ["UGCAUGUGCAUGUUUUUGGGCCCAAAUUU" + str(i) for i in range(30)]
SEQUENCE = "ACGU" * 30
SPACINGS = pd.DataFrame(
    [(x, name, -1e-6 * x) for name in LONG for x in range(4)],
    columns=["spacing", "arm", "effect"],
)
AWKWARD = {
    "boxes_of_one": lambda: plot.local_importance_boxes(result(start=[3])),
    "many_boxes": lambda: plot.local_importance_boxes(result(start=list(range(30)))),
    "long_boxes": lambda: plot.local_importance_boxes(result(motif=LONG)),
    "long_names": lambda: plot.local_importance_boxes(result(motif=LONG[:4])),
    "many_sites": lambda: plot.additivity_line(result(n_sites=list(range(1, 31)))),
    "long_arms": lambda: plot.interaction_bars(result(**FACTORS), labels=LONG[:2]),
    "many_curves": lambda: plot.spacing_curve(SPACINGS, by="arm"),
    "one_position": lambda: plot.position_curve(result(start=[7])),
    "many_motifs": lambda: plot.motif_effects(scan(LONG), top=12),
    "many_kmers": lambda: plot.kmer_ranks(result(kmer=LONG), top=30),
    "long_patterns": lambda: plot.pattern_effects(
        Discovery(LONG[:9], "not sufficient, removal not tested")
    ),
    "one_cell": lambda: plot.background_grid(
        GRID[:1].rename(columns={"n_sites": "start"})
    ),
    "many_backgrounds": lambda: plot.background_grid(
        pd.DataFrame({"background": LONG[:12], "n": 1000, "start": 5, "effect": -1e-7})
    ),
    "long_rows": lambda: plot.background_grid(
        pd.DataFrame({"background": "a", "motif": LONG, "effect": 1e5})
    ),
    "many_sites_folded": lambda: plot.pairedness_scatter(folded(LONG[:9])),
    "long_arcs": lambda: plot.structure_arcs("((((" + "." * 400 + "))))"),
    "no_arcs": lambda: plot.structure_arcs("..."),
    "long_track": lambda: plot.unpaired_logo([0.5] * 120, SEQUENCE, "ACGU"),
    "long_heatmap": lambda: plot.mutagenesis_heatmap(
        np.eye(4)[[1, 2, 3, 0] * 30] * 1e-6, SEQUENCE, "ACGU"
    ),
    "long_structure": lambda: plot.mutagenesis_logo(
        np.eye(4)[[1, 2, 3, 0] * 30], SEQUENCE, "ACGU", structure="(" * 60 + ")" * 60
    ),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_input_leaves_all_type_inside_the_figure_and_apart(name):
    ax = AWKWARD[name]()
    assert ax.figure.get_size_inches()[0] == 3.5
    ax.figure.canvas.draw()
    width, height = ax.figure.canvas.get_width_height()
    left, right = sorted(ax.get_xlim())
    low, high = sorted(ax.get_ylim())
    ticks = [
        label.get_window_extent()
        for axis, (first, last) in [(ax.xaxis, (left, right)), (ax.yaxis, (low, high))]
        for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        if first <= place <= last and label.get_text() and not label.get_rotation() % 90
    ]
    others = [ax.xaxis.label, ax.yaxis.label, *ax.texts]
    legend = ax.get_legend()
    others += [] if legend is None else legend.get_texts()
    boxes = [t.get_window_extent() for t in others if t.get_text()] + ticks
    for box in boxes:
        assert -1 <= box.x0 < box.x1 <= width + 1
        assert -1 <= box.y0 < box.y1 <= height + 1
    for first, second in itertools.combinations(boxes, 2):
        # Boxes are a little larger than what is drawn in them.
        assert not first.padded(-1.5).overlaps(second.padded(-1.5))
    axes_box = ax.get_window_extent()
    assert axes_box.height > 70
    assert axes_box.width > 100


@pytest.mark.parametrize("name", CASES)
def test_input_and_settings_are_not_changed(name):
    arguments = CASES[name]()
    before, settings = copy.deepcopy(arguments), dict(mpl.rcParams)
    getattr(plot, name)(*arguments)
    assert all(same(a, b) for a, b in zip(arguments, before, strict=True))
    assert dict(mpl.rcParams) == settings


# Matplotlib leaves the first two out of legends; the others are formulas, two wrong.
MARKUP = ["_neg", "", "Ba$$in", "a$_^$b", "$x$"]
TABLE = pd.DataFrame({name: [0.9, 1.0, 1.1] for name in MARKUP})
NAMED = {
    "affinities": lambda: plot.affinity_regression(
        result(kmer=MARKUP), dict(zip(MARKUP, range(5), strict=True)), name="$_^$"
    ),
    "backgrounds": lambda: plot.background_boxes(compared(*MARKUP, **{"a$_^$": [1]})),
    "boxes": lambda: plot.local_importance_boxes(result(motif=MARKUP), "motif"),
    "curves": lambda: plot.spacing_curve(
        pd.DataFrame({"spacing": 1, "$_^$": MARKUP, "effect": 1.0}), by="$_^$"
    ),
    "factorial": lambda: plot.factorial_bars(
        result(**{"a$_^$": FACTORS["A"], "_b": FACTORS["B"]})
    ),
    "grid": lambda: plot.background_grid(
        pd.DataFrame({"background": MARKUP, "a$_^$b": "c$_^$d", "effect": 1.0})
    ),
    "histograms": lambda: plot.gc_bias_histograms(TABLE, MARKUP, xlabel="a$_^$b"),
    "interaction": lambda: plot.interaction_bars(result(**FACTORS), labels=MARKUP[2:4]),
    "kmers": lambda: plot.kmer_ranks(result(kmer=MARKUP)),
    "scatter": lambda: plot.pairedness_scatter(folded(MARKUP)),
    "variants": lambda: plot.mutagenesis_heatmap(np.eye(2)[::-1], "$_", ["$", "_"]),
}


@pytest.mark.parametrize("name", NAMED)
def test_names_are_no_markup(name):
    ax = NAMED[name]()
    ax.figure.savefig(io.BytesIO())
    legend = ax.get_legend()
    if legend is not None:
        shown = [text.get_text().partition("\n")[0] for text in legend.get_texts()]
        assert shown == MARKUP
    texts = [t for t in ax.figure.findobj(Text) if "$" in t.get_text()]
    assert texts or legend is None
    assert not any(text.get_parse_math() or text.get_usetex() for text in texts)


def luminance(colour) -> float:
    """As WCAG 2.1 has it."""
    parts = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in to_rgb(colour)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


# Colours that are not seen, and letters that leave no room.
ODD = {"axes.prop_cycle": mpl.cycler(color=["white"]), "font.size": 30}
STYLES = ["dark_background", "ggplot", "Solarize_Light2", pytest.param(ODD, id="odd")]


@pytest.mark.parametrize("given", [False, True], ids=["new axes", "axes given"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", CASES)
def test_what_must_contrast_does_under_any_style(name, style, given):
    with mpl.style.context(style):
        before = dict(mpl.rcParams)
        ax = plt.subplots()[1] if given else None
        if not given:
            ax = getattr(plot, name)(*CASES[name]())
        assert dict(mpl.rcParams) == before
    if given:  # drawn when the style is no longer set
        getattr(plot, name)(*CASES[name](), ax=ax)
    # Neither on cells of a heat map nor on a box.
    own = {"background_grid", "mutagenesis_logo", "pair_matrix"}
    face, figure = ax.get_facecolor(), ax.figure.get_facecolor()
    for text in () if name in own else ax.texts:
        ground = figure if text.get_position()[1] > 1 else face
        if to_rgb(text.get_color()) != to_rgb(VERMILION):
            assert contrast(text.get_color(), ground) >= 3, text
    maps = {"mutagenesis_heatmap", "spacing_heatmap"}
    for line in () if name in maps else ax.lines:
        on_box = name.endswith("_boxes") and line.get_color() == "black"
        ground = SKY if on_box else face
        assert contrast(line.get_color(), ground) >= 1.5, line
    for collection in ax.collections:
        for colour in collection.get_edgecolor():
            assert contrast(colour, face) >= 1.5, collection
    legend = ax.get_legend()
    for text in () if legend is None else legend.get_texts():
        assert contrast(text.get_color(), figure) >= 3


def test_plots_are_no_part_of_the_package_import():
    code = "import sys, tangermeme_gia; print('matplotlib' in sys.modules)"
    run = [sys.executable, "-c", code]
    output = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert output.strip() == "False"
