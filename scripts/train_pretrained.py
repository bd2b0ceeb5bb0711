"""Train the bundled ResidualBind models and write everything that ships with them.

    python scripts/train_pretrained.py --data DIR [--runs runs] [--run NAME ...]

DIR holds `RNCMPT00001.train.txt.gz`, `RNCMPT00001.test.txt.gz` and the same for
RNCMPT00002 ("score sequence" lines; 30,000 probes of set A and of set B each). Every
run keeps a checkpoint under `--runs` and is resumed from it, so the script can be
stopped and started at will. With `--run`, only those runs are trained and nothing is
shipped; without it, unfinished runs are trained, and then

- `benchmarks/results/pretrained.tsv` gets one row per run, with test correlations;
- `residualbind/pretrained/` gets, for each protein, the seed with the highest
  *validation* Pearson: weights, provenance card and nucleotide profile.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from tangermeme.predict import predict

import residualbind
from residualbind import ResidualBind, ResidualBindConfig, RNAcompete
from residualbind.data.readers import read_score_pair
from residualbind.data.transforms import Transform
from residualbind.network.trainer import TrainingResult
from residualbind.network.weights import save

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENTS = {"A1CF": "RNCMPT00001", "ANKHD1": "RNCMPT00002"}
CONFIGS = {"paper": ResidualBindConfig(), "released": ResidualBindConfig.released()}
SPLIT_SEED = 0
MOST_EPOCHS = 150


class Run(NamedTuple):
    """One training: which protein, architecture, transform of scores, and seed."""

    protein: str
    architecture: str
    transform: str
    seed: int

    @property
    def name(self) -> str:
        return "-".join(map(str, self))


SHIPPED = [
    Run(protein, "released", "log", seed)
    for protein in EXPERIMENTS
    for seed in range(3)
]
COMPARED = [Run("A1CF", "paper", "log", 0), Run("A1CF", "released", "clip", 0)]


class Trained(NamedTuple):
    """A finished run and what its model was trained and tested on."""

    run: Run
    model: ResidualBind
    transform: Transform
    data: RNAcompete
    training: TrainingResult
    scores: pd.DataFrame


def main() -> None:
    options = parse_options()
    torch.set_num_threads(options.threads)
    runs = {run.name: run for run in SHIPPED + COMPARED}
    unknown = set(options.run or ()) - runs.keys()
    if unknown:
        sys.exit(f"unknown --run {sorted(unknown)}; known: {sorted(runs)}")
    trained = [train_run(runs[name], options) for name in options.run or runs]
    if not options.run:
        write_table(trained)
        for protein in EXPERIMENTS:
            ship_best([t for t in trained if t.run in SHIPPED if t.run[0] == protein])


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs")
    parser.add_argument("--run", nargs="*", metavar="NAME")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def train_run(run: Run, options: argparse.Namespace) -> Trained:
    data = read_data(options.data, EXPERIMENTS[run.protein])
    parts = data.split(random_state=SPLIT_SEED)
    transform = Transform.fit(parts.train.y, run.transform)
    examples = [
        (part.X, torch.as_tensor(transform.apply(part.y)).float())
        for part in (parts.train, parts.valid)
    ]
    torch.manual_seed(run.seed)
    model = ResidualBind(CONFIGS[run.architecture])
    training = residualbind.train(
        model,
        *examples,
        epochs=MOST_EPOCHS,
        random_state=run.seed,
        checkpoint_folder=options.runs / run.name,
        device=options.device,
        verbose=True,
    )
    scores = score(model, transform, parts.test, options.device)
    print(run.name, f"valid {training.best_pearson:.4f}", file=sys.stderr)
    return Trained(run, model, transform, data, training, scores)


def read_data(folder: Path, experiment: str) -> RNAcompete:
    paths = [folder / f"{experiment}.{part}.txt.gz" for part in ("train", "test")]
    return read_score_pair(*paths)


def score(
    model: ResidualBind, transform: Transform, test: RNAcompete, device: str
) -> pd.DataFrame:
    """Test metrics in the scale of training, and in the scale of the measurements."""
    y_hat = predict(model, test.X, batch_size=512, device=device).numpy()
    scales = {
        "transformed": (transform.apply(test.y), y_hat),
        "measured": (test.y.numpy(), transform.invert(y_hat)),
    }
    tables = [
        residualbind.score_predictions(y, predictions).assign(scale=scale)
        for scale, (y, predictions) in scales.items()
    ]
    return pd.concat(tables, ignore_index=True)


def write_table(trained: list[Trained]) -> None:
    rows = []
    for t in trained:
        row = t.run._asdict() | {
            "experiment": EXPERIMENTS[t.run.protein],
            "epochs": len(t.training.history),
            "best_epoch": t.training.best_epoch,
            "valid_pearson": t.training.best_pearson,
        }
        for _, metric in t.scores[t.scores["metric"] != "mse"].iterrows():
            name = f"test_{metric['metric']}_{metric['scale']}"
            row |= {name: metric["value"]}
            row |= {f"{name}_{end}": metric[end] for end in ("low", "high")}
        rows.append(row)
    path = ROOT / "benchmarks" / "results" / "pretrained.tsv"
    table = pd.DataFrame(rows)
    table.to_csv(path, sep="\t", index=False, float_format="%.4f")
    print(table.to_string(index=False, float_format="{:.4f}".format))


def ship_best(candidates: list[Trained]) -> None:
    best = max(candidates, key=lambda t: t.training.best_pearson)
    folder = ROOT / "residualbind" / "pretrained"
    folder.mkdir(exist_ok=True)
    provenance = describe(best)
    save(
        best.model,
        folder / f"{best.run.protein}.safetensors",
        transform=best.transform,
        experiments=best.data.experiments,
        provenance=provenance,
    )
    (folder / f"{best.run.protein}.md").write_text(card(best, candidates, provenance))
    test = best.data.split(random_state=SPLIT_SEED).test
    profile = test.X.double().mean(dim=0).numpy().T
    table = pd.DataFrame(profile, columns=list("ACGU"))
    table.insert(0, "position", np.arange(len(table)))
    table.to_csv(
        folder / f"{best.run.protein}.profile.tsv",
        sep="\t",
        index=False,
        float_format="%.8f",
    )


def describe(t: Trained) -> dict[str, object]:
    """What must be known to train the same model again."""
    return {
        "protein": t.run.protein,
        "experiment": EXPERIMENTS[t.run.protein],
        "source": "Ray et al. 2013, doi 10.1038/nature12311: 30,000 probes of set A "
        "and 30,000 of set B",
        "data_sha256": t.data.checksum(),
        "split": f"set A 0.9/0.1, seed {SPLIT_SEED}; set B test",
        "architecture": t.run.architecture,
        "transform": t.run.transform,
        "seed": t.run.seed,
        "best_epoch": t.training.best_epoch,
        "valid_pearson": round(t.training.best_pearson, 4),
        "test": t.scores.round(4).to_dict("records"),
        "versions": {
            "python": sys.version.split()[0],
            "torch": torch.__version__,
            "residualbind": residualbind.__version__,
        },
        "command": "python scripts/train_pretrained.py --data DIR",
    }


def card(best: Trained, candidates: list[Trained], provenance: dict) -> str:
    rows = "\n".join(
        f"| {t.run.seed}{' (shipped)' if t is best else ''} "
        f"| {t.training.best_epoch} of {len(t.training.history)} "
        f"| {t.training.best_pearson:.4f} | {interval(t, 'transformed')} "
        f"| {interval(t, 'measured')} |"
        for t in candidates
    )
    facts = "\n".join(
        f"- {name.replace('_', ' ')}: {value}"
        for name, value in provenance.items()
        if name not in ("test", "valid_pearson", "best_epoch")
    )
    return f"""# {best.run.protein}: a pretrained ResidualBind

Trained on RNAcompete scores of {best.run.protein} ({provenance["experiment"]}), log
transform and z-score fitted on the training split. Of three seeds the one with the
highest validation Pearson ships. The test set are the 30,000 probes of set B; brackets
are 95 % bootstrap intervals over probes.

| seed | best epoch | validation Pearson | test Pearson, log | test Pearson, measured |
|---|---|---|---|---|
{rows}

"Measured" compares predictions returned to the original scale with the measured scores.
`{best.run.protein}.profile.tsv` is the mean base frequency of the test probes at each
position (zero padding included, so that the ends sum to less than 1).

{facts}
"""


def interval(t: Trained, scale: str) -> str:
    chosen = t.scores[(t.scores["metric"] == "pearson") & (t.scores["scale"] == scale)]
    row = chosen.iloc[0]
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


if __name__ == "__main__":
    main()
