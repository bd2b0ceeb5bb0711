import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia._core.results import GIAResult

mpl.use("Agg")

import matplotlib.pyplot as plt

from tangermeme_gia.plot import (
    additivity_line,
    factorial_bars,
    interaction_bars,
    local_importance_boxes,
)
from tangermeme_gia.statistics import confidence_interval


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def result(local: object, **conditions: list) -> GIAResult:
    effects = torch.as_tensor(local, dtype=torch.float64)
    before = torch.full_like(effects[:, 0], 5)
    return GIAResult(before, effects + before[:, None], pd.DataFrame(conditions))


LOCAL = np.random.default_rng(0).gamma(1, size=(30, 3)) + np.arange(3)


def test_boxes_hold_the_quartiles_and_diamonds_the_global_importance(ax):
    given = result(LOCAL, motif=["UGCAUG"] * 3, n_sites=[1, 2, 3])
    local_importance_boxes(given, ax=ax)
    boxes = ax.patches
    assert len(boxes) == 3
    for box, values in zip(boxes, LOCAL.T, strict=True):
        heights = box.get_path().vertices[:, 1]
        quartiles = np.quantile(values, [0.25, 0.75])
        np.testing.assert_allclose([heights.min(), heights.max()], quartiles)
    points = ax.collections[0].get_offsets()
    np.testing.assert_allclose(points, np.column_stack([range(3), LOCAL.mean(axis=0)]))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "3"]
    assert ax.get_xlabel() == "Number of sites"
    assert ax.get_ylabel() == "Local importance\n(model output)"
    assert ax.texts[0].get_text() == "◆ global importance, n = 30 backgrounds"


def test_violins_span_the_values_and_a_constant_is_a_line(ax):
    local = LOCAL.copy()
    local[:, 1] = 7
    local_importance_boxes(result(local, start=[1, 2, 3]), kind="violin", ax=ax)
    first, second, line = ax.collections[:3]
    for body, values in ((first, local[:, 0]), (second, local[:, 2])):
        heights = body.get_paths()[0].vertices[:, 1]
        np.testing.assert_allclose(
            [heights.min(), heights.max()], [values.min(), values.max()]
        )
    np.testing.assert_allclose(line.get_segments()[0], [[0.6, 7], [1.4, 7]])


def test_labels_are_the_columns_that_tell_conditions_apart(ax):
    given = result(
        LOCAL, motif=["A"] * 3, start=[1, 1, 2], control=["none", "random 1", "none"]
    )
    local_importance_boxes(given, ax=ax)
    labels = [tick.get_text() for tick in ax.get_xticklabels()]
    assert labels == ["1, none", "1, random 1", "2, none"]
    assert ax.get_xlabel() == "Start, control"
    local_importance_boxes(given, "start", ax=ax)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "1", "2"]


def test_a_single_condition_is_labelled_too(ax):
    # A single background has boxes, too.
    local_importance_boxes(result(LOCAL[:1], n_sites=[1, 2, 3]), ax=ax)
    assert ax.texts[-1].get_text().endswith("n = 1 background")
    local_importance_boxes(result(LOCAL[:, :1], motif=["UGCAUG"]), ax=ax)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["UGCAUG"]


def test_one_output_of_several_is_chosen_by_its_label(ax):
    local = np.stack([LOCAL, -LOCAL], axis=2)
    given = result(local, start=[1, 2, 3])
    local_importance_boxes(given.output(1), ax=ax)
    means = np.array(ax.collections[0].get_offsets())[:, 1]
    np.testing.assert_allclose(means, -LOCAL.mean(axis=0))
    with pytest.raises(ValueError, match="has 2 outputs, 0, 1; choose one by `res"):
        local_importance_boxes(given, ax=ax)
    heads = GIAResult([given.y_before] * 2, [given.y_afters] * 2, given.conditions)
    local_importance_boxes(heads.output((1, 0)), ax=ax)
    np.testing.assert_allclose(
        np.array(ax.collections[-1].get_offsets())[:, 1], LOCAL.mean(axis=0)
    )


