"""The rules: labelled sequences, and matched pairs that only the rule tells apart.

Sequences are 200 random bases of DNA (41 of RNA for the hairpin) with motifs planted in
them; labels are those of the rule, before any is flipped. Both members of a pair are
the same random bases, and have the same motifs as far as the rule can be told by them.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .sequences import (
    DNA,
    LENGTH,
    RNA,
    A,
    B,
    C,
    Codes,
    K,
    minus,
    plant,
    random_codes,
    two_places,
)

Labels = NDArray[np.float64]
# How many bases lie between two motifs in training, and what holds of them.
SPACINGS, HARD, SOFT, TURN, FACE = 31, 7, range(4, 13), 10.5, 5
NEAR, FAR = 20, 45
STEM, LOOP = 8, 10
RARE = 0.05


class Rule:
    """What a label depends on; `question` asks for it, and `truth` is its answer."""

    name: ClassVar[str]
    says: ClassVar[str]
    question: ClassVar[str]
    truth: ClassVar[str]
    length: ClassVar[int] = LENGTH
    alphabet: ClassVar[str] = DNA
    network: ClassVar[dict[str, int]] = {}

    def simulate(self, n: int, rng: np.random.Generator) -> tuple[Codes, Labels]:
        raise NotImplementedError

    def pairs(self, n: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
        """Sequences of label 1 and of label 0, each pair alike but for the rule."""
        raise NotImplementedError


class Words(Rule):
    """Rules of which motifs are there: kinds of sequences, with shares and labels."""

    question = "pair"
    # What stands at the two places, the share of it, and the label.
    kinds: ClassVar[tuple[tuple[str, str, float, int], ...]]
    # Kinds of label 1 and 0 that make pairs.
    matched: ClassVar[tuple[tuple[int, int], ...]]

    def _write(
        self, X: Codes, kind: NDArray[np.int64], rng: np.random.Generator
    ) -> None:
        for place, start in enumerate(two_places(len(X), rng)):
            motifs = np.array([k[place] for k in self.kinds])[kind]
            for motif in (A, B):
                plant(X, motif, start, motifs == motif)

    def simulate(self, n: int, rng: np.random.Generator) -> tuple[Codes, Labels]:
        X = random_codes(n, rng)
        kind = rng.choice(len(self.kinds), n, p=[k[2] for k in self.kinds])
        self._write(X, kind, rng)
        return X, np.array([self.kinds[k][3] for k in kind], float)

    def pairs(self, n: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
        chosen = np.array(self.matched)[np.arange(n) % len(self.matched)]
        X = random_codes(n, rng)
        seed = int(rng.integers(1 << 31))
        made = []
        for kind in chosen.T:
            member = X.copy()
            self._write(member, kind, np.random.default_rng(seed))
            made.append(member)
        return made[0], made[1]


class And(Words):
    name, says, truth = "AND", "A and B", "AND"
    kinds = (
        (A, B, 0.4, 1),
        (A, A, 0.05, 0),
        (B, B, 0.05, 0),
        (A, "", 0.2, 0),
        ("", B, 0.2, 0),
        ("", "", 0.1, 0),
    )
    # A and B against two of either, which counts of motifs get wrong, and against one.
    matched = ((0, 1), (0, 2), (0, 3), (0, 4))


class Or(Words):
    name, says, truth = "OR", "A or B, or both", "OR"
    kinds = (
        (A, B, 0.17, 1),
        (A, "", 0.165, 1),
        ("", B, 0.165, 1),
        ("", "", 0.5, 0),
    )
    # Labels of OR are also those of a sum above a threshold: no pair tells them apart.
    matched = ((0, 3), (1, 3), (2, 3))


class Not(Words):
    name, says, truth = "NOT", "A unless there is B", "NOT"
    kinds = (
        (A, "", 0.35, 1),
        (A, A, 0.15, 1),
        (A, B, 0.3, 0),
        ("", B, 0.1, 0),
        ("", "", 0.1, 0),
    )
    # Whether B counts, and whether A is needed.
    matched = ((0, 2), (1, 2), (0, 4))


class Arranged(Rule):
    """Rules of how A and B stand to each other; either is left out in a tenth."""

    def gaps(self, y: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
        """Bases between both, for each label."""
        every = np.arange(SPACINGS)
        good, bad = every[self.fits(every)], every[~self.fits(every)]
        return np.where(y, rng.choice(good, len(y)), rng.choice(bad, len(y)))

    def fits(self, gap: NDArray[np.int64]) -> NDArray[np.bool_]:
        raise NotImplementedError

    def write(
        self, X: Codes, y: NDArray[np.bool_], left_out: Labels, rng: np.random.Generator
    ) -> None:
        first = rng.integers(20, 130, len(X))
        gap = self.gaps(y, rng)
        plant(X, A, first, left_out >= 0.1)
        plant(X, B, first + K + gap, left_out < 0.9)

    def simulate(self, n: int, rng: np.random.Generator) -> tuple[Codes, Labels]:
        X, y, left_out = random_codes(n, rng), rng.random(n) < 0.6, rng.random(n)
        self.write(X, y, left_out, rng)
        return X, (y & (left_out >= 0.1) & (left_out < 0.9)).astype(float)

    def pairs(self, n: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
        X, both, seed = random_codes(n, rng), np.full(n, 0.5), rng.integers(1 << 31)
        made = []
        for label in (True, False):
            member = X.copy()
            y = np.full(n, label)
            self.write(member, y, both, np.random.default_rng(int(seed)))
            made.append(member)
        return made[0], made[1]


class Order(Arranged):
    name, says = "order", "A before B, 0 to 30 bases apart"
    question, truth = "order", "A before B"

    def write(
        self, X: Codes, y: NDArray[np.bool_], left_out: Labels, rng: np.random.Generator
    ) -> None:
        first, gap = rng.integers(20, 130, len(X)), rng.integers(SPACINGS, size=len(X))
        second = first + K + gap
        plant(X, A, np.where(y, first, second), left_out >= 0.1)
        plant(X, B, np.where(y, second, first), left_out < 0.9)


class Hard(Arranged):
    name, says = "spacing, hard", f"B {HARD} bases behind A, of 0 to 30"
    question, truth = "spacing", f"hard {HARD}"

    def fits(self, gap: NDArray[np.int64]) -> NDArray[np.bool_]:
        return gap == HARD


class Soft(Arranged):
    name, says = "spacing, soft", "B 4 to 12 bases behind A, of 0 to 30"
    question, truth = "spacing", "soft"

    def fits(self, gap: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.isin(gap, SOFT)


class Helical(Arranged):
    name, says = "spacing, helical", "B behind A on the same face of a helix of 10.5"
    question, truth = "spacing", "helical"

    def fits(self, gap: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.cos(2 * np.pi * (gap - FACE) / TURN) > 0


class Alone(Rule):
    """Rules of A alone, which is left out in a fifth of the sequences."""

    def write(
        self,
        X: Codes,
        y: NDArray[np.bool_],
        there: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        raise NotImplementedError

    def draw(self, n: int, rng: np.random.Generator) -> Codes:
        return random_codes(n, rng, self.length)

    def simulate(self, n: int, rng: np.random.Generator) -> tuple[Codes, Labels]:
        X, y, there = self.draw(n, rng), rng.random(n) < 0.6, rng.random(n) < 0.8
        self.write(X, y, there, rng)
        return X, (y & there).astype(float)

    def pairs(self, n: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
        """Label 0 breaks the rule, or in every other pair only lacks A."""
        X, seed, odd = self.draw(n, rng), rng.integers(1 << 31), np.arange(n) % 2 == 1
        made, every = [], np.ones(n, bool)
        for y, there in ((every, every), (odd, ~odd)):
            member = X.copy()
            self.write(member, y, there, np.random.default_rng(int(seed)))
            made.append(member)
        return made[0], made[1]


class Strand(Alone):
    name, says = "strand", "A on the forward strand, not on the other"
    question, truth = "strand", "forward"

    def write(
        self,
        X: Codes,
        y: NDArray[np.bool_],
        there: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        start = rng.integers(8, self.length - 16, len(X))
        plant(X, A, start, there & y)
        plant(X, minus(A), start, there & ~y)


class Position(Alone):
    name, says = "position", f"A within {NEAR} bases of the centre, not beyond {FAR}"
    question, truth = "position", "centre"

    def write(
        self,
        X: Codes,
        y: NDArray[np.bool_],
        there: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        n, middle = len(X), self.length // 2 - K // 2
        side = rng.choice([-1, 1], n)
        far = middle + side * rng.integers(FAR, middle - 4, n)
        near = middle + rng.integers(-NEAR, NEAR + 1, n)
        plant(X, A, np.where(y, near, far), there)


class Context(Alone):
    """A in an island of 80 % GC; elsewhere there is one of 20 % GC, or the reverse."""

    name, says = "GC context", "A between 20 bases of 80 % GC, not of 20 or 50 %"
    question, truth = "GC context", "GC"
    flank: ClassVar[int] = 20

    def write(
        self,
        X: Codes,
        y: NDArray[np.bool_],
        there: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        n, width = len(X), 2 * self.flank + K
        rich, poor = (random_codes(n, rng, width, gc) for gc in (0.8, 0.2))
        left, right = rng.integers(4, 45, n), rng.integers(104, 149, n)
        swap = rng.random(n) < 0.5
        at_rich, at_poor = np.where(swap, right, left), np.where(swap, left, right)
        for island, start in ((rich, at_rich), (poor, at_poor)):
            columns = start[:, None] + np.arange(width)
            X[np.arange(n)[:, None], columns] = island
        plant(X, A, np.where(y, at_rich, at_poor) + self.flank, there)

    def simulate(self, n: int, rng: np.random.Generator) -> tuple[Codes, Labels]:
        X, y = super().simulate(n, rng)
        # A third of label 0 is A in bases of 50 % GC.
        plain = (y == 0) & (rng.random(n) < 1 / 3)
        X[plain] = random_codes(int(plain.sum()), rng)
        plant(X, A, rng.integers(8, 184, n), plain)
        return X, y


class Loop(Alone):
    """A in the middle of a loop; the arms pair, or one of them is shuffled."""

    name, says = "hairpin", f"A in the loop of a stem of {STEM} random pairs"
    question, truth = "hairpin", "loop"
    length, alphabet = 41, RNA
    network: ClassVar[dict[str, int]] = {"channels": 48, "width": 25}

    def write(
        self,
        X: Codes,
        y: NDArray[np.bool_],
        there: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        first = rng.integers(0, self.length - 2 * STEM - LOOP + 1, len(X))
        rows = np.arange(len(X))[:, None]
        left = X[rows, first[:, None] + np.arange(STEM)]
        right = 3 - left[:, ::-1]
        loose = rng.permuted(right, axis=1)
        arm = first[:, None] + STEM + LOOP + np.arange(STEM)
        X[rows, arm] = np.where(y[:, None], right, loose)
        plant(X, A, first + STEM + (LOOP - K) // 2, there)


class Cofactor(Alone):
    """A counts only where there is C: 30 % of training, and 5 % of what is analysed."""

    name, says = (
        "cofactor",
        f"A, but only with a C, which {RARE:.0%} of backgrounds carry",
    )
    question, truth = "cofactor", "C"

    def write(
        self,
        X: Codes,
        y: NDArray[np.bool_],
        there: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> None:
        # What breaks the rule is C shuffled, and what lacks A is A shuffled.
        for motif, start, whole in zip(
            (A, C), two_places(len(X), rng), (there, y), strict=True
        ):
            plant(X, motif, start, np.ones(len(X), bool))
            columns = start[:, None] + np.arange(K)
            rows = np.arange(len(X))[:, None]
            shuffled = rng.permuted(X[rows, columns], axis=1)
            X[rows, columns] = np.where(whole[:, None], X[rows, columns], shuffled)

    def simulate(self, n: int, rng: np.random.Generator) -> tuple[Codes, Labels]:
        X = self.draw(n, rng)
        a, c = two_places(n, rng)
        with_a, with_c = rng.random(n) < 0.5, rng.random(n) < 0.3
        plant(X, A, a, with_a)
        plant(X, C, c, with_c)
        return X, (with_a & with_c).astype(float)


class Control(Words):
    """No rule: A and B stand at random, on either strand."""

    question, truth = "", ""
    network: ClassVar[dict[str, int]] = {}

    def chance(self, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Labels:
        """Of label 1."""
        raise NotImplementedError

    def simulate(self, n: int, rng: np.random.Generator) -> tuple[Codes, Labels]:
        X = random_codes(n, rng)
        a, b = rng.random(n) < 0.5, rng.random(n) < 0.5
        for motif, there, start in zip((A, B), (a, b), two_places(n, rng), strict=True):
            forward = rng.random(n) < 0.5
            plant(X, motif, start, there & forward)
            plant(X, minus(motif), start, there & ~forward)
        return X, (rng.random(n) < self.chance(a, b)).astype(float)

    def pairs(self, n: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
        """Every other pair has its motifs on the other strand."""
        made = super().pairs(n, rng)
        for member in made:
            member[::2] = 3 - member[::2, ::-1]
        return made

    kinds = ((A, B, 0.5, 1), (A, "", 0.2, 1), ("", B, 0.2, 0), ("", "", 0.1, 0))


class Random(Control):
    name, says = "random labels", "nothing"
    matched = ()

    def chance(self, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Labels:
        return np.full(len(a), 0.5)


class Single(Control):
    name, says = "single motif", "A, on either strand"
    matched = ((0, 2), (1, 3))

    def chance(self, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Labels:
        return a.astype(float)


class Additive(Control):
    """Either raises the logit by 2.9, from -2.9."""

    name, says = "additive", "A and B add up on the logit, on either strand"
    matched = ((0, 3),)

    def chance(self, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Labels:
        return 1 / (1 + 19.0 ** (1.0 - a - b))


RULES: tuple[Rule, ...] = (
    And(),
    Or(),
    Not(),
    Order(),
    Hard(),
    Soft(),
    Helical(),
    Strand(),
    Position(),
    Context(),
    Loop(),
    Cofactor(),
)
CONTROLS: tuple[Control, ...] = (Random(), Single(), Additive())
