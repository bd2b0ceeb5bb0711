"""Does the k-mer scan find what the literature knows, on models that others trained?

    python benchmarks/deepbind.py --models DIR [--n 50] [--k 6]

DIR holds the published DeepBind parameters (Alipanahi et al. 2015) of MBNL1 and QKI
(RNAcompete), GATA3 and CTCF (SELEX). Each is first checked against a published score,
then all k-mers are placed in uniformly random backgrounds of 26 bases.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tangermeme.utils import one_hot_encode
from torch import nn

import tangermeme_gia as gia
from tangermeme_gia.motif_codes import DNA, RNA

LENGTH = 26
# Model, protein, alphabet, known consensus, and a sequence with its published score.
MODELS = (
    (
        "D00120.001",
        "MBNL1",
        RNA,
        "YGCY",
        ("AGACAGAGCUUCCAUCAGCGCUAGCAGCAGAGACCAUU", 3.663924),
    ),
    ("D00129.001", "QKI", RNA, "ACUAAY", None),
    ("D00410.003", "GATA3", DNA, "WGATAA", ("GAGGTTACGCGGCAAGATAA", 5.885349)),
    ("D00328.003", "CTCF", DNA, "CCASYAGRKGGCAS", ("TACCACTAGGGGGCGCCACC", 17.682623)),
)


class DeepBind(nn.Module):
    """A DeepBind model read from its text parameters; (n, 4, length) to (n, 1)."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        values = read_parameters(path)
        n_detectors, self.width = (
            int(values[name][0]) for name in ("num_detectors", "detector_len")
        )
        self.averages = bool(values["has_avg_pooling"][0])
        self.both_strands = bool(values["reverse_complement"][0])
        detectors = values["detectors"].reshape(self.width, 4, n_detectors)
        self.detectors = nn.Parameter(detectors.permute(2, 1, 0).contiguous())
        self.thresholds = nn.Parameter(values["thresholds"])
        n_features = n_detectors * (2 if self.averages else 1)
        sizes = [n_features, int(values["num_hidden"][0]) or 1]
        self.weights = nn.ParameterList([values["weights1"].reshape(sizes)])
        self.biases = nn.ParameterList([values["biases1"]])
        if len(values["weights2"]):
            self.weights.append(values["weights2"].reshape(-1, 1))
            self.biases.append(values["biases2"])

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        y = self.score_strand(X)
        if self.both_strands:  # A, C, G, T reversed is T, G, C, A
            y = torch.maximum(y, self.score_strand(X.flip(1, 2)))
        return y

    def score_strand(self, X: torch.Tensor) -> torch.Tensor:
        windows = X.unfold(2, self.width, 1).permute(0, 2, 1, 3)
        n_windows = windows.shape[1]
        padded = F.pad(windows.flatten(0, 1), [self.width - 1] * 2, value=0.25)
        rectified = F.relu(F.conv1d(padded, self.detectors, self.thresholds))
        features = rectified.amax(dim=2)
        if self.averages:  # maximum and mean of each detector in turn
            features = torch.stack([features, rectified.mean(dim=2)], dim=2).flatten(1)
        y = features @ self.weights[0] + self.biases[0]
        if len(self.weights) > 1:
            y = F.relu(y) @ self.weights[1] + self.biases[1]
        return y.view(len(X), n_windows).amax(dim=1, keepdim=True)


def read_parameters(path: Path) -> dict[str, torch.Tensor]:
    lines = [s for s in path.read_text().splitlines() if "=" in s and s[0] != "#"]
    pairs = [line.split("=", 1) for line in lines]
    return {
        name.strip(): torch.tensor([float(x) for x in text.split(",") if x.strip()])
        for name, text in pairs
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--n", type=int, default=50, help="backgrounds")
    parser.add_argument("--k", type=int, default=6, help="length of the k-mers")
    parser.add_argument("--proteins", nargs="*", help="which (default: all)")
    options = parser.parse_args()
    for name, protein, alphabet, known, published in MODELS:
        if options.proteins and protein not in options.proteins:
            continue
        model = DeepBind(options.models / f"{name}.txt").eval()
        print(f"{protein} ({name}), known: {known}")
        if published is not None:
            sequence, score = published
            X = one_hot_encode(sequence, alphabet=list(alphabet))[None].float()
            with torch.no_grad():
                ours = model(X).item()
            print(f"  published score {score:.6f}, read here {ours:.6f}")
            if abs(ours - score) > 1e-4:
                raise SystemExit("the model is not read as published")
        X = gia.composition_background([0.25] * 4, options.n, LENGTH, random_state=0)
        start = time.perf_counter()
        scan = gia.kmer_scan(
            model,
            X,
            k=options.k,
            alphabet=alphabet,
            fold_reverse_complements=alphabet == DNA,
        )
        top = scan.top(10)
        table = top[["kmer", "effect", "low", "high"]].round(3).head(5)
        print(table.to_string(index=False))
        aligned = gia.align_kmers(
            top["kmer"].tolist(), top["effect"].tolist(), alphabet=alphabet
        )
        letters = "".join(alphabet[i] for i in aligned.ppm.argmax(dim=0))
        print(f"  aligned top 10: {letters}; {time.perf_counter() - start:.0f} s\n")


if __name__ == "__main__":
    main()
