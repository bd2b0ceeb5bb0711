"""Does the k-mer scan find what the literature knows, on models that others trained?

    pip install pyjaspar
    python benchmarks/deepbind.py --models DIR [--jaspar JASPAR2026] [--out FOLDER]
    python benchmarks/deepbind.py --models DIR --known

DIR holds the published DeepBind parameters (Alipanahi et al. 2015) of MBNL1 and QKI
(RNAcompete), GATA3 and CTCF (SELEX), each first checked against a published score.
The protocol, the same for all four, is in benchmarks/results/deepbind.md and in the
constants below; it was committed before it was run. `--known` came after its outcome:
for the DNA proteins it places the motifs of JASPAR instead of k-mers.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from tangermeme.utils import one_hot_encode
from torch import nn

import residualbind
import tangermeme_gia as gia
from tangermeme_gia._core.letters import DNA, RNA

K = 8  # the longest whose scan takes minutes; the motifs have 4 to 19 letters
LENGTH = 26
TOP = 10  # as in the paper
MIN_COVERAGE = 0.5  # columns of the motif that most of the weight reaches
ALPHA = 0.05
# Backgrounds to choose k-mers on, to score the chosen on, and to lengthen the best on:
# how many, and the seed.
SELECTION, HELD_OUT, EXTENSION = (30, 11), (500, 12), (200, 13)
# For --known: 200 backgrounds and a seed, long enough for the longest motif.
KNOWN, LENGTH_KNOWN = (200, 14), 40
TWO_LETTERS = {"R": "AG", "Y": "CU", "S": "CG", "W": "AU", "K": "GU", "M": "AC"}
IUPAC = {letter: letter for letter in RNA} | TWO_LETTERS


class Protein(NamedTuple):
    """`known`: names of the family's motifs in JASPAR, or the consensus of an RNA."""

    name: str
    model: str
    alphabet: tuple[str, ...]
    known: tuple[str, ...] | str
    published: tuple[str, float] | None


PROTEINS = (
    # YGCY: SELEX, Goers et al. 2010, PMC2853123.
    Protein(
        "MBNL1",
        "D00120.001",
        RNA,
        "YGCY",
        ("AGACAGAGCUUCCAUCAGCGCUAGCAGCAGAGACCAUU", 3.663924),
    ),
    # NACUAAY-N(1-20)-UAAY: SELEX, Galarneau and Richard 2005, doi:10.1038/nsmb963.
    Protein("QKI", "D00129.001", RNA, "ACUAAY", None),
    Protein(
        "GATA3",
        "D00410.003",
        DNA,
        tuple(f"GATA{i}" for i in range(1, 7)),
        ("GAGGTTACGCGGCAAGATAA", 5.885349),
    ),
    Protein(
        "CTCF",
        "D00328.003",
        DNA,
        ("CTCF", "CTCFL"),
        ("TACCACTAGGGGGCGCCACC", 17.682623),
    ),
)


def load(protein: Protein, folder: Path) -> nn.Module:
    """The model, which must give the score that was published with it."""
    path = folder / f"{protein.model}.txt"
    model = residualbind.load_deepbind(path, alphabet=protein.alphabet)
    if protein.published is not None:
        sequence, score = protein.published
        X = one_hot_encode(sequence, alphabet=list(protein.alphabet))[None].float()
        with torch.no_grad():
            ours = model(X).item()
        if abs(ours - score) > 1e-4:
            raise SystemExit(f"{protein.name} scores {ours}, published is {score}")
    return model


def backgrounds(size_and_seed: tuple[int, int], length: int = LENGTH) -> torch.Tensor:
    n, seed = size_and_seed
    return gia.backgrounds.composition_background(
        [0.25] * 4, n, length, random_state=seed
    )


