"""The command: networks, questions by every method, a table and a figure."""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from .attributions import METHODS
from .grammars import CONTROLS, RULES, Rule
from .networks import LEARNED, Trained, trained
from .questions import QUESTIONS, Question

GIA = "GIA"
# The row of all questions to all controls.
EVERY = "all controls"
# Backgrounds of a draw, and how many draws, that share none, at most.
DRAWS = {50: 8, 200: 4, 1000: 1}


def main(arguments: Sequence[str] | None = None) -> pd.DataFrame:
    options = _parser().parse_args(arguments)
    rules = [r for r in (*RULES, *CONTROLS) if options.rule in (None, r.name)]
    rules = [r for r in rules if not r.question or r.question in options.questions]
    sizes = {n: k for n, k in DRAWS.items() if not options.quick or n == 50}
    most = 4 if options.quick else 16
    methods, questions = options.methods or [GIA, *METHODS], options.questions
    begin, rows = time.process_time(), []
    options.out.mkdir(parents=True, exist_ok=True)
    for seed in range(options.seeds):
        for rule in rules:
            network = trained(rule, seed, options.cache, most)
            rows += list(_asked(rule, seed, network, sizes, methods, questions))
            table = pd.DataFrame(rows)
            table.to_csv(options.out / "rules.tsv", sep="\t", index=False)
            print(
                f"{rule.name}, seed {seed}: pairs {network.accuracy:.3f} "
                f"({network.steps} steps); {time.process_time() - begin:.0f} s",
                flush=True,
            )
    summary = summarised(table)
    print(summary.to_string(index=False))
    draw(table).savefig(options.out / "rules.png", dpi=130)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules")
    names = [rule.name for rule in (*RULES, *CONTROLS)]
    parser.add_argument("--rule", choices=names, help="default: all, and controls")
    parser.add_argument("--seeds", type=int, default=3, help="networks of each")
    parser.add_argument("--cache", type=Path, default=Path("rules-cache"))
    parser.add_argument("--out", type=Path, default=Path("rules"))
    asked = list(QUESTIONS)
    parser.add_argument("--questions", nargs="+", choices=asked, default=asked)
    parser.add_argument("--methods", nargs="+", choices=[GIA, *METHODS], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="few rounds, n = 50 only")
    return parser


def _asked(
    rule: Rule,
    seed: int,
    network: Trained,
    sizes: dict[int, int],
    methods: list[str],
    questions: list[str],
) -> Iterator[dict[str, object]]:
    """A row for each method and n; controls are asked every question."""
    names = [rule.question] if rule.question else questions
    for name in names:
        question = QUESTIONS[name]
        rng = np.random.default_rng([seed, 3, list(QUESTIONS).index(name)])
        X = question.backgrounds(max(n * k for n, k in sizes.items()), rule.length, rng)
        draws = [slice(i * n, i * n + n) for n, k in sizes.items() for i in range(k)]
        for method, answers in _answers(
            network.model, question, X, draws, methods
        ).items():
            for n in sizes:
                told = [
                    a
                    for a, rows in zip(answers, draws, strict=True)
                    if rows.stop - rows.start == n
                ]
                yield {
                    "network": rule.name,
                    "seed": seed,
                    "pairs": round(network.accuracy, 4),
                    "steps": network.steps,
                    "question": name,
                    "method": method,
                    "n": n,
                    "draws": len(told),
                    "right": sum(a == rule.truth for a in told) if rule.truth else "",
                    "answered": sum(a != "" for a in told),
                    "answers": ", ".join(sorted({a for a in told if a})),
                }


def _answers(
    model: torch.nn.Module,
    question: Question,
    X: np.ndarray,
    draws: list[slice],
    methods: list[str],
) -> dict[str, list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {}
        if GIA in methods:
            found[GIA] = question.answers(model, X, draws)
        for name, method in METHODS.items():
            if name not in methods:
                continue
            if name != "dependency map":
                found[name] = question.read(method(model, question, X), draws)
            elif question.of_pairs:
                found[name] = question.read_map(method(model, question, X), draws)
    return found


def summarised(table: pd.DataFrame) -> pd.DataFrame:
    """Per cent of draws with the right answer, and with any answer for controls."""
    names = [rule.name for rule in RULES]
    kept = table[table["pairs"].isna() | (table["pairs"] >= LEARNED)].copy()
    kept["told"] = np.where(
        kept["network"].isin(names), kept["right"], kept["answered"]
    )
    controls = kept[~kept["network"].isin(names)].assign(network=EVERY)
    kept = pd.concat([kept, controls])
    keys = ["network", "method", "n"]
    sums = kept.astype({"told": int}).groupby(keys, sort=False)[["told", "draws"]].sum()
    percent = (100 * sums["told"] / sums["draws"]).round(1)
    return percent.unstack("n").reset_index()


def draw(table: pd.DataFrame) -> plt.Figure:
    """Rules x methods by n, and the accuracy of the networks on pairs beside."""
    summary = summarised(table).set_index(["network", "method"])
    networks = list(dict.fromkeys([*table["network"], *summary.index.levels[0]]))
    methods, sizes = [GIA, *METHODS], sorted(set(table["n"]))
    figure, (left, right) = plt.subplots(
        1,
        2,
        figsize=(9, 1.2 + 0.36 * len(networks)),
        width_ratios=[4, 1],
        sharey=True,
        layout="constrained",
    )
    every = pd.MultiIndex.from_product([networks, methods])
    cells = summary.reindex(index=every, columns=sizes)
    values = cells.to_numpy(float).reshape(len(networks), -1)
    left.imshow(values, vmin=0, vmax=100, cmap="Blues", aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        colour = "white" if value > 60 else "black"
        text = "–" if np.isnan(value) else f"{value:.0f}"
        left.text(j, i, text, ha="center", va="center", color=colour, fontsize=8)
    left.set_xticks(range(values.shape[1]), sizes * len(methods), fontsize=8)
    left.set_yticks(range(len(networks)), networks)
    for i, method in enumerate(methods):
        middle = (i + 0.5) * len(sizes) - 0.5
        left.text(middle, -0.8, method, ha="center", fontsize=8)
        left.axvline((i + 1) * len(sizes) - 0.5, color="black", lw=0.8)
    left.set_xlabel("n: right answers in % of draws (of controls, any answer: false)")
    pairs = table.drop_duplicates(["network", "seed"])
    rows = [networks.index(name) for name in pairs["network"]]
    right.scatter(pairs["pairs"], rows, color="black", s=12)
    right.axvline(LEARNED, color="grey", ls=":")
    right.set_xlim(0.45, 1.03)
    right.set_xlabel("accuracy on pairs")
    return figure


if __name__ == "__main__":
    main()
