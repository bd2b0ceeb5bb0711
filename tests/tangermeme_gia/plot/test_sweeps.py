import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

from tangermeme_gia.plot import kmer_ranks, position_curve, spacing_curve


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


@pytest.fixture
def frame() -> pd.DataFrame:
    table = pd.DataFrame({"spacing": [2, 0, 1, 0, 1], "arm": ["AB"] * 3 + ["BA"] * 2})
    table["effect"] = [5.0, 3.0, 4.0, 1.0, 2.0]
    return table.assign(low=table["effect"] - 1, high=table["effect"] + 2, n=50)


def test_each_group_is_a_curve_in_the_order_of_the_axis(ax, frame):
    spacing_curve(frame, by="arm", ax=ax)
    curves = [line.get_xydata().tolist() for line in ax.lines[1:]]
    assert curves == [[[0, 3], [1, 4], [2, 5]], [[0, 1], [1, 2]]]
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["AB", "BA"]
    assert legend.get_title().get_text() == "Arm"
    assert ax.lines[1].get_color() != ax.lines[2].get_color()
    assert ax.get_xlabel() == "Spacing between motifs (nt)"
    assert ax.texts[0].get_text() == "n = 50 backgrounds"


def test_bands_are_the_intervals(ax, frame):
    position_curve(frame.rename(columns={"spacing": "start"}).head(3), ax=ax)
    corners = ax.collections[0].get_paths()[0].vertices
    at = {x: corners[corners[:, 0] == x, 1] for x in (0, 1, 2)}
    assert [(y.min(), y.max()) for y in at.values()] == [(2, 5), (3, 6), (4, 7)]
    assert ax.get_legend() is None
    assert ax.get_xlabel() == "Start of the motif (0-based position)"


def test_one_background_has_no_band(ax, frame):
    spacing_curve(frame.assign(low=np.nan, high=np.nan, n=1), by="arm", ax=ax)
    assert len(ax.collections) == 0
    assert ax.texts[0].get_text() == "n = 1 background"


def test_the_number_of_models_is_told_too(ax, frame):
    spacing_curve(frame.assign(n_models=3), by="arm", ax=ax)
    assert ax.texts[0].get_text() == "n = 50 backgrounds, 3 models"


def test_conditions_that_share_a_spacing_need_a_column(ax, frame):
    with pytest.raises(
        ValueError, match=r"several .* `spacing` spacing=0; name in `by"
    ):
        spacing_curve(frame, ax=ax)
    with pytest.raises(ValueError, match=r"`by`='order': 'order' is no column"):
        spacing_curve(frame, by="order", ax=ax)
    with pytest.raises(ValueError, match=r"`spacing`='arm' holds 'AB'; numbers"):
        spacing_curve(frame, "arm", ax=ax)


def test_a_table_is_of_one_output(ax, frame):
    frame = frame.head(3)
    both = pd.concat([frame.assign(output=0), frame.assign(output=1, effect=9.0)])
    spacing_curve(both[both["output"] == 1], ax=ax)
    assert ax.lines[1].get_ydata().tolist() == [9, 9, 9]
    with pytest.raises(ValueError, match="`result` has the outputs 0, 1; choose one"):
        spacing_curve(both, ax=ax)
    with pytest.raises(ValueError, match=r"a column 'effect' and at least one row"):
        spacing_curve(frame.head(0), ax=ax)
    with pytest.raises(TypeError, match=r"`result` is a list"):
        spacing_curve([1], ax=ax)


def test_kmers_stand_by_rank_and_the_best_are_named(ax):
    scan = pd.DataFrame({"kmer": ["AA", "UG", "GC"], "effect": [-1.0, 2, 3], "n": 9})
    kmer_ranks(scan, top=2, ax=ax)
    assert ax.lines[1].get_xydata().tolist() == [[1, 3], [2, 2], [3, -1]]
    assert ax.lines[2].get_xydata().tolist() == [[1, 3], [2, 2]]
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["1 GC\n2 UG", "3 k-mers, n = 9 backgrounds"]
    with pytest.raises(ValueError, match=r"`top`=-1 must be at least 0"):
        kmer_ranks(scan, top=-1, ax=ax)


def test_a_single_position_is_a_point_with_its_interval(ax, frame):
    frame = frame.rename(columns={"spacing": "start"}).head(1)
    position_curve(frame, ax=ax)
    point, caps, bars = ax.containers[0].lines
    assert point.get_xydata().tolist() == frame[["start", "effect"]].values.tolist()
    segment = bars[0].get_segments()[0][:, 1].tolist()
    assert segment == frame.loc[0, ["low", "high"]].tolist()
    assert len(caps) == 2
    ax.clear()
    position_curve(frame.drop(columns=["low", "high"]), ax=ax)
    assert ax.containers[0].lines[2] == ()
    ax.figure.canvas.draw()
    inside = [x for x in ax.get_xticks() if np.diff(ax.get_xlim())[0] and x == int(x)]
    assert frame["start"][0] in inside


def test_long_names_of_curves_have_several_lines(ax, frame):
    name = "the first motif before the second"
    spacing_curve(frame.head(3).assign(arm=name), by="arm", ax=ax)
    text = ax.get_legend().get_texts()[0].get_text()
    assert text.replace("\n", " ") == name
    assert max(map(len, text.split("\n"))) <= 14


def test_the_best_kmers_are_named_where_there_is_room(ax):
    names = [f"k{i}" for i in range(50)]
    for effect, corner in [
        (-np.geomspace(1e-3, 1, 50), (0.02, 0.03)),
        (np.geomspace(1e-3, 1, 50), (0.98, 0.97)),
    ]:
        ax.clear()
        kmer_ranks(pd.DataFrame({"kmer": names, "effect": effect}), ax=ax)
        assert ax.texts[0].get_position() == corner
