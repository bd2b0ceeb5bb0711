"""What a scan of motifs found: effects beside those of controls, and which stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._core.agreement import one_warning
from .._core.cards import counted, shortened
from .._core.clusters import as_codes, degrees_of_freedom
from .._core.letters import check_count
from .._core.motif import Motif
from .._core.outputs import Label, Outputs, as_columns, each_head
from .._core.scans import KmerScan
from .._core.shown import Shown
from ..statistics.inputs import check_fraction
from ..statistics.selection import benjamini_hochberg
from ..statistics.significance import t_test_of_means
from .motif_clusters import representatives, similarity

Values = NDArray[np.float64]


class Measured(NamedTuple):
    """Effects of the rows of a scan, of their controls, and their differences."""

    effect: KmerScan
    control: KmerScan | None
    difference: KmerScan | None

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is saved of it."""
        return self._asdict(), {}

    @classmethod
    def _from_parts(cls, fields: dict[str, Any], beside: dict[str, Any]) -> Measured:
        return cls(**fields, **beside)

    @property
    def tested(self) -> KmerScan:
        """What motifs are tested and ranked by: all that is not the control's."""
        return self.effect if self.difference is None else self.difference

    def output(self, label: Label | None) -> Measured:
        """Those of one output."""
        control, difference = self.control, self.difference
        return Measured(
            self.effect.output(label),
            None if control is None else control.output(label),
            None if difference is None else difference.output(label),
        )

    def rows(self, rows: NDArray[np.intp]) -> Measured:
        """Some rows, in any order."""
        control, difference = self.control, self.difference
        return Measured(
            _rows(self.effect, rows),
            None if control is None else _rows(control, rows),
            None if difference is None else _rows(difference, rows),
        )


class _Fields(NamedTuple):
    conditions: pd.DataFrame
    motifs: Mapping[str, Motif]
    whole: Measured
    halves: tuple[Measured, Measured] | None


