"""Boxes under many backgrounds: which box stands where, and what is refused."""

import itertools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex

from tangermeme_gia import KmerScan, across_backgrounds, multi_site, plot
from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.plot.style import SKY
from tangermeme_gia.statistics.comparisons import Comparison

mpl.use("Agg")


def levels(values, **conditions) -> GIAResult:
    """Effects that are the same on each of five backgrounds."""
    after = torch.tensor(values, dtype=torch.float64).repeat(5, 1)
    return GIAResult(torch.zeros(5).double(), after, pd.DataFrame(conditions))


def diamonds(ax) -> list[tuple[float, float]]:
    return sorted(
        (round(float(x), 6), round(float(y), 6))
        for drawn in ax.collections
        for x, y in drawn.get_offsets()
    )


def test_panels_are_in_the_order_of_the_backgrounds_with_means_as_diamonds():
    low = levels([1.0, 2.0], n_sites=[1, 2])
    high = levels([3.0, 4.0], n_sites=[1, 2])
    ax = plot.background_boxes(Comparison({"zebra": low, "ape": high}))
    assert [y for _, y in diamonds(ax)] == [1, 2, 3, 4]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2"] * 2
    assert ax.get_xticks().tolist() == [x for x, _ in diamonds(ax)]
    titles = ax.texts[:2]
    assert [text.get_text() for text in titles] == ["zebra", "ape"]
    middles = np.array(ax.get_xticks()).reshape(2, 2).mean(axis=1)
    assert [text.get_position()[0] for text in titles] == middles.tolist()


def test_controls_stand_in_grey_beside_what_they_control():
    conditions = {
        "n_sites": [1, 2] * 3,
        "control": ["none"] * 2 + ["random 1"] * 2 + ["shuffled 1"] * 2,
        "control_letters": ["", "", "AC", "AC", "CA", "CA"],
    }
    one = levels([5.0, 6.0, 1.0, 2.0, 3.0, 4.0], **conditions)
    ax = plot.background_boxes(Comparison({"a": one}))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2"]
    assert [y for _, y in diamonds(ax)] == [5, 1, 3, 6, 2, 4]
    x = np.array([x for x, _ in diamonds(ax)]).reshape(2, 3)
    assert np.allclose(x.mean(axis=1), [0, 1])
    colours = [to_hex(patch.get_facecolor()) for patch in ax.patches]
    assert colours == [SKY.lower()] * 2 + ["#bbbbbb"] * 2 + ["#e3e3e3"] * 2
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == ["motif", "random control", "shuffled control"]


def test_what_across_backgrounds_returns_is_drawn_in_one_line():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    X = torch.eye(4)[torch.randint(4, (12, 20))].transpose(1, 2)
    compared = across_backgrounds(
        multi_site,
        model,
        {"first": X, "few": X[:8]},
        "GATA",
        [2, 9],
        n_controls=1,
        random_state=0,
    )
    ax = plot.background_boxes(compared)
    assert ax.texts[-1].get_text() == "◆ global importance, n = 8 to 12 backgrounds"
    effects = np.sort(compared.to_frame()["effect"].to_numpy())
    assert np.allclose(sorted(y for _, y in diamonds(ax)), effects, atol=1e-5)


def test_many_boxes_take_two_columns_and_no_type_overlaps():
    names = ["profile", "shuffle", "dinucleotide"]
    names += [f"quartile {i} of measured scores" for i in range(1, 5)]
    arms = ["motif", "left", "right", "motif+left", "motif+right", "both"]
    compared = Comparison({name: levels(range(6), arm=arms) for name in names})
    ax = plot.background_boxes(compared)
    assert ax.figure.get_size_inches()[0] == 7
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    for first, second in itertools.combinations(boxes, 2):
        assert not first.padded(-1.5).overlaps(second.padded(-1.5))
    width, height = ax.figure.canvas.get_width_height()
    for box in boxes:
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= width + 1
        assert box.y1 <= height + 1
    assert len(ax.get_xticks()) == 6 * 7


@pytest.mark.parametrize(
    ("given", "kind", "match"),
    [
        (levels([1.0], n_sites=[1]), TypeError, "`comparison` is a GIAResult"),
        (
            Comparison({"a": KmerScan(["A"], torch.ones(1), torch.ones(1), 9)}),
            TypeError,
            "a GIAResult is needed",
        ),
        (
            Comparison(
                {"a": levels([1.0], n_sites=[1]), "b": levels([1.0], n_sites=[2])}
            ),
            ValueError,
            "the conditions under background 'b' differ",
        ),
    ],
)
def test_what_cannot_be_drawn_is_named(given, kind, match):
    with pytest.raises(kind, match=match):
        plot.background_boxes(given)


def test_an_unknown_column_is_named():
    with pytest.raises(ValueError, match="`label`='gap': 'gap' is no column"):
        plot.background_boxes(Comparison({"a": levels([1.0], n_sites=[1])}), "gap")
