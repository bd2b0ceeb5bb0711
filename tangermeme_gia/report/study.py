"""A model under analysis: what the parts of its report have in common."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd
import torch
from tangermeme.predict import predict

from .._core.identity import environment, model_checksum, tensors_checksum
from .._core.motif import Motif
from .._core.named_motifs import named_motifs
from .._core.patterns import resolve_start
from .._core.scans import KmerScan
from ..backgrounds.by_name import (
    GENOMIC,
    Drawn,
    draw_background,
)
from ..backgrounds.genomic import Pool, pool_of
from ..backgrounds.profiles import profile_background
from .effects import best_of
from .experiments import REGISTRY
from .inputs import ReportInputs
from .options import FEWEST, ReportOptions
from .store import Fingerprint, Results, Store

# Stand-ins for observed sequences, so that quartiles can be taken of them.
_STAND_INS = 4
# Eleven nucleotides; their names and moments take a few hundred MB.
_MOST_KMERS = 4**11
BEST_KMERS = 10


class Study:
    """A model with the sequences of every experiment and how to ask about them.

    Parameters
    ----------
    inputs: ReportInputs
        What is analysed.

    options: ReportOptions
        How.

    store: Store
        Where results are kept; what is finished is in `finished`, too.

    verbose: bool, optional
        Whether experiments show progress bars. Default is False.

    reuse: bool or None, optional
        As every experiment takes it. Default is None.

    kwargs: optional
        Keywords for tangermeme's `predict`, such as `device` and `batch_size`.
    """

    def __init__(
        self,
        inputs: ReportInputs,
        options: ReportOptions,
        store: Store,
        verbose: bool = False,
        reuse: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.inputs = inputs
        self.options = options
        self.store = store
        self.finished: dict[str, Results] = {}
        self.probed: dict[str, torch.Tensor] = {}
        self.model = inputs.model
        self.n_scan = options.n_scan or options.n
        self.prediction, self.verbose, self.reuse = kwargs, verbose, reuse

    def check(self) -> None:
        """Find out before the first part what would make a later one fail.

        Raises
        ------
        ValueError
            If motif, start or backgrounds do not fit the sequences, or the model does
            not give one number for each (`OutputError`).
        """
        _ = self.given, self.start
        n_kmers = len(self.inputs.alphabet) ** self.options.k
        if "scan" in self.options.wanted() and n_kmers > _MOST_KMERS:
            raise ValueError(
                f"`k`={self.options.k} of {len(self.inputs.alphabet)} letters gives "
                f"{n_kmers:,} k-mers; at most {_MOST_KMERS:,} are scanned."
            )
        if "robustness" in self.options.wanted():
            for name in self.options.backgrounds:
                n = self.available(name)
                if n < FEWEST:
                    of = "" if name == GENOMIC else f"of the {len(self.observed)} "
                    raise ValueError(
                        f"`backgrounds`: {name!r} has {n} {of}sequences; at least "
                        f"{FEWEST} are needed. Leave it out."
                    )
        self.predict(self.X[:2])

    @cached_property
    def best_kmers(self) -> pd.DataFrame:
        """The best of the scan, which is finished, with their effects."""
        found: KmerScan = self.finished["scan"]["highest"]
        return found.top(BEST_KMERS)

    @cached_property
    def given(self) -> dict[str, Motif]:
        """The motifs that were given, by what they are called."""
        options, letters = self.options, tuple(self.inputs.alphabet)
        if options.motif is not None:
            motif = Motif.parse(options.motif, letters)
            motif = motif.consensus() if options.consensus else motif
            names, motifs = [motif.label], [motif]
        elif options.motifs is not None:
            names, motifs = named_motifs(
                options.motifs, letters, consensus=options.consensus
            )
        else:
            return {}
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"`motifs` has {', '.join(repeated)} more than once.")
        for motif in motifs:
            resolve_start(options.start, len(motif), self.inputs.length)
        return dict(zip(names, motifs, strict=True))

    @property
    def motif(self) -> str:
        """What the motif is called, given or found; empty before there is one."""
        if self.options.motif is not None:
            return next(iter(self.given))
        if "motifs" in self.finished:
            return best_of(self.finished["motifs"]["chosen"])
        return str(self.best_kmers["kmer"].iloc[0]) if "scan" in self.finished else ""

    @property
    def placed(self) -> Motif:
        """The motif itself; of no letters before there is one."""
        return self.given.get(self.motif) or Motif.parse(
            self.motif, self.inputs.alphabet
        )

    @property
    def start(self) -> int:
        """The first base of the motif, or of the k-mers before there is one."""
        k = len(self.placed) or self.options.k
        return resolve_start(self.options.start, k, self.inputs.length)

    @cached_property
    def observed(self) -> torch.Tensor:
        """Observed sequences, or draws from the profile that stand in for them."""
        if self.inputs.profile is None:
            assert self.inputs.X is not None
            return self.inputs.X
        n = _STAND_INS * (self.n_scan + self.options.n)
        return profile_background(self.inputs.profile, n, self.options.random_state)

    @cached_property
    def scores(self) -> torch.Tensor:
        """Measured scores of the observed sequences, or else the model's."""
        scores = self.inputs.scores
        return self.predict(self.observed)[:, 0] if scores is None else scores

    @cached_property
    def drawn(self) -> Drawn:
        """All backgrounds of the experiments, the scan's first."""
        name = self.options.backgrounds[0]
        n = self.n_scan + self.options.n
        if n > self.available(name):
            raise ValueError(
                f"`n_scan`={self.n_scan} and `n`={self.options.n} backgrounds that "
                f"share nothing need {n} sequences for {name!r}; there are "
                f"{self.available(name)}. Lower `--n` and `--n-scan`."
            )
        return self.draw(name, n)

    @property
    def backgrounds(self) -> tuple[Drawn, Drawn]:
        """Those that choose the motif, and others that measure it."""
        drawn, n = self.drawn, self.n_scan
        return drawn.part(slice(n)), drawn.part(slice(n, None))

    @property
    def X(self) -> torch.Tensor:
        """The backgrounds that every experiment but the scan uses."""
        return self.backgrounds[1].X

    @property
    def ask(self) -> dict[str, Any]:
        """What every experiment on `X` is given; on others, with their clusters."""
        return {
            "alphabet": self.inputs.alphabet,
            "random_state": self.options.random_state,
            "verbose": self.verbose,
            "reuse": self.reuse,
            "clusters": self.backgrounds[1].clusters,
            "keep": self.options.keep,
            **self.prediction,
        }

    def other_backgrounds(self, name: str) -> Drawn:
        """Up to `n` sequences of any background, not those that choose the motif.

        Made of observed sequences, they take other templates as far as there are any.
        """
        if name == self.options.backgrounds[0]:
            return self.backgrounds[1]
        n = min(self.n_scan + self.options.n, self.available(name))
        return self.draw(name, n).part(slice(-self.options.n, None))

    def available(self, name: str) -> int:
        """How many sequences a background can give without using one twice."""
        if name == "profile":
            return 2**62
        if name == GENOMIC:
            return len(self.pool)
        n = len(self.observed)
        return n // 4 if name.startswith("quartile") else n

    def draw(self, name: str, n: int) -> Drawn:
        """Sequences of a background by name."""
        seed, keep = self.options.random_state, self.options.keep
        if name == "profile" and self.inputs.profile is not None:
            X = profile_background(self.inputs.profile, n, seed + 1, keep=keep)
            return Drawn(X, None)
        if name == GENOMIC:
            return self.genomic.part(slice(n))
        scores = self.scores if name.startswith("quartile") else None
        return draw_background(self.observed, name, n, scores, seed + 1, keep)

    @cached_property
    def pool(self) -> Pool:
        """Windows of the genome that overlap none of the regions."""
        return pool_of(self.inputs.loci)

    @cached_property
    def genomic(self) -> Drawn:
        """As many of them as are ever asked for, if there are."""
        n = min(self.n_scan + self.options.n, len(self.pool))
        drawn = self.pool.draw(n, self.options.random_state + 1, self.inputs.alphabet)
        return Drawn(drawn[0], None, drawn[1])

    def predict(self, X: torch.Tensor) -> torch.Tensor:
        """What the model says of sequences as they are, shape=(n, 1)."""
        asked = {"batch_size": 256, **self.prediction}
        y: torch.Tensor = predict(self.model, X, **asked)
        return y

    def fingerprint(self, name: str) -> Fingerprint:
        """All that the results of an experiment follow from."""
        inputs, options = self.inputs, self.options
        choices: dict[str, Any] = {
            "backgrounds": options.backgrounds[:1],
            "random_state": options.random_state,
            "n": options.n,
            "n_scan": self.n_scan,
            "start": options.start,
            "keep": options.keep,
        }
        own = {**vars(options), "motif": _named(self.motif, self.placed)}
        own["motifs"] = [_named(name, motif) for name, motif in self.given.items()]
        own["searched"], own["folds"] = "scan" in options.wanted(), [*inputs.folds]
        own["scores"] = _checksum(scores=inputs.scores)
        choices |= {option: own[option] for option in REGISTRY[name]}
        if "quartile" in "".join(choices["backgrounds"]):
            choices["scores"] = _checksum(scores=inputs.scores)
        if GENOMIC in choices["backgrounds"]:
            choices[GENOMIC] = _checksum(X=self.genomic.X)
        return {
            **self.checksums,
            "alphabet": "".join(inputs.alphabet),
            "environment": environment(),
            **{option: repr(value) for option, value in choices.items()},
        }

    @cached_property
    def checksums(self) -> Fingerprint:
        """Of the model and of its sequences or profile."""
        data = _checksum(X=self.inputs.X, profile=self.inputs.profile)
        return {"model": model_checksum(self.model), "data": data}


def _named(name: str, motif: Motif) -> str:
    """A motif by its name and, where that does not say it, its numbers."""
    return name if name == motif.letters else f"{name} {motif.checksum}"


def _checksum(**tensors: torch.Tensor | None) -> str:
    return tensors_checksum({k: v for k, v in tensors.items() if v is not None})
