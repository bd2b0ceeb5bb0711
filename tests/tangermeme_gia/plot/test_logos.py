import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch, Rectangle

from tangermeme_gia.kmers.mutagenesis import kmer_mutagenesis
from tangermeme_gia.plot import motif_logo, mutagenesis_heatmap, mutagenesis_logo
from tangermeme_gia.statistics.mutagenesis import mutagenesis_change

CHANGE = np.array([[0.0, -3, -4, 0], [-1, 0, 0, 0], [0, 0, 2, 0]])
GREEN, BLUE, VERMILION = "#009e73", "#0072b2", "#d55e00"


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def glyphs(ax) -> list[tuple[int, str, float, float]]:
    """Position, colour, bottom and top of the letters that can be seen."""
    found = []
    for patch in ax.patches:
        if isinstance(patch, PathPatch):
            box = patch.get_path().get_extents()
            if box.height > 1e-9:
                colour = to_hex(patch.get_facecolor())
                found.append((round(box.x0 + box.width / 2), colour, box.y0, box.y1))
    return sorted(found)


def test_letters_are_as_high_as_their_bits_or_probability(ax):
    ppm = np.array([[0.0, 0.5], [0, 0.5], [0, 0], [1, 0]])
    motif_logo(ppm, "ACGU", ax=ax)
    first = glyphs(ax)[0]
    assert first[:2] == (0, VERMILION)
    np.testing.assert_allclose(first[2:], [0, 2], atol=1e-6)
    heights = [top - bottom for _, _, bottom, top in glyphs(ax)[1:]]
    np.testing.assert_allclose(heights, [0.5, 0.5], atol=1e-6)
    assert ax.get_ylim() == (0, 2)
    assert ax.get_ylabel() == "Information (bits)"
    ax.clear()
    motif_logo(ppm, "ACGU", information=False, ax=ax)
    np.testing.assert_allclose(glyphs(ax)[0][2:], [0, 1], atol=1e-6)
    assert ax.get_ylabel() == "Probability"


def test_what_tells_nothing_has_no_letters(ax):
    motif_logo(np.full((4, 3), 0.25), ax=ax)
    mutagenesis_logo(np.zeros((2, 4)), "AC", ax=ax)
    mutagenesis_heatmap(np.zeros((2, 4)), "AC", ax=ax)
    assert glyphs(ax) == []


def test_rna_has_u_and_dna_has_t(ax, monkeypatch):
    drawn = []
    from logomaker import Logo

    original = Logo.__init__

    def spy(self, df, *args, **kwargs):
        drawn.append(list(df.columns))
        original(self, df, *args, **kwargs)

    monkeypatch.setattr(Logo, "__init__", spy)
    motif_logo(np.eye(4), "ACGU", ax=ax)
    motif_logo(np.eye(4), ax=ax)
    assert drawn == [list("ACGU"), list("ACGT")]


def test_sensitivity_stands_on_the_wild_type_letters(ax):
    mutagenesis_logo(CHANGE, "ACU", "ACGU", ax=ax)
    colours = [(position, colour) for position, colour, _, _ in glyphs(ax)]
    assert colours == [(0, GREEN), (1, BLUE), (2, VERMILION)]
    np.testing.assert_allclose([top for *_, top in glyphs(ax)], [5, 1, 2], atol=1e-6)


def test_the_structure_stands_below_the_logo(ax):
    mutagenesis_logo(CHANGE, "ACU", "ACGU", structure="(.)", ax=ax)
    texts = [(text.get_position()[0], text.get_text()) for text in ax.texts]
    assert texts == [(0, "("), (1, "."), (2, ")")]
    blocks = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [block.get_x() for block in blocks] == [-0.5, 0.5, 1.5]
    paired, loop, other = [block.get_facecolor() for block in blocks]
    assert paired == other != loop
    assert max(block.get_y() + block.get_height() for block in blocks) < 0
    assert ax.get_ylim()[0] < min(block.get_y() for block in blocks)
    assert min(ax.get_yticks()) >= 0


