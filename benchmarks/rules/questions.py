"""What is asked of a network, by experiments of the package, and how it is decided.

The decisions were written, and committed, before any network was asked. Effects are
in logits. Every question gives the effects of its arms on each background; an answer
has claims about their means, each a one-sided t test over backgrounds, corrected
together by Holm (`decisions.answer`). So that what is true of any trained network by a
hair is no discovery, claims ask for a size: a logit at least for what there is, and
half of it, or a quarter for interactions, between what differs.

Attributions give effects of the same names for the same claims: the effect of an arm is
the sum of the contributions of the motifs that were placed (`attributions.py`).
A dependency map is of pairs, and has claims of its own: `e` is the mean, over pairs of
positions in two sites, of f(wild type) - f(one) - f(other) + f(both changed).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

import tangermeme_gia as gia

from .decisions import HALF, LEAST, QUARTER, Claim, Effects, Values, answer, taken
from .grammars import LOOP, RARE, SPACINGS, STEM, Context
from .sequences import (
    DNA,
    RNA,
    A,
    B,
    C,
    Codes,
    K,
    Starts,
    codes_of,
    minus,
    one_hot,
    plant,
    random_codes,
)

Claims = dict[str, list[Claim]]


class Arm(NamedTuple):
    """Sequences, where motifs were placed, shape=(n, sites), and positions to pair.

    `couples`, shape=(n, m, 2), are those of a dependency map; -1 where there is none.
    """

    X: Codes
    starts: Starts
    couples: NDArray[np.int64] | None = None


class Question:
    """Asked of any network, whatever it was trained on."""

    name: str
    about: str
    alphabet = DNA
    # Whether a dependency map, which is of pairs, can be asked.
    of_pairs = False

    def backgrounds(self, n: int, length: int, rng: np.random.Generator) -> Codes:
        return random_codes(n, rng, length)

    def effects(self, model: torch.nn.Module, X: Codes) -> Effects:
        """By the package, shape=(n,) each."""
        raise NotImplementedError

    def arms(self, X: Codes) -> dict[str, Arm]:
        """What attributions are given: the same backgrounds with the same motifs."""
        raise NotImplementedError

    def claims(self, effects: Effects) -> Claims:
        raise NotImplementedError

    def map_claims(self, effects: Effects) -> Claims:
        raise NotImplementedError

    def known(self, X: Codes) -> Effects:
        """What is known of the backgrounds beside the model."""
        return {}

    def answers(
        self, model: torch.nn.Module, X: Codes, draws: Sequence[slice]
    ) -> list[str]:
        effects = {**self.effects(model, X), **self.known(X)}
        return [answer(self.claims(taken(effects, rows))) for rows in draws]

    def read(self, effects: Effects, draws: Sequence[slice]) -> list[str]:
        return [answer(self.claims(taken(effects, rows))) for rows in draws]

    def read_map(self, effects: Effects, draws: Sequence[slice]) -> list[str]:
        return [answer(self.map_claims(taken(effects, rows))) for rows in draws]


class Pair(Question):
    """`pairwise_interaction`.

    AND: AB is a logit or more, A and B alone less than half of it, and AB - A - B more
    than a quarter. OR: A and B alone are a logit, and more than half of AB, and both
    together less than 4/5 of their sum. NOT: A is a logit, AB less than half of A, and
    less than A + B by more than a quarter of A.
    """

    name, about = "pair", "`pairwise_interaction`"
    of_pairs = True

    def effects(self, model: torch.nn.Module, X: Codes) -> Effects:
        a, b = _two(X)
        result = gia.pairwise_interaction(
            model, one_hot(X), (A, a), (B, b), alphabet=DNA
        )
        return {arm: _local(result, arm=arm) for arm in ("A", "B", "AB")}

    def arms(self, X: Codes) -> dict[str, Arm]:
        a, b = (np.full(len(X), start) for start in _two(X))
        return {
            "A": _arm(X, [(A, a)]),
            "B": _arm(X, [(B, b)]),
            "AB": _arm(X, [(A, a), (B, b)], paired=True),
        }

    def claims(self, effects: Effects) -> Claims:
        a, b, ab = (effects[arm] for arm in ("A", "B", "AB"))
        return {
            "AND": [
                Claim(ab - LEAST),
                Claim(ab - a - b - QUARTER * ab),
                Claim(HALF * ab - a),
                Claim(HALF * ab - b),
            ],
            "OR": [
                Claim(a - LEAST),
                Claim(b - LEAST),
                Claim(a - HALF * ab),
                Claim(b - HALF * ab),
                Claim(a + b - (1 + QUARTER) * ab),
            ],
            "NOT": [
                Claim(a - LEAST),
                Claim(HALF * a - ab),
                Claim(a + b - ab - QUARTER * a),
            ],
        }

    def map_claims(self, effects: Effects) -> Claims:
        """AND: e is a logit or more. Below -1 it is NOT if B lowers, and OR if not."""
        e, of_b = effects["AB"], effects["AB, second"]
        return {
            "AND": [Claim(e - LEAST)],
            "OR": [Claim(-e - LEAST), Claim(of_b - HALF * e)],
            "NOT": [Claim(-e - LEAST), Claim(HALF * e - of_b)],
        }


class OrderOf(Question):
    """`motif_spacing`, both orders, means over four spacings.

    A before B: that is a logit or more, B before A less than half of it; or the
    reverse.
    """

    name, about = "order", "`motif_spacing(orders='all')`"
    of_pairs = True
    spacings = (2, 8, 14, 20)

    def effects(self, model: torch.nn.Module, X: Codes) -> Effects:
        result = gia.motif_spacing(
            model,
            one_hot(X),
            [A, B],
            list(self.spacings),
            start=_centre(X) - 20,
            orders="all",
            alphabet=DNA,
        )
        orders = {"AB": "1,2", "BA": "2,1"}
        return {k: _local(result, arm="all", order=o) for k, o in orders.items()}

    def arms(self, X: Codes) -> dict[str, Arm]:
        gap = np.array(self.spacings)[np.arange(len(X)) % len(self.spacings)]
        first = np.full(len(X), _centre(X) - 20)
        second = first + K + gap
        return {
            "AB": _arm(X, [(A, first), (B, second)], paired=True),
            "BA": _arm(X, [(B, first), (A, second)], paired=True),
        }

    def claims(self, effects: Effects) -> Claims:
        ab, ba = effects["AB"], effects["BA"]
        return {
            "A before B": [Claim(ab - LEAST), Claim(HALF * ab - ba)],
            "B before A": [Claim(ba - LEAST), Claim(HALF * ba - ab)],
        }

    def map_claims(self, effects: Effects) -> Claims:
        return self.claims(effects)


class SpacingOf(Question):
    """`motif_grammar`, A left of B, spacings 0 to 30.

    The class that it gives to the pair (for "hard" with the spacing), if the lower end
    of the interval of the strongest confirmed interaction is above a logit.

    Attributions see each background at one spacing, drawn at random: a survey of all
    would be 31 times as many sequences, and as it is they cost as many predictions as
    the survey. Their curve is AB - A - B at each spacing. Spacings that reach half of
    the highest on the first half of the sequences are in; on the other half those that
    are in show a logit or more, and those that are not less than half as much. It is
    *helical* if `spacing_periodicity` of the whole curve says so with the share of
    `motif_grammar`, *hard* if a fifth of all spacings at most are in (the highest of
    all is the spacing), and otherwise *soft*.
    """

    name, about = "spacing", "`motif_grammar`"
    of_pairs = True

    def answers(
        self, model: torch.nn.Module, X: Codes, draws: Sequence[slice]
    ) -> list[str]:
        found = []
        for rows in draws:
            grammar = gia.motif_grammar(
                model,
                one_hot(X[rows]),
                {"A": A, "B": B},
                range(SPACINGS),
                orders=[(0, 1)],
                orientations=["++"],
                alphabet=DNA,
                random_state=rows.start,
                batch_size=1024,
            )
            pairs = grammar.pairs
            row = pairs[(pairs["a"] == "A") & (pairs["b"] == "B")].iloc[0]
            kind = row["class"] if row["class"] != "none" and row["low"] > LEAST else ""
            found.append(f"hard {row['spacing']}" if kind == "hard" else kind)
        return found

    def known(self, X: Codes) -> Effects:
        gap = np.random.default_rng(len(X)).integers(SPACINGS, size=len(X))
        return {"gap": gap.astype(float)}

    def arms(self, X: Codes) -> dict[str, Arm]:
        first = np.full(len(X), _centre(X) - 20)
        second = first + K + self.known(X)["gap"].astype(int)
        return {
            "A": _arm(X, [(A, first)]),
            "B": _arm(X, [(B, second)]),
            "AB": _arm(X, [(A, first), (B, second)], paired=True),
        }

    def read(self, effects: Effects, draws: Sequence[slice]) -> list[str]:
        both = effects["AB"] - effects["A"] - effects["B"]
        return [read_curve(both[rows], effects["gap"][rows]) for rows in draws]

    def read_map(self, effects: Effects, draws: Sequence[slice]) -> list[str]:
        return [read_curve(effects["AB"][r], effects["gap"][r]) for r in draws]


def read_curve(values: Values, gap: Values) -> str:
    """The class of a curve of which each sequence shows one spacing."""
    first = np.arange(len(values)) < len(values) // 2
    seen, curve = _means(values[first], gap[first])
    inside = np.isin(gap, seen[curve >= HALF * curve.max()]) & ~first
    outside = np.isin(gap, seen[curve < HALF * curve.max()]) & ~first
    claims = [
        Claim(values[inside] - LEAST),
        Claim(HALF * values[inside], values[outside]),
    ]
    if not answer({"any": claims}):
        return ""
    seen, curve = _means(values, gap)
    if len(seen) == SPACINGS:
        turn = gia.statistics.spacing_periodicity(curve, seen)
        if turn.p < 0.05 and turn.share >= 1 / 3:
            return "helical"
    is_hard = (curve >= HALF * curve.max()).sum() <= SPACINGS / 5
    return f"hard {int(seen[curve.argmax()])}" if is_hard else "soft"


def _means(values: Values, gap: Values) -> tuple[Values, Values]:
    seen = np.unique(gap)
    return seen, np.array([values[gap == g].mean() for g in seen])


class StrandOf(Question):
    """`global_importance` of A and of its reverse complement at the same place.

    One strand is a logit or more, and the other less than half of it.
    """

    name, about = "strand", "`global_importance` on both strands"

    def effects(self, model: torch.nn.Module, X: Codes) -> Effects:
        at = _centre(X)
        patterns = [[(A, at)], [(minus(A), at)]]
        result = gia.global_importance(model, one_hot(X), patterns, alphabet=DNA)
        local = _numbers(result.local_importance)
        return {"forward": local[:, 0], "reverse": local[:, 1]}

    def arms(self, X: Codes) -> dict[str, Arm]:
        at = np.full(len(X), _centre(X))
        return {"forward": _arm(X, [(A, at)]), "reverse": _arm(X, [(minus(A), at)])}

    def claims(self, effects: Effects) -> Claims:
        return _one_of(effects, "forward", "reverse")


class PositionOf(Question):
    """`positional_bias` at three starts about the centre and four 60 bases away.

    The mean of one group is a logit or more, and that of the other less than half.
    """

    name, about = "position", "`positional_bias`"

    def effects(self, model: torch.nn.Module, X: Codes) -> Effects:
        near, far = self._starts(X)
        result = gia.positional_bias(model, one_hot(X), A, [*near, *far], alphabet=DNA)
        groups = {"centre": near, "flanks": far}
        return {name: _local(result, start=starts) for name, starts in groups.items()}

    def arms(self, X: Codes) -> dict[str, Arm]:
        near, far = (
            np.array(starts)[np.arange(len(X)) % len(starts)]
            for starts in self._starts(X)
        )
        return {"centre": _arm(X, [(A, near)]), "flanks": _arm(X, [(A, far)])}

    def _starts(self, X: Codes) -> tuple[list[int], list[int]]:
        at, last = _centre(X), X.shape[1] - K
        return [at - 12, at, at + 12], [12, 36, last - 36, last - 12]

    def claims(self, effects: Effects) -> Claims:
        return _one_of(effects, "centre", "flanks")


class ContextOf(Question):
    """`gc_flank` with flanks of 20 bases of 80 % GC, drawn for each background.

    A between both flanks (less what either does alone) is a logit or more, and A in the
    background less than half of it. Attributions: those of A's own bases.
    """

    name, about = "GC context", "`gc_flank`"

    def effects(self, model: torch.nn.Module, X: Codes) -> Effects:
        at = _centre(X)
        result = gia.gc_flank(
            model,
            one_hot(X),
            A,
            *(_rich(), _rich()),
            start=at,
            left_start=at - Context.flank,
            right_start=at + K,
            alphabet=DNA,
            random_state=0,
        )
        both, left, right = (_local(result, arm=x) for x in ("both", "left", "right"))
        return {"GC": both - left - right, "plain": _local(result, arm="motif")}

    def arms(self, X: Codes) -> dict[str, Arm]:
        at = _centre(X)
        flanks = [(_rich(), at - Context.flank), (_rich(), at + K)]
        rich = gia.place(one_hot(X), flanks, DNA, random_state=0)
        starts = np.full(len(X), at)
        codes = rich.argmax(dim=1).numpy().astype(np.int8)
        return {"GC": _arm(codes, [(A, starts)]), "plain": _arm(X, [(A, starts)])}

    def claims(self, effects: Effects) -> Claims:
        return {"GC": _one_of(effects, "GC", "plain")["GC"]}


class LoopOf(Question):
    """`hairpin_importance` with a stem as in training and A in its loop.

    A in the empty hairpin is a logit or more, and without structure less than half.
    Attributions: those of A's own bases. Dependency map, in the hairpin: the bases that
    pair have a sum of e of a logit or more, and those that are one base off less than
    half of it.
    """

    name, about = "hairpin", "`hairpin_importance`"
    alphabet = RNA
    of_pairs = True

    def effects(self, model: torch.nn.Module, X: Codes) -> Effects:
        stem, motif = self._starts(X)
        result = gia.hairpin_importance(
            model,
            one_hot(X),
            A.replace("T", "U"),
            gia.structure.Hairpin(stem, STEM, LOOP),
            starts=[motif],
            alphabet=RNA,
        )
        inside = result.select(structure="hairpin").relative_to(place="none")
        return {
            "loop": _local(inside, place="loop"),
            "unfolded": _local(result, structure="unstructured"),
        }

    def _starts(self, X: Codes) -> tuple[int, int]:
        stem = X.shape[1] // 2 - STEM - LOOP // 2
        return stem, stem + STEM + (LOOP - K) // 2

    def arms(self, X: Codes) -> dict[str, Arm]:
        stem, motif = self._starts(X)
        left = stem + np.arange(STEM)
        right = 2 * stem + 2 * STEM + LOOP - 1 - left
        folded = X.copy()
        folded[:, right] = 3 - X[:, left]
        at = np.full(len(X), motif)
        arms = {"unfolded": _arm(X, [(A, at)])}
        for name, partner in (("loop", right), ("beside", right[1:])):
            couples = np.stack([left[: len(partner)], partner], axis=1)
            arm = _arm(folded, [(A, at)])
            arms[name] = arm._replace(couples=np.tile(couples, (len(X), 1, 1)))
        return arms

    def claims(self, effects: Effects) -> Claims:
        return {"loop": _one_of(effects, "loop", "unfolded")["loop"]}

    def map_claims(self, effects: Effects) -> Claims:
        paired, beside = STEM * effects["loop"], STEM * effects["beside"]
        return {"loop": [Claim(paired - LEAST), Claim(HALF * paired - beside)]}


class CofactorOf(Question):
    """`global_importance` of A, read in two strata of the backgrounds.

    5 % of the backgrounds carry C, and others B, as sequences of an assay would. For
    each of the two, as a candidate: where it is A is a logit or more, and where it is
    not less than half of that (Welch's test). Dependency map: e of A and the candidate
    is a logit or more where it is. Fewer than three carriers give no answer.
    """

    name, about = "cofactor", "`global_importance`, rows with and without each motif"
    of_pairs = True
    candidates = (("C", C, 120), ("B", B, 40))

    def backgrounds(self, n: int, length: int, rng: np.random.Generator) -> Codes:
        X = random_codes(n, rng, length)
        for _, motif, at in self.candidates:
            start = at + rng.integers(-8, 9, n)
            plant(X, motif, start, rng.random(n) < RARE)
        return X

    def known(self, X: Codes) -> Effects:
        counts = {
            name: gia.backgrounds.motif_occurrences(one_hot(X), motif, alphabet=DNA)
            for name, motif, _ in self.candidates
        }
        return {name: np.asarray(n > 0, float) for name, n in counts.items()}

    def effects(self, model: torch.nn.Module, X: Codes) -> Effects:
        at = _centre(X) - 16
        result = gia.global_importance(model, one_hot(X), [(A, at)], alphabet=DNA)
        return {"A": _numbers(result.local_importance)[:, 0]}

    def arms(self, X: Codes) -> dict[str, Arm]:
        at = np.full(len(X), _centre(X) - 16)
        arms = {"A": _arm(X, [(A, at)])}
        for name, motif, _ in self.candidates:
            there = _find(X, motif)
            couples = _couples(np.stack([at, there], axis=1))
            couples[there < 0] = -1
            arms[f"A and {name}"] = arms["A"]._replace(couples=couples)
        return arms

    def claims(self, effects: Effects) -> Claims:
        claims = {}
        for name, _, _ in self.candidates:
            carries = effects[name] > 0
            inside, outside = effects["A"][carries], effects["A"][~carries]
            claims[name] = [Claim(inside - LEAST), Claim(HALF * inside, outside)]
        return claims

    def map_claims(self, effects: Effects) -> Claims:
        return {
            name: [Claim(effects[f"A and {name}"][effects[name] > 0] - LEAST)]
            for name, _, _ in self.candidates
        }


def _one_of(effects: Effects, first: str, second: str) -> Claims:
    """Either is a logit or more, and the other less than half of it."""
    a, b = effects[first], effects[second]
    return {
        first: [Claim(a - LEAST), Claim(HALF * a - b)],
        second: [Claim(b - LEAST), Claim(HALF * b - a)],
    }


def _centre(X: Codes) -> int:
    return X.shape[1] // 2 - K // 2


def _two(X: Codes) -> tuple[int, int]:
    return _centre(X) - 24, _centre(X) + 24


def _rich() -> Values:
    """A PPM of bases of 80 % GC."""
    return np.repeat(np.array([[0.1], [0.4], [0.4], [0.1]]), Context.flank, axis=1)


def _arm(X: Codes, patterns: list[tuple[str, Starts]], paired: bool = False) -> Arm:
    X = X.copy()
    for motif, start in patterns:
        plant(X, motif, start, np.ones(len(X), bool))
    starts = np.stack([start for _, start in patterns], axis=1)
    return Arm(X, starts, _couples(starts) if paired else None)


def _couples(starts: Starts) -> NDArray[np.int64]:
    """Each position of the first site with one of the second, in another order each."""
    n = len(starts)
    first = np.tile(np.arange(K), (n, 2))
    second = np.concatenate([(np.arange(K) + s) % K for s in (0, 3)])
    return np.stack([starts[:, :1] + first, starts[:, 1:2] + second[None]], axis=2)


def _find(X: Codes, motif: str) -> Starts:
    """Where the motif first stands in each sequence; -1 where it does not."""
    windows = np.lib.stride_tricks.sliding_window_view(X, K, axis=1)
    hits = (windows == codes_of(motif)).all(axis=2)
    return np.where(hits.any(axis=1), hits.argmax(axis=1), -1)


def _numbers(local: object) -> Values:
    assert isinstance(local, torch.Tensor)
    return local[:, :, 0].double().numpy()


def _local(result: gia.GIAResult, **which: object) -> Values:
    """Mean over the conditions chosen, for each background."""
    return _numbers(result.select(**which).local_importance).mean(axis=1)


QUESTIONS = {
    question.name: question
    for question in (
        Pair(),
        OrderOf(),
        SpacingOf(),
        StrandOf(),
        PositionOf(),
        ContextOf(),
        LoopOf(),
        CofactorOf(),
    )
}
