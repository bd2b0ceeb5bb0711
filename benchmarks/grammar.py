"""Does `motif_grammar` find the rules that were planted, and invent none?

    python benchmarks/grammar.py [--repetitions 100] [--seed 0]

`Planted` is a model that can be read by hand: every motif adds what its position says,
some pairs add more by their spacing, order and strands, and every sequence has noise of
its own, by which backgrounds differ. "planted" surveys it again and again with other
backgrounds: `found` is the share of surveys, in per cent, that confirm the pair, and
`class` that give it the planted class, and what it depends on. "invented" surveys
models without any interaction, with independent backgrounds and with four of each
template, which share half of their noise: at most 5 % of the surveys may confirm any
pair. "false" is the mean share of false among all confirmed placements of "planted".
"period" gives curves without a period to the test of periods: at most 5 % may be
called helical.
"""

from __future__ import annotations

import argparse
import itertools
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch

import tangermeme_gia as gia
from tangermeme_gia._core.letters import DNA
from tangermeme_gia.statistics.spacing_rules import EXPLAINED

MOTIFS = {
    "AP1": "TGACTCA",
    "ETS": "CCGGAAGT",
    "GATA": "AGATAAG",
    "NFY": "CCAATCA",
    "CTCF": "CCACTAGG",
}
ANY, SAME = ("++", "+-", "-+", "--"), ("++", "--")


def one_hot(letters: str) -> torch.Tensor:
    """Shape=(1, 4, k)."""
    return torch.eye(4)[["ACGT".index(letter) for letter in letters]].T[None]


class Rule:
    """What two motifs add together, by the bases between them.

    `weight(spacing)` holds in the orders ("12": the first on the left) and for the
    strands, of the first and of the second, that are listed.
    """

    def __init__(
        self,
        a: str,
        b: str,
        kind: str,
        weight: Callable[[np.ndarray], np.ndarray],
        orders: tuple[str, ...] = ("12", "21"),
        strands: tuple[str, ...] = ANY,
    ) -> None:
        self.a, self.b, self.kind, self.weight = a, b, kind, weight
        self.orders, self.strands = orders, strands

    @property
    def depends_on(self) -> str:
        """In the words of the table."""
        on = [("order", len(self.orders) < 2), ("strands", len(self.strands) < 4)]
        return " and ".join(name for name, does in on if does)


RULES = (
    Rule("AP1", "ETS", "hard", lambda s: 2.0 * (s == 4), ("12",), ("++",)),
    Rule("AP1", "GATA", "soft", lambda s: 1.5 * np.exp(-s / 15)),
    Rule("ETS", "GATA", "helical", lambda s: 0.8 + 0.8 * np.cos(2 * np.pi * s / 10.5)),
    Rule("AP1", "NFY", "soft", lambda s: 1.0 + 0.0 * s, strands=SAME),
    Rule("NFY", "NFY", "soft", lambda s: -0.8 + 0.0 * s),
)


class Planted(torch.nn.Module):
    """Motifs that add up, but for the rules; and noise that is each sequence's own.

    Parameters
    ----------
    rules: sequence of Rule
        What pairs add.

    length: int
        Of the sequences.

    noise: float, optional
        Standard deviation of the noise. Default is 0.5.
    """

    def __init__(
        self, rules: tuple[Rule, ...] = RULES, length: int = 80, noise: float = 0.5
    ) -> None:
        super().__init__()
        self.rules, self.length, self.noise = rules, length, noise
        generator = torch.Generator().manual_seed(0)
        # The cosine of a large random projection: other for every other sequence, and
        # 0 on average.
        self.register_buffer("mix", 4 * torch.randn(4 * length, generator=generator))
        self.register_buffer("place", 1 + torch.arange(length) / length)
        self.added = [band for rule in rules for band in self.bands(rule)]

    def sites(self, X: torch.Tensor, name: str, strand: str) -> torch.Tensor:
        """1 where a motif starts on a strand, shape=(n, length)."""
        letters = MOTIFS[name]
        if strand == "-":
            letters = gia.motifs.reverse_complement(letters)
        found = torch.nn.functional.conv1d(X, one_hot(letters)) == len(letters)
        return torch.nn.functional.pad(found[:, 0].float(), (0, len(letters) - 1))

    def bands(self, rule: Rule) -> Iterator[tuple]:
        """The left and the right motif, and what each place of both adds."""
        at = np.arange(self.length)
        for order, strands in itertools.product(rule.orders, rule.strands):
            pair = [(rule.a, strands[0]), (rule.b, strands[1])]
            left, right = pair if order == "12" else pair[::-1]
            if rule.a == rule.b and order == "21":
                continue
            spacing = at[None, :] - at[:, None] - len(MOTIFS[left[0]])
            weight = np.where(spacing >= 0, rule.weight(spacing), 0.0)
            yield left, right, torch.tensor(weight, dtype=torch.float32)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """One number for each sequence."""
        X = X.float()
        y = self.noise * 2**0.5 * torch.cos(X.flatten(1) @ self.mix)
        names = {name for rule in self.rules for name in (rule.a, rule.b)}
        sites = {
            (name, strand): self.sites(X, name, strand)
            for name in names
            for strand in "+-"
        }
        for found in sites.values():
            y = y + found @ self.place
        # Backgrounds whose first bases are G show more of every rule.
        strength = 0.5 + X[:, 2, :10].mean(dim=1) * 2
        for left, right, band in self.added:
            y = y + strength * (sites[left] @ band * sites[right]).sum(dim=1)
        return y[:, None]


