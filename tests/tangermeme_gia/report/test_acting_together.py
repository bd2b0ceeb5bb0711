"""What is said of pairs is what was planted."""

import numpy as np
import pytest
import torch

from tangermeme_gia import motif_grammar, motifs
from tangermeme_gia.report.acting_together import (
    Written,
    confirmed_pairs,
    in_short,
)

WORDS = {"M1 first": "GACCA", "M2 other": "CCTGC"}
NAMES = {"a": "GACCA", "b": "CCTGC"}


class Planted(torch.nn.Module):
    """Adds, for each rule (left, right, weight of spacing), what the bases between say.

    Left and right are a motif and its strand, such as "a+"; half of the backgrounds,
    those whose first base is C, show twice as much.
    """

    def __init__(self, *rules):
        super().__init__()
        self.rules = rules

    def sites(self, X, name):
        letters = NAMES[name[0]]
        if name[1] == "-":
            letters = motifs.reverse_complement(letters)
        kernel = torch.eye(4)[["ACGT".index(x) for x in letters]].T[None]
        return (torch.nn.functional.conv1d(X, kernel) == 5).float()[:, 0]

    def forward(self, X):
        X = X.float()
        y = torch.zeros(len(X))
        for left, right, weight in self.rules:
            a, b = self.sites(X, left), self.sites(X, right)
            for s in range(30):
                pair = (a[:, : -5 - s] * b[:, 5 + s :]).sum(dim=1)
                y = y + float(weight(s)) * pair
        return (y * (1 + X[:, 1, 0]))[:, None]


def hard(s):
    return s in (3, 4)


def trace(s):
    return 0.2 * hard(s)


def same(s):
    return 1


def helix(s):
    return 1 + np.cos(2 * np.pi * (s - 5) / 10.5)


def decay(s):
    return 4 * 2 ** (-s / 6)


def said(*rules, spacings=range(26)):
    X = torch.zeros(40, 4, 60)
    rng = np.random.default_rng(0)
    X[:, 0] = torch.from_numpy(rng.integers(2, size=(40, 60))).float()
    X[:, 3] = 1 - X[:, 0]
    X[:20, :, 0] = torch.tensor([0.0, 1, 0, 0])
    grammar = motif_grammar(Planted(*rules), X, WORDS, spacings, random_state=0)
    return [pair.sentence() for pair in confirmed_pairs(grammar, "base")]


BOTH = "M1 first and M2 other act together"
SIGNS = ("++", "+-", "-+", "--")


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (
            [("a+", "b+", hard)],
            "with other 3–4 bases behind first, both on the forward strand:",
        ),
        (
            [("b-", "a-", hard)],
            "with other 3–4 bases behind first, both on the reverse strand:",
        ),
        # The same on both strands of the DNA.
        (
            [("a+", "b+", hard), ("b-", "a-", hard)],
            "with other 3–4 bases behind first, both on the same strand:",
        ),
        (
            [("b+", "a+", hard), ("a-", "b-", hard)],
            "with first 3–4 bases behind other, both on the same strand:",
        ),
        (
            [("a+", "b-", hard), ("b+", "a-", hard)],
            "3–4 bases apart, facing each other:",
        ),
        (
            [("a-", "b+", hard), ("b-", "a+", hard)],
            "3–4 bases apart, back to back:",
        ),
        (
            [("a-", "b+", hard)],
            "with other 3–4 bases behind first, back to back:",
        ),
        ([("b+", "a-", hard)], "with first 3–4 bases behind other, facing each other:"),
        # Strands matter, the order does not.
        (
            [(f"{x}{s}", f"{y}{s}", hard) for x, y in ("ab", "ba") for s in "+-"],
            "3–4 bases apart, both on the same strand:",
        ),
        # A trace of it elsewhere is not the rule.
        (
            [("a+", "b+", hard), ("b-", "a-", hard), ("a+", "b-", trace)],
            "with other 3–4 bases behind first, both on the same strand:",
        ),
        # Of one motif they do not.
        (
            [("a+", "b+", hard), ("a+", "b-", hard)],
            "with other 3–4 bases behind first, first on the forward strand:",
        ),
        (
            [("b-", "a+", hard), ("b-", "a-", hard)],
            "with first 3–4 bases behind other, other on the reverse strand:",
        ),
        # The order matters, strands do not.
        (
            [(f"a{s}", f"b{t}", hard) for s, t in SIGNS],
            "with other 3–4 bases behind first:",
        ),
        (
            [(f"{x}{s}", f"{y}{t}", hard) for x, y in ("ab", "ba") for s, t in SIGNS],
            "3–4 bases apart:",
        ),
    ],
)
def test_order_and_strands_are_named_where_they_matter(rules, text):
    (sentence,) = said(*rules, spacings=range(12))
    assert sentence.startswith(f"{BOTH} {text}")
    assert sentence.endswith("less than half as much at other spacings (a hard rule)")


