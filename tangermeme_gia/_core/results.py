"""What every experiment returns: raw outputs, and the effects that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from .agreement import note_agreement_of_outputs, one_warning
from .cards import conditions_table, result_lines, strongest_conditions
from .clusters import Labels
from .finite import check_effects
from .located import Located
from .moments import change, effect_moments, mean_change
from .outputs import (
    Label,
    Outputs,
    as_heads,
    check_conditions,
    each_head,
    effects_table,
    find_output,
    output_labels,
    pick_output,
)
from .selections import Conditions, Rows, find_conditions, find_rows

# Columns that only tell more of another one.
_TOLD_WITH = {"control": "control_letters", "orientation": "letters"}


class _Fields(NamedTuple):
    y_before: Outputs
    y_afters: Outputs
    conditions: pd.DataFrame


class GIAResult(Located, _Fields):
    """How did each placement change the model's output on each background?

    A named tuple of the raw outputs: ``y_before, y_afters, conditions = result`` and
    ``result.global_importance`` both work. Nothing is reduced; statistics and plots
    take results, of which `output` chooses one output and `select` some conditions.

    Parameters
    ----------
    y_before: torch.Tensor, shape=(n, ...), or list of torch.Tensor
        Output for the backgrounds as they are; a list for models with several
        outputs.

    y_afters: torch.Tensor, shape=(n, n_conditions, ...), or list of torch.Tensor
        Output for each background under each condition.

    conditions: pandas.DataFrame, n_conditions rows
        What was placed where in each condition.

    outputs: sequence of int or of tuple of int, or None, optional
        Labels of the outputs, where they are some of a model's. None numbers them.
        Default is None.

    clusters: sequence or None, shape=(n,), optional
        The template each background was made from, or another label that dependent
        ones share; tables, statistics and plots take only clusters to be independent.
        None takes all backgrounds as independent. Default is None.

    regions: pandas.DataFrame or None, n rows, optional
        Where on a genome each background is from; see `with_regions`. Default is None.

    length: int or None, optional
        Bases of a background. None is not known. Default is None.

    Examples
    --------
    >>> result = GIAResult(
    ...     torch.tensor([[1.0], [2.0]]),
    ...     torch.tensor([[[2.0], [1.0]], [[5.0], [2.0]]]),
    ...     pd.DataFrame({"arm": ["motif", "control"]}),
    ... )
    >>> result.global_importance
    tensor([[2.],
            [0.]])
    >>> result.select(arm="motif").global_importance
    tensor([[2.]])
    >>> result.to_frame().columns.tolist()
    ['arm', 'output', 'effect', 'se', 'low', 'high', 'n']
    """

    def __new__(
        cls,
        y_before: Outputs,
        y_afters: Outputs,
        conditions: pd.DataFrame,
        *,
        outputs: Sequence[Label] | None = None,
        clusters: Labels | None = None,
        regions: pd.DataFrame | None = None,
        length: int | None = None,
    ) -> GIAResult:
        """Fields as they are; labels beside them."""
        result = super().__new__(cls, y_before, y_afters, conditions)
        result._set_labels(outputs, y_before)
        result._set_clusters(clusters, len(as_heads(y_before)[0]))
        result._set_regions(regions, length)
        return result

    def _lines(self) -> list[str]:
        return result_lines(self)

    def _strongest(self) -> list[str]:
        return strongest_conditions(self)

    def _table(self) -> str | None:
        return conditions_table(self)

    @property
    def local_importance(self) -> Outputs:
        """Effect on each background, shape=(n, n_conditions, ...): after - before.

        Half-precision outputs are subtracted in single precision, whole numbers and
        booleans in double.
        """
        return each_head(change, self.y_before, self.y_afters)

    @property
    def global_importance(self) -> Outputs:
        """Mean effect over backgrounds, shape=(n_conditions, ...) (paper, Eq. 2)."""
        return each_head(mean_change, self.y_before, self.y_afters)

    @property
    def outputs(self) -> list[Label]:
        """The label of each output, as in the column `output` of `to_frame`."""
        return self._labels_of(self.y_before)

    @property
    def heads(self) -> list[GIAResult]:
        """A result for each tensor that the model returns, always a list."""
        labels = iter(self.outputs)
        return [
            self._replace(
                y_before=before,
                y_afters=after,
                outputs=[next(labels) for _ in output_labels(before)],
            )
            for before, after in zip(
                as_heads(self.y_before), as_heads(self.y_afters), strict=True
            )
        ]

    def output(self, label: Label | None = None) -> GIAResult:
        """What happened to one output of the model?

        Parameters
        ----------
        label: int, tuple of int or None, optional
            Which output: its index; where outputs have several axes, a tuple of one
            for each (the first is the tensor's for models that return a list), or an
            int if only one of them is longer than 1. None is the only output.
            Default is None.

        Returns
        -------
        result: GIAResult
            With tensors of shape (n,) and (n, n_conditions), and the label in its
            tables.

        Raises
        ------
        ValueError
            If there is no such output, or several and `label` is None.

        Examples
        --------
        >>> y = torch.zeros(9, 2)
        >>> result = GIAResult(y, y[:, None] + 1, pd.DataFrame({"site": [1]}))
        >>> result.output(1).local_importance.shape
        torch.Size([9, 1])
        """
        place = find_output(self.outputs, label)
        return self._replace(
            y_before=pick_output(self.y_before, place),
            y_afters=pick_output(self.y_afters, place, leading=2),
            outputs=[self.outputs[place]],
        )

    def select(
        self,
        conditions: Conditions | None = None,
        /,
        *,
        rows: Rows | None = None,
        **columns: Any,
    ) -> GIAResult:
        """What happened under some of the conditions, or on some of the backgrounds?

        Parameters
        ----------
        conditions: int, slice, sequence, mask, function or None, optional
            Numbers of conditions, in the order wanted; True or False for each; or a
            function that gives either for the table of conditions. None is all.
            Default is None.

        rows: int, slice, sequence, mask or None, optional
            The same for backgrounds. None is all. Default is None.

        **columns: value or list of values
            What columns of the conditions hold, such as ``arm="AB"`` or
            ``spacing=[0, 4]``; None is a missing value. Of several columns, the
            conditions that have all.

        Returns
        -------
        result: GIAResult

        Raises
        ------
        TypeError, ValueError
            If a column, a value or a number is not there, a mask has another length,
            or nothing is left.

        Examples
        --------
        >>> y = torch.zeros(9, 1)
        >>> table = pd.DataFrame({"arm": ["A", "B", "AB"]})
        >>> result = GIAResult(y, y[:, None] + torch.ones(3, 1), table)
        >>> result.select(arm=["A", "AB"], rows=slice(5)).y_afters.shape
        torch.Size([5, 2, 1])
        """
        chosen = find_conditions(self.conditions, conditions, columns)
        n = len(as_heads(self.y_before)[0])
        kept = find_rows("rows", rows, n)
        if not len(kept):
            raise ValueError(f"`rows` chooses none of the {n} backgrounds.")
        before, after = self.y_before, self.y_afters
        if rows is not None:
            before, after = (each_head(lambda y: y[kept], y) for y in (before, after))
        return self._replace(
            y_before=before,
            y_afters=each_head(lambda y: y[:, chosen], after),
            conditions=self.conditions.iloc[chosen].reset_index(drop=True),
            clusters=None if self.clusters is None else self.clusters[kept],
            regions=None if self.regions is None else self.regions.iloc[kept],
        )

    def relative_to(
        self, conditions: Conditions | None = None, /, **columns: Any
    ) -> GIAResult:
        """What does each condition change that another one does not?

        The effect of a motif within a stem is ``relative_to(place="none")``, that of
        each variant of a k-mer ``relative_to(is_wild_type=True)``.

        Parameters
        ----------
        conditions, columns
            One condition, as in `select`.

        Returns
        -------
        result: GIAResult
            The other conditions, with the output under this one as `y_before`.

        Raises
        ------
        TypeError, ValueError
            If not exactly one condition is chosen, or there is no other, and as in
            `select`.

        Examples
        --------
        >>> y = torch.tensor([[[1.0], [3.0]]])
        >>> stems = pd.DataFrame({"place": ["none", "loop"]})
        >>> result = GIAResult(torch.zeros(1, 1), y, stems)
        >>> result.relative_to(place="none").global_importance
        tensor([[2.]])
        """
        chosen = find_conditions(self.conditions, conditions, columns)
        n = len(self.conditions)
        if len(chosen) != 1 or n == 1:
            raise ValueError(
                f"{len(chosen)} of {n} conditions are chosen; effects are relative to "
                "one of several."
            )
        others = self.select(np.arange(n) != chosen[0])
        before = each_head(lambda y: y[:, chosen[0]], self.y_afters)
        return others._replace(y_before=before)

    def average(self, column: str) -> GIAResult:
        """What is the effect, whatever one of the columns holds?

        Parameters
        ----------
        column: str
            The column over which to average, such as "draw" of `occlusion`.

        Returns
        -------
        result: GIAResult
            The mean output over the conditions that differ in this column only (and in
            the letters of controls or strands, for "control" or "orientation"), and
            `conditions` without it.

        Raises
        ------
        ValueError
            If there is no such column, or it does not hold the same values for all
            others.

        Examples
        --------
        >>> table = pd.DataFrame({"start": [2, 2], "draw": [0, 1]})
        >>> y = torch.tensor([[[1.0], [3.0]]])
        >>> GIAResult(torch.zeros(1, 1), y, table).average("draw").y_afters
        tensor([[[2.]]])
        """
        table = self.conditions
        if column not in table:
            raise ValueError(
                f"`column`={column!r} is no column of the conditions, which have "
                f"{list(table.columns)}."
            )
        gone = [name for name in (column, _TOLD_WITH.get(column)) if name in table]
        text = table.astype(str)
        # Conditions that are there several times stay so.
        copy = text.groupby(list(text.columns), sort=False).cumcount()
        keys = text.drop(columns=gone).assign(_copy=copy)
        groups = keys.groupby(list(keys.columns), sort=False).ngroup().to_numpy()
        order = np.argsort(groups, kind="stable")
        held = [sorted(values) for _, values in text[column].groupby(groups)]
        if any(values != held[0] for values in held):
            raise ValueError(
                f"`column`={column!r} does not hold the same values for all conditions "
                f"that differ elsewhere; it begins {table[column].tolist()[:10]}."
            )
        alike = order.reshape(len(held), len(held[0]))

        # One after the other, as all of them may not fit into memory.
        def means(y: torch.Tensor) -> torch.Tensor:
            return torch.stack([y[:, group].mean(dim=1) for group in alike], dim=1)

        after = each_head(means, self.y_afters)
        first = alike[:, 0]
        rest = table.drop(columns=gone).iloc[first].reset_index(drop=True)
        return self._replace(y_afters=after, conditions=rest)

    @one_warning
    def to_frame(self, confidence: float = 0.95) -> pd.DataFrame:
        """How large is each effect, and how sure is it? One row each.

        Parameters
        ----------
        confidence: float, optional
            Coverage of the t intervals of the mean over backgrounds.
            Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            The columns of `conditions`, then `output` (0, 1, ...; a tuple of indices
            where outputs have more than one axis; the first index is the tensor's for
            models that return a list), `effect`, `se` (standard error), `low`, `high`
            and `n` backgrounds. With one background, se and interval are NaN. If the
            result has clusters, errors and intervals are cluster-robust (CR2; Bell and
            McCaffrey 2002), and `n_clusters` and their degrees of freedom `df` follow;
            of one cluster, se and interval are NaN, with a warning.

        Raises
        ------
        ValueError
            If `confidence` is not between 0 and 1, an effect is NaN or infinite, or
            `conditions` does not have one row per condition or has a column that the
            frame adds.

        Examples
        --------
        >>> y = torch.randn(100, 1)
        >>> frame = GIAResult(y, y[:, None] + 1, pd.DataFrame({"site": [1]})).to_frame()
        >>> frame["effect"].round(4).item()
        1.0
        """
        heads = zip(as_heads(self.y_before), as_heads(self.y_afters), strict=True)
        codes = self._codes
        moments = [effect_moments(before, after, codes) for before, after in heads]
        mean, se = (
            np.concatenate(parts, axis=1) for parts in zip(*moments, strict=True)
        )
        check_conditions(self.conditions, len(mean))
        check_effects(mean, "conditions", lambda i: f"that of row {i}")
        n = len(as_heads(self.y_before)[0])
        note_agreement_of_outputs(self.y_before, self.y_afters, codes)
        return effects_table(
            self.conditions, self.outputs, mean, se, n, confidence, codes
        )
