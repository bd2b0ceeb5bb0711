"""A result in a few lines, or as a short table, whatever its size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .clusters import as_codes
from .moments import effect_moments
from .outputs import Outputs, as_columns, as_heads, check_conditions

if TYPE_CHECKING:
    from .results import GIAResult
    from .scans import KmerScan

# Effects of more numbers are not computed to be looked at.
_MOST_NUMBERS = 1 << 22
_N_STRONGEST = 3
_WIDTH = 84
_LONGEST_CELL = 28
_MOST_SHOWN = 3
_CHOSEN = " (of many the best, so too strong)"
# Rows at either end of a shortened table, as pandas shows them.
_ENDS = 5
# Conditions among which is looked for what differs.
_LOOKED_AT = 1000


def result_lines(result: GIAResult) -> list[str]:
    """How many conditions, backgrounds and outputs, and what the conditions say."""
    before = as_heads(result.y_before)
    head = (
        f"{type(result).__name__}: {counted(len(result.conditions), 'condition')} on "
        f"{_backgrounds(len(before[0]), result.clusters)}, {_outputs(result)}"
    )
    shapes = f"y_before {shapes_of(before)}, y_afters {shapes_of(result.y_afters)}"
    columns = ", ".join(map(str, result.conditions.columns))
    return [head, shortened(shapes), shortened(f"conditions: {columns}")]


def strongest_conditions(result: GIAResult) -> list[str]:
    """The conditions with the strongest effects, and their 95 % intervals."""
    check_conditions(result.conditions, as_heads(result.y_afters)[0].shape[1])
    size = sum(y.numel() for y in as_heads(result.y_afters))
    if len(result.outputs) != 1:
        return [_choose(result.outputs)] if result.outputs else []
    if size > _MOST_NUMBERS:
        return ["effects: by to_frame(), for there are many numbers"]
    if not size:
        return []
    one = result.output()
    assert isinstance(one.y_before, torch.Tensor)
    assert isinstance(one.y_afters, torch.Tensor)
    effect = effect_moments(one.y_before, one.y_afters, None)[0][:, 0]
    rows, left_out = _extremes(effect)
    table = one.select(rows).to_frame() if len(rows) else pd.DataFrame()
    told = _tell_apart(result.conditions, rows)
    return _effects(table, told, left_out, len(effect))


def scan_lines(scan: KmerScan) -> list[str]:
    """How many k-mers, backgrounds and outputs, and which k-mers."""
    n = len(scan.kmers)
    held = counted(n, "k-mer")
    if scan.n_scanned is not None and scan.n_scanned > n:
        held = f"the best {held} of {scan.n_scanned:,}"
    head = (
        f"{type(scan).__name__}: {held} on {_backgrounds(scan.n, scan.clusters)}, "
        f"{_outputs(scan)}"
    )
    shapes = f"effect {shapes_of(scan.effect)}, se {shapes_of(scan.se)}"
    first = [scan.kmers[i] for i in range(min(n, _MOST_SHOWN))]
    shown = ", ".join(first) + (f", ..., {scan.kmers[n - 1]}" if n > len(first) else "")
    return [head, shortened(shapes), shortened(f"k-mers: {shown}")]


def strongest_kmers(scan: KmerScan) -> list[str]:
    """The k-mers with the strongest effects, and their 95 % intervals."""
    if len(scan.outputs) != 1:
        return [_choose(scan.outputs)] if scan.outputs else []
    if not len(scan.kmers):
        return []
    effect = as_columns(scan.effect).flatten().numpy()
    if len(effect) > _MOST_NUMBERS:
        return ["effects: by top(), for there are many k-mers"]
    rows, left_out = _extremes(effect)
    names = [scan.kmers[i] for i in rows.tolist()]
    table = _some_kmers(scan, rows).to_frame() if len(rows) else pd.DataFrame()
    return _effects(table, names, left_out, len(effect), _CHOSEN)


def conditions_table(result: GIAResult) -> str | None:
    """The tidy table as pandas shows it, computed for the rows that are shown."""
    check_conditions(result.conditions, as_heads(result.y_afters)[0].shape[1])
    n_outputs = len(result.outputs)
    n_rows = n_outputs * len(result.conditions)
    per_condition = sum(y.numel() for y in as_heads(result.y_before))
    ends = _rows_of_ends(len(result.conditions), n_outputs)
    if not n_rows or per_condition * len(ends) > _MOST_NUMBERS:
        return None
    return _shortened_table(result.select(ends).to_frame(), n_rows)


def kmers_table(scan: KmerScan) -> str | None:
    """The table of a scan as pandas shows it, for the k-mers that are shown."""
    n_outputs = len(scan.outputs)
    n_rows = n_outputs * len(scan.kmers)
    ends = _rows_of_ends(len(scan.kmers), n_outputs)
    if not n_rows or n_outputs * len(ends) > _MOST_NUMBERS:
        return None
    return _shortened_table(_some_kmers(scan, ends).to_frame(), n_rows)


def whole_table(result: Any, *of: Any) -> str | None:
    """The table of what is made of some results, as pandas shows it, unless large."""
    plain = [getattr(one, "result", one) for one in of]  # of junctions theirs
    outputs = [one.effect if hasattr(one, "effect") else one.y_afters for one in plain]
    if sum(y.numel() for each in outputs for y in as_heads(each)) > _MOST_NUMBERS:
        return None
    frame = result.to_frame()
    return _shortened_table(frame, len(frame))


def shapes_of(y: Outputs) -> str:
    """The shape of each head, and the type of their numbers."""
    heads = as_heads(y)
    shapes = ", ".join(str(tuple(head.shape)) for head in heads[:_MOST_SHOWN])
    types = " and ".join(dict.fromkeys(str(head.dtype)[6:] for head in heads))
    more = ", ..." if len(heads) > _MOST_SHOWN else ""
    return f"{shapes}{more} {types}"


def counted(n: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "k-mer"), counted(4096, "k-mer")
    ('1 k-mer', '4,096 k-mers')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listed(values: Sequence[object]) -> str:
    """Values as they stand in a sentence.

    Examples
    --------
    >>> listed([3]), listed([3, 10, 17])
    ('3', '3, 10 and 17')
    """
    *most, last = map(str, values)
    return f"{', '.join(most)} and {last}" if most else last


def shortened(line: str) -> str:
    """A line of text, cut where it is long."""
    line = " ".join(line.split())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


def _backgrounds(n: int, clusters: NDArray[Any] | None) -> str:
    known = counted(n, "background")
    if clusters is None:
        return known
    return f"{known} ({counted(len(set(as_codes(clusters))), 'cluster')})"


def _outputs(result: Any) -> str:
    return counted(len(result.outputs), "output")


def _choose(labels: Sequence[Any]) -> str:
    shown = ", ".join(map(repr, labels[:_MOST_SHOWN]))
    more = ", ..." if len(labels) > _MOST_SHOWN else ""
    return shortened(f"outputs: {shown}{more}; output({labels[0]!r}) chooses one")


def _extremes(effect: NDArray[np.float64]) -> tuple[NDArray[np.intp], int]:
    """Rows of the effects farthest from 0, and how many effects are no number."""
    is_number = np.isfinite(effect)
    size = np.where(is_number, np.abs(effect), -1.0)
    n = min(_N_STRONGEST, int(is_number.sum()))
    return np.argsort(-size, kind="stable")[:n], int((~is_number).sum())


def _effects(
    table: pd.DataFrame, names: Iterable[str], left_out: int, n: int, note: str = ""
) -> list[str]:
    lines = []
    if len(table):
        head = "strongest effects" if n > len(table) else "effects"
        lines.append(f"{head}, 95 % intervals{note}:")
        for name, row in zip(names, table.to_dict("records"), strict=True):
            bounds = f" [{row['low']:.3g}, {row['high']:.3g}]"
            known = bounds if np.isfinite(row["se"]) else ""
            lines.append(shortened(f"  {row['effect']:.3g}{known} {name}").rstrip())
    if left_out:
        lines.append(f"{left_out:,} of {n:,} effects are NaN or infinite")
    return [line if line.endswith(":") else f"  {line}" for line in lines]


def _tell_apart(conditions: pd.DataFrame, rows: NDArray[np.intp]) -> list[str]:
    """What tells these conditions from others; the first column where nothing does."""
    looked_at = conditions.iloc[[*range(min(_LOOKED_AT, len(conditions))), *rows]]
    columns = range(len(conditions.columns))
    apart = [i for i in columns if looked_at.iloc[:, i].astype(str).nunique() > 1]
    names = [(conditions.columns[i], i) for i in apart or columns[:1]]
    cells = [[(name, conditions.iat[int(row), i]) for name, i in names] for row in rows]
    return [
        ", ".join(_cell(*cell) for cell in row if _is_there(cell[1])) for row in cells
    ]


def _cell(name: Any, value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    text = text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 3]}..."
    return f"{name}={text}"


def _is_there(value: Any) -> bool:
    return not (value is None or value is pd.NA or value != value)


def _some_kmers(scan: KmerScan, rows: NDArray[np.intp]) -> KmerScan:
    place = torch.from_numpy(rows)
    effect, se = (as_columns(y)[place] for y in (scan.effect, scan.se))
    names = [scan.kmers[i] for i in rows.tolist()]
    kind = type(scan)
    return kind(names, effect, se, scan.n, outputs=scan.outputs, clusters=scan.clusters)


def _rows_of_ends(n: int, n_outputs: int) -> NDArray[np.intp]:
    """Conditions that a shortened table shows, and one that it leaves out."""
    most = int(pd.get_option("display.max_rows") or 0) or n * n_outputs
    if n * n_outputs <= most:
        return np.arange(n)
    end = min(-(-_ENDS // n_outputs), n)
    return np.unique([*range(min(end + 1, n)), *range(n - end, n)])


def _shortened_table(frame: pd.DataFrame, n_rows: int) -> str | None:
    """Rows of the ends of a table as pandas shows all of them."""
    size = f"{n_rows:,} rows × {len(frame.columns):,} columns"
    most = 2 * _ENDS
    if n_rows <= (pd.get_option("display.max_rows") or n_rows):
        most = n_rows
    elif len(frame) < n_rows:
        ends = [*range(len(frame) - _ENDS), *range(n_rows - _ENDS, n_rows)]
        frame = frame.set_axis(ends)
    shape = ("display.show_dimensions", False)
    rows = ("display.max_rows", most, "display.min_rows", most)
    with pd.option_context(*shape, *rows):
        shown: str | None = frame._repr_html_()  # type: ignore[operator]
    return None if shown is None else f"{shown}<p>{size}</p>"
