"""From a model to hypotheses, and to what becomes of them on other sequences."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.seqlet import recursive_seqlets
from tangermeme.utils import PackedSequence

from .._core.letters import (
    GAP,
    RandomState,
    as_seed,
    check_count,
    check_sequences,
    codes_from_one_hot,
    resolve_alphabet,
)
from .._core.motif import Motif
from .._core.options import document
from ..motifs.database import check_nucleotides, compare_motifs
from ..motifs.from_seqlets import seqlet_patterns
from ..motifs.seqlets import SeqletCaller, call_seqlets
from ..statistics.inputs import check_fraction
from .collection_designs import Collection, read_collection
from .discovery_result import MotifDiscovery
from .held_out import Question

if TYPE_CHECKING:
    import os

    from typing_extensions import Unpack

    from .._core.options import Options

_SITES = ("pattern", "example_idx", "start", "end", "strand")
_NAMED = {"query": "pattern", "known": "name", "q_value": "name_q"}


@document
def discover_motifs(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    *,
    motifs: Collection | None = None,
    known: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    backgrounds: torch.Tensor | PackedSequence | None = None,
    attribution: Callable[..., Any] = deep_lift_shap,
    seqlets: SeqletCaller = recursive_seqlets,
    min_seqlets: int = 10,
    discovery_fraction: float = 0.5,
    n_instances: int = 200,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> MotifDiscovery:
    """Which motifs does the model read, and are they sufficient and necessary for it?

    Attributions are hypotheses; they are made on some of the sequences and tested on
    the others. On the first, seqlets of high contributions are clustered to patterns.
    Each pattern is then *placed* in backgrounds made of the other sequences, against
    its own letters in another order (`motif_scan`; DNA on both strands, averaged), and
    *removed* where it stands in the other sequences, by putting its letters there in 20
    random orders (`occlusion_annotations`). Where it stands is found by its letters
    (FIMO), not by contributions, which would choose what the model responds to.

    Parameters
    ----------
    {model}
        Here these are sequences that the model responds to, of DNA or RNA.

    motifs: mapping or sequence of motifs, path or None, optional
        Patterns to test instead of discovering any, such as those of
        `modisco_results.h5`. They are tested on all of X, which must be sequences that
        their discovery has not seen. Default is None.

    known: mapping of motifs, path or None, optional
        A database, such as JASPAR's, of which each pattern gets the name of the most
        similar motif, as `motifs.compare_motifs` has it. Default is None.

    backgrounds: torch.Tensor, PackedSequence or None, optional
        Sequences to place patterns in, that discovery has not seen either. None makes
        dinucleotide shuffles of the sequences held out, one of each, but at least 100
        (then several of one) and at most 1,000. Default is None.

    attribution: function, optional
        tangermeme's `deep_lift_shap`, as the paper suggests, `saturation_mutagenesis`
        or what has their form and gives numbers of the shape of X; with keywords of its
        own as `functools.partial`. Without a seed it gets that of `random_state`.
        Default is `deep_lift_shap`.

    seqlets: function, optional
        tangermeme's `recursive_seqlets`, or what has its form, such as
        ``partial(recursive_seqlets, threshold=0.001)``. Where it is too eager, patterns
        fail their tests. Default is `recursive_seqlets`, which takes about 20 s to
        compile once in each process.

    min_seqlets: int, optional
        Fewer make no pattern. Default is 10.

    discovery_fraction: float, optional
        Share of the sequences (or clusters) that discovery sees, chosen at random.
        Default is 0.5.

    n_instances: int, optional
        Instances of each pattern that are removed, chosen at random from all that the
        other sequences hold. Default is 200.

    {options}

    Returns
    -------
    discovery: MotifDiscovery
        `to_frame()` has a row and a verdict for each pattern. If there is none, it is
        empty, with a warning.

    Raises
    ------
    ValueError, TypeError
        If X is not one-hot, the alphabet is neither of DNA nor RNA, the model has
        several outputs and `target` chooses none, there are too few sequences, a
        function returns another shape, or an option is out of range.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> found = discover_motifs(model, X, motifs={"GATA1": "GATAA"}, random_state=0)
    >>> found.to_frame()[["pattern", "consensus", "n_seqlets"]].values.tolist()
    [['GATA1', 'GATAA', 0]]
    """
    letters = check_nucleotides(resolve_alphabet(model, alphabet))
    check_sequences(X, letters)
    check_count("min_seqlets", min_seqlets, 2)
    check_count("n_instances", n_instances)
    check_fraction("discovery_fraction", discovery_fraction)
    question = Question(model, X, letters, as_seed(random_state), options)
    question.check_one_output()
    cwms: dict[str, torch.Tensor] = {}
    sites = pd.DataFrame(columns=list(_SITES))
    if motifs is not None:
        patterns, held_out = read_collection(motifs, letters), np.arange(len(X))
    else:
        seen, held_out = question.divide(discovery_fraction)
        patterns, cwms, sites = _discover(
            question, seen, attribution, seqlets, min_seqlets
        )
    placed = question.place(patterns, held_out, backgrounds) if patterns else None
    instances = question.instances(patterns, held_out, n_instances)
    removed = question.remove(instances)
    names = _names(patterns, known, letters)
    return MotifDiscovery(patterns, cwms, sites, instances, placed, removed, names)


def _discover(
    question: Question,
    rows: NDArray[np.intp],
    attribution: Callable[..., Any],
    caller: SeqletCaller,
    min_seqlets: int,
) -> tuple[dict[str, Motif], dict[str, torch.Tensor], pd.DataFrame]:
    """Patterns of some sequences, their contributions and where they are."""
    codes = codes_from_one_hot(question.X, rows)
    y = question.attributions(rows, _seeded(attribution, question.seed))
    # Of the letters that are there, also where all were asked about.
    values = np.take_along_axis(
        y.to(torch.float32).numpy(), codes.clip(0)[:, None].astype(np.int64), axis=1
    )[:, 0]
    values[codes == GAP] = 0
    called = call_seqlets(values, caller)
    found = seqlet_patterns(
        codes,
        values,
        called,
        alphabet=question.letters,
        both_strands=question.both_strands,
        min_seqlets=min_seqlets,
        seed=question.seed,
    )
    if not found:
        warnings.warn(
            f"`attribution` and `seqlets` give no pattern: none of {len(called):,} "
            f"seqlets of {len(rows):,} sequences has {min_seqlets} that are alike "
            "(`min_seqlets`).",
            UserWarning,
            stacklevel=4,
        )
    motifs, cwms, parts = {}, {}, [pd.DataFrame(columns=list(_SITES))]
    for sign, kind in ((1, "pos_patterns"), (-1, "neg_patterns")):
        of_sign = [pattern for pattern in found if pattern.sign == sign]
        for number, pattern in enumerate(of_sign):
            name = f"{kind}.pattern_{number}"
            motifs[name] = Motif.parse(pattern.ppm, question.letters)
            cwms[name] = torch.from_numpy(pattern.cwm)
            sites = pattern.sites.assign(pattern=name)[list(_SITES)]
            parts.append(sites.assign(example_idx=rows[sites["example_idx"]]))
    table: pd.DataFrame = pd.concat(parts[1:] or parts, ignore_index=True)
    return motifs, cwms, table


def _seeded(attribution: Callable[..., Any], seed: int) -> Callable[..., Any]:
    """With a seed, where it takes one and has none."""
    bound = attribution.keywords if isinstance(attribution, functools.partial) else {}
    takes = inspect.signature(attribution).parameters
    if "random_state" in takes and bound.get("random_state") is None:
        return functools.partial(attribution, random_state=seed % 2**32)
    return attribution


def _names(
    motifs: Mapping[str, Motif],
    known: Mapping[str, Any] | str | os.PathLike[str] | None,
    letters: tuple[str, ...],
) -> pd.DataFrame:
    """The most similar known motif of each pattern."""
    named: pd.DataFrame = pd.DataFrame(columns=list(_NAMED.values()))
    if known is not None and motifs:
        table = compare_motifs(motifs, known, alphabet=letters, n_nearest=1)
        named = table.rename(columns=_NAMED)[list(_NAMED.values())]
    return named
