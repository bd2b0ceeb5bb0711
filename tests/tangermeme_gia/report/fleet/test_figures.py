"""What figures over many models count, draw and say."""

import math

import numpy as np
import pytest

from tangermeme_gia.report.fleet.figures import figures_of
from tangermeme_gia.report.fleet.rows import units_of

from .conftest import entry, with_interval


def drawn(entries, name):
    """A figure by its name, as its sentence and its axes."""
    (figure,) = [each for each in figures_of(units_of(entries)) if each.name == name]
    return figure.reading, figure.draw()


def names(entries):
    return [each.name for each in figures_of(units_of(entries))]


def bars(ax):
    return sum(patch.get_height() for patch in ax.patches)


def joined(line):
    """How many points each stretch of a line has."""
    y = np.append(np.asarray(line.get_ydata(), float), np.nan)
    stretches = np.split(y, np.flatnonzero(np.isnan(y)))
    return [n for part in stretches if (n := int((~np.isnan(part)).sum()))]


GROUPED = [
    entry("a1", "a", r2=0.90, pearson=0.5),
    entry("a2", "a", r2=0.95, pearson=0.7),
    entry("b", r2=0.99, pearson=0.6),
    entry("c", r2=math.nan, pearson=0.9),
    entry("d", state="running", r2=0.1, pearson=0.1),
]


def test_a_histogram_counts_every_finished_model_once_and_joins_groups():
    reading, ax = drawn(GROUPED, "r2")
    assert bars(ax) == 3
    assert "the median R² of 3 models is 0.950." in reading
    assert "Members of 1 group count one by one; a line joins them." in reading
    (line,) = [
        line for line in ax.lines if len(joined(line)) and line.get_marker() == "o"
    ]
    assert line.get_xdata()[:2].tolist() == [0.90, 0.95]
    assert joined(line) == [2]
    assert max(line.get_ydata()[:2]) < 0
    assert min(ax.get_yticks()) >= 0
    assert "a" in [text.get_text() for text in ax.texts]


def test_without_groups_none_is_mentioned():
    reading, ax = drawn([entry(f"{i}", r2=0.9 + i / 100) for i in range(3)], "r2")
    assert "group" not in reading
    assert ax.get_ylim()[0] == 0


def test_many_groups_are_drawn_without_names():
    entries = [entry(f"{i}", f"g{i // 2}", r2=i / 40) for i in range(40)]
    _, ax = drawn(entries, "r2")
    line = next(line for line in ax.lines if line.get_marker() == "o")
    assert joined(line) == [2] * 20
    assert len(ax.texts) == 1  # how many there are


def test_gc_has_both_sides_and_their_difference():
    entries = [entry(f"{i}", left=1 + i, right=0.9 + i / 10) for i in range(4)]
    entries.append(entry("without", left=None, right=1.0))
    reading, ax = drawn(entries, "gc")
    # 0.9, 1.0, 1.1 and 1.2 times: two are more than once.
    assert "2 of 4 motifs have a larger effect with GC 3′ of them" in reading
    # The one without 5′ has a 3′; the note says that it lacks one.
    assert bars(ax) == 9
    assert "1 more without a value" in ax.texts[0].get_text()
    reading, ax = drawn(entries, "gc_difference")
    assert "does more for 4 of 4." in reading
    assert bars(ax) == 4


def test_performance_has_a_point_for_each_model_and_joins_groups():
    entries = [*GROUPED, entry("e", spearman=0.5, mse=7.0)]
    reading, ax = drawn(entries, "performance")
    assert "median Pearson 0.650 (4 models)" in reading
    assert "Spearman" not in reading  # of too few
    points = [line for line in ax.lines if line.get_marker() == "o"]
    values = np.concatenate([line.get_ydata() for line in points])
    assert sorted(values[~np.isnan(values)]) == [0.5, 0.6, 0.7, 0.9]
    group = next(line for line in points if 0.5 in line.get_ydata().tolist())
    assert joined(group) == [2]
    x = group.get_xdata()
    assert x[0] == x[1]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["Pearson"]
    assert ax.get_ylabel() == "Correlation"


def test_equal_performances_have_no_density():
    _, ax = drawn([entry(f"{i}", auroc=0.5) for i in range(3)], "performance")
    assert ax.get_ylabel() == "Correlation or area under the curve"
    assert not ax.collections


def effects(values, group=""):
    return [
        entry(f"m{i}", group, motif="GAC", output_sd=sd, **with_interval("effect", e))
        for i, (e, sd) in enumerate(values)
    ]


def test_effects_are_in_standard_deviations_of_the_output():
    reading, ax = drawn(effects([(2.0, 4.0), (-3.0, 0.5)]), "effects")
    # −3 is 6 of its standard deviations, 2 is half of one.
    assert "the largest is that of GAC in m1." in reading
    assert ax.lines[0].get_xdata().tolist() == [0.5, -6.0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["m0: GAC", "m1: GAC"]


def test_a_group_is_one_row_of_effects():
    entries = [*effects([(1.0, 1.0), (2.0, 1.0)], "g"), *effects([(3.0, 1.0)])]
    reading, ax = drawn(entries, "effects")
    assert "Members of 1 group" in reading
    assert [t.get_text() for t in ax.get_yticklabels()] == ["g: GAC", "m0: GAC"]
    assert joined(ax.lines[-2]) == [2]


def test_effects_of_hundreds_are_sorted_and_no_taller():
    rng = np.random.default_rng(0)
    _, ax = drawn(effects([(e, 1.0) for e in rng.normal(size=200)]), "effects")
    x, y = ax.lines[0].get_data()
    assert np.all(np.diff(x[np.argsort(y)]) >= 0)
    assert ax.figure.get_size_inches()[1] <= 6
    assert not ax.get_yticks().size


@pytest.mark.parametrize("sd", [0.0, None, math.nan])
def test_models_without_a_spread_are_not_compared(sd):
    assert names(effects([(1.0, 1.0), (2.0, sd)])) == []


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry("a", r2=0.9, left=1.0, right=1.0, pearson=0.5)],
        [entry(f"{i}", state="failed", r2=0.9, pearson=0.5) for i in range(5)],
        [entry(f"{i}", r2=math.nan, left=None, right="x") for i in range(5)],
        [entry(f"{i}", r2=math.inf, left=math.inf, right=1.0) for i in range(5)],
    ],
)
def test_few_or_no_numbers_have_no_figure(entries):
    assert names(entries) == []


def test_names_that_look_like_formulas_are_drawn_as_they_are():
    entries = [*effects([(1.0, 1.0)] * 2, "$x^"), *effects([(1.0, 1.0)], "$\\y$")]
    entries.append(entry("$_z", output_sd=1.0, **with_interval("effect", 1.0)))
    _, ax = drawn(entries, "effects")
    ax.figure.canvas.draw()
    assert "$_z" in [t.get_text() for t in ax.get_yticklabels()]