class MotifScan(Shown, _Fields):
    """Which motifs of a collection does the model read, and how much do they matter?

    Only moments over backgrounds are kept: of each motif's local importance, of that
    of its controls, and of their difference.

    Parameters
    ----------
    conditions: pandas.DataFrame
        A row for each motif (and strand, if these are apart): `motif` (its identifier),
        `name`, `consensus` and `strand`.

    motifs: mapping of str to Motif
        The motifs by their identifiers.

    whole: Measured
        `effect`, `control` and `difference` on all backgrounds, each a `KmerScan` with
        a row for each of `conditions`; the last two are None without controls.

    halves: pair of Measured or None
        The same on the backgrounds that choose the best, and on the others, which
        measure them again; None if there were too few to divide.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import motif_scan
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> scan = motif_scan(model, X, ["GATAA", "CACGTG"], random_state=0)
    >>> scan.to_frame()["motif"].tolist()
    ['GATAA', 'CACGTG']
    """

    def _lines(self) -> list[str]:
        first, shapes, _ = self.whole.effect._lines()
        held = counted(len(self.motifs), "motif")
        shown = ", ".join(list(self.motifs)[:3])
        return [
            f"{type(self).__name__}: {held} on{first.partition(' on')[2]}",
            shapes,
            shortened(f"motifs: {shown}{', ...' if len(self.motifs) > 3 else ''}"),
        ]

    def _strongest(self) -> list[str]:
        head, *lines = self.whole.tested._strongest() or [""]
        if self.whole.difference is not None:
            head = head.replace("effects", "effects beyond those of controls")
        return [head, *lines]

    def _table(self) -> str | None:
        return self.whole.tested._table()

    @property
    def effect(self) -> Outputs:
        """Mean effect of each row over backgrounds, shape=(n_rows, ...)."""
        return self.whole.effect.effect

    @property
    def se(self) -> Outputs:
        """Standard error of each, shape=(n_rows, ...)."""
        return self.whole.effect.se

    @property
    def n(self) -> int:
        """Number of backgrounds."""
        return self.whole.effect.n

    @property
    def outputs(self) -> list[Label]:
        """The label of each output, as in the column `output` of `to_frame`."""
        return self.whole.effect.outputs

    @property
    def clusters(self) -> NDArray[np.generic] | None:
        """The template of each background, as of `GIAResult`."""
        return self.whole.effect.clusters

    def output(self, label: Label | None = None) -> MotifScan:
        """What do motifs do to one output of the model?

        Parameters
        ----------
        label: int, tuple of int or None, optional
            Which output, as for `GIAResult.output`. Default is None, the only one.

        Returns
        -------
        scan: MotifScan
        """
        halves = self.halves
        if halves is not None:
            halves = halves[0].output(label), halves[1].output(label)
        return MotifScan(self.conditions, self.motifs, self.whole.output(label), halves)

    @one_warning
    def to_frame(
        self, confidence: float = 0.95, *, similar: float = 0.01
    ) -> pd.DataFrame:
        """How large is each effect, and is it more than its letters in another order?

        Parameters
        ----------
        confidence: float, optional
            Coverage of the t intervals. Default is 0.95.

        similar: float, optional
            q value of TOMTOM below which two motifs are similar. Default is 0.01.

        Returns
        -------
        frame: pandas.DataFrame
            A row for each of `conditions` and output, in their order: `motif`, `name`,
            `consensus`, `strand`, `output`, `effect`, `se`, `low`, `high` and `n` as of
            `KmerScan.to_frame`; with controls `control_effect`, `difference` (effect
            minus control on each background) and its `difference_se`,
            `difference_low` and `difference_high`; `p` (two-sided paired t test of the
            difference, or without controls of the effect, against 0) and `q`
            (Benjamini-Hochberg over all rows of the output). `cluster` numbers groups
            of similar motifs, that with the largest absolute difference (or effect)
            first, and `representative` is the motif that has it: all others of the
            group are similar to it.

        Raises
        ------
        ValueError
            If an option is not between 0 and 1.
        """
        check_fraction("similar", similar)
        frame = _tabulate(self.conditions, self.whole, confidence)
        n_outputs = len(self.outputs)
        tested = as_columns(self.whole.tested.effect).numpy()
        for output in range(n_outputs):
            rows = slice(output, None, n_outputs)
            numbers, first = self._clusters(tested[:, output], similar)
            frame.loc[frame.index[rows], "cluster"] = numbers
            frame.loc[frame.index[rows], "representative"] = first
        frame["cluster"] = frame["cluster"].astype(int)
        return frame

    @one_warning
    def top(
        self,
        n: int = 10,
        *,
        lowest: bool = False,
        confidence: float = 0.95,
        similar: float = 0.01,
    ) -> pd.DataFrame:
        """Which motifs raise the output most, measured where they were not chosen?

        Some of the backgrounds choose the best and which motif stands for those that
        are similar to it; the others measure these again, because the best of many is
        too high where it was found.

        Parameters
        ----------
        n: int, optional
            How many; all there are if those are fewer. Default is 10.

        lowest: bool, optional
            Whether those that lower it most instead. Default is False.

        confidence, similar
            As for `to_frame`.

        Returns
        -------
        frame: pandas.DataFrame
            A row for each, best first: the columns of `to_frame`, measured on the
            held-out backgrounds, with `q` over the rows of this table; before them
            `selection_effect`, what it was chosen by (the difference, or without
            controls the effect, on the other backgrounds), and `stands_for`, how many
            motifs with itself.

        Raises
        ------
        ValueError
            If `n` is below 1, there were too few backgrounds to divide, or there are
            several outputs (choose one by `output`).
        """
        check_count("n", n)
        check_fraction("similar", similar)
        if self.halves is None:
            raise ValueError(
                f"the scan has {self.n} backgrounds, too few to choose the best on "
                "some and measure them on others; at least 4 (or templates) are needed."
            )
        chosen, held_out = (half.output(None) for half in self.halves)
        by = as_columns(chosen.tested.effect).numpy()[:, 0]
        rank = np.nan_to_num(by if lowest else -by, nan=np.inf)
        numbers, first = self._clusters(by, similar, rank)
        order = np.argsort(rank, kind="stable")
        order = order[np.isfinite(rank[order])]
        keys = self.conditions["motif"].to_numpy()
        # Of a motif on two strands the better one.
        _, own = np.unique(keys[order], return_index=True)
        order = order[np.sort(own)]
        best = order[keys[order] == first[order]][:n]
        told = self.conditions.iloc[best].reset_index(drop=True)
        told["selection_effect"] = by[best]
        named = self.conditions.drop_duplicates("motif").index
        told["stands_for"] = [int((first[named] == keys[i]).sum()) for i in best]
        table = _tabulate(told, held_out.rows(best), confidence)
        table["cluster"], table["representative"] = numbers[best], first[best]
        return table

    def _clusters(
        self, by: Values, similar: float, rank: Values | None = None
    ) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
        """The cluster of each row, and the motif that stands for it."""
        rank = -np.abs(np.nan_to_num(by)) if rank is None else rank
        keys = list(self.motifs)
        motifs = pd.Index(keys).get_indexer(pd.Index(self.conditions["motif"]))
        best = np.full(len(keys), np.inf)
        np.minimum.at(best, motifs, rank)
        order = np.argsort(best, kind="stable")
        first = representatives(order, similarity(tuple(self.motifs.values())), similar)
        leaders = [motif for motif in order if first[motif] == motif]
        numbers = {motif: i for i, motif in enumerate(leaders, start=1)}
        of_rows = first[motifs]
        return (
            np.array([numbers[i] for i in of_rows]),
            np.array([keys[i] for i in of_rows], dtype=object),
        )