def local_importance(
    model: nn.Module,
    X: torch.Tensor,
    placed: Iterable[tuple[str, int | None]],
    alphabet: tuple[str, ...],
) -> torch.Tensor:
    """One column per motif and start; for DNA the mean of both strands."""
    strands = [placed := list(placed)]
    if alphabet == DNA:
        strands.append(
            [(gia.motifs.reverse_complement(m), start) for m, start in placed]
        )
    patterns = [[pattern] for strand in strands for pattern in strand]
    result = gia.global_importance(model, X, patterns, alphabet=alphabet)
    local = result.output().local_importance
    return local.reshape(len(X), len(strands), len(placed)).mean(dim=1)


def rescore(
    model: nn.Module, kmers: Sequence[str], alphabet: tuple[str, ...]
) -> pd.DataFrame:
    """Effects of the chosen k-mers on backgrounds that did not choose them."""
    placed = [(kmer, None) for kmer in kmers]
    selection, held_out = (
        local_importance(model, backgrounds(which), placed, alphabet)
        for which in (SELECTION, HELD_OUT)
    )
    table = gia.statistics.rescore_winners(selection, held_out, top=len(kmers))
    table.insert(0, "kmer", [kmers[i] for i in table["condition"]])
    return table.drop(columns="condition")


def extend(
    model: nn.Module, X: torch.Tensor, motif: str, longest: int, alphabet: Sequence[str]
) -> str:
    """Lengthen a motif by the letter that raises its effect most, while one does.

    The motif stays in place. A letter must raise the effect with p < ALPHA, paired t
    times the number of letters tried.
    """
    start = (X.shape[-1] - len(motif)) // 2
    while len(motif) < longest:
        longer = [(letter + motif, start - 1) for letter in alphabet if start > 0]
        if start + len(motif) < X.shape[-1]:
            longer += [(motif + letter, start) for letter in alphabet]
        placed = [(motif, start), *longer]
        local = local_importance(model, X, placed, tuple(alphabet))
        gain = local[:, 1:] - local[:, :1]
        best = int(gain.mean(dim=0).argmax())
        p = gia.statistics.paired_t_test(gain[:, [best]]).p.item() * len(longer)
        if gain[:, best].mean() <= 0 or p >= ALPHA:
            break
        motif, start = longer[best]
    return motif


def contains(kmers: Sequence[str], words: Iterable[str]) -> Iterable[np.ndarray]:
    """For each word of IUPAC letters: which of the RNA k-mers hold it?"""
    letters = np.array([list(kmer) for kmer in kmers])
    allowed = {
        (code, i): np.isin(letters[:, i], list(of))
        for code, of in IUPAC.items()
        for i in range(letters.shape[1])
    }
    for word in words:
        places = range(letters.shape[1] - len(word) + 1)
        yield np.any(
            [
                np.all([allowed[c, s + i] for i, c in enumerate(word)], axis=0)
                for s in places
            ],
            axis=0,
        )


def words_like(consensus: str) -> list[str]:
    """All words that have as many letters at each position as the consensus has."""
    codes = (TWO_LETTERS if c in TWO_LETTERS else RNA for c in consensus)
    return ["".join(word) for word in itertools.product(*codes)]


def word_rank(scan: gia.KmerScan, consensus: str) -> tuple[int, int]:
    """Where the consensus stands among words like it, by mean effect of their k-mers.

    1 is the highest; words with an equal mean count before it.
    """
    effects, words = scan.effect.numpy().ravel(), words_like(consensus)
    masks = contains(scan.kmers[:], words)
    means = np.array([effects[mask].mean() for mask in masks])
    return int((means >= means[words.index(consensus)]).sum()), len(words)


def read_jaspar(release: str) -> dict[str, torch.Tensor]:
    """The latest version of each CORE vertebrate motif, as "MA0139.2 CTCF"."""
    try:
        import pyjaspar
    except ImportError:
        raise SystemExit(
            "the DNA proteins are compared with JASPAR: pip install pyjaspar"
        ) from None
    if release not in pyjaspar.jaspar_releases:
        known = ", ".join(pyjaspar.jaspar_releases)
        raise SystemExit(f"`--jaspar` {release} is not one of {known}.")
    database = pyjaspar.jaspardb(release=release)
    motifs = database.fetch_motifs(collection="CORE", tax_group=["vertebrates"])
    return {
        f"{motif.matrix_id} {motif.name}": gia.motifs.pfm_to_ppm(
            [list(motif.counts[letter]) for letter in DNA]
        )
        for motif in motifs
    }