def backgrounds(n: int, length: int, rng: np.random.Generator) -> torch.Tensor:
    """Independent uniform bases."""
    return torch.eye(4)[rng.integers(4, size=(n, length))].transpose(1, 2)


def planted(
    repetitions: int, rng: np.random.Generator, n: int = 120, n_spacings: int = 42
) -> Iterator[dict]:
    """What comes back of the rules."""
    model = Planted(length=80)
    kinds, words = Counter(), Counter()
    invented, false = 0, []
    rules = {frozenset((r.a, r.b)): r for r in RULES}
    for _ in range(repetitions):
        X = backgrounds(n, 80, rng)
        grammar = survey(model, X, MOTIFS, range(n_spacings), rng)
        for row in grammar.pairs.itertuples():
            pair = f"{row.a} {row.b}"
            rule = rules.get(frozenset((row.a, row.b)))
            if rule is None:
                invented += row.significant
            kinds[pair, row._3] += 1
            words[pair, row.depends_on] += row.significant
        false.append(share_false(grammar.to_frame(), rules))
    for rule in RULES:
        names = [n for n in MOTIFS if n in (rule.a, rule.b)]
        pair = f"{names[0]} {names[-1]}"
        yield {
            "section": "planted",
            "what": f"{pair}, {rule.kind}, {rule.depends_on or 'any order and strand'}",
            "found": 100 * (1 - kinds[pair, "none"] / repetitions),
            "class": 100 * kinds[pair, rule.kind] / repetitions,
            "depends": 100 * words[pair, rule.depends_on] / repetitions,
            "repetitions": repetitions,
        }
    n_none = len(MOTIFS) * (len(MOTIFS) + 1) // 2 - len(RULES)
    yield {
        "section": "planted",
        "what": f"the other {n_none} pairs",
        "found": 100 * invented / n_none / repetitions,
        "repetitions": repetitions,
    }
    yield {
        "section": "false",
        "what": "placements",
        "found": 100 * float(np.mean(false)),
        "repetitions": repetitions,
    }


def share_false(frame: pd.DataFrame, rules: dict) -> float:
    """Of the confirmed placements (not means), those that no rule holds for."""
    stands = frame[frame["significant"] & frame["spacing"].notna()]
    n_false = 0
    for row in stands.itertuples():
        rule = rules.get(frozenset((row.a, row.b)))
        n_false += rule is None or not is_true(row, rule)
    return n_false / max(len(stands), 1)


def is_true(row: object, rule: Rule) -> bool:
    order, strands = row.order.replace(",", ""), row.orientation
    if (row.a, row.b) != (rule.a, rule.b):
        order, strands = order[::-1], strands[::-1]
    held = order in rule.orders and strands in rule.strands
    return held and abs(float(rule.weight(np.array(row.spacing)))) > 0.01