def test_a_structure_of_another_length_is_refused(ax):
    with pytest.raises(
        ValueError, match=r"`structure` has 2 positions and `sequence` 3"
    ):
        mutagenesis_logo(CHANGE, "ACU", "ACGU", structure="()", ax=ax)


@pytest.mark.parametrize("logo", [True, False])
def test_the_heat_map_has_a_row_per_letter_and_marks_the_wild_type(ax, logo):
    mutagenesis_heatmap(CHANGE, "ACU", "ACGU", logo=logo, ax=ax)
    image = ax.images[0]
    np.testing.assert_array_equal(image.get_array(), CHANGE.T)
    assert image.get_clim() == (-4, 4)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list("ACGU")
    assert ax.lines[0].get_xydata().tolist() == [[0, 0], [1, 1], [2, 3]]
    letters = glyphs(ax)
    assert len(letters) == (3 if logo else 0)
    if logo:
        # The axis points down: the top of a letter is its lower number.
        heights = np.array([high - low for _, _, low, high in letters])
        np.testing.assert_allclose(heights / heights[0], [1, 0.2, 0.4], atol=1e-6)
        assert all(high < -0.5 for *_, high in letters)
        highest = min(low for _, _, low, _ in letters)
        assert highest == pytest.approx(ax.get_ylim()[1], abs=1e-6)


def test_letters_above_the_heat_map_stand_upright(ax):
    mutagenesis_heatmap(CHANGE, "ACU", "ACGU", ax=ax)
    letter = next(patch for patch in ax.patches if isinstance(patch, PathPatch))
    x, y = ax.transData.transform(letter.get_path().vertices[:-1]).T
    middle = (y.min() + y.max()) / 2
    # An A is narrow at the top.
    assert np.ptp(x[y > middle]) < np.ptp(x[y < middle])


def test_a_frame_and_an_array_draw_the_same(ax):
    frame = pd.DataFrame(CHANGE, columns=list("ACGT"))
    mutagenesis_heatmap(frame, "ACT", ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), CHANGE.T)


def test_effects_instead_of_changes_are_refused(ax):
    with pytest.raises(ValueError, match=r"must be 0: subtract the wild type"):
        mutagenesis_heatmap(CHANGE + 1, "ACU", "ACGU", ax=ax)


def test_only_nucleotides_have_colours(ax):
    motif_logo(np.eye(20), "ACDEFGHIKLMNPQRSTVWY", ax=ax)
    assert {colour for _, colour, _, _ in glyphs(ax)} == {"#888888"}
    ax.clear()
    motif_logo(np.eye(5), "ACGTN", ax=ax)
    colours = [colour for _, colour, _, _ in glyphs(ax)]
    assert colours == [GREEN, BLUE, "#e69f00", VERMILION, "#888888"]


@pytest.mark.parametrize(("length", "n_symbols"), [(60, 60), (130, 0)])
def test_brackets_that_would_touch_are_blocks_only(length, n_symbols):
    figure, ax = plt.subplots(figsize=(3.5, 2))
    structure = "(" * 20 + "." * (length - 40) + ")" * 20
    mutagenesis_logo(np.eye(4)[[1] * length], "A" * length, structure=structure, ax=ax)
    assert len(ax.texts) == n_symbols
    assert sum(isinstance(patch, Rectangle) for patch in ax.patches) == length
    plt.close(figure)


def test_a_result_brings_its_change_wild_type_and_letters(ax):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 2))
    X = random_one_hot((8, 4, 20), random_state=0).float()
    result = kmer_mutagenesis(model, X, "GAU", alphabet=("A", "C", "G", "U")).output(1)
    mutagenesis_heatmap(result, ax=ax)
    change = mutagenesis_change(result)
    np.testing.assert_array_equal(ax.images[0].get_array(), change.to_numpy().T)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list("ACGU")
    assert mutagenesis_logo(result).get_xlim() == (-0.5, 2.5)
    with pytest.raises(ValueError, match="`sequence`=None; only a result knows"):
        mutagenesis_logo(change)
    with pytest.raises(ValueError, match="must come from `kmer_mutagenesis`"):
        mutagenesis_logo(result._replace(conditions=result.conditions[["motif"]]))