def test_kinds_of_rules_have_their_words():
    everywhere = [(f"{x}{s}", f"{y}{t}") for x, y in ("ab", "ba") for s, t in SIGNS]
    (flat,) = said(*[(*each, same) for each in everywhere], spacings=range(6))
    # 1, and 2 on half of the backgrounds.
    assert flat.startswith(f"{BOTH} 0–5 bases apart: 1.")
    assert flat.endswith("(a soft rule)")
    (turns,) = said(*[(*each, helix) for each in everywhere])
    turn = "once in every turn of the helix (10.5 bases)"
    assert turns.startswith(f"{BOTH} {turn}: ")
    assert turns.endswith("more than the sum of each alone at the peaks")
    (falls,) = said(*[(*each, decay) for each in everywhere], spacings=range(20))
    assert falls.endswith("half as much every 6 bases (a soft rule)")
    (less,) = said(("a+", "a+", lambda s: -1), spacings=range(6))
    assert less.startswith(
        "Two sites of M1 first act together 0–5 bases apart, both on"
    )
    assert "less than the sum of each alone" in less


def test_the_first_pair_is_said_and_the_others_are_counted():
    X = torch.zeros(40, 4, 40)
    X[:, 0] = 1
    X[::2, :, 0] = torch.tensor([0.0, 1, 0, 0])
    rules = ("a+", "b+", same), ("a+", "a+", lambda s: -0.5)
    grammar = motif_grammar(Planted(*rules), X, WORDS, range(6), random_state=0)
    pairs = confirmed_pairs(grammar, "base")
    text = in_short(pairs, 2, 5, "base")
    assert text.startswith(BOTH)
    assert text.endswith(" So does one other pair of the motifs.")
    assert in_short(pairs[:1], 2, 5, "base").endswith("(a soft rule).")
    more = in_short([*pairs, *pairs], 2, 5, "base")
    assert more.endswith(" So do three other pairs of the motifs.")
    faint = pairs[1]._replace(row={**pairs[1].row, "effect": 0.01})
    text = in_short([pairs[0], faint, faint], 2, 5, "base")
    assert text.endswith(" In two other pairs they do so by less than a tenth as much.")
    assert in_short([], 2, 1, "base") == (
        "No two of two motifs were seen to do other than the sum of both, 0 to 1 base "
        "apart."
    )


def test_what_is_not_confirmed_itself_is_said_on_average():
    X = torch.zeros(40, 4, 40)
    X[:, 0] = 1
    X[::2, :, 0] = torch.tensor([0.0, 1, 0, 0])
    model = Planted(("a+", "b+", lambda s: 1 + s))
    grammar = motif_grammar(model, X, WORDS, range(6), random_state=0)
    (pair,) = confirmed_pairs(grammar, "base")
    assert " on average" not in pair.sentence()
    placements = pair.placements.copy()
    own = placements["spacing"] == pair.row["spacing"]
    placements.loc[own, "significant"] = False
    less = pair._replace(placements=placements)
    mean = f"{pair.strongest['effect']:.3g}"
    assert f"{mean} more than the sum of each alone on average" in less.sentence()


def test_turned_twice_is_the_same():
    for order in ("1,2", "2,1"):
        for signs in SIGNS:
            one = Written(order, signs)
            assert one.turned() != one == one.turned().turned()
