"""Are structure profiles right and fast, and do they help a model of binding?

    python benchmarks/structure.py reference --reference FILE
    python benchmarks/structure.py throughput [--n 4096] [--repeats 5]
    python benchmarks/structure.py simulated --runs DIR [--stems known|random]
    python benchmarks/structure.py measured --runs DIR --data DIR [--epochs 40]

`reference` compares with a table of the modified RNAplfold programs (columns seq_id,
sequence, context of E, H, I, M, and values). `throughput` times `structure_profiles`
against a bare loop over ViennaRNA in one process, interleaved.

`simulated` and `measured` are experiments. What follows was written before any run.

Protocol. Every pair of models, sequence only (4 channels) and sequence + PU (6), has
the released architecture, the same probes, split, seed, mini-batches and epoch budget,
one CPU thread, the epoch of best validation Pearson; no run is left out. Test Pearson
is on set B, with a 95 % bootstrap interval over probes of the difference.

`simulated`: 40,000 probes (half in set A) with the motif GACUAC, 0 to 3 sites evenly,
two fifths of the probes with a hairpin of one of four stems, a third of these each
with the motif in the loop, in the stem, or nowhere. "planted": a site gains 4 in a loop
and loses 4 in a stem, of an effect of 8. "none": the same probes, without either. Two
test sets: set B, and 10,000 probes with hairpins of random stems, which no model saw
(but those of `--stems random` their like).
Global importance of the motif by `hairpin_importance` on 1,000 shuffled backgrounds of
38 nt, in a loop of 8 and in the arms: effect in the hairpin, less the empty hairpin,
less the effect unfolded at the same place, paired over backgrounds. Known stems have
the left arm of the training's four, 250 backgrounds each; random stems are the
backgrounds' own. The truth itself is measured the same way.

Expected. (1) planted, sequence only, known stems: the loop gains and the stem loses,
intervals exclude 0, and both are within a quarter of the truth. (2) none: both at most
0.5 in size, an eighth of what is planted otherwise; with 1,000 backgrounds intervals
may still exclude 0, which is said then. (3) Random stems: sequence only recovers less
than half, sequence + PU more than sequence only. (4) Test Pearson on set B: planted, PU
better by up to 0.02; none, a difference below 0.005 in size. Random stems: planted, PU
better.

`--stems random`: the probes' hairpins have random stems in training and in set B; only
"planted" is run. Expected (written when the models of known stems were in training):
(5) sequence only recovers less than half of the loop's gain, sequence + PU more than
half; PU is better on set B by more than 0.002.

`measured`: RNCMPT00001 (A1CF), 30,000 probes in set A and in set B, log transform.
Expected, after the paper (0.684 with PU, 0.685 without, mean of 244): a difference of
less than 0.01 in size.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from machine import describe_machine
from tangermeme.predict import predict

import residualbind as rb
import tangermeme_gia as gia
from residualbind.data.preparation import Prepared
from residualbind.simulation.probes import STEMS
from residualbind.simulation.simulate import Simulation
from tangermeme_gia._core.letters import RNA

MOTIF = "GACUAC"
LOOP = 8
COLUMNS = 41
PROBES = 40_000
PREFERENCES = {"planted": 4.0, "none": 0.0}
CHANNELS = {"sequence": 4, "sequence + PU": 6}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    reference = commands.add_parser("reference")
    reference.add_argument("--reference", type=Path, required=True)
    reference.set_defaults(command=compare_reference)
    throughput = commands.add_parser("throughput")
    throughput.add_argument("--n", type=int, default=4096)
    throughput.add_argument("--repeats", type=int, default=5)
    throughput.set_defaults(command=measure_throughput)
    for name, command, epochs in (
        ("simulated", run_simulated, 30),
        ("measured", run_measured, 40),
    ):
        training = commands.add_parser(name)
        training.add_argument("--runs", type=Path, required=True)
        training.add_argument("--epochs", type=int, default=epochs)
        training.add_argument("--seed", type=int, default=0)
        training.set_defaults(command=command)
        if name == "simulated":
            training.add_argument(
                "--stems", choices=("known", "random"), default="known"
            )
    training.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.command(options)


def compare_reference(options: argparse.Namespace) -> None:
    reference: dict[str, dict[str, list[float]]] = {}
    with open(options.reference, newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            values = [float(value) for value in row["values"].split()]
            reference.setdefault(row["sequence"], {})[row["context"]] = values
    expected = np.concatenate(
        [[r[context] for context in "HIME"] for r in reference.values()], axis=1
    )
    rows = []
    for energies in ("turner1999", "turner1999-as-given", "turner2004"):
        profiles = rb.structure_profiles(list(reference), energies=energies)
        found = torch.cat([p[1:, p.sum(dim=0) > 0] for p in profiles], dim=1).numpy()
        difference = np.abs(found - expected)
        for i, context in enumerate(("hairpin", "internal", "multi", "external")):
            rows.append(
                {
                    "energies": energies,
                    "context": context,
                    "max": difference[i].max(),
                    "mean": difference[i].mean(),
                    "r": np.corrcoef(found[i], expected[i])[0, 1],
                }
            )
    print(f"{len(reference)} sequences, {expected.shape[1]} bases")
    print(pd.DataFrame(rows).round(6).to_string(index=False))


def measure_throughput(options: argparse.Namespace) -> None:
    import RNA

    RNA.params_load_RNA_Turner1999()
    print(describe_machine())
    rng = np.random.default_rng(0)
    sequences = ["".join(row) for row in rng.choice(list("ACGU"), (options.n, COLUMNS))]

    def bare_pu() -> None:
        for sequence in sequences:
            compound = RNA.fold_compound(sequence, RNA.md())
            compound.pf()
            compound.bpp()

    def bare_phime() -> None:
        md = RNA.md()
        md.window_size = md.max_bp_span = COLUMNS
        for sequence in sequences:
            compound = RNA.fold_compound(sequence, md, RNA.OPTION_WINDOW)
            flags = RNA.PROBS_WINDOW_UP | RNA.PROBS_WINDOW_UP_SPLIT
            compound.probs_window(1, flags, lambda *_: None, None)

    timed = {"PU, bare loop": bare_pu, "PHIME, bare loop": bare_phime}
    for kind in ("PU", "PHIME"):
        for n_jobs in (1, 2):
            timed[f"{kind}, {n_jobs} process(es)"] = lambda kind=kind, n_jobs=n_jobs: (
                rb.structure_profiles(sequences, kind, n_jobs=n_jobs)
            )
    rates: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(options.repeats):
        for name, run in timed.items():
            start = time.perf_counter()
            run()
            rates[name].append(options.n / (time.perf_counter() - start))
    for name, values in rates.items():
        print(
            f"{name:20s} {statistics.median(values):6.0f} sequences/s "
            f"[{min(values):.0f}, {max(values):.0f}]"
        )


def run_simulated(options: argparse.Namespace) -> None:
    design = {} if options.stems == "known" else {"stems": ["NNNNNNNN"]}
    preferences = PREFERENCES if not design else {"planted-random": 4.0}
    for name, preference in preferences.items():
        simulation = simulate(preference, PROBES, options.seed, **design)
        unseen = simulate(
            preference,
            PROBES // 4,
            options.seed + 1000,
            hairpin_fraction=1.0,
            stems=["NNNNNNNN"],
        )
        # Scores stay as simulated: a transform would bend additive effects.
        prepared = rb.prepare(simulation.data, transform="none")
        models = train_pair(name, prepared, options)
        in_b = simulation.sets == "B"
        hairpin = simulation.design["hairpin"].to_numpy()[in_b]
        print(f"\n{name}, seed {options.seed}: test Pearson")
        rows = [compare("set B", models, prepared.test, options)]
        for kind in ("none", "empty", "loop", "stem"):
            part = prepared.test.subset(hairpin == kind)
            rows.append(compare(f"set B, hairpin: {kind}", models, part, options))
        rows.append(compare("random stems", models, unseen.data, options))
        print(pd.DataFrame(rows).round(4).to_string(index=False))
        print(f"\n{name}, seed {options.seed}: the motif in hairpins")
        readers = {"truth": simulation.truth.model(), "sequence": models["sequence"]}
        readers["sequence + PU"] = rb.WithStructure(models["sequence + PU"])
        table = [
            row
            for reader, model in readers.items()
            for row in measure_hairpins(reader, model, simulation, options.seed)
        ]
        print(pd.DataFrame(table).round(3).to_string(index=False), flush=True)


def simulate(preference: float, n: int, seed: int, **design: object) -> Simulation:
    options = {"copies": [0.25] * 4, "hairpin_fraction": 0.4} | design
    truth = rb.Truth(MOTIF, loop_preference=preference, stem_penalty=preference)
    return rb.simulate_rnacompete(n, truth, random_state=seed, **options)


def measure_hairpins(
    reader: str, model: torch.nn.Module, simulation: Simulation, seed: int
) -> list[dict]:
    """Effects of the motif in loop and stem, less that without structure."""
    # Probes of the commonest length, in columns 1 to 38: backgrounds then lie where
    # most of the training's probes do.
    probes = simulation.X[(simulation.X.sum(dim=(1, 2)) == 38).nonzero()[:, 0]]
    X = gia.backgrounds.shuffled_background(probes, 1000, random_state=seed)
    rows = []
    for stems, parts in (
        ("known", zip(STEMS, X.split(250), strict=True)),
        ("random", [("NNNNNNNN", X)]),
    ):
        effects = [hairpin_effects(model, part, stem) for stem, part in parts]
        folded, unfolded = (torch.cat(values) for values in zip(*effects, strict=True))
        for i, place in enumerate(("loop", "stem")):
            rows.append(
                describe_effects(reader, stems, place, folded[:, i], unfolded[:, i])
            )
    # Six pairs make no stem for the truth. Added after the first results (planted,
    # known stems), to see whether a model knows the motif's partner by its letters.
    partner = gia.motifs.reverse_complement(MOTIF, RNA)
    arms = [(MOTIF, 9), (partner, 9 + len(MOTIF) + LOOP + 2)]
    result = gia.pairwise_interaction(model, X, *arms, alphabet=RNA, random_state=0)
    alone, other, both = result.output().local_importance.T
    rows.append(describe_effects(reader, "random", "6 pairs only", both - other, alone))
    return rows


def describe_effects(
    reader: str, stems: str, place: str, folded: torch.Tensor, unfolded: torch.Tensor
) -> dict:
    difference = gia.statistics.effect_difference(folded, unfolded)
    return {
        "reader": reader,
        "stems": stems,
        "place": place,
        "unfolded": gia.statistics.confidence_interval(unfolded).effect.item(),
        "difference": difference.effect.item(),
        "low": difference.low.item(),
        "high": difference.high.item(),
    }


def hairpin_effects(
    model: torch.nn.Module, X: torch.Tensor, stem: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """The motif's effect in the hairpin and unfolded: loop, and mean of both arms."""
    arm = len(stem)
    first = (COLUMNS - 2 * arm - LOOP) // 2
    X = X.clone()
    for i, letter in enumerate(stem):
        if letter != "N":
            X[:, :, first + i] = torch.eye(4, dtype=X.dtype)[RNA.index(letter)]
    starts = [first + arm + 1, first + 1, first + arm + LOOP + 1]
    hairpin = gia.structure.Hairpin(first, arm, LOOP)
    result = gia.hairpin_importance(
        model, X, MOTIF, hairpin, starts=starts, alphabet=RNA, random_state=0
    )
    folded = result.select(structure="hairpin").relative_to(place="none")
    unfolded = result.select(structure="unstructured")
    loop_and_arms = [
        torch.stack([effects[:, 0], effects[:, 1:].mean(dim=1)], dim=1)
        for effects in (r.output().local_importance for r in (folded, unfolded))
    ]
    return loop_and_arms[0], loop_and_arms[1]


