import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch

mpl.use("Agg")

import matplotlib.pyplot as plt

from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.plot import (
    additivity_histogram,
    background_grid,
    gc_bias_histograms,
)
from tangermeme_gia.statistics.comparisons import Comparison


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


@pytest.fixture
def frame() -> pd.DataFrame:
    names = ["profile"] * 3 + ["shuffle"] * 3
    table = pd.DataFrame({"background": names, "n_sites": [1, 2, 3] * 2, "n": 20})
    table["effect"] = [1.0, 2.0, -0.01, 1.5, 2.5, 0.3]
    return table.assign(low=table["effect"] - 0.5, high=table["effect"] + 0.5)


def test_rows_are_conditions_and_columns_backgrounds(ax, frame):
    background_grid(frame, ax=ax)
    grid = ax.images[0]
    assert grid.get_array().tolist() == [[1, 1.5], [2, 2.5], [-0.01, 0.3]]
    # White is 0.
    assert grid.get_clim() == (-2.5, 2.5)
    columns = [tick.get_text() for tick in ax.get_xticklabels()]
    rows = [tick.get_text() for tick in ax.get_yticklabels()]
    assert (columns, rows) == (["profile", "shuffle"], ["1", "2", "3"])
    assert ax.get_ylabel() == "Number of sites"


def test_cells_tell_their_number_and_whether_0_is_in_the_interval(ax, frame):
    background_grid(frame, ax=ax)
    cells = {text.get_position(): text.get_text() for text in ax.texts[:-1]}
    assert cells == {
        (0, 0): "1.0",
        (0, 1): "2.0",
        (0, 2): "(0.0)",
        (1, 0): "1.5",
        (1, 1): "2.5",
        (1, 2): "(0.3)",
    }
    expected = "n = 20 backgrounds\nin brackets: interval includes 0"
    assert ax.texts[-1].get_text() == expected


def test_a_large_grid_has_colours_only(ax):
    table = pd.DataFrame({"model": "a", "start": range(100), "effect": 1.0})
    background_grid(table, across="model", ax=ax)
    assert ax.images[0].get_array().shape == (100, 1)
    assert len(ax.texts) <= 1
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == [str(row) for row in range(0, 100, 3)]


@pytest.mark.parametrize(
    ("factor", "cells", "power"),
    [
        (1000, ["1.0", "2.0", "(-0.0)", "1.5", "2.5", "(0.3)"], "3"),
        (1e-6, ["1.0", "2.0", "(-0.0)", "1.5", "2.5", "(0.3)"], "-6"),
        (10, ["10", "20", "(0)", "15", "25", "(3)"], None),
        (0.1, ["0.10", "0.20", "(0.00)", "0.15", "0.25", "(0.03)"], None),
    ],
)
def test_large_and_small_numbers_leave_their_power_to_the_note(
    ax, frame, factor, cells, power
):
    frame[["effect", "low", "high"]] *= factor
    background_grid(frame, ax=ax)
    written = [text.get_text() for text in sorted(ax.texts[:-1], key=by_column)]
    assert written == [cell.replace("-0.0", "0.0") for cell in cells]
    notes = ax.texts[-1].get_text().split("\n")
    assert notes[1:-1] == ([f"numbers: times 1e{power}"] if power else [])


def by_column(text) -> tuple[float, float]:
    return text.get_position()


def test_numbers_that_do_not_fit_are_shorter_or_left_out(frame):
    def drawn(n_columns, factor):
        parts = [frame.head(3).assign(background=f"b{i}") for i in range(n_columns)]
        table = pd.concat(parts)
        table[["effect", "low", "high"]] *= factor
        axes = background_grid(table)
        plt.close(axes.figure)
        return axes.texts

    assert len(drawn(7, 0.1)) == 22
    assert "numbers: times 1e-1" in drawn(9, 0.1)[-1].get_text()
    assert len(drawn(9, 0.1)) == 28
    assert [text.get_text() for text in drawn(15, 1)] == ["n = 20 backgrounds"]


def test_cells_without_an_effect_are_refused(ax, frame):
    with pytest.raises(ValueError, match=r"do not give each cell of the grid one"):
        background_grid(frame.head(5), ax=ax)
    with pytest.raises(ValueError, match=r"do not give each cell of the grid one"):
        background_grid(frame.assign(arm="A"), "arm", ax=ax)


def test_histograms_share_their_bins_and_count_everything(ax):
    table = pd.DataFrame({"left": [0.0, 1.0, 1.1, np.nan], "right": [2.0, 3, 4, 1]})
    gc_bias_histograms(table, bins=4, reference=1, ax=ax)
    left, right = ax.containers
    assert [bar.get_height() for bar in left] == [1, 2, 0, 0]
    assert [bar.get_height() for bar in right] == [0, 1, 1, 2]
    assert left[0].get_x() == right[0].get_x() == 0
    assert ax.lines[0].get_xdata() == [1, 1]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["5' GC", "3' GC"]
    assert ax.texts[0].get_text() == "n = 3 experiments (1 more without a value)"


def test_one_histogram_needs_no_legend(ax):
    table = pd.DataFrame({"difference": [-1.0, 0.5]})
    gc_bias_histograms(table, "difference", xlabel="5' − 3'", ax=ax)
    assert ax.get_legend() is None
    assert ax.get_xlabel() == "5' − 3'"
    assert sum(bar.get_height() for bar in ax.containers[0]) == 2


def test_the_additivity_histogram_counts_r2(ax):
    additivity_histogram([0.5, 0.9, 1.0, np.nan], bins=5, ax=ax)
    assert [bar.get_height() for bar in ax.containers[0]] == [1, 0, 0, 0, 2]
    expected = "n = 3 experiments (1 more without a value), median 0.9"
    assert ax.texts[0].get_text() == expected


def test_numbers_and_labels_that_do_not_fit_are_refused(ax):
    with pytest.raises(ValueError, match=r"`r2` must hold numbers, at least one"):
        additivity_histogram([np.nan], ax=ax)
    table = pd.DataFrame({"left": [np.inf], "right": [1.0]})
    with pytest.raises(ValueError, match=r"`frame` column 'left' must hold numbers"):
        gc_bias_histograms(table, ax=ax)
    with pytest.raises(ValueError, match=r"`labels`=\['GC'\] must name the columns"):
        gc_bias_histograms(table, labels=["GC"], ax=ax)


@pytest.mark.parametrize("across", ["background", "model"])
def test_a_comparison_knows_what_it_is_across(ax, across):
    y = torch.zeros(3, 1)
    result = GIAResult(y, y[:, None] + 1, pd.DataFrame({"site": [4]}))
    background_grid(Comparison({"a": result, "b": result}, across), ax=ax)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b"]
