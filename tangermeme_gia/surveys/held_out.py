"""Sequences in two halves, and what patterns do in the half not seen before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.calls import as_args
from .._core.clusters import as_codes, as_labels
from .._core.engine import Engine
from .._core.letters import DNA, as_generator, check_sequences, codes_from_one_hot
from .._core.motif import Motif
from .._core.outputs import as_heads
from .._core.results import GIAResult
from ..backgrounds.shuffles import dinucleotide_shuffled_background
from ..experiments.occlusion import occlusion_annotations
from ..motifs.instances import find_instances
from .motif_scan import motif_scan
from .motif_scan_result import MotifScan

if TYPE_CHECKING:
    from .._core.options import Options

Rows = NDArray[np.intp]

# Fewer sequences on either side neither find nor measure anything.
_FEWEST = 2
# Backgrounds: as many as there are sequences held out, within these.
_FEWEST_BACKGROUNDS, _MOST_BACKGROUNDS = 100, 1000
_DIVISION_STREAM, _INSTANCE_STREAM = 12, 13
# Random orders of the letters of an instance.
_ORDERS = 20


class Question:
    """A model, the sequences it is asked about, and how.

    Parameters
    ----------
    model: torch.nn.Module
        The model.

    X: torch.Tensor or PackedSequence, shape=(n, 4, length)
        The sequences.

    letters: tuple of str
        Those of DNA or RNA.

    seed: int
        Seed of all that is drawn.

    options: mapping
        The keywords that experiments share.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        X: torch.Tensor | PackedSequence,
        letters: tuple[str, ...],
        seed: int,
        options: Options,
    ) -> None:
        self.model, self.X, self.letters, self.seed = model, X, letters, seed
        self.keywords: dict[str, Any] = dict(options)
        self.both_strands = letters == DNA
        self._args = as_args(self.keywords.pop("args", None), len(X))
        clusters = self.keywords.pop("clusters", None)
        self._clusters = None if clusters is None else as_labels(clusters, len(X))

    def check_one_output(self) -> None:
        """Raise if the effects would be of several numbers."""
        rows = np.arange(min(len(self.X), 2))
        engine = Engine(self.model, self.X[: len(rows)], **self._of(rows))
        with engine.held():
            heads = as_heads(engine.before())
        sizes = [head[0].numel() for head in heads]
        if sizes != [1]:
            raise ValueError(
                f"`model` gives {sum(sizes)} numbers for a sequence; choose one by "
                "`target`."
            )

    def divide(self, fraction: float) -> tuple[Rows, Rows]:
        """Sequences that discovery sees, and the others; clusters stay together."""
        labels = np.arange(len(self.X)) if self._clusters is None else self._clusters
        codes = as_codes(labels)
        n = int(codes.max()) + 1
        n_seen = round(fraction * n)
        if not _FEWEST <= n_seen <= n - _FEWEST:
            what = "sequences" if self._clusters is None else "clusters"
            raise ValueError(
                f"`X` has {n} {what}, of which discovery would see {n_seen}; at least "
                f"{_FEWEST} are needed for it and {_FEWEST} to test what it finds."
            )
        order = as_generator(self.seed, _DIVISION_STREAM).permutation(n)
        seen = np.isin(codes, order[:n_seen])
        return np.flatnonzero(seen), np.flatnonzero(~seen)

    def attributions(self, rows: Rows, attribution: Any) -> torch.Tensor:
        """What `attribution` gives for some sequences, shape=(n, 4, length)."""
        keywords = self._of(rows)
        for name in ("func", "additional_func_kwargs", "keep"):
            keywords.pop(name, None)
        X = self.X[torch.from_numpy(rows)]
        engine = Engine(self.model, X, func=attribution, **keywords)
        with engine.held():
            y = engine.before()
        if not isinstance(y, torch.Tensor) or y.shape != X.shape:
            shape = "several" if isinstance(y, list) else tuple(y.shape)
            raise ValueError(
                f"`attribution` returned numbers of shape {shape}; those of "
                f"{tuple(X.shape)}, the shape of the sequences, are needed."
            )
        return y

    def place(
        self,
        motifs: Mapping[str, Motif],
        rows: Rows,
        backgrounds: torch.Tensor | PackedSequence | None,
    ) -> MotifScan:
        """What each does in backgrounds, beside its letters in another order."""
        keywords = dict(self.keywords)
        if backgrounds is None:
            n = min(max(len(rows), _FEWEST_BACKGROUNDS), _MOST_BACKGROUNDS)
            X, templates = self._shuffles(rows, n)
            keywords = self._of(templates)
            if self._clusters is None:
                keywords["clusters"] = templates
        else:
            check_sequences(backgrounds, self.letters, "backgrounds")
            if self._args is not None:
                raise ValueError(
                    "`args` has a row for each of `X`, and none for `backgrounds`; "
                    "without these, they are made of `X`."
                )
            X = backgrounds
        return motif_scan(
            self.model,
            X,
            motifs,
            strands="mean" if self.both_strands else "+",
            alphabet=self.letters,
            random_state=self.seed,
            **keywords,
        )

    def instances(
        self, motifs: Mapping[str, Motif], rows: Rows, n: int
    ) -> pd.DataFrame:
        """Where each stands in some sequences, and which are to be removed."""
        codes = codes_from_one_hot(self.X, rows)
        matrices = {
            name: np.where(motif.ppm.any(axis=0), motif.ppm, 0.25)
            for name, motif in motifs.items()
        }
        found = find_instances(matrices, codes, both_strands=self.both_strands)
        kept = np.zeros(self.X.shape[-1], dtype=bool)
        if self.keywords.get("keep") is not None:
            kept[self.keywords["keep"]] = True
        edges = found[["start", "end"]].to_numpy()
        free = np.array([not kept[a:b].any() for a, b in edges], dtype=bool)
        found["example_idx"] = rows[found["example_idx"].to_numpy()]
        rng = as_generator(self.seed, _INSTANCE_STREAM)
        found["removed"] = False
        for name in motifs:
            places = np.flatnonzero((found["pattern"] == name).to_numpy() & free)
            chosen = rng.permutation(places)[:n]
            found.loc[found.index[chosen], "removed"] = True
        return found

    def remove(self, instances: pd.DataFrame) -> GIAResult | None:
        """What the sequences lose with the letters of each in another order."""
        places = instances.loc[
            instances["removed"], ["example_idx", "start", "end"]
        ].to_numpy(np.int64)
        if not len(places):
            return None
        drawn = occlusion_annotations(
            self.model,
            self.X,
            places,
            n=_ORDERS,
            alphabet=self.letters,
            random_state=self.seed,
            **self._of(np.arange(len(self.X))),
        )
        return drawn.average("draw").output()

    def _shuffles(self, rows: Rows, n: int) -> tuple[torch.Tensor, Rows]:
        """Dinucleotide shuffles of some sequences, and which of these each is of."""
        kept = {"keep": self.keywords["keep"]} if "keep" in self.keywords else {}
        X, templates = dinucleotide_shuffled_background(
            self.X[torch.from_numpy(rows)],
            n,
            self.seed,
            return_templates=True,
            **kept,
        )
        return X, rows[templates]

    def _of(self, rows: Rows) -> dict[str, Any]:
        """The keywords, with those side inputs and clusters that belong to rows."""
        keywords = dict(self.keywords)
        if self._args is not None:
            keywords["args"] = [arg[torch.from_numpy(rows)] for arg in self._args]
        if self._clusters is not None:
            keywords["clusters"] = self._clusters[rows]
        return keywords
