"""The rank of expected motifs among all k-mers, with their shuffles and shifts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.anchored import check_one_place
from .._core.clusters import as_codes
from .._core.engine import Engine
from .._core.letters import (
    DNA,
    RandomState,
    as_seed,
    check_count,
    check_sequences,
    resolve_alphabet,
)
from .._core.moments import ClusteredMoments, Moments, summarise
from .._core.named_motifs import MotifsLike, named_motifs
from .._core.options import document
from .._core.outputs import Outputs, as_heads
from .._core.patterns import resolve_start
from .._core.scans import KmerScan
from .._core.target import target_labels
from ..kmers.codes import (
    KmerNames,
    canonical_kmers,
    n_kmers,
    reverse_complement_index,
)
from ..kmers.designs import KmerDesign
from ..kmers.measure import block_effects, block_kmers, make_moments
from .expected_result import ExpectedMotifs
from .expected_words import (
    Core,
    Indices,
    as_listed,
    core_of,
    shifted_words,
    shuffled_words,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options

# By themselves words are ranked among no more k-mers than these.
_MOST_KMERS = 10_000
_LONGEST = 6
_Local = NDArray[np.float64]


@document
def rank_expected(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motifs: MotifsLike,
    k: int | None = None,
    *,
    start: int | None = None,
    n_shifts: int = 2,
    both_strands: bool = False,
    lowest: bool = False,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> ExpectedMotifs:
    """Has the model learned the motif that it should know?

    A check after training: the known motif is ranked by its effect among all k-mers of
    its length, all of which are placed on the same backgrounds. Beside it stand the
    other orders of its letters, which its composition alone would do as well as it; the
    same word moved by a letter or two, which a model that learned it out of register
    ranks higher; and of DNA its reverse complement.

    Parameters
    ----------
    {model}

    motifs: sequence or mapping of motifs, or path
        What is expected, one row each: letters, IUPAC's too, one-hot, PPMs, or the path
        of a motif file. Of positions where several letters are equally likely every
        word is tried, and the best is ranked; of a PPM its most likely letters.

    k: int or None, optional
        The longest word that is ranked; of a longer motif the k letters in a row with
        the most information are, and the verdict says so. All k-mers are placed on all
        backgrounds: 4,096 for 6 letters of DNA, 65,536 for 8. None is 6, or for larger
        alphabets what makes at most 10,000 k-mers. Default is None.

    start: int or None, optional
        The 0-based first base of each; None is the centre. Default is None.

    n_shifts: int, optional
        By how many letters the word is moved at most, to either side, with any letters
        beside it. Default is 2.

    both_strands: bool, optional
        Whether the mean effect of both strands of each k-mer counts, as in `kmer_scan`.
        Default is False.

    lowest: bool, optional
        Whether the motif is expected to lower the output most. Default is False.

    {options}

    Returns
    -------
    expected: ExpectedMotifs
        `to_frame()` has a row for each motif, with its verdict; `ranks()` one for each
        word, shift and reverse complement; `lines()` says it in words.

    Raises
    ------
    ValueError, TypeError
        If a motif has letters outside the alphabet, fewer than 3 that say something or
        stands for more than 64 words; there is more than one output to rank by; an
        option is out of range, or X is not one-hot.

    Examples
    --------
    >>> class Reads(torch.nn.Module):
    ...     def forward(self, X):
    ...         gat = X[:, 2, :-2] + X[:, 0, 1:-1] + X[:, 3, 2:]
    ...         return gat.eq(3).sum(dim=1, keepdim=True).float()
    >>> X = torch.eye(4)[torch.randint(4, (100, 20))].transpose(1, 2)
    >>> expected = rank_expected(Reads(), X, ["GAT"], random_state=0)
    >>> expected.to_frame()[["motif", "rank", "n_kmers", "verdict"]].values.tolist()
    [['GAT', 1, 64, 'learned']]
    """
    letters, _ = resolve_alphabet(model, alphabet), as_seed(random_state)
    check_sequences(X, letters)
    check_count("n_shifts", n_shifts, 0)
    longest = _longest(k, len(letters))
    names, given = named_motifs(motifs, letters)
    cores = [core_of(m, n, longest) for n, m in zip(names, given, strict=True)]
    strands = 2 if both_strands else 1
    engine = Engine(model, X, **options)
    check_one_place(engine.target)
    tables, differences, orders, scans = [], [], [], {}
    with engine.held():
        before = _one_output(engine.before())
        for size in sorted({core.k for core in cores}):
            of = [i for i, core in enumerate(cores) if core.k == size]
            asked = _Asked(engine, before, size, letters, strands, start, lowest)
            own = asked.words([cores[i] for i in of], n_shifts)
            scans[size], table, moments, places = asked.rank(own)
            table["number"] = [of[i] for i in table["number"]]
            tables.append(table)
            differences += moments
            orders += places
    entries = pd.concat(tables, ignore_index=True)
    order = np.argsort(entries["number"].to_numpy(), kind="stable")
    entries = entries.iloc[order].reset_index(drop=True)
    conditions = pd.DataFrame(
        {
            "motif": names,
            "letters": [motif.letters for motif in given],
            "k": [core.k for core in cores],
            "n_words": [len(core.words) for core in cores],
            "is_whole": [core.is_whole for core in cores],
        }
    )
    differences = [differences[i] for i in order]
    orders = [orders[i] for i in order]
    return ExpectedMotifs(conditions, entries, differences, orders, scans, lowest)


class _Word(NamedTuple):
    """One that is ranked: the best of some candidates, all in the order of the scan."""

    number: int
    role: str
    shift: int
    candidates: Indices


class _Asked:
    """All k-mers of one length on the backgrounds, and what is ranked among them."""

    def __init__(
        self,
        engine: Engine,
        before: torch.Tensor,
        k: int,
        letters: tuple[str, ...],
        strands: int,
        start: int | None,
        lowest: bool,
    ) -> None:
        self._engine, self._before, self._k = engine, before, k
        self._letters, self._strands = letters, strands
        self._start = resolve_start(start, k, engine.X.shape[-1])
        self._sign = -1 if lowest else 1
        number = n_kmers(k, len(letters))
        self._all = canonical_kmers(k, letters) if strands == 2 else np.arange(number)

    def words(self, cores: Sequence[Core], n_shifts: int) -> list[_Word]:
        """What is asked of each motif."""
        words = []
        for number, core in enumerate(cores):
            known = self._listed(core.words)
            words.append(_Word(number, "word", 0, known))
            for by in range(1, min(n_shifts, core.k - 1) + 1):
                moved = shifted_words(core.words, by, core.k, len(self._letters))
                new = np.setdiff1d(self._listed(moved), known)
                known = np.union1d(known, new)
                if len(new):
                    words.append(_Word(number, "shift", by, new))
        return words

    def rank(
        self, words: Sequence[_Word]
    ) -> tuple[KmerScan, pd.DataFrame, list[torch.Tensor], list[torch.Tensor]]:
        """The scan, a row for each word, how all k-mers differ from it, its shuffles.

        Candidates come first: the best of each is chosen before all others are placed.
        """
        chosen, local = self._choose(words)
        words, chosen, local = self._with_other_strands(words, chosen, local)
        shuffles = [self._shuffles(word) for word in chosen.tolist()]
        scan, moments, sums = self._scan(local, shuffles)
        rows: list[dict[str, Any]] = []
        for i, word in enumerate(words):
            at = np.searchsorted(self._all, chosen[i])
            # Of one letter there are none.
            controls = sums[:, i] / (len(shuffles[i]) or np.nan)
            beyond = summarise(local[:, i] - controls, self._codes)
            rows.append(
                {
                    "number": word.number,
                    "role": word.role,
                    "shift": word.shift,
                    "word": scan.kmers[at],
                    "at": at,
                    "n_candidates": len(word.candidates),
                    "n_shuffles": len(shuffles[i]),
                    "beyond": float(beyond.mean),
                    "beyond_se": float(beyond.se),
                }
            )
        kept = [torch.stack([m.mean, m.se]).reshape(2, -1) for m in moments]
        places = [torch.from_numpy(each) for each in shuffles]
        return scan, pd.DataFrame(rows), kept, places

    @property
    def _codes(self) -> NDArray[np.intp] | None:
        clusters = self._engine.clusters
        return None if clusters is None else as_codes(clusters)

    def _listed(self, words: Indices) -> Indices:
        return as_listed(words, self._k, self._letters, self._strands)

    def _design(self, words: Indices) -> KmerDesign:
        length = self._engine.X.shape[-1]
        design = KmerDesign(
            words, self._k, self._start, length, self._letters, self._strands
        )
        self._engine.check_kept(design)
        return design

    def _choose(self, words: Sequence[_Word]) -> tuple[Indices, _Local]:
        """The best of each, and its effect on every background."""
        tried = np.unique(np.concatenate([word.candidates for word in words]))
        local = self._local(tried)
        effect = self._sign * local.mean(axis=0)
        best = []
        for word in words:
            own = np.searchsorted(tried, word.candidates)
            best.append(own[np.argmax(effect[own])])
        return tried[best], local[:, best]

    def _with_other_strands(
        self, words: Sequence[_Word], chosen: Indices, local: _Local
    ) -> tuple[list[_Word], Indices, _Local]:
        """The words, and of DNA whose strands count apart the reverse complements."""
        if self._strands == 2 or {*self._letters} != {*DNA}:
            return [*words], chosen, local
        others, more = [], []
        for word, best in zip(words, chosen.tolist(), strict=True):
            (other,) = reverse_complement_index([best], self._k, self._letters)
            if word.role == "word" and other != best:
                more.append(other)
                own = np.array([other])
                others.append(_Word(word.number, "reverse complement", 0, own))
        if not others:
            return [*words], chosen, local
        listed, back = np.unique(more, return_inverse=True)
        beside = self._local(listed)[:, back]
        return (
            [*words, *others],
            np.concatenate([chosen, more]),
            np.concatenate([local, beside], axis=1),
        )

    def _local(self, words: Indices) -> _Local:
        """Effects on every background, shape=(n, n_words)."""
        local = np.empty((len(self._before), len(words)))
        stream = self._engine.stream(
            self._design(words), [self._before], together=self._strands
        )
        for block in stream:
            kmers = block_kmers(block, self._strands)
            (after,) = block.y
            effects = block_effects(after, self._before[block.rows], self._strands)
            local[block.rows, kmers] = effects.flatten(start_dim=1).numpy()
        return local

    def _shuffles(self, word: int) -> Indices:
        """Where the scan has the other words of its letters."""
        listed = self._listed(shuffled_words(word, self._k, len(self._letters)))
        places: Indices = np.searchsorted(self._all, np.setdiff1d(listed, [word]))
        return places

    def _scan(
        self, local: _Local, shuffles: Sequence[Indices]
    ) -> tuple[KmerScan, list[Moments | ClusteredMoments], _Local]:
        """All k-mers; their effects less each word's, and sums of each one's shuffles.

        Effects are averaged as they come, so that none but these are kept.
        """
        shape, clusters = tuple(self._before.shape[1:]), self._engine.clusters
        own, *beside = (
            make_moments(len(self._all), shape, clusters)
            for _ in range(1 + local.shape[1])
        )
        sums = np.zeros_like(local)
        words = torch.from_numpy(local)
        stream = self._engine.stream(
            self._design(self._all), [self._before], together=self._strands
        )
        for block in stream:
            kmers = block_kmers(block, self._strands)
            (after,) = block.y
            effects = block_effects(after, self._before[block.rows], self._strands)
            own.add(kmers, effects)
            flat = effects.flatten(start_dim=1)
            for i, moments in enumerate(beside):
                less = (flat - words[block.rows, i, None]).reshape(effects.shape)
                moments.add(kmers, less)
                inside = shuffles[i] - kmers.start
                inside = inside[(inside >= 0) & (inside < flat.shape[1])]
                sums[block.rows, i] += flat[:, inside].sum(dim=1).numpy()
        names = KmerNames(self._all, self._k, self._letters)
        labels = target_labels(self._engine.target, self._before)
        n = len(self._before)
        scan = KmerScan(names, own.mean, own.se, n, outputs=labels, clusters=clusters)
        return scan, beside, sums


def _longest(k: int | None, n_letters: int) -> int:
    """How many letters a word has at most."""
    if k is not None:
        check_count("k", k, 3)
        return k
    fitting = [i for i in range(3, _LONGEST + 1) if n_letters**i <= _MOST_KMERS]
    return max(fitting, default=3)


def _one_output(before: Outputs) -> torch.Tensor:
    """There is one number to rank by."""
    if isinstance(before, torch.Tensor) and before[0].numel() == 1:
        return before
    n_outputs = sum(y[0].numel() for y in as_heads(before))
    raise ValueError(
        f"`model` gives {n_outputs} numbers for a sequence, and words are ranked by "
        "one; choose it by `target`."
    )