def _tabulate(
    conditions: pd.DataFrame, measured: Measured, confidence: float
) -> pd.DataFrame:
    """Effects, controls and differences side by side, with p and q."""
    effect, control, difference = measured
    frame = effect.to_frame(confidence).drop(columns="kmer")
    n_outputs = len(effect.outputs)
    if control is not None and difference is not None:
        frame["control_effect"] = as_columns(control.effect).numpy().ravel()
        own = difference.to_frame(confidence)
        frame["difference"] = own["effect"]
        for name in ("se", "low", "high"):
            frame[f"difference_{name}"] = own[name]
    p = _p_values(measured.tested)
    q = np.full_like(p, np.nan)
    for output in range(n_outputs):
        known = np.isfinite(p[:, output])
        if known.any():
            adjusted = benjamini_hochberg(p[known, output]).p_adjusted
            q[known, output] = adjusted
    frame["p"], frame["q"] = p.ravel(), q.ravel()
    told = conditions.iloc[np.repeat(np.arange(len(conditions)), n_outputs)]
    whole: pd.DataFrame = pd.concat([told.reset_index(drop=True), frame], axis=1)
    return whole


def _p_values(scan: KmerScan) -> Values:
    """Two-sided p of each row and output; NaN where there is no error."""
    effect, se = (as_columns(y).numpy() for y in (scan.effect, scan.se))
    size = np.ones(scan.n, int)
    if scan.clusters is not None:
        size = np.bincount(as_codes(scan.clusters))
    p = t_test_of_means(effect, se, degrees_of_freedom(size))[1]
    return np.where(np.isfinite(se), p, np.nan)


def _rows(scan: KmerScan, rows: NDArray[np.intp]) -> KmerScan:
    effect, se = (each_head(lambda y: y[rows], y) for y in (scan.effect, scan.se))
    kmers = [scan.kmers[i] for i in rows]
    return scan._replace(kmers=kmers, effect=effect, se=se)
