"""Panels 1a to 1f: how well methods, scales and inputs do."""

from __future__ import annotations

from functools import partial

import pandas as pd
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes
from tangermeme.predict import predict

import residualbind as rb
from residualbind.benchmark.figures import draw_methods
from tangermeme_gia import plot
from tangermeme_gia.report.section import Figure
from tangermeme_gia.report.wording import count, listed, number

from .material import Material
from .panel import Missing, Panel, figure
from .simulated import CONTROL, NAMES, RBFOX1, VTS1

COLUMNS = ("experiment", "group", "method", "seed", "pearson")
PUBLISHED = {
    "ResidualBind (clip)": 0.690,
    "ResidualBind (log)": 0.685,
    "ThermoNet": 0.671,
    "DLPRB": 0.628,
    "cDeepbind": 0.582,
    "RCK": 0.460,
    "RNAcontext": 0.434,
    "DeepBind": 0.409,
    "MATRIXReduce": 0.353,
}
# Experiments that are named one by one.
_MOST_NAMED = 6
_READING = (
    "A point is an experiment, the line in the box the median; box and density from "
    "four experiments on."
)
_SIMULATED = "simulated proteins, as no table of scores was given"


def panel_1a(material: Material) -> Panel:
    """Which method predicts best?"""
    table = scores(material)
    # Seeds of an experiment are no experiments.
    each = table.groupby(["method", "experiment"], sort=False)["pearson"].mean()
    means = each.groupby("method").mean().sort_values(ascending=False)
    n = each.groupby("method").count()
    said = [
        f"{m} {number(v)} ({count(int(n[m]), 'experiment')})" for m, v in means.items()
    ]
    given = material.given.performance
    return Panel(
        "1a",
        "How well does ResidualBind predict, beside other methods?",
        "Pearson's correlation of predictions and measured scores on set B. A point "
        "is an experiment, the mean over its seeds.",
        [Figure("1a", partial(draw_methods, table), _READING)],
        {"1a": table},
        ours="Mean test Pearson: " + "; ".join(said) + ".",
        paper="Mean test Pearson over 244 experiments: "
        + "; ".join(f"{name} {value:.3f}" for name, value in PUBLISHED.items())
        + ".",
        source=f"the table {given.name}, as given."
        if given
        else f"{_SIMULATED}: {material.trained(VTS1).budget}; ridge regression on "
        "6-mers has the same probes.",
        differs="Other experiments, so values are not those of the paper: compare "
        "methods within the table. A k-mer ridge is a baseline that the paper lacks."
        + ("" if given else " Four simulated proteins say nothing of real ones."),
    )


def scores(material: Material) -> pd.DataFrame:
    """The table of scores that was given, or that of simulated proteins."""
    path = material.given.performance
    if path is not None:
        table = pd.read_csv(path, sep="\t")
        missing = set(COLUMNS) - set(table)
        if missing:
            raise ValueError(
                f"`performance`: {path} has no column {sorted(missing)[0]}."
            )
        return table[list(COLUMNS)].dropna(subset="pearson")
    rows = []
    for name in NAMES:
        trained = material.trained(name)
        ridge = rb.fit_method("kmer-ridge", trained.prepared)
        test = trained.prepared.test
        values = {
            "ResidualBind": trained.pearson,
            "k-mer ridge": rb.pearson(predict(ridge.model, test.X), test.y).item(),
        }
        rows += [
            dict(
                zip(COLUMNS, (name, name, method, material.budget.seed, v), strict=True)
            )
            for method, v in values.items()
        ]
    return pd.DataFrame(rows)


def panel_1b(material: Material) -> Panel:
    """Clip or log?"""
    trained = {t: material.trained(RBFOX1, transform=t) for t in ("clip", "log")}
    rows = [{"transform": t, "test_pearson": r.pearson} for t, r in trained.items()]
    return Panel(
        "1b",
        "Which transform of the scores?",
        "The same probes with intensities of a long tail, clipped at the 99.9th "
        "percentile or as logarithms, both as z-scores, and a model trained on each.",
        [
            Figure(
                "1b",
                partial(
                    _transforms, {t: r.prepared.train.y for t, r in trained.items()}
                ),
                "Scores of the training probes after either transform.",
            )
        ],
        {"1b": pd.DataFrame(rows)},
        ours="Test Pearson on the scale of training: "
        + "; ".join(f"{r['transform']} {r['test_pearson']:.3f}" for r in rows)
        + ".",
        paper="Clip-transformed scores 0.690, log-transformed 0.685: no large "
        "difference in the mean; logarithms keep the order of high scores.",
        source=f"simulated intensities, 2 to the power of half the score of "
        f"{RBFOX1}: {trained['log'].budget}.",
        differs="Simulated: the noise is normal on the log scale, which favours it. "
        "The two correlations are of different scales, as in the paper.",
    )


