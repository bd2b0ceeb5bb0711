"""What a scan returns: moments of the effects of many k-mers or motifs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pandas as pd
import torch

from .agreement import note_agreement_of_moments
from .cards import kmers_table, scan_lines, strongest_kmers
from .clusters import Labels
from .finite import check_effects
from .labelled import Labelled
from .outputs import (
    Label,
    Outputs,
    as_columns,
    effects_table,
    find_output,
    pick_output,
)


class _Fields(NamedTuple):
    kmers: Sequence[str]
    effect: Outputs
    se: Outputs
    n: int
    n_scanned: int | None = None
    n_predictions: int | None = None
    n_exhaustive: int | None = None


class KmerScan(Labelled, _Fields):
    """How much does each k-mer change the model's output, on average over backgrounds?

    Only the moments of the local importance are kept, because there may be millions of
    k-mers; everything is in the order of the scan. The best of many k-mers is biased
    upwards on the backgrounds it was chosen on: score it again on others.

    Parameters
    ----------
    kmers: sequence of str
        What was scanned: k-mers or names of motifs. All k-mers are spelled when read.

    effect: torch.Tensor, dtype=float64, shape=(n_kmers, ...), or list of torch.Tensor
        Global importance of each; a list for models with several outputs.

    se: torch.Tensor, dtype=float64, shape=(n_kmers, ...), or list of torch.Tensor
        Standard error of each over the backgrounds, cluster-robust if these are in
        clusters; NaN for one background or cluster.

    n: int
        Number of backgrounds.

    n_scanned: int or None, optional
        Number of k-mers that were in the scan; after a race for the best, more than it
        holds. None means those it holds. Default is None.

    n_predictions: int or None, optional
        How many sequences with a k-mer were predicted; None if that is not known, as
        for a scan put together from parts. Default is None.

    n_exhaustive: int or None, optional
        How many an exhaustive scan predicts. Default is None.

    outputs: sequence of int or of tuple of int, or None, optional
        Labels of the outputs, as of `GIAResult`. Default is None.

    clusters: sequence or None, shape=(n,), optional
        The template of each background, as of `GIAResult`. Default is None.

    Examples
    --------
    >>> effect = torch.tensor([[0.5], [2.0], [1.0]], dtype=torch.float64)
    >>> scan = KmerScan(["UGC", "UGU", "UGA"], effect, 0.1 * effect, 100)
    >>> scan.top(2)[["kmer", "effect", "se"]]
      kmer  effect   se
    0  UGU     2.0  0.2
    1  UGA     1.0  0.1
    """

    # Of a race: what it could have missed, and which end it holds.
    _race: tuple[float, bool] = (0.0, False)

    def __new__(
        cls,
        kmers: Sequence[str],
        effect: Outputs,
        se: Outputs,
        n: int,
        n_scanned: int | None = None,
        n_predictions: int | None = None,
        n_exhaustive: int | None = None,
        *,
        outputs: Sequence[Label] | None = None,
        clusters: Labels | None = None,
    ) -> KmerScan:
        """Fields as they are; labels beside them."""
        scan = super().__new__(
            cls, kmers, effect, se, n, n_scanned, n_predictions, n_exhaustive
        )
        scan._set_labels(outputs, effect)
        scan._set_clusters(clusters, n)
        return scan

    @property
    def unseen_share(self) -> float:
        """What could the rule of a race have missed, as a share of the backgrounds?

        With a probability of `delta`, those that were left behind first have not been
        seen on any of so many backgrounds. A k-mer that owes its rank to so many or
        fewer, with effects as no other k-mer has any, can be missing. 0 for a scan that
        measured everything.
        """
        return self._race[0]

    def _after_race(self, unseen_share: float, lowest: bool) -> KmerScan:
        scan = self._replace()
        scan.__dict__["_race"] = (unseen_share, lowest)
        return scan

    @property
    def outputs(self) -> list[Label]:
        """The label of each output, as in the column `output` of `to_frame`."""
        return self._labels_of(self.effect)

    def output(self, label: Label | None = None) -> KmerScan:
        """What do k-mers do to one output of the model?

        Parameters
        ----------
        label: int, tuple of int or None, optional
            Which output, as for `GIAResult.output`; None is the only one.
            Default is None.

        Returns
        -------
        scan: KmerScan
            With tensors of shape (n_kmers,), and the label in its tables.

        Raises
        ------
        ValueError
            If there is no such output, or several and `label` is None.

        Examples
        --------
        >>> moments = torch.ones(2, 3, dtype=torch.float64)
        >>> scan = KmerScan(["UGC", "UGU"], moments, moments, 100).output(2)
        >>> scan.to_frame()["output"].tolist()
        [2, 2]
        """
        place = find_output(self.outputs, label)
        effect, se = (pick_output(y, place) for y in (self.effect, self.se))
        return KmerScan(
            self.kmers,
            effect,
            se,
            *self[3:],
            outputs=[self.outputs[place]],
            clusters=self.clusters,
        )._after_race(*self._race)

    def _lines(self) -> list[str]:
        return scan_lines(self)

    def _strongest(self) -> list[str]:
        return strongest_kmers(self)

    def _table(self) -> str | None:
        return kmers_table(self)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        fields, beside = super()._parts()
        return fields, {**beside, "race": self._race}

    @classmethod
    def _from_parts(cls, fields: dict[str, Any], beside: dict[str, Any]) -> KmerScan:
        labels = {name: beside[name] for name in ("outputs", "clusters")}
        scan = cls(**fields, **labels)
        scan.__dict__["_race"] = beside["race"]
        return scan

    def to_frame(self, confidence: float = 0.95) -> pd.DataFrame:
        """How large is each effect, and how sure is it? One row each, in scan order.

        Parameters
        ----------
        confidence: float, optional
            Coverage of the t intervals of the mean over backgrounds.
            Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            Columns `kmer`, `output` (labelled as by `GIAResult.to_frame`), `effect`,
            `se`, `low`, `high` and `n` backgrounds. With one background, se and
            interval are NaN. If the scan has clusters, `n_clusters` and `df` follow,
            as in `GIAResult.to_frame`.

        Raises
        ------
        ValueError
            If `confidence` is not between 0 and 1.

        Examples
        --------
        >>> moments = torch.ones(2, dtype=torch.float64)
        >>> KmerScan(["UGC", "UGU"], moments, moments, 100).to_frame().columns.tolist()
        ['kmer', 'output', 'effect', 'se', 'low', 'high', 'n']
        """
        return self._frame(self.kmers, slice(None), confidence)

    def top(
        self, n: int = 10, *, lowest: bool = False, confidence: float = 0.95
    ) -> pd.DataFrame:
        """Which k-mers raise the output most?

        Parameters
        ----------
        n: int, optional
            How many to list; all that the scan holds if those are fewer, such as the
            best of a race. Default is 10.

        lowest: bool, optional
            Whether to list those that lower it most instead. Default is False.

        confidence: float, optional
            Coverage of the t intervals. Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            Rows of `to_frame`, best first; equal effects in the order of the scan.

        Raises
        ------
        ValueError
            If `n` is below 1, there are several outputs (choose one by `output`), an
            effect is NaN or infinite, `confidence` is not between 0 and 1, or the
            lowest are asked of a race for the highest, or the other way round.
        """
        if n < 1:
            raise ValueError(f"`n`={n} must be at least 1.")
        n_scanned, holds_lowest = self.n_scanned or 0, self._race[1]
        if n_scanned > len(self.kmers) and lowest != holds_lowest:
            raise ValueError(
                f"`lowest`={lowest}, but the scan holds only the {len(self.kmers)} "
                f"{'lowest' if holds_lowest else 'highest'} of {n_scanned} k-mers; "
                f"give `lowest`={lowest} to `best_kmers`, too."
            )
        effect = as_columns(self.output().effect).flatten()
        check_effects(effect.numpy(), "k-mers", lambda i: repr(self.kmers[i]))
        order = torch.argsort(effect, descending=not lowest, stable=True)[:n]
        return self._frame([self.kmers[i] for i in order.tolist()], order, confidence)

    def _frame(
        self, kmers: Iterable[str], rows: slice | torch.Tensor, confidence: float
    ) -> pd.DataFrame:
        mean, se = (as_columns(y)[rows].numpy() for y in (self.effect, self.se))
        note_agreement_of_moments(mean, se, self.n, self._codes)
        names: pd.DataFrame = pd.DataFrame(
            {"kmer": pd.Series(list(kmers), dtype=object)}
        )
        return effects_table(
            names, self.outputs, mean, se, self.n, confidence, self._codes
        )
