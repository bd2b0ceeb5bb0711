"""What is drawn of effects beside structures, and of structures beneath logos."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

mpl.use("Agg")

import matplotlib.pyplot as plt

from tangermeme_gia.plot import (
    mutagenesis_logo,
    pairedness_scatter,
    stability_scatter,
    structure_arcs,
    unpaired_logo,
)
from tangermeme_gia.statistics.associations import correlation
from tangermeme_gia.statistics.intervals import confidence_interval

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "patterns": ["GAC@3"] * 60 + ["CCC@3"] * 60,
        "background": [*range(60), *range(60)],
        "output": 0,
        "energy": -10 * RNG.random(120),
        "unpaired": RNG.random(120),
        "local_importance": RNG.standard_normal(120),
    }
)
ONE = FRAME[:60]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def points(ax):
    return [
        np.asarray(c.get_offsets())
        for c in ax.collections
        if isinstance(c, PathCollection)
    ]


@pytest.mark.parametrize(
    ("plot", "column"),
    [(pairedness_scatter, "unpaired"), (stability_scatter, "energy")],
)
def test_points_means_and_correlation_of_one_condition(plot, column):
    ax = plot(ONE)
    x, y = ONE[column].to_numpy(), ONE["local_importance"].to_numpy()
    assert np.allclose(points(ax)[0], np.stack([x, y], axis=1))
    line = next(line for line in ax.lines if len(line.get_xdata()) == 6)
    order = np.argsort(x).reshape(6, 10)
    assert np.allclose(line.get_xdata(), x[order].mean(axis=1))
    assert np.allclose(line.get_ydata(), y[order].mean(axis=1))
    interval = confidence_interval(y[order[2]])
    segments = ax.collections[-1].get_segments()
    assert np.allclose(segments[2][:, 1], [interval.low, interval.high])
    r = correlation(x, y)
    text = f"r = {r.effect:.2f} [{r.low:.2f}, {r.high:.2f}], n = 60 backgrounds"
    assert ax.texts[0].get_text() == text.replace("-", "−")


def test_conditions_have_colours_and_one_output_is_drawn():
    ax = pairedness_scatter(FRAME)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [label.split("\n")[0] for label in labels] == ["GAC@3", "CCC@3"]
    assert len(points(ax)) == 2
    assert ax.texts[0].get_text() == "n = 60 backgrounds"
    both = pd.concat([ONE, ONE.assign(output=1, local_importance=2.0)])
    ax = pairedness_scatter(both[both["output"] == 1])
    assert (points(ax)[0][:, 1] == 2).all()
    assert ax.texts[0].get_text() == "n = 60 backgrounds"  # constants have no r
    with pytest.raises(ValueError, match="`frame` has the outputs 0, 1; choose one"):
        pairedness_scatter(both)
    with pytest.raises(ValueError, match="`by`='motif': 'motif' is no column"):
        pairedness_scatter(FRAME, by="motif")


def test_few_backgrounds_have_points_alone():
    ax = pairedness_scatter(ONE[:3])
    assert len(points(ax)[0]) == 3
    assert all(len(line.get_xdata()) <= 2 for line in ax.lines)
    assert ax.texts[0].get_text() == "n = 3 backgrounds"


def test_a_frame_from_elsewhere_is_refused():
    with pytest.raises(
        ValueError, match=r"lacks the column 'unpaired'; .*importance_by"
    ):
        pairedness_scatter(ONE.drop(columns="unpaired"))
    with pytest.raises(ValueError, match="no number in the column 'unpaired'"):
        pairedness_scatter(ONE.assign(unpaired=np.nan))


def test_arcs_join_the_pairs_below_the_positions_of_a_logo():
    figure, axes = plt.subplots(2, 1, sharex=True)
    change = np.zeros((9, 4))
    change[:, 3] = 1
    mutagenesis_logo(change, "AACGGACGC", "ACGU", ax=axes[0])
    ax = structure_arcs(".((...)).", ax=axes[1])
    arcs = [(arc.center[0] - arc.width / 2, arc.center[0] + arc.width / 2)
            for arc in ax.patches]  # fmt: skip
    assert arcs == [(1, 7), (2, 6)]
    assert {(arc.theta1, arc.theta2) for arc in ax.patches} == {(180, 360)}
    assert ax.get_xlim() == axes[0].get_xlim() == (-0.5, 8.5)
    assert ax.get_ylim()[0] < -3
    figure.canvas.draw()
    assert ax.get_window_extent().x0 == axes[0].get_window_extent().x0


@pytest.mark.parametrize(
    ("structure", "message"), [("((.)", "never closed"), ("", "empty"), ("[.]", "knot")]
)
def test_what_is_no_structure_has_no_arcs(structure, message):
    with pytest.raises(ValueError, match=message):
        structure_arcs(structure)


def test_letters_are_as_high_as_they_are_unpaired():
    ax = unpaired_logo([np.nan, 0.25, 1.0, 0.0, 1.0], "GACUN", "ACGU")
    boxes = [patch.get_path().get_extents() for patch in ax.patches]
    heights = sorted(round(box.height, 3) for box in boxes)
    assert heights == [0.25, 1.0, 1.0]
    assert ax.get_xlim() == (-0.5, 4.5)
    assert ax.get_ylim() == (0, 1)


@pytest.mark.parametrize(
    ("unpaired", "sequence", "message"),
    [
        ([0.1], "AC", r"shape \(1,\) and `sequence` 2 letters"),
        ([], "", "at least one"),
        ([0.1, 1.2], "AC", "between 0 and 1"),
        ([0.1, 0.2], "AT", "'T' at position 1; allowed are A, C, G, U, N"),
    ],
)
def test_what_is_no_track_is_refused(unpaired, sequence, message):
    with pytest.raises(ValueError, match=message):
        unpaired_logo(unpaired, sequence, "ACGU")
