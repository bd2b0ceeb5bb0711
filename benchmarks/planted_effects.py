"""Do effects that were planted in simulated data come back from trained models?

    python benchmarks/planted_effects.py [--seed 0] [--probes 40000] [--models 3]

Trains replicates of ResidualBind on simulated RNAcompete with known effects, measures
each effect by global importance analysis, and compares it with the same measurement on
the truth itself: 95 % intervals over replicates, `across_models`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import torch
from tangermeme.predict import predict

import residualbind as rb
import tangermeme_gia as gia
from residualbind.simulation.probes import STEMS
from residualbind.simulation.simulate import Simulation
from tangermeme_gia._core.letters import RNA

MOTIF = "GACUAC"
START = 17


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=40_000)
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0, help="of data and models")
    parser.add_argument(
        "--even",
        action="store_true",
        help="as many probes with one, two, three and four sites, and twice as many "
        "hairpins, instead of mostly single sites",
    )
    parser.add_argument("--runs", type=Path, help="checkpoints, to resume from")
    options = parser.parse_args()
    design = {"copies": [0.25] * 4, "hairpin_fraction": 0.4} if options.even else {}
    simulation = rb.simulate_rnacompete(
        options.probes, rb.Truth(MOTIF), random_state=options.seed, **design
    )
    seeds = range(options.seed, options.seed + options.models)
    models = [train(simulation, seed, options) for seed in seeds]
    # Probes of the commonest length, 38, in columns 1 to 38: the 3' end is then where
    # the models have seen it.
    probes = simulation.X[(simulation.X.sum(dim=(1, 2)) == 38).nonzero()[:, 0]]
    X = gia.backgrounds.shuffled_background(probes, 500, random_state=options.seed)
    rows = []
    for name, measure in effects().items():
        values = torch.tensor([measure(model, X) for model in models])
        truth = measure(simulation.truth.model(), X)
        interval = gia.statistics.confidence_interval(values)
        rows.append(
            {
                "effect": name,
                "planted": truth,
                "recovered": interval.effect.item(),
                "low": interval.low.item(),
                "high": interval.high.item(),
                "inside": bool(interval.low <= truth <= interval.high),
            }
        )
    print(pd.DataFrame(rows).round(2).to_string(index=False))


def train(
    simulation: Simulation, seed: int, options: argparse.Namespace
) -> torch.nn.Module:
    # Scores stay as simulated: a transform would bend additive effects.
    prepared = rb.prepare(simulation.data, transform="none")
    torch.manual_seed(seed)
    model = rb.ResidualBind(rb.ResidualBindConfig.released())
    result = rb.train(
        model,
        prepared.train,
        prepared.valid,
        epochs=options.epochs,
        random_state=seed,
        checkpoint_folder=options.runs and options.runs / f"planted-{seed}",
    )
    y_hat = predict(model, prepared.test.X, batch_size=512)
    test = rb.pearson(prepared.test.y, y_hat)
    print(
        f"seed {seed}: validation Pearson {result.best_pearson:.3f}, test {test[0]:.3f}"
    )
    return model


def effects() -> dict:
    """Each effect as a function of a model and backgrounds."""
    options = {"alphabet": RNA, "random_state": 0}

    def motif(model, X):
        result = gia.global_importance(model, X, [(MOTIF, START)], **options)
        return result.global_importance[0, 0].item()

    def third_site(model, X):
        result = gia.multi_site(model, X, MOTIF, [4, 16, 28], **options)
        values = result.global_importance[:, 0]
        return (values[2] - values[1]).item()

    def crowding(spacing):
        def measure(model, X):
            result = gia.pairwise_interaction(
                model, X, (MOTIF, 12), (MOTIF, 18 + spacing), **options
            )
            a, b, ab = result.global_importance[:, 0]
            return (ab - a - b).item()

        return measure

    def gc(model, X):
        result = gia.global_importance(model, X, [("GCGCGC", 33)], **options)
        return result.global_importance[0, 0].item()

    def loop(model, X):
        X = X.clone()
        stem = STEMS[0].replace("N", "A")
        left = START - len(stem) - 1
        partner = gia.motifs.reverse_complement(stem, RNA)
        right = START + len(MOTIF) + 1
        arms = [(stem, left), (partner, right)]
        site = [(MOTIF, START)]
        conditions = [arms, site, arms + site]
        result = gia.global_importance(model, X, conditions, **options)
        hairpin, alone, both = result.global_importance[:, 0]
        return (both - hairpin - alone).item()

    return {
        "motif": motif,
        "third site": third_site,
        "two sites, spacing 0": crowding(0),
        "two sites, spacing 3": crowding(3),
        "two sites, spacing 9": crowding(9),
        "motif in a loop": loop,
        "GCGCGC at the 3' end": gc,
    }


if __name__ == "__main__":
    main()
