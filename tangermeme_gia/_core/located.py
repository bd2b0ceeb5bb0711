"""Results of rows that are places on a genome."""

from __future__ import annotations

from typing import Any, TypeVar

import pandas as pd

from .labelled import Labelled
from .outputs import as_heads
from .regions import as_regions

_Result = TypeVar("_Result", bound="Located")


class Located(Labelled):
    """A result that may know where on a genome each of its rows is from."""

    _regions: pd.DataFrame | None = None
    _length: int | None = None

    @property
    def regions(self) -> pd.DataFrame | None:
        """Where on a genome each background is from, or None (see `with_regions`)."""
        return None if self._regions is None else self._regions.copy()

    def with_regions(self: _Result, regions: pd.DataFrame | None) -> _Result:
        """Where on a genome is each background from?

        Parameters
        ----------
        regions: pandas.DataFrame or None, n rows
            Columns `chrom`, `start` (0-based), `end` (exclusive), and `name` and
            `strand` if known, of the bases that were read: for windows around the
            middle of wider or narrower regions, those of the windows.

        Returns
        -------
        result: GIAResult
            That carries them, also through `select`, `save` and `tangermeme_gia.load`;
            `tangermeme_gia.genome.track` makes a track of it.

        Raises
        ------
        TypeError, ValueError
            If it is no such table, or has another number of rows.

        Examples
        --------
        >>> import torch
        >>> from tangermeme_gia import GIAResult
        >>> y = torch.zeros(2, 1)
        >>> result = GIAResult(y, y[:, None] + 1, pd.DataFrame({"site": [1]}))
        >>> loci = pd.DataFrame({"chrom": "chr8", "start": [10, 90], "end": [30, 110]})
        >>> result.with_regions(loci).select(rows=1).regions.values.tolist()
        [['chr8', 90, 110, '.', '.']]
        """
        return self._replace(regions=regions)

    @property
    def length(self) -> int | None:
        """Bases of a background, or None if that is not known."""
        return self._length

    def _set_regions(self, regions: pd.DataFrame | None, length: int | None) -> None:
        self.__dict__["_length"] = length
        if regions is not None:
            n = len(as_heads(self.y_before)[0])  # type: ignore[attr-defined]
            self.__dict__["_regions"] = as_regions(regions, n)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        fields, beside = super()._parts()
        return fields, {**beside, "regions": self._regions, "length": self._length}
