"""Figures beside what was measured: labels, titles and what is said of the fit."""

import itertools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia import plot

mpl.use("Agg")


# Three of nearly the same strength, as of strong sites.
MEASURED = {"UGC": 0.8, "AGC": 4.8, "CGC": 4.9, "GGC": 6.1, "UAC": 300.0, "UGG": 1800.0}


def effects() -> pd.DataFrame:
    effect = np.array([3.4, 2.4, 2.4, 2.0, 1.4, 0.6])
    return pd.DataFrame(
        {
            "kmer": [*MEASURED],
            "effect": effect,
            "low": effect - 0.1,
            "high": effect + 0.1,
        }
    )


def names(ax) -> list[str]:
    return [text.get_text() for text in ax.texts[:-1]]


def test_every_k_mer_is_named_apart_from_the_others():
    ax = plot.affinity_regression(effects(), MEASURED, log=True, name="KD", unit="nM")
    assert names(ax) == [*MEASURED]
    assert ax.get_xlabel() == "ln KD (nM)"
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    for first, second in itertools.combinations(boxes, 2):
        assert not first.padded(-1).overlaps(second.padded(-1))
    points = ax.transData.transform(
        np.stack([np.log([*MEASURED.values()]), effects()["effect"]], axis=1)
    )
    for box, (x, y) in itertools.product(boxes, points):
        assert not box.contains(x, y)


def test_a_unit_that_is_not_stated_is_said_and_no_logarithm_is_taken():
    ax = plot.affinity_regression(effects(), MEASURED)
    assert ax.get_xlabel() == "Affinity (unit not stated)"

    drawn = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 6]

    assert np.allclose(drawn[0], [*MEASURED.values()])


def test_two_points_have_a_line_and_no_claim():
    ax = plot.affinity_regression(effects(), {"UGC": 1.0, "AGC": 2.0})
    assert ax.texts[-1].get_text() == "n = 2 k-mers"
    lines = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) == 2]
    assert any(np.allclose(y, [3.4, 2.4]) for y in lines)


def test_labels_without_a_place_are_counted():
    kmers = [f"{a}{b}{c}UGCAU" for a, b, c in itertools.product("ACGU", repeat=3)]
    table = pd.DataFrame({"kmer": kmers, "effect": 1.0})
    table["effect"] += np.linspace(0, 1e-3, len(kmers))
    ax = plot.affinity_regression(table, dict(zip(kmers, table["effect"], strict=True)))
    left_out = len(kmers) - len(names(ax))
    assert left_out > 0
    assert ax.texts[-1].get_text().endswith(f"n = 64 k-mers, {left_out} not named")


def test_predictions_are_drawn_with_both_correlations_the_highest_colour_on_top():
    ax = plot.predicted_measured(
        torch.tensor([[1.0], [2.0], [4.0]]), [1.0, 4.0, 16.0], [2, 0, 1]
    )
    (points,) = ax.collections
    assert points.get_offsets().tolist() == [[2, 4], [4, 16], [1, 1]]
    assert points.get_array().tolist() == [0, 1, 2]
    # Deviations times 3 are (-4, -1, 5) and (-18, -9, 27): 216 / sqrt(42 * 1134).
    text = ax.texts[-1].get_text()
    assert text == "Pearson 0.99, Spearman 1.00, n = 3 sequences"


def test_a_model_that_says_the_same_of_all_has_no_correlation():
    ax = plot.predicted_measured([1.0, 1.0], [1.0, 4.0])
    assert ax.texts[-1].get_text() == "n = 2 sequences"


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (([1.0, 2.0], [1.0]), r"`measured` has shape \(1,\); one number for each of 2"),
        (([[1.0, 2.0]], [1.0]), "`predicted` has shape"),
        (([1.0, 2.0], [1.0, np.nan]), "`measured` holds 1 NaN or infinite of 2"),
        (([1.0, 2.0], [1.0, 2.0], [1]), "`color` has shape"),
        (([], []), "`predicted` has shape"),
    ],
)
def test_scores_that_cannot_be_drawn_are_named(given, match):
    with pytest.raises(ValueError, match=match):
        plot.predicted_measured(*given)
