"""Results of labelled outputs on rows that may be in clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from numpy.typing import NDArray

from .clusters import Codes, Labels, as_codes, as_labels
from .outputs import Label, Outputs, output_labels
from .shown import Shown

_Result = TypeVar("_Result", bound="Labelled")


class Labelled(Shown):
    """A result that cannot be changed, of outputs with labels and rows in clusters.

    Labels and clusters are no fields: a result unpacks into its fields only.
    """

    _labels: tuple[Label, ...] | None = None
    _clusters: NDArray[Any] | None = None

    @property
    def clusters(self) -> NDArray[Any] | None:
        """The label of the cluster, or template, of each background, shape=(n,).

        None if the backgrounds are independent.
        """
        return self._clusters

    @property
    def _codes(self) -> Codes | None:
        return None if self._clusters is None else as_codes(self._clusters)

    def _set_labels(self, labels: Sequence[Label] | None, y: Outputs) -> None:
        if labels is None:
            return
        n = len(output_labels(y))
        if len(labels) != n:
            raise ValueError(f"`outputs` has {len(labels)} labels for {n} outputs.")
        self.__dict__["_labels"] = tuple(labels)

    def _set_clusters(self, clusters: Labels | None, n: int) -> None:
        if clusters is not None:
            self.__dict__["_clusters"] = as_labels(clusters, n)

    def _labels_of(self, y: Outputs) -> list[Label]:
        return output_labels(y) if self._labels is None else list(self._labels)

    def _replace(self: _Result, **changes: Any) -> _Result:
        fields, beside = self._parts()
        beside |= {name: changes.pop(name) for name in {*beside} & {*changes}}
        result: _Result = self._from_parts({**fields, **changes}, beside)
        return result

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        fields, _ = super()._parts()
        return fields, {"outputs": self._labels, "clusters": self._clusters}

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"`{name}` of a {type(self).__name__} cannot be set.")
