"""What statistics are of: results, scans or arrays, all checked in one place."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike

from .._core.agreement import FewEffectsWarning as FewEffectsWarning
from .._core.clusters import Codes, Labels, Values, as_codes, as_labels
from .._core.letters import as_float64
from .._core.outputs import as_columns
from .._core.results import GIAResult
from .._core.scans import KmerScan

# Of a result with one output: a column for each condition, none for a single one.
LocalImportance: TypeAlias = GIAResult | ArrayLike | torch.Tensor


def as_arms(local: LocalImportance | KmerScan, name: str = "local") -> Values:
    """Local importances as a float64 array, checked; `name` is the argument's.

    Of a result they are of shape (n, n_conditions).
    """
    if isinstance(local, KmerScan):
        raise TypeError(
            f"`{name}` is a KmerScan, which holds the mean of each k-mer's local "
            "importances; this statistic needs all of them, as a GIAResult has."
        )
    if isinstance(local, GIAResult):
        values = as_columns(_one_output(local, name).local_importance, 2)[
            ..., 0
        ].numpy()
    else:
        values = as_float64(local, name)
    if values.ndim == 0 or len(values) < 2:
        raise ValueError(
            f"`{name}` has shape {values.shape}; at least 2 backgrounds, on axis 0, "
            "are needed to say how sure an effect is."
        )
    for word, wrong in (("NaN", np.isnan(values)), ("infinite", np.isinf(values))):
        if wrong.any():
            raise ValueError(
                f"`{name}` holds {wrong.sum()} {word} of {values.size} local "
                f"importances, in {wrong.reshape(len(values), -1).any(axis=0).sum()} "
                f"of {values[0].size} conditions; all must be finite."
            )
    return values


def as_local(local: LocalImportance | KmerScan, name: str = "local") -> Values:
    """As `as_arms`, of shape (n,) for a result of one condition."""
    values = as_arms(local, name)
    is_single = isinstance(local, GIAResult) and values.shape[1] == 1
    return values[:, 0] if is_single else values


def as_scan(scan: KmerScan, name: str = "local") -> tuple[Values, Values]:
    """Effects of a scan with one output and their standard errors, checked."""
    one = _one_output(scan, name)
    effect, se = (as_columns(y)[:, 0].numpy() for y in (one.effect, one.se))
    if not (np.isfinite(effect).all() and np.isfinite(se).all()):
        raise ValueError(
            f"`{name}` holds effects or errors that are NaN or infinite, of {scan.n} "
            "backgrounds; at least 2 are needed, and all must be finite."
        )
    return effect, se


def as_pair(
    a: LocalImportance | KmerScan, b: LocalImportance, names: tuple[str, str]
) -> tuple[Values, Values]:
    """Two arms on the same backgrounds, checked."""
    first, second = as_local(a, names[0]), as_local(b, names[1])
    if first.shape != second.shape:
        raise ValueError(
            f"`{names[0]}` has shape {first.shape} and `{names[1]}` {second.shape}; "
            "arms on the same backgrounds must agree."
        )
    return first, second


def clusters_of(clusters: Labels | None, n: int, *measured: object) -> Codes | None:
    """Which template each of n backgrounds is of, as given or as results say, checked.

    None if nothing says so: backgrounds are then independent.
    """
    said = [m.clusters for m in measured if isinstance(m, GIAResult | KmerScan)]
    labels = [given for given in (clusters, *said) if given is not None]
    if not labels:
        return None
    codes = [as_codes(as_labels(given, n)) for given in labels]
    if any(not np.array_equal(other, codes[0]) for other in codes[1:]):
        names = "those that" if clusters is None else "`clusters` and those that"
        raise ValueError(
            f"{names} results carry group the {n} backgrounds in other ways; arms must "
            "be on the same backgrounds, of which each has one cluster."
        )
    if codes[0].max() == 0:
        raise ValueError(
            "`clusters` holds 1 template; at least 2 are needed to say how sure an "
            "effect is."
        )
    return codes[0]


def check_fraction(name: str, value: float) -> None:
    """Raise unless `value` lies between 0 and 1, both excluded."""
    if not 0 < value < 1:
        raise ValueError(f"`{name}`={value} must be above 0 and below 1.")


def without_controls(result: GIAResult) -> GIAResult:
    """The conditions that are no control."""
    has_controls = "control" in result.conditions
    return result.select(control="none") if has_controls else result


def _one_output(result: Any, name: str) -> Any:
    try:
        return result.output()
    except ValueError as error:
        raise ValueError(f"`{name}`: {error}") from None
