"""Where the part that differs lies after an operation that moves or shapes tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from .change_rules import common_span, is_flat, padded, rule
from .changed import Changed, Part, Span
from .tape import Tape


def _moved(
    x: Changed, span: Span, move: Callable[[torch.Tensor], torch.Tensor]
) -> Part:
    """The same done to what is known of the part."""
    value, difference = (
        None if part is None else move(part) for part in (x.value, x.difference)
    )
    return Part(span, value, difference)


def _as(span: Span, part: torch.Tensor) -> torch.Tensor:
    """A part in the shape that a span has."""
    shape = list(span.layout)
    shape[span.axis - 1] = span.width
    return part.reshape(len(part), *shape)


def _layout(tape: Tape) -> tuple[int, ...]:
    return tuple(tape.next_shape()[1:])


@rule("clone", "detach", "alias", "lift_fresh", "contiguous")
def _same(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part:
    return _moved(args[0], args[0].span, lambda part: part)


@rule("unsqueeze")
def _unsqueeze(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x, dim = args
    dim %= x.ndim + 1
    if is_flat(x) or dim == 0:
        return None
    axis = x.span.axis + (dim <= x.span.axis)
    span = Span(_layout(tape), axis, *x.span[2:])
    return _moved(x, span, lambda part: part.unsqueeze(dim))


@rule("squeeze")
def _squeeze(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x = args[0]
    if is_flat(x) or len(args) == 1:
        return None
    dims = args[1] if isinstance(args[1], list | tuple) else [args[1]]
    dims = [dim % x.ndim for dim in dims]
    gone = [dim for dim in dims if x.shape[dim] == 1]
    if x.span.axis in gone or 0 in gone:
        return None
    axis = x.span.axis - sum(dim < x.span.axis for dim in gone)
    span = Span(_layout(tape), axis, *x.span[2:])
    return _moved(x, span, lambda part: part.squeeze(gone))


@rule("permute", "transpose", "t")
def _permute(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x = args[0]
    order = list(range(x.ndim))
    if func._overloadpacket.__name__ == "permute":
        order = [dim % x.ndim for dim in args[1]]
    else:
        a, b = (dim % x.ndim for dim in args[1:]) if len(args) > 1 else (0, 1)
        order[a], order[b] = b, a
    if is_flat(x) or order[0] != 0:
        return None
    span = Span(_layout(tape), order.index(x.span.axis), *x.span[2:])
    return _moved(x, span, lambda part: part.permute(order))


@rule("view", "_unsafe_view", "reshape")
def _view(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x, span = args[0], args[0].span
    shape = tape.next_shape()
    if shape[0] != tape.shapes[x.number][0]:
        return None
    if is_flat(x) and tuple(shape[1:]) != tuple(x.shape[1:]):
        return None
    after, layout = tuple(shape[1:]), span.layout
    before = math.prod(layout[: span.axis - 1])
    for i, length in enumerate(after):
        if length == span.length and math.prod(after[:i]) == before:
            found = Span(after, i + 1, *span[2:])
            return _moved(x, found, partial(_as, found))
    if len(after) == 1:
        return _moved(x, span, lambda y: y)
    return None


@rule("slice")
def _slice(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    given = (*args, *(None, 0, None, None, 1)[len(args) :])
    x, (dim, start, end, step) = args[0], given[1:]
    dim, span = dim % x.ndim, x.span
    if is_flat(x) or dim == 0 or (dim == span.axis and step != 1):
        return None
    layout = _layout(tape)
    if dim != span.axis:
        places = slice(start, end, step)
        found = span._replace(layout=layout)
        return _moved(x, found, lambda y: y[(slice(None),) * dim + (places,)])
    start, end, _ = slice(start, end).indices(span.length)
    first, last = max(span.first, start), min(span.last, end)
    if last <= first:
        return _unchanged(x, layout)
    found = Span(layout, dim, first - start, last - first)
    return _moved(x, found, lambda y: y.narrow(dim, first - span.first, last - first))


def _unchanged(x: Changed, layout: tuple[int, ...]) -> Part:
    """A part that differs by 0, since there is none."""
    assert x.span is not None
    shape = list(layout)
    shape[x.span.axis - 1] = 1
    return Part(
        Span(layout, x.span.axis, 0, 1), None, x.differences().new_zeros(len(x), *shape)
    )


@rule("select")
def _select(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x, dim, index = args
    dim, span = dim % x.ndim, x.span
    if is_flat(x) or dim == 0:
        return None
    if dim != span.axis:
        found = Span(_layout(tape), span.axis - (dim < span.axis), *span[2:])
        return _moved(x, found, lambda y: y.select(dim, index))
    index %= span.length
    first, last = min(index, span.first), max(index + 1, span.last)
    return Part(None, x.read(first, last).select(dim, index - first))


@rule("flip")
def _flip(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x, span = args[0], args[0].span
    dims = [dim % x.ndim for dim in args[1]]
    if is_flat(x) or 0 in dims:
        return None
    if span.axis in dims:
        span = span._replace(first=span.length - span.last)
    return _moved(x, span, lambda y: y.flip(dims))


@rule("constant_pad_nd")
def _pad(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x, pads = args[:2]
    value = args[2] if len(args) > 2 else 0
    at = 2 * (x.ndim - 1 - x.span.axis)
    along = list(pads[at : at + 2]) or [0, 0]
    rest = [pad for i, pad in enumerate(pads) if i not in (at, at + 1)]
    if is_flat(x) or min(pads) < 0 or len(pads) > 2 * (x.ndim - 1):
        return None
    span = Span(_layout(tape), x.span.axis, x.span.first + along[0], x.span.width)
    if not any(rest):
        return _moved(x, span, lambda y: y)
    if value:
        return None
    around = [0 if i in (at, at + 1) else pad for i, pad in enumerate(pads)]
    return Part(span, None, torch.nn.functional.pad(x.differences(), around))


@rule("cat")
def _cat(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    tensors = args[0]
    changed = [x for x in tensors if isinstance(x, Changed)]
    span = common_span(changed) if all(x.span for x in changed) else None
    dim = kwargs.get("dim", args[1] if len(args) > 1 else 0)
    if span is None or is_flat(changed[0]) or dim % changed[0].ndim == 0:
        return None
    dim %= changed[0].ndim
    layout = _layout(tape)
    if dim == span.axis:
        return _end_to_end(tensors, span._replace(layout=layout))
    parts = []
    for x in tensors:
        if isinstance(x, Changed):
            parts.append(padded(x.differences(), x.span, span.first, span.last))
        else:
            shape = list(x.shape)
            shape[span.axis] = span.width
            parts.append(parts_like(changed[0], shape))
    return Part(span._replace(layout=layout), None, torch.cat(parts, dim))


def parts_like(x: Changed, shape: list[int]) -> torch.Tensor:
    """Differences of what does not depend on the sequences."""
    return x.differences().new_zeros(shape)


def _end_to_end(tensors: Any, span: Span) -> Part:
    """Parts along the axis of the sequence itself, with nothing between them."""
    at, places = 0, []
    for x in tensors:
        if isinstance(x, Changed):
            assert x.span is not None
            places.append((at + x.span.first, x))
        at += x.shape[span.axis]
    first = min(place for place, _ in places)
    last = max(place + x.span.width for place, x in places if x.span)
    some = places[0][1].differences()
    shape = list(some.shape)
    shape[span.axis] = last - first
    total = some.new_zeros(shape)
    for place, x in places:
        part = x.differences()
        total.narrow(span.axis, place - first, part.shape[span.axis]).copy_(part)
    return Part(span.over(first, last), None, total)


@rule("split", "split_with_sizes")
def _split(func: Any, args: Any, kwargs: Any, tape: Tape) -> Any:
    x, sizes = args[:2]
    dim = (args[2] if len(args) > 2 else kwargs.get("dim", 0)) % x.ndim
    if is_flat(x) or dim in (0, x.span.axis):
        return None
    known = x.differences() if x.value is None else x.value
    parts = torch.split(known, sizes, dim)
    found = []
    for part in parts:
        layout = list(part.shape[1:])
        layout[x.span.axis - 1] = x.span.length
        span = x.span._replace(layout=tuple(layout))
        given = (None, part) if x.value is None else (part, None)
        found.append(Part(span, *given))
    return found
