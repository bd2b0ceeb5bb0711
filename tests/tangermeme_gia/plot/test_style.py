import matplotlib as mpl
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

from tangermeme_gia.plot.style import (
    finish,
    label_ticks,
    new_axes,
    shortened,
    whole_ticks,
)


@pytest.fixture
def ax():
    figure, axes = plt.subplots(figsize=(3.5, 2.4))
    yield axes
    plt.close(figure)


def labels(ax) -> list[str]:
    return [tick.get_text() for tick in ax.get_xticklabels()]


@pytest.mark.parametrize(
    ("given", "rotation"),
    [
        (["GC", "UG", "AA"], 0),
        (["a name of many words"] * 2, 0),
        (["unstructured"] * 8, 45),
        ([str(i) for i in range(20)], 90),
    ],
)
def test_labels_are_turned_as_far_as_they_need(ax, given, rotation):
    label_ticks(ax, given)
    assert {tick.get_rotation() for tick in ax.get_xticklabels()} == {rotation}
    assert [label.replace("\n", " ") for label in labels(ax)] == given
    assert ax.get_xticks().tolist() == list(range(len(given)))


def test_where_not_all_labels_fit_every_few_ticks_have_theirs(ax):
    label_ticks(ax, [f"condition {i} of a long experiment" for i in range(60)])
    ticks = ax.get_xticks().tolist()
    step = ticks[1]
    assert step > 1
    assert ticks == list(range(0, 60, step))
    assert labels(ax)[1] == "condition…xperiment"
    assert all(len(label) <= 20 for label in labels(ax))


def test_labels_are_cut_in_the_middle():
    assert shortened("ABCDEFGHIJ", 10) == "ABCDEFGHIJ"
    assert shortened("ABCDEFGHIJK", 10) == "ABCD…HIJK"


@pytest.mark.parametrize(
    ("highest", "expected"),
    [(4e-7, "4.0e−7"), (4, "4.0"), (4e8, "4.0e8"), (4000.5, "4000")],
)
def test_every_tick_label_has_its_power_of_ten(ax, highest, expected):
    ax.plot([0, 1], [0, highest])
    finish(ax, "x", "y")
    ax.figure.canvas.draw()
    assert expected in [tick.get_text() for tick in ax.get_yticklabels()]
    assert {"0", "0.0"} & {tick.get_text() for tick in ax.get_yticklabels()}
    assert ax.yaxis.get_offset_text().get_text() == ""


def test_labels_of_a_narrow_range_still_differ(ax):
    ax.plot([0, 1], [1e6, 1e6 + 3])
    finish(ax, "x", "y")
    ax.figure.canvas.draw()
    found = [tick.get_text() for tick in ax.get_yticklabels()]
    assert len(set(found)) == len(found)


def test_ticks_of_a_single_number_are_whole(ax):
    ax.plot([7], [1], "o")
    whole_ticks(ax.xaxis)
    assert all(tick == int(tick) for tick in ax.get_xticks())


def test_slanted_labels_have_room_for_all_their_lines():
    ax = new_axes(None)
    label_ticks(ax, ["right arm, unstructured, 24"] * 3 + ["none"] * 4)
    assert {tick.get_rotation() for tick in ax.get_xticklabels()} == {90}
    label_ticks(ax, ["right arm, unstructured"] * 3 + ["none"] * 4)
    assert {tick.get_rotation() for tick in ax.get_xticklabels()} == {45}
