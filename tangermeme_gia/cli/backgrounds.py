"""The backgrounds of an experiment, by name."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..backgrounds.by_name import GENOMIC, Drawn, background_names, draw_background
from .arguments import Flat
from .values import integers, structure

if TYPE_CHECKING:  # what explains the options needs no torch
    from ..report import ReportInputs
    from ..structure.pairs import Hairpin

OBSERVED, STRUCTURED = "observed", "structured"
# Those of observed sequences, of their genome, and those of a design.
NAMES = (*background_names(), OBSERVED, GENOMIC, STRUCTURED)
N_BACKGROUNDS = 1000
# Draws from a profile that stand in for each observed sequence where there are none.
_STAND_INS = 4

_log = logging.getLogger("tangermeme_gia.cli")


@dataclass(frozen=True)
class Backgrounds:
    """What the options of a command say of its backgrounds: which, and how many.

    Parameters
    ----------
    background: str
        One of `NAMES`: those of `background_names()`; "observed", the sequences as
        they are; "genomic", other windows of their genome with the same GC content; or
        "structured", folded into a design.

    n: int or None, optional
        How many. None is 1000, or all observed ones; fewer of these are drawn without
        replacement. Default is None.

    dot_bracket: str, Hairpin or None, optional
        The design of "structured", and of no other. Default is None.

    fold_check: bool, optional
        Whether its sequences must fold so by ViennaRNA. Default is False.

    backgrounds: list of str or None, optional
        Several names in place of one. Default is None.

    keep: list of int or None, optional
        Positions that stay as in the sequences that they are made of. Default is None.

    Raises
    ------
    ValueError
        If a name comes twice, or a design is given without "structured".

    Examples
    --------
    >>> from .options import read_inputs
    >>> Backgrounds("profile", n=5).draw(read_inputs("A1CF"), 0)["profile"].X.shape
    torch.Size([5, 4, 41])
    """

    background: str
    n: int | None = None
    dot_bracket: str | Hairpin | None = None
    fold_check: bool = False
    backgrounds: list[str] | None = None
    keep: list[int] | None = None

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) < len(names):
            raise ValueError(f"`--backgrounds` {' '.join(names)} names one twice.")
        made_anew = {GENOMIC, STRUCTURED} & {*names}
        if self.keep is not None and made_anew:
            raise ValueError(
                f"`--keep` goes with sequences that are given; {min(made_anew)!r} ones "
                "have no adapters."
            )
        if STRUCTURED not in names and (self.dot_bracket or self.fold_check):
            raise ValueError(
                "`--dot-bracket` and `--fold-check` go with the background "
                "'structured'."
            )

    @property
    def names(self) -> list[str]:
        """Those that are asked for."""
        return self.backgrounds or [self.background]

    def draw(
        self, inputs: ReportInputs, seed: int, **prediction: Any
    ) -> dict[str, Drawn]:
        """The sequences of each by name.

        Parameters
        ----------
        inputs: ReportInputs
            The sequences, or the profile from which stand-ins for them are drawn, and
            the model, whose predictions divide sequences without scores into
            quartiles.

        seed: int
            Seed of the draws of each.

        prediction: optional
            Keywords for `predict`.

        Raises
        ------
        ValueError
            If there are too few sequences, none for "observed", no regions for
            "genomic", or no design for "structured".
        """
        if self.n is not None and self.n < 1:
            raise ValueError(f"`--n`={self.n} must be at least 1.")
        return {
            name: _located(self._draw_one(name, inputs, seed, **prediction), inputs)
            for name in self.names
        }

    def _draw_one(
        self, name: str, inputs: ReportInputs, seed: int, **prediction: Any
    ) -> Drawn:
        from tangermeme.predict import predict

        from ..backgrounds import profile_background, structured_background

        if name == OBSERVED:
            return _observed(inputs, self.n, seed)
        n = self.n or N_BACKGROUNDS
        if name == GENOMIC:
            return _genomic(inputs, n, seed)
        if name == STRUCTURED:
            if self.dot_bracket is None:
                raise ValueError("the background 'structured' needs `--dot-bracket`.")
            folded = structured_background(
                inputs.profile if inputs.X is None else inputs.X,
                self.dot_bracket,
                n,
                alphabet=inputs.alphabet,
                fold_check=self.fold_check,
                random_state=seed,
                return_templates=True,
            )
            return Drawn(*folded)
        if inputs.profile is not None and name == "profile":
            drawn = profile_background(inputs.profile, n, seed, keep=self.keep)
            return Drawn(drawn, None)
        X, scores = inputs.X, inputs.scores
        if X is None:
            assert inputs.profile is not None
            # Another seed, so that none is a background of the profile as well.
            X = profile_background(inputs.profile, _STAND_INS * n, seed + 1)
        if name.startswith("quartile") and scores is None:
            _log.info("no measured scores: %s is of the model's predictions", name)
            keywords = {"batch_size": 256, **prediction}
            scores = predict(inputs.model, X, **keywords)[:, 0]
        return draw_background(X, name, n, scores, seed, self.keep)


def add_backgrounds(parser: argparse.ArgumentParser, several: bool) -> None:
    """The options of `Backgrounds`; `several` adds `--backgrounds`."""
    group = parser.add_argument_group("backgrounds")
    one = group.add_mutually_exclusive_group()
    one.add_argument(
        "--background",
        choices=NAMES,
        metavar="NAME",
        default=NAMES[0],
        help=f"sequences the motifs are placed in: {', '.join(NAMES)} (observed: the "
        "sequences as they are; genomic: other windows of --genome with the GC content "
        "of the regions; structured: folded as --dot-bracket says)",
    )
    if several:
        one.add_argument(
            "--backgrounds",
            nargs="+",
            choices=NAMES,
            metavar="NAME",
            help="several of these, to see whether the choice matters",
        )
    _add_how(group)


def add_keep(group: argparse._ArgumentGroup) -> None:
    """The option `--keep`."""
    group.add_argument(
        "--keep",
        nargs="+",
        type=integers,
        action=Flat,
        metavar="POSITION",
        help="positions, from 0, that stay as they are in the sequences and that no "
        "motif may change, such as 0:15 185:200 for the adapters at both ends",
    )


def _add_how(group: argparse._ArgumentGroup) -> None:
    add_keep(group)
    group.add_argument(
        "--n",
        type=int,
        help=f"background sequences (default: {N_BACKGROUNDS}, or all of 'observed')",
    )
    group.add_argument(
        "--dot-bracket",
        type=structure,
        metavar="STRUCTURE",
        help="design of 'structured': dot-bracket as long as the sequences, paper, "
        "released, or start (0-based),stem,loop of a hairpin",
    )
    group.add_argument(
        "--fold-check",
        action="store_true",
        help="only sequences that fold so by ViennaRNA; the others are drawn again",
    )


def _observed(inputs: ReportInputs, n: int | None, seed: int) -> Drawn:
    from ..backgrounds.shuffles import draw_rows

    if inputs.X is None:
        raise ValueError("the background 'observed' needs `--sequences`.")
    regions = None if inputs.loci is None else inputs.loci.regions
    if n is None:
        return Drawn(inputs.X, None, regions)
    if n > len(inputs.X):
        raise ValueError(
            f"`--n`={n}, but there are {len(inputs.X)} observed sequences."
        )
    rows = draw_rows(len(inputs.X), n, seed)
    return Drawn(inputs.X[rows], None, None if regions is None else regions.iloc[rows])


def _genomic(inputs: ReportInputs, n: int, seed: int) -> Drawn:
    from ..backgrounds.genomic import pool_of

    pool = pool_of(inputs.loci)
    X, regions = pool.draw(n, seed, inputs.alphabet)
    return Drawn(X, None, regions)


def _located(drawn: Drawn, inputs: ReportInputs) -> Drawn:
    """With the regions of the templates where sequences are made of regions."""
    if inputs.loci is None or drawn.clusters is None:
        return drawn
    return drawn._replace(regions=inputs.loci.regions.iloc[drawn.clusters])
