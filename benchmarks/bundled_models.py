"""What have the bundled models learned, and does it hold under every background?

    python benchmarks/bundled_models.py --data DIR --out FOLDER [--n 200]

Runs the k-mer scan under the profile, then every experiment with the top 6-mer under
all seven backgrounds, on A1CF and ANKHD1. DIR holds the RNAcompete files of
`scripts/train_pretrained.py`; their set-B probes are the observed sequences. Writes
a table (TSV) and a figure (PNG) for each model and experiment.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import matplotlib as mpl
import torch

import residualbind as rb
import tangermeme_gia as gia
from tangermeme_gia import plot
from tangermeme_gia._core.letters import RNA

EXPERIMENTS = {"A1CF": "RNCMPT00001", "ANKHD1": "RNCMPT00002"}
START = 17


def main() -> None:
    mpl.use("Agg")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--n", type=int, default=200, help="backgrounds of each kind")
    parser.add_argument("--n-scan", type=int, default=1000, help="and of the scan")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for protein, experiment in EXPERIMENTS.items():
        run_model(protein, experiment, options)


def run_model(protein: str, experiment: str, options: argparse.Namespace) -> None:
    model = rb.load_pretrained(protein)
    probes = rb.read_scores(options.data / f"{experiment}.test.txt.gz", "B")
    X = gia.backgrounds.profile_background(
        rb.load_profile(protein), n=options.n_scan, random_state=0
    )
    start = time.perf_counter()
    scan = gia.kmer_scan(model, X, k=6, start=START, alphabet=RNA, verbose=True)
    print(
        f"{protein}: scan of {len(scan.kmers)} 6-mers on {len(X)} backgrounds in "
        f"{time.perf_counter() - start:.0f} s"
    )
    top = scan.top(10)
    print(top.round(3).to_string(index=False))
    save(plot.kmer_ranks(scan), options.out / f"{protein}.scan.png")
    aligned = gia.motifs.align_kmers(scan, alphabet=RNA)
    save(plot.motif_logo(aligned.ppm, RNA), options.out / f"{protein}.motif.png")
    motif = top["kmer"][0]
    variants = gia.kmer_mutagenesis(model, X[:200], motif, START, alphabet=RNA)
    save(
        plot.mutagenesis_heatmap(variants),
        options.out / f"{protein}.mutagenesis.png",
    )
    backgrounds = gia.backgrounds.sample_backgrounds(
        probes.X, n=options.n, scores=probes.y[:, 0], random_state=0
    )
    for name, run in experiments(motif).items():
        comparison = gia.across_backgrounds(run, model, backgrounds)
        frame = comparison.to_frame()
        frame.to_csv(options.out / f"{protein}.{name}.tsv", sep="\t", index=False)
        agreement = comparison.agreement()
        print(
            f"{protein} {name}: {len(frame)} rows, lowest Pearson between backgrounds "
            f"{agreement['pearson'].min():.3f}"
        )
    draw(model, X[: options.n], motif, protein, options.out)


def experiments(motif: str) -> dict:
    """Every experiment as a function of model and backgrounds."""
    shared = {"alphabet": RNA, "random_state": 0}
    return {
        "global_importance": lambda m, X: gia.global_importance(
            m, X, [(motif, START)], n_controls=2, **shared
        ),
        "multi_site": lambda m, X: gia.multi_site(m, X, motif, [3, 10, 17], **shared),
        "motif_spacing": lambda m, X: gia.motif_spacing(
            m, X, [motif, motif], range(13), **shared
        ),
        "positional_bias": lambda m, X: gia.positional_bias(m, X, motif, **shared),
        "random_position": lambda m, X: gia.random_position(m, X, motif, **shared),
        "gc_flank": lambda m, X: gia.gc_flank(m, X, motif, **shared),
        "hairpin_importance": lambda m, X: gia.hairpin_importance(
            m, X, motif, gia.structure.Hairpin(8, 8, 9), **shared
        ),
        "pairwise_interaction": lambda m, X: gia.pairwise_interaction(
            m, X, (motif, 8), (motif, 22), **shared
        ),
        "factorial": lambda m, X: gia.factorial(
            m, X, [(motif, 6), (motif, 16), (motif, 26)], **shared
        ),
        "kmer_mutagenesis": lambda m, X: gia.kmer_mutagenesis(
            m, X, motif, START, **shared
        ),
        "occlusion": lambda m, X: gia.occlusion(
            m, X, [(8, 20), (20, 32)], n=5, **shared
        ).average("draw"),
    }


def draw(
    model: torch.nn.Module, X: torch.Tensor, motif: str, protein: str, out: Path
) -> None:
    results = {name: run(model, X) for name, run in experiments(motif).items()}
    figures = {
        "multi_site": plot.additivity_line(results["multi_site"]),
        "gc_flank": plot.local_importance_boxes(results["gc_flank"], "arm"),
        "positional_bias": plot.position_curve(results["positional_bias"]),
        "motif_spacing": plot.spacing_curve(results["motif_spacing"], by="arm"),
        "pairwise_interaction": plot.interaction_bars(results["pairwise_interaction"]),
        "factorial": plot.factorial_bars(results["factorial"]),
    }
    for name, ax in figures.items():
        save(ax, out / f"{protein}.{name}.png")


def save(ax, path: Path) -> None:
    ax.figure.savefig(path, dpi=200, bbox_inches="tight")
    mpl.pyplot.close(ax.figure)


if __name__ == "__main__":
    main()
