"""Pictures of pairs of motifs."""

import matplotlib as mpl
import numpy as np
import pytest
import torch

mpl.use("Agg")

import matplotlib.pyplot as plt

from tangermeme_gia import motif_grammar, plot
from tangermeme_gia.plot.pairs import short_names


class Together(torch.nn.Module):
    """1 where GACCA and CCTGC are there, -1 where CCTGC is there twice."""

    def forward(self, X):
        counts = []
        for letters in ("GACCA", "CCTGC"):
            kernel = torch.eye(4)[["ACGT".index(x) for x in letters]].T[None]
            found = torch.nn.functional.conv1d(X.float(), kernel) == len(letters)
            counts.append(found.sum(dim=(1, 2)).float())
        a, b = counts
        return (a * b - b * (b - 1) / 2)[:, None]


@pytest.fixture(scope="module")
def grammar():
    X = torch.zeros(16, 4, 40)
    X[:, 0] = 1
    motifs = ["GACCA", "CCTGC", "TTTTT"]
    return motif_grammar(Together(), X, motifs, range(6), random_state=0)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.mark.filterwarnings("ignore::tangermeme_gia.statistics.FewEffectsWarning")
def test_cells_are_effects_of_pairs(grammar):
    ax = plot.pair_matrix(grammar)
    grid = np.ma.filled(ax.images[1].get_array(), np.nan)
    assert grid[1, 0] == pytest.approx(1)
    assert grid[1, 1] == pytest.approx(-1)
    assert np.isnan(grid[2, :]).all()
    assert {t.get_text() for t in ax.texts if "\n" in t.get_text()} == {
        "soft\n1",
        "soft\n-1",
    }
    # A logo for each motif, and the colour bar.
    assert len(ax.child_axes) == 4


@pytest.mark.filterwarnings("ignore::tangermeme_gia.statistics.FewEffectsWarning")
def test_rows_are_arrangements_and_columns_spacings(grammar):
    ax = plot.spacing_heatmap(grammar, ("CCTGC", "GACCA"))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == 8
    grid = np.asarray(ax.images[0].get_array())
    assert grid.shape == (8, 6)
    rows = [labels.index(row) for row in ("GACCA+ CCTGC+", "CCTGC+ GACCA+")]
    assert grid[rows] == pytest.approx(np.ones((2, 6)))
    others = [i for i in range(8) if i not in rows]
    assert np.abs(grid[others]).max() == 0
    dots = ax.lines[0].get_xydata()
    assert {tuple(xy) for xy in dots} == {(x, y) for x in range(6) for y in rows}
    assert [label.get_text() for label in ax.get_xticklabels()] == list("012345")


def test_lines_are_confirmed_pairs(grammar):
    ax = plot.pair_network(grammar)
    edges = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert len(edges) == 1
    assert len(ax.patches) == 1  # CCTGC with itself
    assert {"GACCA", "CCTGC", "TTTTT"} <= {text.get_text() for text in ax.texts}


@pytest.mark.filterwarnings("ignore::tangermeme_gia.statistics.FewEffectsWarning")
def test_all_of_them_in_one_figure(grammar):
    figure, given = plt.subplots()
    for ax in (grammar.plot(), grammar.plot(ax=given)):
        matrix, network, *maps = ax.child_axes
        assert len(matrix.get_yticklabels()) == 3
        assert network.get_legend() is not None
        rows = [[t.get_text() for t in each.get_yticklabels()] for each in maps]
        assert [row[0] for row in rows] == ["GACCA+ CCTGC+", "CCTGC+ CCTGC+"]
    assert given.figure is figure
    assert len(grammar.plot(most=1).child_axes) == 3


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["MA1 X", "MA2 X"], ["MA1 X", "MA2 X"]),  # no longer told apart
        (["GATA", ""], ["GATA", ""]),
        (["pos_patterns.pattern_0", "MA1 pattern_0"], ["pos_pattern_0", "pattern_0"]),
        (["A_NAME_OF_MANY_LETTERS"], ["A_NAME…ETTERS"]),
    ],
)
def test_short_names_tell_motifs_apart(names, short):
    assert short_names(names, 14) == short


def test_two_motifs_are_no_network():
    X = torch.zeros(16, 4, 40)
    X[:, 0] = 1
    ax = motif_grammar(Together(), X, ["GACCA", "CCTGC"], [2], random_state=0).plot()
    assert not any(each.get_legend() for each in ax.child_axes)


def test_names_are_short_and_keep_their_strands():
    X = torch.zeros(16, 4, 40)
    X[:, 0] = 1
    motifs = {"MA0099.3 FOS::JUN": "GACCA", "MA0139.1 CTCF": "CCTGC"}
    grammar = motif_grammar(Together(), X, motifs, [2], random_state=0)
    ax = plot.spacing_heatmap(grammar, [*motifs])
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [
        "FOS::JUN+ CTCF+",
        "FOS::JUN+ CTCF-",
        "FOS::JUN- CTCF+",
        "FOS::JUN- CTCF-",
        "CTCF+ FOS::JUN+",
        "CTCF- FOS::JUN+",
        "CTCF+ FOS::JUN-",
        "CTCF- FOS::JUN-",
    ]
    full = [w.replace("FOS", "MA0099.3 FOS") for w in labels]
    full = [w.replace("CTCF", "MA0139.1 CTCF") for w in full]
    assert full == grammar.profiles.query("a != b")["arrangement"].tolist()


def test_what_cannot_be_drawn_is_named(grammar):
    plots = plot.pair_matrix, plot.pair_network, plot.spacing_heatmap
    for draw in (*plots, plot.grammar_overview):
        with pytest.raises(TypeError, match="must be a Grammar"):
            draw(grammar.pairs)
    with pytest.raises(ValueError, match="was not measured on the confirming half"):
        plot.spacing_heatmap(grammar, ("GACCA", "TTTTT"))