def test_what_does_not_fit_is_refused(ax):
    given = result(LOCAL, start=[1, 2, 3])
    with pytest.raises(ValueError, match=r"`kind`='bar' must be 'box' or 'violin'"):
        local_importance_boxes(given, kind="bar", ax=ax)
    with pytest.raises(ValueError, match=r"`label`='end': 'end' is no column"):
        local_importance_boxes(given, "end", ax=ax)
    with pytest.raises(TypeError, match=r"`result` is a DataFrame; a GIAResult"):
        local_importance_boxes(given.conditions, ax=ax)
    with pytest.raises(ValueError, match=r"'AB' is there 0 times in the column 'arm'"):
        interaction_bars(result(LOCAL, arm=["A", "B", "C"]), ax=ax)
    with pytest.raises(ValueError, match=r"no columns of True and False"):
        factorial_bars(given, ax=ax)


@pytest.mark.parametrize("include_zero", [False, True])
def test_the_additivity_line_is_the_least_squares_fit(ax, include_zero):
    given = result(
        np.column_stack([LOCAL, LOCAL[:, :1]]),
        n_sites=[1, 2, 3, 1],
        control=["none", "none", "none", "random 1"],
    )
    additivity_line(given, include_zero=include_zero, ax=ax)
    x, y = np.arange(1, 4), LOCAL.mean(axis=0)
    if include_zero:
        x, y = np.append(0, x), np.append(0, y)
    slope, intercept = np.polyfit(x, y, 1)
    r2 = np.corrcoef(x, y)[0, 1] ** 2
    np.testing.assert_allclose(
        ax.lines[0].get_ydata(), [intercept, intercept + 3 * slope]
    )
    points = ax.containers[0].lines[0]
    np.testing.assert_allclose(points.get_ydata(), LOCAL.mean(axis=0))
    fitted = "fitted" if include_zero else "not fitted"
    expected = f"R² = {r2:.2f} (0 sites {fitted}), n = 30 backgrounds"
    assert ax.texts[0].get_text() == expected
    assert (
        ax.lines[-1].get_markerfacecolor() == ax.get_facecolor()
    ) is not include_zero


def test_interaction_bars_are_the_arms_their_sum_and_both(ax):
    given = result(LOCAL, arm=["AB", "A", "B"])
    interaction_bars(given, labels=["UGC", "AUG"], ax=ax)
    both, a, b = LOCAL.mean(axis=0)
    np.testing.assert_allclose(
        [p.get_height() for p in ax.patches], [a, b, a + b, both]
    )
    ticks = [tick.get_text() for tick in ax.get_xticklabels()]
    assert ticks == ["UGC", "AUG", "Sum", "Both"]
    assert ax.texts[0].get_text().startswith(f"Interaction {both - a - b:.3g} [")


def test_factorial_bars_are_the_contrasts(ax):
    arms = [[True, False], [False, True], [True, True]]
    first, second = zip(*arms, strict=True)
    factorial_bars(result(LOCAL, A=list(first), B=list(second)), ax=ax)
    a, b, both = LOCAL.mean(axis=0)
    heights = [patch.get_height() for patch in ax.patches]
    np.testing.assert_allclose(heights, [a, b, both - a - b])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["A", "B", "A×B"]
    colours = [patch.get_facecolor() for patch in ax.patches]
    assert colours[0] == colours[1] != colours[2]


def test_bars_and_captions_know_the_templates():
    labels = np.repeat(range(6), 5)
    arms = GIAResult(*result(LOCAL, arm=["A", "B", "AB"]), clusters=labels)
    local = LOCAL[:, 2] - LOCAL[:, 0] - LOCAL[:, 1]
    interval = confidence_interval(local, clusters=labels)
    ax = interaction_bars(arms)
    assert ax.texts[0].get_text() == (
        f"Interaction {interval.effect:.3g} [{interval.low:.3g}, {interval.high:.3g}], "
        "n = 30 backgrounds of 6 templates"
    )
    present = {"A": [True, False, True], "B": [False, True, True]}
    ax_ = factorial_bars(GIAResult(*result(LOCAL, **present), clusters=labels))
    sides = [ax_.containers[1], ax.containers[1]]
    of_a = confidence_interval(LOCAL[:, 0], clusters=labels)
    for bars in sides:
        ends = bars.lines[2][0].get_segments()[0][:, 1]
        np.testing.assert_allclose(ends, [of_a.low, of_a.high])
    boxes = local_importance_boxes(arms)
    assert "n = 30 backgrounds of 6 templates" in boxes.texts[0].get_text()
    sites = GIAResult(*result(LOCAL, n_sites=[1, 2, 3]), clusters=labels)
    line = additivity_line(sites)
    assert "n = 30 backgrounds of 6 templates" in line.texts[0].get_text()
    plt.close("all")