def run_measured(options: argparse.Namespace) -> None:
    files = [options.data / f"RNCMPT00001.{part}.txt.gz" for part in ("train", "test")]
    prepared = rb.prepare(rb.read_score_pair(*files), transform="log")
    models = train_pair("A1CF", prepared, options)
    rows = [compare("log scale", models, prepared.test, options)]
    invert = prepared.transform.invert
    rows.append(compare("measured scale", models, prepared.test, options, invert))
    print(pd.DataFrame(rows).round(4).to_string(index=False), flush=True)


def train_pair(
    name: str, prepared: Prepared, options: argparse.Namespace
) -> dict[str, torch.nn.Module]:
    models = {}
    for inputs, channels in CHANNELS.items():
        torch.manual_seed(options.seed)
        config = rb.ResidualBindConfig.released(channels=channels)
        models[inputs] = model = rb.ResidualBind(config)
        result = rb.train(
            model,
            with_channels(prepared.train, channels, options),
            with_channels(prepared.valid, channels, options),
            epochs=options.epochs,
            random_state=options.seed,
            checkpoint_folder=options.runs / f"{name}-{channels}-{options.seed}",
        )
        print(
            f"{name}, seed {options.seed}, {inputs}: kept epoch {result.best_epoch} of "
            f"{len(result.history)}, validation Pearson {result.best_pearson:.4f}",
            flush=True,
        )
    return models