def look_up(
    ppm: torch.Tensor, protein: Protein, jaspar: Mapping[str, torch.Tensor]
) -> dict[str, object]:
    """The best hit in the whole collection, and where family and protein stand."""
    table = gia.motifs.compare_motifs({protein.name: ppm}, jaspar, n_jobs=1)
    names = table["known"].str.split(" ", n=1).str[1].str.upper()
    is_family = names.isin(protein.known)
    is_own = names == protein.name
    best = table.iloc[0]
    return {
        "best": best["known"],
        "p": best["p_value"],
        "q": best["q_value"],
        "own_motif": table["known"][is_own].iloc[0],
        "own_p": table["p_value"][is_own].iloc[0],
        "own_rank": int(np.flatnonzero(is_own)[0]) + 1,
        "n_motifs": len(table),
        "n_family": int(is_family.sum()),
        "first": table["known"].head(5).tolist(),
        "hit": bool(is_family.iloc[0] and best["q_value"] < ALPHA),
    }


def match_consensus(scan: gia.KmerScan, top: Sequence[str], consensus: str) -> dict:
    """Is the consensus in the best k-mer, and where is it among words like it?"""
    in_all = next(iter(contains(scan.kmers[:], [consensus])))
    in_top = next(iter(contains(top, [consensus])))
    rank, n_words = word_rank(scan, consensus)
    return {
        "in_best": bool(in_top[0]),
        "in_top": int(in_top.sum()),
        "chance_of_one": in_all.mean(),
        "rank": rank,
        "n_words": n_words,
        "hit": bool(in_top[0] and rank / n_words < ALPHA),
    }


def consensus_letters(ppm: torch.Tensor, alphabet: Sequence[str]) -> str:
    """The most frequent letter of each column, small where it has less than half."""
    highest = zip(ppm.max(dim=0).values, ppm.argmax(dim=0), strict=True)
    return "".join(
        alphabet[i] if share >= 0.5 else alphabet[i].lower() for share, i in highest
    )


def study(
    protein: Protein, model: nn.Module, jaspar: Mapping[str, torch.Tensor]
) -> tuple[gia.KmerScan, dict[str, object]]:
    """The protocol, for one protein."""
    alphabet, is_dna = protein.alphabet, protein.alphabet == DNA
    scan = gia.kmer_scan(
        model,
        backgrounds(SELECTION),
        k=K,
        alphabet=alphabet,
        both_strands=is_dna,
    )
    ppm, aligned = gia.motifs.align_kmers(
        scan,
        top=TOP,
        alphabet=alphabet,
        min_coverage=MIN_COVERAGE,
        both_strands=is_dna,
    )
    kmers = [
        gia.motifs.reverse_complement(row.kmer) if row.strand == "-" else row.kmer
        for row in aligned.itertuples()
    ]
    table = rescore(model, kmers, alphabet)
    longest = extend(model, backgrounds(EXTENSION), kmers[0], model.width, alphabet)
    found: dict[str, object] = {
        "held out": table,
        "aligned": consensus_letters(ppm, alphabet),
        "extended": longest,
        "extended, held out": rescore(model, [longest], alphabet),
    }
    if is_dna:
        found["match"] = look_up(ppm, protein, jaspar)
        one_hot = one_hot_encode(longest).double()
        found["match of extended"] = look_up(one_hot, protein, jaspar)
    else:
        found["match"] = match_consensus(scan, kmers, protein.known)
    found["found"] = bool(table["low"].iloc[0] > 0 and found["match"]["hit"])
    return scan, found


