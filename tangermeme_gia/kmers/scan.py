"""Which k-mers does a model know: the scan of all of them, and variants of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from .._core.controls import with_controls
from .._core.designs import check_backgrounds, run_patterns
from .._core.documentation import document
from .._core.engine import Engine, merge_kwargs
from .._core.letters import DNA, GAP_LETTER, as_seed, check_alphabet, check_count
from .._core.results import GIAResult
from ..motifs.matrices import logo_frame
from ..statistics.intervals import check_fraction
from .designs import Kmers, all_kmers_design, given_design
from .results import KmerScan, pick_output
from .runs import Rules, exhaustive_scan, racing_scan


@document
def kmer_scan(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    k: int = 6,
    kmers: Kmers | None = None,
    start: int | None = None,
    *,
    fold_reverse_complements: bool = False,
    method: Literal["exhaustive", "racing"] = "exhaustive",
    top: int = 10,
    delta: float = 0.01,
    alphabet: Sequence[str] = DNA,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    max_memory: int | None = None,
    random_state: int | None = None,
    verbose: bool = False,
    **kwargs: Any,
) -> KmerScan:
    """Which of all k-mers change the output most, on average over backgrounds?

    The paper's "k-mer scan". Effects are averaged as they come, so that beyond two
    numbers per k-mer and output no memory depends on the number of k-mers. The best
    k-mer's effect is biased upwards on the backgrounds it was chosen on; score it again
    on others with `global_importance`.

    Parameters
    ----------
    {model}

    k: int, optional
        Length of the k-mers; not used where `kmers` are given. Default is 6.

    kmers: sequence or mapping of motifs, path, or None, optional
        What to scan instead of all k-mers: strings (N keeps the background), one-hot
        or PPMs of any lengths, by name if a mapping, or the path of a MEME file. Of a
        PPM each background gets one draw. Log-odds become a PPM by `pwm_to_ppm`.
        Default is None, all k-mers.

    start: int or None, optional
        The 0-based first base of each; None is the centre. Default is None.

    fold_reverse_complements: bool, optional
        Whether to place both strands of each k-mer and take the mean of the two
        effects on each background as one. All k-mers are then listed once for both
        strands, as the one that comes first in the order of the alphabet; of given
        ones each keeps its row. Default is False.

    method: {"exhaustive", "racing"}, optional
        "racing" measures only the best k-mers on all backgrounds: those that lead on
        growing random subsets of the same backgrounds (24, 36, 54, ...). The others are
        left behind once they are surely below the best of these. Where effects are too
        close to tell, k-mers stay, if need be all of them to the end; so they do where
        the effects to be compared would take more than `max_memory`. The model must
        give one number per sequence. Default is "exhaustive".

    top: int, optional
        How many of the best, that is the highest, a race is for. Default is 10.

    delta: float, optional
        Accepted probability that a race finds other k-mers than the exhaustive scan.
        It rests on t intervals with the finite population's correction, divided over
        rounds and the best k-mers, and on rare large effects being as large, and at
        most five times as frequent, as other k-mers show them: one that owes its rank
        to a few backgrounds only, with effects as no other k-mer has any, can be
        missed. Default is 0.01.

    {options}

    Returns
    -------
    scan: KmerScan
        `kmers`, their `effect` with standard errors `se`, and `n`; `to_frame()` has a
        row per k-mer, `top()` the best. All k-mers come in the order of the alphabet,
        given ones in theirs. A race leaves the `top` best in that order, with the
        same effects and errors over all backgrounds as an exhaustive scan gives them;
        `n_predictions` and `n_exhaustive` tell what it saved.

    Raises
    ------
    ValueError, TypeError
        If a k-mer runs past X or has letters outside the alphabet, the alphabet has no
        complement to fold with, `kmers` is empty or no file, X is not one-hot,
        `method`, `top` or `delta` is not allowed, or a race has several outputs.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> scan = kmer_scan(model, X, k=3)
    >>> scan.effect.shape, scan.kmers[5]
    (torch.Size([64, 1]), 'ACC')
    >>> best = kmer_scan(model, X, k=3, method="racing", top=5)
    >>> best.top()["kmer"].equals(scan.top(5)["kmer"])
    True
    """
    letters = check_alphabet(alphabet)
    check_backgrounds(X, letters)
    _check_method(method, top, delta)
    seed = as_seed(random_state)
    strands = 2 if fold_reverse_complements else 1
    length = X.shape[-1]
    if kmers is None:
        names, design = all_kmers_design(k, start, length, letters, strands)
    else:
        names, design = given_design(
            kmers, start, len(X), length, letters, strands, seed
        )
    engine = Engine(
        model,
        X,
        func=func,
        kwargs=merge_kwargs(kwargs, additional_func_kwargs),
        max_memory=max_memory,
        verbose=verbose,
    )
    if method == "racing":
        rules = Rules(top, delta, seed)
        return racing_scan(engine, design, names, strands, rules)
    return exhaustive_scan(engine, design, names, strands)


@document
def kmer_mutagenesis(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motif: str,
    start: int | None = None,
    *,
    alphabet: Sequence[str] = DNA,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    n_controls: int = 0,
    max_memory: int | None = None,
    random_state: int | None = None,
    verbose: bool = False,
    **kwargs: Any,
) -> GIAResult:
    """Which letters of a k-mer matter: how do all its single-letter variants do?

    The paper's "k-mer mutagenesis". Effects are against the background, as in every
    experiment; `mutagenesis_change` gives those against the wild type.

    Parameters
    ----------
    {model}

    motif: str
        The wild type. A position with N keeps the background and has no variants.

    start: int or None, optional
        Its 0-based first base; None is the centre. Default is None.

    {options}

    n_controls: int, optional
        How many random k-mers and how many permutations of the k-mer's own letters get
        all their variants, too; the rows say so in their column `control`.
        Default is 0.

    Returns
    -------
    result: GIAResult
        `conditions` has the columns `motif` (the letters placed), `position` in the
        motif and `letter` put there (both missing for the wild type), `is_wild_type`
        and `control`. The wild type comes first, then the variants by position, in
        the order of the alphabet; then the same of each control.

    Raises
    ------
    ValueError, TypeError
        If the motif is not a string of the alphabet's letters or runs past X, or X is
        not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = kmer_mutagenesis(model, X, "GATA")
    >>> len(result.conditions)
    13
    """
    letters = check_alphabet(alphabet)
    if not isinstance(motif, str):
        raise TypeError(
            f"`motif` is of type {type(motif).__name__}; the variants of a string can "
            "be listed."
        )
    seed = as_seed(random_state)
    tables = [
        _variants(control, letters).assign(control=name)
        for control, name in with_controls(motif, n_controls, letters, seed)
        if isinstance(control, str)
    ]
    table = pd.concat(tables, ignore_index=True)
    return run_patterns(
        model,
        X,
        [[(variant, start)] for variant in table["motif"]],
        table,
        alphabet=letters,
        func=func,
        additional_func_kwargs=additional_func_kwargs,
        kwargs=kwargs,
        max_memory=max_memory,
        random_state=seed,
        verbose=verbose,
    )


def mutagenesis_change(
    result: GIAResult, output: int | tuple[int, ...] = 0, alphabet: Sequence[str] = DNA
) -> pd.DataFrame:
    """How much does each single-letter variant change the effect of a k-mer?

    Logos are made of this change, not of the effects themselves, whose norm is highest
    where letters matter least: `sensitivity_logo(mutagenesis_change(result), motif)`.

    Parameters
    ----------
    result: GIAResult
        From `kmer_mutagenesis`; of its controls nothing is read.

    output: int or tuple of int, optional
        Which output, labelled as in `to_frame`. Default is 0.

    alphabet: sequence of str, optional
        Letters in column order, those of the experiment. Default is DNA.

    Returns
    -------
    change: pandas.DataFrame, shape=(length, len(alphabet))
        Global importance of each variant minus that of the wild type, whose letters
        have 0; a row of zeros where the motif has N.

    Raises
    ------
    ValueError
        If the result is not from `kmer_mutagenesis`, has letters outside the alphabet,
        or has no such output.

    Examples
    --------
    >>> y = torch.zeros(5, 1)
    >>> table = pd.DataFrame(
    ...     {
    ...         "motif": ["C", "A", "G", "T"],
    ...         "position": pd.array([None, 0, 0, 0], dtype="Int64"),
    ...         "letter": [None, "A", "G", "T"],
    ...         "is_wild_type": [True, False, False, False],
    ...         "control": "none",
    ...     }
    ... )
    >>> effects = torch.tensor([3.0, 1.0, 0.0, 0.5])
    >>> mutagenesis_change(GIAResult(y, y[:, None] + effects[:, None], table))
         A    C    G    T
    0 -2.0  0.0 -3.0 -2.5
    """
    letters = check_alphabet(alphabet)
    table = result.conditions
    if not {"motif", "position", "letter", "is_wild_type", "control"} <= set(
        table.columns
    ):
        raise ValueError(
            f"`result` has conditions with the columns {list(table.columns)}; it must "
            "come from `kmer_mutagenesis`."
        )
    after = pick_output(result.y_afters, output, leading=2).to(torch.float64)
    wild_type = int(np.flatnonzero(table["is_wild_type"])[0])
    moved = (after - after[:, [wild_type]]).mean(dim=0).tolist()
    change = np.zeros((len(letters), len(table["motif"].iloc[wild_type])))
    for i in np.flatnonzero(~table["is_wild_type"] & (table["control"] == "none")):
        letter = table["letter"].iloc[i]
        if letter not in letters:
            raise ValueError(
                f"`result` has a variant with {letter!r}, which is not in `alphabet` "
                f"{', '.join(letters)}."
            )
        change[letters.index(letter), int(table["position"].iloc[i])] = moved[i]
    return logo_frame(change, letters)


def _check_method(method: str, top: int, delta: float) -> None:
    if method not in ("exhaustive", "racing"):
        raise ValueError(f"`method`={method!r} must be 'exhaustive' or 'racing'.")
    check_count("top", top)
    check_fraction("delta", delta)


def _variants(motif: str, letters: tuple[str, ...]) -> pd.DataFrame:
    motifs: list[str] = [motif]
    positions: list[int | None] = [None]
    variant_letters: list[str | None] = [None]
    for position, original in enumerate(motif):
        if original == GAP_LETTER and original not in letters:
            continue
        for letter in letters:
            if letter != original:
                motifs.append(motif[:position] + letter + motif[position + 1 :])
                positions.append(position)
                variant_letters.append(letter)
    table: pd.DataFrame = pd.DataFrame(
        {
            "motif": motifs,
            "position": pd.array(positions, dtype="Int64"),
            "letter": variant_letters,
            "is_wild_type": [p is None for p in positions],
        }
    )
    return table
