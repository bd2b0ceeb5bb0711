"""What a k-mer does by itself, and what the letters beside it do with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch  # noqa: F401 - in the example
from numpy.typing import NDArray

from .cards import counted, shortened, whole_table
from .outputs import as_columns
from .results import GIAResult
from .shown import Shown

# In the frame, of the backgrounds with and of those without a junction.
_SPLIT = ("effect", "low", "high", "n")


class _Fields(NamedTuple):
    result: GIAResult
    completed: NDArray[np.intp]


class Junctions(Shown, _Fields):
    """Does a k-mer act by itself, or where the background completes another one?

    `result`: GIAResult, the outputs under each k-mer; `conditions` has the column
    `kmer`.

    `completed`: numpy.ndarray of int, shape=(n, n_kmers), which k-mer each one
    completes with the letters of the background beside it: its number, the first if
    there are several, and -1 for none.

    Examples
    --------
    >>> y = torch.tensor([[[1.0, 0.0]], [[1.0, 1.0]]]).transpose(1, 2)
    >>> kmers = pd.DataFrame({"kmer": ["UGCAUG", "GCAUGA"]})
    >>> result = GIAResult(torch.zeros(2, 1), y, kmers)
    >>> junctions = Junctions(result, np.array([[-1, -1], [-1, 0]]))
    >>> columns = ["kmer", "completes", "effect", "effect_with", "effect_without"]
    >>> junctions.to_frame()[columns]
         kmer completes  effect  effect_with  effect_without
    0  UGCAUG               1.0          NaN             1.0
    1  GCAUGA    UGCAUG     0.5          1.0             0.0
    """

    def _lines(self) -> list[str]:
        n_kmers = self.completed.shape[1]
        share = (self.completed >= 0).mean(axis=0)
        told = [f"{name} {s:.0%}" for name, s in zip(self.kmers, share, strict=True)]
        first, *lines = self.result._lines()
        head = f"{type(self).__name__}: {counted(n_kmers, 'k-mer')} on"
        return [
            f"{head}{first.partition(' on')[2]}",
            *lines,
            shortened(f"complete another k-mer: {', '.join(told)} of backgrounds"),
        ]

    def _strongest(self) -> list[str]:
        return self.result._strongest()

    def _table(self) -> str | None:
        return whole_table(self, self.result)

    @property
    def kmers(self) -> list[str]:
        """The k-mers, in the order given."""
        return [str(kmer) for kmer in self.result.conditions["kmer"]]

    def to_frame(self, confidence: float = 0.95) -> pd.DataFrame:
        """How large is each effect where it completes another k-mer, and elsewhere?

        Parameters
        ----------
        confidence: float, optional
            Coverage of the t intervals of the means over backgrounds.
            Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            A row per k-mer and output: `kmer`, `completes` (of those it completes the
            one with the largest part in its effect; empty if none), the columns
            `output` to `n` of `GIAResult.to_frame`, `share` (of the backgrounds where
            it completes any), and `effect`, `low`, `high` and `n` of these backgrounds
            (`effect_with`, ...) and of all others (`effect_without`, ...). Of no
            backgrounds the effect is NaN, of one the interval.

        Raises
        ------
        ValueError
            If `confidence` is not between 0 and 1.
        """
        whole = self.result.to_frame(confidence).drop(
            columns=self.result.conditions.columns
        )
        n_outputs = len(self.result.outputs)
        kmers = np.repeat(self.kmers, n_outputs)
        frame: pd.DataFrame = pd.concat([pd.DataFrame({"kmer": kmers}), whole], axis=1)
        frame.insert(1, "completes", self._most())
        has_match = self.completed >= 0
        frame["share"] = np.repeat(has_match.mean(axis=0), n_outputs)
        for name, rows in (("with", has_match), ("without", ~has_match)):
            parts = [
                self._part(i, rows[:, i], confidence) for i in range(rows.shape[1])
            ]
            part = pd.concat(parts, ignore_index=True).add_suffix(f"_{name}")
            frame = pd.concat([frame, part], axis=1)
        return frame

    def _most(self) -> list[str]:
        """Which k-mer each one gets most of its effect from, k-mer by output."""
        local = as_columns(self.result.local_importance, leading=2).numpy()
        names = [*self.kmers, ""]
        return [
            names[_largest_share(local[:, i, output], self.completed[:, i])]
            for i in range(local.shape[1])
            for output in range(local.shape[2])
        ]

    def _part(
        self, kmer: int, rows: NDArray[np.bool_], confidence: float
    ) -> pd.DataFrame:
        """The effect of a k-mer on some of the backgrounds, a row per output."""
        if rows.any():
            chosen = self.result.select([kmer], rows=rows).to_frame(confidence)
            part: pd.DataFrame = chosen[list(_SPLIT)]
            return part
        nothing: pd.DataFrame = pd.DataFrame(
            np.nan, index=range(len(self.result.outputs)), columns=list(_SPLIT)
        )
        nothing["n"] = 0
        return nothing


def _largest_share(local: NDArray[np.float64], completed: NDArray[np.intp]) -> int:
    """The completed k-mer whose backgrounds add most to an effect; -1 for none."""
    found = np.unique(completed[completed >= 0])
    if not len(found):
        return -1
    sums = [abs(local[completed == kmer].sum()) for kmer in found]
    return int(found[np.argmax(sums)])
