"""Which sentence is chosen of which numbers; all numbers are made by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from tangermeme_gia.report.sentences import (
    Pairs,
    backgrounds_agree,
    gc_changes,
    pairs_add_up,
    position_matters,
    reads,
    sites_add_up,
    weakness,
)
from tangermeme_gia.statistics.intervals import Interval

NAN = math.nan


def interval(effect, low, high):
    return Interval(effect, 0.1, low, high, 24)


NOT_DEFINED = interval(NAN, NAN, NAN)


# What the motif does


@pytest.mark.parametrize(
    ("effect", "searched", "said"),
    [
        ((2, 1, 3), True, "m reads GAC, which raises its output by 4.0 standard"),
        ((-2, -3, -1), True, "m reads GAC, which lowers its output by 4.0 standard"),
        ((2, 1, 3), False, "GAC raises the output of m by 4.0 standard deviations."),
        ((-2, -3, -1), False, "GAC lowers the output of m by 4.0 standard deviat"),
        ((1, -1, 3), True, "GAC has no clear effect on the output of m."),
        ((0, 0, 0), True, "GAC has no clear effect on the output of m."),
        ((NAN, NAN, NAN), True, "The effect of GAC on the output of m is not defined."),
    ],
)
def test_what_the_motif_does(effect, searched, said):
    assert reads("m", "GAC", interval(*effect), 0.5, searched).startswith(said)


@pytest.mark.parametrize("sd", [0.0, NAN])
def test_without_a_spread_there_is_no_size(sd):
    said = reads("m", "GAC", interval(2, 1, 3), sd, True)
    assert said == "m reads GAC, which raises its output."


# How good the model is


@pytest.mark.parametrize(
    ("r", "said"),
    [
        ((0.15, 0.05, 0.25), "m is a weak model: its predictions have a correlation "),
        ((-0.4, -0.5, -0.3), "(Pearson) of only −0.40 with the measured scores, not"),
        ((0.15, -0.05, 0.35), "of only 0.15 with the measured scores, not clearly ab"),
        ((NAN, NAN, NAN), "How well m predicts is not defined: its predictions or th"),
    ],
)
def test_a_weak_model_is_said_to_be_weak(r, said):
    assert said in weakness("m", interval(*r))


def test_a_model_that_predicts_is_not_called_weak():
    assert weakness("m", interval(0.3, 0.1, 0.5)) == ""
    assert weakness("m", interval(0.8, 0.7, 0.9)) == ""


# Two sites


def pairs(shares, wide=(), exact=False, total=4.0):
    """Interactions as shares of the sum; the intervals of `wide` reach past 0."""
    shares = np.array(shares, float)
    half = np.where([i in wide for i in range(len(shares))], np.abs(shares) + 0.2, 0.01)
    half = half * (0 if exact else abs(total))
    effect = shares * total
    significant = (np.abs(effect) > half) & ~np.isnan(effect)
    return Pairs.of(
        pd.DataFrame(
            {
                "spacing": range(len(shares)),
                "additive": total,
                "interaction": effect,
                "low": effect - half,
                "high": effect + half,
                "significant": significant,
            }
        )
    )


@pytest.mark.parametrize("total", [4.0, -4.0])
@pytest.mark.parametrize(
    ("shares", "wide", "said"),
    [
        (
            [0.05, 0.02, 0, -0.03],
            (),
            "Two sites nearly add up at every spacing from 0 to 3 bases.",
        ),
        (
            [0.05, 0.3, 0, -0.03],
            (1,),
            "Two sites do not clearly deviate from the sum of both at any spacing.",
        ),
        (
            [-0.5, -0.3, 0.02, 0],
            (),
            "Sites nearly add up unless closer than 2 bases, where two have less "
            "effect "
            "than the sum of both.",
        ),
        (
            [0.5, 0.02, 0.02, 0],
            (),
            "Sites nearly add up unless closer than 1 base, where two have more effect "
            "than the sum of both.",
        ),
        (
            [-0.5, -0.3, 0.02, 0.2],
            (3,),
            "Two sites closer than 2 bases have less effect than the sum of both; "
            "further apart they do not clearly deviate from it.",
        ),
        (
            [-0.5, -0.3, -0.2, -0.2],
            (),
            "Two sites have less effect than the sum of both at every spacing from 0 "
            "to "
            "3 bases.",
        ),
        (
            [0.2, -0.3, 0.02, 0.5],
            (),
            "Two sites 1 base apart have less effect than the sum of both, 0 and 3 "
            "bases "
            "apart more; others nearly add up.",
        ),
        (
            [0.02, 0.2, 0.3, 0.2],
            (3,),
            "Two sites 1–2 bases apart have more effect than the sum of both; others "
            "do "
            "not clearly deviate.",
        ),
        (
            [0.2, 0, 0.2, 0, 0.2, 0, 0.2],
            (),
            "Two sites at 4 of 7 spacings have more effect than the sum of both; "
            "others "
            "nearly add up.",
        ),
    ],
)
def test_two_sites(shares, wide, said, total):
    assert pairs_add_up(pairs(shares, wide, total=total), "base") == said


def test_an_exact_sum_is_no_near_one():
    said = pairs_add_up(pairs([0, 0, 0], exact=True), "residue")
    assert said == "Two sites add up at every spacing from 0 to 2 residues."


def test_what_is_not_defined_is_not_said_to_add_up():
    for broken in (pairs([NAN, 0, 0]), pairs([0.1, 0, 0], total=0.0)):
        said = pairs_add_up(broken, "base")
        assert said.startswith("Two sites do not clearly deviate")


# Several sites, and how they go with two


def point(deviation, low, high, additive=6.0):
    return {
        "n_sites": 3,
        "additive": additive,
        "deviation": deviation,
        "deviation_low": low,
        "deviation_high": high,
    }


def test_contradictions_are_reconciled():
    # The sites stand 1 base apart, the worst gap, while far apart two have more.
    held = pairs([0, -0.3, -0.2, 0.4])
    said = sites_add_up(point(-0.72, -0.9, -0.5), 1, held, "base")
    assert said == (
        "Three sites 1 base apart have 12 % less effect than their sum, as have two at "
        "that gap, the worst of all."
    )


@pytest.mark.parametrize(
    ("shares", "end"),
    [
        ([-0.4, -0.3, 0], ", as have two at that gap."),
        ([0, 0.3, 0], ", though two at that gap have more."),
        ([0.3, 0, 0], ", though two at that gap nearly have theirs."),
        ([0.3], "their sum."),
        (None, "their sum."),
    ],
)
def test_what_pairs_do_at_the_same_gap(shares, end):
    held = None if shares is None else pairs(shares)
    assert sites_add_up(point(-3, -4, -2), 1, held, "base").endswith(end)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (point(3, 2, 4), "Three sites 1 base apart have 50 % more effect than their s"),
        # More of an effect below 0 is a larger one.
        (point(-3, -4, -2, -6.0), "Three sites 1 base apart have 50 % more effect tha"),
        (point(3, 2, 4, -6.0), "Three sites 1 base apart have 50 % less effect than t"),
        (point(0.1, -1, 1), "Three sites 1 base apart have no clearly other effect "),
        (point(0, 0, 0), "Three sites 1 base apart have the effect of their sum."),
        (point(NAN, NAN, NAN), "Whether three sites add up is not defined."),
    ],
)
def test_several_sites(made, said):
    assert sites_add_up(made, 1, None, "base").startswith(said)


# GC


@pytest.mark.parametrize(
    ("five", "three", "said"),
    [
        (
            (1.02, 0.98, 1.05),
            (1.7, 1.6, 1.8),
            "GC on its 3′ side amplifies its effect 1.7-fold.",
        ),
        (
            (0.5, 0.4, 0.6),
            (1.7, 1.6, 1.8),
            "GC on its 5′ side weakens its effect to 50 %; GC on its 3′ side amplifies "
            "its effect 1.7-fold.",
        ),
        (
            (0.02, -0.1, 0.12),
            (1, 0.98, 1.02),
            "GC on its 5′ side leaves no clear effect of it.",
        ),
        (
            (-0.5, -0.6, -0.4),
            (1, 0.98, 1.02),
            "GC on its 5′ side turns its effect into the opposite.",
        ),
        (
            (1.03, 1.01, 1.05),
            (0.98, 0.95, 1.01),
            "GC beside it makes no difference to its effect beyond a tenth.",
        ),
        (
            (1.3, 0.9, 1.7),
            (1.0, 0.8, 1.2),
            "GC beside it makes no clear difference to its effect.",
        ),
        (
            (NAN, -math.inf, math.inf),
            (1, 0.9, 1.1),
            "What GC beside GAC does to its effect is not defined.",
        ),
    ],
)
def test_gc(five, three, said):
    made = {"5′": interval(*five), "3′": interval(*three)}
    assert gc_changes("GAC", made) == said


# Position


@pytest.mark.parametrize(
    ("low", "high", "differ", "said"),
    [
        (
            (1, 0.8, 1.2),
            (3, 2, 4),
            True,
            "Its effect at position 9 is 3.0 times that at",
        ),
        (
            (-3, -4, -2),
            (-1, -2, -0.5),
            True,
            "Its effect at position 4 is 3.0 times th",
        ),
        ((0, -1, 1), (3, 2, 4), True, "Its effect is largest at position 9 and not cl"),
        ((-1, -2, -0.5), (3, 2, 4), True, "Its effect at position 9 has the opposite "),
        (
            (1, 0.8, 1.2),
            (3, 2, 4),
            False,
            "Its effect does not clearly depend on where",
        ),
    ],
)
def test_position(low, high, differ, said):
    made = position_matters(interval(*low), interval(*high), [4, 9], differ)
    assert made.startswith(said)


# Backgrounds


def under(**rows):
    columns = ["effect", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        (under(a=(1, 0.9, 1.1), b=(1.4, 1.2, 1.6)), "Both kinds of background agree."),
        (
            under(a=(1, 0.9, 1.1), b=(3, 2, 4), c=(1, 0.9, 1.1)),
            "All three kinds of background agree on the direction; the effect under "
            "b is "
            "3.0 times that under a.",
        ),
        (
            under(a=(-1, -1.1, -0.9), b=(-1.2, -1.3, -1.1)),
            "Both kinds of background agree.",
        ),
        (
            under(a=(1, 0.9, 1.1), b=(-1, -2, -0.5)),
            "Backgrounds contradict each other: up under a, down under b.",
        ),
        (
            under(a=(1, 0.9, 1.1), b=(0.1, -1, 1), c=(NAN, NAN, NAN)),
            "The effect is not clear under every kind of background: b and c.",
        ),
        (
            under(a=(0.1, -1, 1), b=(0.1, -1, 1)),
            "No kind of background shows a clear effect (a and b).",
        ),
        (under(a=(1, 0.9, 1.1)), "Only one kind of background was asked."),
    ],
)
def test_backgrounds(effects, said):
    assert backgrounds_agree(effects) == said