def with_channels(
    data: rb.RNAcompete, channels: int, options: argparse.Namespace
) -> rb.RNAcompete:
    if channels == 4:
        return replace(data, X=data.X.float())
    return rb.add_structure(data, "PU", cache_folder=options.runs / "profiles")


def compare(
    test_set: str,
    models: dict[str, torch.nn.Module],
    test: rb.RNAcompete,
    options: argparse.Namespace,
    invert: object = None,
) -> dict:
    """Test Pearson of both models, and their difference with its interval."""
    y = test.y[:, 0].double().numpy()
    y_hats = []
    for inputs, channels in CHANNELS.items():
        X = with_channels(test, channels, options).X
        y_hats.append(predict(models[inputs], X, batch_size=512))
    if invert is not None:
        y = np.asarray(invert(test.y))[:, 0]
        y_hats = [torch.as_tensor(invert(y_hat)) for y_hat in y_hats]
    without, with_pu = (y_hat[:, 0].double().numpy() for y_hat in y_hats)
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(1000):
        rows = rng.integers(0, len(y), len(y))
        r = np.corrcoef([y[rows], without[rows], with_pu[rows]])[0]
        differences.append(r[2] - r[1])
    r = np.corrcoef([y, without, with_pu])[0]
    low, high = np.quantile(differences, [0.025, 0.975])
    return {
        "test set": test_set,
        "n": len(y),
        "sequence": r[1],
        "sequence + PU": r[2],
        "difference": r[2] - r[1],
        "low": low,
        "high": high,
    }


if __name__ == "__main__":
    main()
