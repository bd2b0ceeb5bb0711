"""How a report analyses a model: which of its parts, and on what."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.motif import MotifLike
from .._core.named_motifs import MotifsLike
from ..backgrounds.by_name import GENOMIC, background_names
from .experiments import EXPERIMENTS

# These say nothing of their own when the motif is given, or none of several.
_SEARCH, _SEVERAL = ("scan", "alignment"), ("motifs", "grammar")
# One half of the backgrounds finds extremes, the other measures them.
FEWEST = 4


@dataclass(frozen=True)
class ReportOptions:
    """How a report analyses a model; the defaults are the paper's.

    Parameters
    ----------
    k: int, optional
        Length of the k-mers that are scanned. Default is 6.

    n: int, optional
        Backgrounds of every experiment. Default is 1000.

    n_scan: int or None, optional
        Backgrounds that choose the best k-mers, which are not those of the other
        experiments; None is `n`. Default is None.

    motif: str, motif or None, optional
        The motif, as for every experiment, so that none is searched. Default is None.

    motifs: sequence of motifs, path or None, optional
        Several, such as a file or a file and names of motifs in it, so that no k-mers
        are searched unless `experiments` has "scan": the one of the highest effect is
        the motif of the report, and pairs of them are asked about. Default is None.

    consensus: bool, optional
        Whether matrices are placed as their most likely letters. Default is False.

    n_words: int, optional
        Random words, and as many shuffles of it, with which the effect of a motif that
        is given is compared in its place; 0 for none. Default is 100.

    start: int or None, optional
        First base (0-based) of the motif; None is the centre. Default is None.

    experiments: tuple of str or None, optional
        Which of `EXPERIMENTS` to run; None is all that apply. Default is None.

    backgrounds: tuple of str, optional
        Names of the backgrounds for the robustness; the first is that of everything
        else: those of `background_names()`, and "genomic" where the sequences are
        regions of a genome. Default is all seven of the paper.

    keep: tuple of int or None, optional
        Positions such as adapters, which nothing changes. Default is None.

    both_strands: bool, optional
        Whether the scan averages each k-mer with its reverse complement, for DNA.
        Default is False.

    random_state: int, optional
        Seed of all draws. Default is 0.
    """

    k: int = 6
    n: int = 1000
    n_scan: int | None = None
    motif: MotifLike | None = None
    motifs: MotifsLike | None = None
    consensus: bool = False
    n_words: int = 100
    start: int | None = None
    experiments: tuple[str, ...] | None = None
    backgrounds: tuple[str, ...] = background_names()
    keep: tuple[int, ...] | None = None
    both_strands: bool = False
    random_state: int = 0

    def __post_init__(self) -> None:
        for name, least in (
            ("k", 1),
            ("n", FEWEST),
            ("n_scan", 2),
            ("n_words", 0),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"`{name}`={value} must be at least {least}.")
        for name, chosen, known in (
            ("experiments", self.experiments or (), EXPERIMENTS),
            ("backgrounds", self.backgrounds, (*background_names(), GENOMIC)),
        ):
            unknown = [value for value in chosen if value not in known]
            if unknown or len(set(chosen)) < len(chosen):
                raise ValueError(
                    f"`{name}`={list(chosen)} must be distinct names of {list(known)}."
                )
        if self.motif is not None and self.motifs is not None:
            raise ValueError("`motif` and `motifs` exclude each other: give one.")
        if self.keep is not None and GENOMIC in self.backgrounds:
            raise ValueError(f"`keep` has no adapters in {GENOMIC!r} `backgrounds`.")
        if not self.backgrounds:
            raise ValueError("`backgrounds` is empty; at least one is needed.")

    @property
    def given(self) -> bool:
        """Whether the motif is given, or several of which it is one."""
        return self.motif is not None or self.motifs is not None

    def wanted(self) -> tuple[str, ...]:
        """The experiments to run, in the order of the report."""
        given, several = self.given, self.motifs is not None
        if self.experiments is None:
            skipped = {*(_SEARCH if given else ()), *(() if several else _SEVERAL)}
            return tuple(name for name in EXPERIMENTS if name not in skipped)
        chosen = {*self.experiments}
        if several or not given:
            chosen |= {"motifs" if several else "scan"}
        if chosen & {*EXPERIMENTS} - {"scan", "motifs"}:
            chosen |= {"motif"}
        if "alignment" in chosen:
            chosen |= {"scan"}
        return tuple(name for name in EXPERIMENTS if name in chosen)