def panel_1c(material: Material) -> Panel:
    """Predicted and measured on either scale."""
    trained = {t: material.trained(RBFOX1, transform=t) for t in ("clip", "log")}
    pairs = {
        t: (predict(r.model, r.prepared.test.X)[:, 0], r.prepared.test.y[:, 0])
        for t, r in trained.items()
    }
    table = pd.concat(
        [
            pd.DataFrame(
                {"transform": t, "predicted": p.numpy(), "measured": m.numpy()}
            )
            for t, (p, m) in pairs.items()
        ],
        ignore_index=True,
    )
    residual = {
        t: float((p - m)[m > m.quantile(0.99)].mean()) for t, (p, m) in pairs.items()
    }
    return Panel(
        "1c",
        "What do predictions look like on either scale?",
        "Predictions and scores of set B, in units of the training's z-scores.",
        [
            figure(
                "1c",
                "A point is a probe.",
                {
                    t: partial(plot.predicted_measured, p.numpy(), m.numpy())
                    for t, (p, m) in pairs.items()
                },
            )
        ],
        {"1c": table},
        ours="The highest 1 % of the probes are predicted too low by "
        + "; ".join(f"{number(-v, 2)} ({t})" for t, v in residual.items())
        + " standard deviations.",
        paper="Predictions follow measured scores on both scales; with log-transformed "
        "scores high and low probes are told apart alike.",
        source=f"as 1b, simulated {RBFOX1}.",
        differs="Simulated intensities.",
    )


def panel_1def(material: Material) -> Panel:
    """Does predicted structure help?"""
    table = structure_scores(material)
    wide = table.pivot_table(
        index="experiment", columns="inputs", values="pearson", sort=False
    )
    gains = {k: (wide[k] - wide["sequence"]) for k in ("PU", "PHIME") if k in wide}
    if not gains:
        raise Missing("the table of scores has no method with PU or PHIME")
    said = [f"{kind} {_gain(gain.dropna())}" for kind, gain in gains.items()]
    given = material.given.performance
    return Panel(
        "1d-1f",
        "Does predicted structure help as an input?",
        "Test Pearson of the same architecture with sequence alone (4 channels), with "
        "paired and unpaired probabilities (PU, 6), and with five contexts (PHIME, 9).",
        [
            Figure(
                "1d_1f",
                partial(_diagonal, wide, list(gains)),
                "A point is an experiment; on the line structure makes no difference.",
            )
        ],
        {"1d_1f": table},
        ours="Test Pearson less that of sequence alone: " + "; ".join(said) + ".",
        paper="No: sequence alone 0.685, PU 0.684, PHIME 0.682 (log, 2013 data). On "
        "the 2009 data of structured probes 0.711 and 0.721 with PU; VTS1 0.698 and "
        "0.707.",
        source=f"the table {given.name}, as given."
        if given
        else f"{_SIMULATED}: the {VTS1} one of panel 3c and its control; "
        f"{material.trained(VTS1).budget}.",
        differs="Two experiments with planted structure, or none, in place of 244."
        if not given
        else "Other experiments.",
    )


def _gain(gain: pd.Series) -> str:
    """What structure adds in each experiment, or in many of them."""
    if len(gain) <= _MOST_NAMED:
        return listed([f"{number(v, 3)} ({name})" for name, v in gain.items()])
    ends = f"from {number(gain.min(), 3)} to {number(gain.max(), 3)}"
    mean = number(gain.mean(), 3)
    return f"{mean} on average, {ends}, {count(len(gain), 'experiment')}"


def structure_scores(material: Material) -> pd.DataFrame:
    """Test Pearson by inputs: of ResidualBind's methods in a table, or simulated."""
    if material.given.performance is not None:
        table = scores(material)
        table = table[table["method"].str.lower().str.startswith("residualbind")]
        last = table["method"].str.split().str[-1].str.upper()
        inputs = last.where(last.isin(["PU", "PHIME"]), "sequence")
        return table.assign(inputs=inputs)[["experiment", "inputs", "seed", "pearson"]]
    rows = [
        {
            "experiment": name,
            "inputs": kind,
            "seed": material.budget.seed,
            "pearson": material.trained(name, kind=kind).pearson,
        }
        for name in (VTS1, CONTROL)
        for kind in ("sequence", "PU", "PHIME")
    ]
    return pd.DataFrame(rows)


def _transforms(values: dict[str, torch.Tensor]) -> Axes:
    _, axes = pyplot.subplots(1, len(values), figsize=(7, 2.4), layout="constrained")
    for (name, y), ax in zip(values.items(), axes, strict=True):
        ax.hist(y.flatten().numpy(), bins=60, color="#0072b2")
        ax.set_title(name, loc="left", fontsize=8)
        ax.set_xlabel("Score (z)", fontsize=8)
        ax.tick_params(labelsize=7)
    axes[0].set_ylabel("Probes", fontsize=8)
    return axes[0]


def _diagonal(wide: pd.DataFrame, kinds: list[str]) -> Axes:
    _, axes = pyplot.subplots(
        1,
        len(kinds),
        figsize=(3.4 * len(kinds), 3),
        layout="constrained",
        squeeze=False,
    )
    for kind, ax in zip(kinds, axes[0], strict=True):
        both = wide[["sequence", kind]].dropna()
        ends = [float(both.min().min()) - 0.01, float(both.max().max()) + 0.01]
        ax.plot(ends, ends, color="#888888", linewidth=0.8, linestyle="--")
        ax.plot(both["sequence"], both[kind], "o", color="#0072b2", markersize=4)
        if len(both) <= _MOST_NAMED:
            for name, row in both.iterrows():
                ax.annotate(
                    str(name),
                    (row["sequence"], row[kind]),
                    textcoords="offset points",
                    xytext=(5, -8),
                    fontsize=6,
                )
        ax.set_xlabel("Sequence (test Pearson)", fontsize=8)
        ax.set_ylabel(f"With {kind}", fontsize=8)
        ax.tick_params(labelsize=7)
    return axes[0][0]