def scan_known(model: nn.Module, jaspar: Mapping[str, torch.Tensor]) -> pd.DataFrame:
    """All known motifs by their effect: one draw of each in every background."""
    scan = gia.kmer_scan(
        model,
        backgrounds(KNOWN, LENGTH_KNOWN),
        kmers=dict(jaspar),
        both_strands=True,
        random_state=KNOWN[1],
    )
    return scan.top(len(jaspar)).rename(columns={"kmer": "motif"})


def parts_of(model: nn.Module, site: str, alphabet: tuple[str, ...]) -> pd.DataFrame:
    """How much of a site does it take? Its best part of each length, by effect."""
    rows = []
    for k in range(4, len(site) + 1):
        parts = sorted({site[i : i + k] for i in range(len(site) - k + 1)})
        placed = [(part, None) for part in parts]
        effects = local_importance(model, backgrounds(HELD_OUT), placed, alphabet)
        best = int(effects.mean(dim=0).argmax())
        rows.append((k, parts[best], effects[:, best].mean().item()))
    return pd.DataFrame(rows, columns=["k", "part", "effect"])


def reach(model: nn.Module, k: int) -> pd.DataFrame:
    """How far do k adjacent letters take a detector, the others being average?

    A detector whose `by_k` is not above 0 passes nothing on.
    """
    weights = model.detectors.weight.detach()
    average = weights.mean(dim=1)
    gain = weights.amax(dim=1) - average
    base = average.sum(dim=1) + model.detectors.bias.detach()
    words = ["".join(DNA[i] for i in w) for w in weights.argmax(dim=1).tolist()]
    by_k = base + gain.unfold(1, k, 1).sum(dim=2).amax(dim=1)
    columns = {"by_k": by_k.numpy(), "by_all": (base + gain.sum(dim=1)).numpy()}
    return pd.DataFrame({"best word": words, **columns})


def report_known(proteins: Iterable[Protein], folder: Path, release: str) -> None:
    jaspar = read_jaspar(release)
    for protein in proteins:
        model = load(protein, folder)
        print(
            f"{protein.name}: detectors, and parts of the site with a published score"
        )
        print(reach(model, K).round(1).to_string())
        parts = parts_of(model, protein.published[0], protein.alphabet)
        print(parts.round(2).to_string(index=False))
        table = scan_known(model, jaspar)
        names = table["motif"].str.split(" ", n=1).str[1].str.upper()
        print(f"{protein.name}, of {len(table)} known motifs as patterns")
        best = table[(table.index < 5) | names.isin(protein.known)]
        print(best.round(3).to_string(), "\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--jaspar", default="JASPAR2026", help="release")
    parser.add_argument("--proteins", nargs="*", help="which (default: all)")
    parser.add_argument("--out", type=Path, help="folder for the tables of the scans")
    parser.add_argument("--known", action="store_true", help="place JASPAR's motifs")
    options = parser.parse_args()
    names = options.proteins or [protein.name for protein in PROTEINS]
    proteins = [protein for protein in PROTEINS if protein.name in names]
    if options.known:
        dna = [protein for protein in proteins if protein.alphabet == DNA]
        report_known(dna, options.models, options.jaspar)
        return
    needs_jaspar = any(protein.alphabet == DNA for protein in proteins)
    jaspar = read_jaspar(options.jaspar) if needs_jaspar else {}
    for protein in proteins:
        start = time.perf_counter()
        scan, found = study(protein, load(protein, options.models), jaspar)
        print(f"{protein.name}, known: {protein.known}")
        for what, value in found.items():
            is_table = isinstance(value, pd.DataFrame)
            text = f"\n{value.round(3).to_string(index=False)}" if is_table else value
            print(f"  {what}: {text}")
        print(f"  {time.perf_counter() - start:.0f} s\n", flush=True)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            path = options.out / f"{protein.name}.tsv"
            scan.to_frame().to_csv(path, sep="\t", index=False)


if __name__ == "__main__":
    main()