def invented(repetitions: int, rng: np.random.Generator) -> Iterator[dict]:
    """Surveys of a model without interactions that confirm any pair."""
    names = {name: MOTIFS[name] for name in ("AP1", "ETS", "GATA")}
    for what, template in (("independent", 1), ("4 of a template", 4)):
        n_found = 0
        for _ in range(repetitions):
            X = backgrounds(64 * template, 48, rng)
            model = Planted((), length=48)
            clusters = None
            if template > 1:
                clusters = np.repeat(np.arange(64), template)
                model = Shared(model, X, template)
                # The first 10 bases name the template.
                X[:, :, :10] = X[::template, :, :10].repeat_interleave(template, dim=0)
            grammar = survey(model, X, names, range(16), rng, clusters=clusters)
            n_found += grammar.pairs["significant"].any()
        yield {
            "section": "invented",
            "what": what,
            "found": 100 * n_found / repetitions,
            "repetitions": repetitions,
        }


class Shared(torch.nn.Module):
    """Half of the noise is that of a template and of what is placed."""

    def __init__(self, model: Planted, X: torch.Tensor, template: int) -> None:
        super().__init__()
        self.model = model

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Of the template, known by its first bases, all with the same middle."""
        own = self.model(X)
        X = X.clone()
        # Letters beside the template's name say nothing but which motifs are there.
        code = sum(
            (torch.nn.functional.conv1d(X.float(), one_hot(m)) == len(m)).float()[:, 0]
            @ (torch.arange(X.shape[2] - len(m) + 1.0) + 100 * i)
            for i, m in enumerate(MOTIFS.values())
        )
        name = X[:, :, :10].float().flatten(1) @ self.model.mix[:40]
        return own + 0.5 * 2**0.5 * torch.cos(name * (1 + code))[:, None]


def survey(model, X, motifs, spacings, rng, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gia.statistics.FewEffectsWarning)
        return gia.motif_grammar(
            model,
            X,
            motifs,
            spacings,
            random_state=int(rng.integers(1 << 31)),
            alphabet=DNA,
            batch_size=4096,
            **options,
        )


def periods(repetitions: int, rng: np.random.Generator) -> Iterator[dict]:
    """Curves over 42 spacings that are called helical by one test and its rules."""
    at = np.arange(42)

    def noise(size: float = 1.0) -> np.ndarray:
        return size * rng.normal(size=len(at))

    def correlated() -> np.ndarray:
        values = rng.normal(size=len(at) + 6)
        return np.convolve(values, np.ones(7) / 7**0.5, "valid")

    def stairs(stride: int, n_starts: int) -> np.ndarray:
        starts = rng.integers(stride) + np.arange(n_starts)
        steps = (at[None] + starts[:, None] % stride) // stride
        return np.exp(-steps / 1.5).mean(axis=0) + noise(0.02)

    def peak(width: int) -> np.ndarray:
        first = rng.integers(len(at) - width)
        return ((at >= first) & (at < first + width)) + noise(0.05)

    def helix() -> np.ndarray:
        return np.cos(2 * np.pi * at / 10.5 + rng.uniform(0, 6)) + noise(0.5)

    curves = {
        "white noise": noise,
        "noise alike over 7 spacings": correlated,
        "decay over 5 bases": lambda: np.exp(-at / 5) + noise(0.05),
        "decay over 20 bases": lambda: np.exp(-at / 20) + noise(0.05),
        "peak of 1": lambda: peak(1),
        "peak of 3": lambda: peak(3),
        "peak of 5": lambda: peak(5),
        "steps of 8, 8 starts": lambda: stairs(8, 8),
        "steps of 10, 10 starts": lambda: stairs(10, 10),
        "steps of 10, one start (not claimed)": lambda: stairs(10, 1),
        "period of 10.5 (power)": helix,
    }
    for what, curve in curves.items():
        n_helical = 0
        for _ in range(repetitions):
            found = gia.statistics.spacing_periodicity(curve(), at, n_resamples=399)
            n_helical += found.p < 0.05 and found.share >= EXPLAINED
        yield {
            "section": "period",
            "what": what,
            "found": 100 * n_helical / repetitions,
            "repetitions": repetitions,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    begin = time.process_time()
    rows = [
        *periods(5 * options.repetitions, rng),
        *invented(options.repetitions, rng),
        *planted(max(1, options.repetitions // 10), rng),
    ]
    table = pd.DataFrame(rows)
    p = table["found"].clip(0.5, 99.5) / 100
    table["mc_error"] = 100 * np.sqrt(p * (1 - p) / table["repetitions"])
    print(table.round(1).to_string(index=False, na_rep=""))
    print(f"{time.process_time() - begin:.0f} s of one core")


if __name__ == "__main__":
    main()
