"""The effect of every k-mer, or of every given motif, on every background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from tangermeme.utils import PackedSequence

from .._core.anchored import check_one_place
from .._core.engine import Engine
from .._core.letters import RandomState, as_seed, resolve_alphabet
from .._core.memory import check_fits
from .._core.named_motifs import MotifsLike
from .._core.options import document
from .._core.outputs import Outputs, as_heads
from .._core.scans import KmerScan
from .._core.target import target_labels
from .designs import scan_design
from .measure import add_effects, make_moments

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options


@document
def kmer_scan(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    k: int = 6,
    kmers: MotifsLike | None = None,
    start: int | None = None,
    *,
    both_strands: bool = False,
    alphabet: Sequence[str] | None = None,
    consensus: bool = False,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> KmerScan:
    """Which of all k-mers change the output most, on average over backgrounds?

    The paper's "k-mer scan". Effects are averaged as they come, so that beyond two
    numbers per k-mer and output no memory depends on the number of k-mers. The best
    k-mer's effect is biased upwards on the backgrounds it was chosen on; score it again
    on others with `global_importance`. Where only the best are asked for, `best_kmers`
    finds them with a few percent of the predictions.

    Parameters
    ----------
    {model}

    k: int, optional
        Length of the k-mers; not used where `kmers` are given. Default is 6.

    kmers: sequence or mapping of motifs, path, or None, optional
        What to scan instead of all k-mers: strings (N keeps the background), one-hot
        or PPMs of any lengths, by name if a mapping, or the path of a motif file. Of a
        PPM each background gets one draw. Log-odds become a PPM by `pwm_to_ppm`.
        Default is None, all k-mers.

    start: int or None, optional
        The 0-based first base of each; None is the centre. Default is None.

    both_strands: bool, optional
        Whether to place both strands of each k-mer and take the mean of the two
        effects on each background as one. All k-mers are then listed once for both
        strands, as the one that comes first in the order of the alphabet; of given
        ones each keeps its row. Default is False.

    {options}

    {consensus}

    Returns
    -------
    scan: KmerScan
        `kmers`, their `effect` with standard errors `se` (cluster-robust if there are
        `clusters`), and `n`; `to_frame()` has a row per k-mer, `top()` the best. All
        k-mers come in the order of the alphabet, given ones in theirs.

    Raises
    ------
    ValueError, TypeError
        If a k-mer runs past X or has letters outside the alphabet, the alphabet has no
        complement to fold with, `kmers` is empty or no file, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> scan = kmer_scan(model, X, k=3)
    >>> scan.effect.shape, scan.kmers[5]
    (torch.Size([64, 1]), 'ACC')
    """
    letters = resolve_alphabet(model, alphabet)
    strands = 2 if both_strands else 1
    names, design = scan_design(
        X, k, kmers, start, letters, strands, consensus, as_seed(random_state)
    )
    engine = Engine(model, X, **options)
    engine.check_kept(design)
    check_one_place(engine.target)
    with engine.held():
        before = engine.before()
        _check_fits(len(names), as_heads(before))
        moments = [
            make_moments(len(names), tuple(y.shape[1:]), engine.clusters)
            for y in as_heads(before)
        ]
        add_effects(moments, engine, design, as_heads(before), strands)
    effect: Outputs = [m.mean for m in moments]
    se: Outputs = [m.se for m in moments]
    if isinstance(before, torch.Tensor):
        effect, se = effect[0], se[0]
    n = len(engine.X)
    total = len(names) * strands * n
    labels = target_labels(engine.target, before)
    return KmerScan(
        names,
        effect,
        se,
        n,
        len(names),
        total,
        total,
        outputs=labels,
        clusters=engine.clusters,
    )


def _check_fits(n_kmers: int, before: list[torch.Tensor]) -> None:
    sizes = {
        "k-mers": n_kmers,
        "outputs": sum(y[0].numel() for y in before),
        "bytes (mean, squares and error of each)": 24,
    }
    way_out = (
        "Choose outputs by `target`, reduce them in a `func`, or scan fewer k-mers."
    )
    check_fits("the scan", sizes, way_out)
