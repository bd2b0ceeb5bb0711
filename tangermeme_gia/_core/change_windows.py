"""What windows of a sequence see: convolutions and pools."""

from __future__ import annotations

import math
from typing import Any

import torch

from .change_rules import is_flat, padded, rule
from .changed import WHOLES, Changed, Part, Span
from .tape import Tape

# Convolutions of fewer channels are faster with zeros around the differences.
_FEW_CHANNELS = 8
# Long filters with so few outputs are slow in torch: it is faster to spread each place.
_FEW_OUTPUTS, _LONG = 4, 16


@rule("convolution")
def _convolution(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x, weight, _, stride, padding, dilation, is_transposed, _, groups = args
    if is_transposed or is_flat(x) or x.ndim != weight.ndim or x.span.axis < 2:
        return None
    i = x.span.axis - 2
    k, s, p, d = (
        _of(weight.shape[2:], i),
        _of(stride, i),
        _of(padding, i),
        _of(dilation, i),
    )
    length = tape.next_shape()[x.span.axis]
    first, last = _reached(x.span, (k - 1) * d + 1, s, p, length)
    span = Span(tuple(tape.next_shape()[1:]), x.span.axis, first, last - first)
    difference = x.differences()
    if weight.ndim == 3 and s == 1 and weight.shape[1] > _FEW_CHANNELS:
        spread = tape.of_weights(weight, ("spread",), lambda: _spread(weight, groups))
        all_of = torch.conv_transpose1d(
            difference, spread, None, 1, 0, 0, groups, dilation
        )
        begins = x.span.first + p - (k - 1) * d
        return Part(span, None, all_of[:, :, first - begins : last - begins])
    difference = padded(
        difference, x.span, first * s - p, (last - 1) * s - p + (k - 1) * d + 1
    )
    inner = [0 if j == i else _of(padding, j) for j in range(weight.ndim - 2)]
    found = torch.convolution(
        difference,
        weight,
        None,
        stride,
        inner,
        dilation,
        False,
        [0] * len(inner),
        groups,
    )
    return Part(span, None, found)


def _spread(weight: torch.Tensor, groups: int) -> torch.Tensor:
    """Weights by which a place adds to those around it."""
    n_out, n_in, k = weight.shape
    apart = weight.detach().reshape(groups, n_out // groups, n_in, k)
    return apart.transpose(1, 2).reshape(groups * n_in, -1, k).flip(2).contiguous()


@rule("max_pool2d_with_indices")
def _max_pool(func: Any, args: Any, kwargs: Any, tape: Tape) -> Any:
    x, kernel, stride, padding, dilation, ceil = _filled(args, 2, 0, 1, False)
    if is_flat(x) or x.span.axis < x.ndim - 2:
        return None
    i = x.span.axis - (x.ndim - 2)
    k, s, p, d = (
        _of(kernel, i),
        _of(stride or kernel, i),
        _of(padding, i),
        _of(dilation, i),
    )
    span, (first, last) = _pooled(x, k, s, p, d, tape)
    values = x.read(max(first, 0), min(last, x.span.length))
    outside = [max(0, -first), max(0, last - x.span.length)]
    if any(outside):
        pads = [0, 0] * (x.ndim - 1 - x.span.axis) + outside
        values = torch.nn.functional.pad(values, pads, value=-math.inf)
    if x.ndim == 4 and i == 1 and x.shape[2] == 1:
        one = torch.max_pool1d(values.squeeze(2), k, s, 0, d, ceil)
        return [Part(span, one.unsqueeze(2)), Part(span)]
    inner = [0 if j == i else _of(padding, j) for j in range(2)]
    found = func(values, kernel, stride, inner, dilation, ceil)
    return [Part(span, found[0]), Part(span)]


@rule("avg_pool2d")
def _avg_pool(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x, kernel, stride, padding, ceil, counts = _filled(args, 2, 0, False, True)
    if is_flat(x) or x.span.axis < x.ndim - 2 or ceil or len(args) > 6:
        return None
    i = x.span.axis - (x.ndim - 2)
    k, s, p = _of(kernel, i), _of(stride or kernel, i), _of(padding, i)
    if p and not counts:
        return None
    span, (first, last) = _pooled(x, k, s, p, 1, tape)
    difference = padded(x.differences(), x.span, first, last)
    inner = [0 if j == i else _of(padding, j) for j in range(2)]
    return Part(span, None, func(difference, kernel, stride, inner, ceil, counts))


def _whole_convolution(func: Any, args: Any) -> Any:
    """That of all places, where torch has a faster way to it; else None."""
    x, weight, bias, stride, padding, dilation, is_transposed, _, groups = args
    k = weight.shape[-1]
    if is_transposed or weight.ndim != 3 or x.ndim != 3 or _of(stride, 0) != 1:
        return None
    if len(weight) > _FEW_OUTPUTS or k < _LONG:
        return None
    d, p = _of(dilation, 0), _of(padding, 0)
    spread = _spread(weight, groups)
    found = torch.conv_transpose1d(x, spread, bias, 1, 0, 0, groups, dilation)
    begin = (k - 1) * d - p
    return Part(None, found[:, :, begin : found.shape[-1] - begin].contiguous())


def _whole_pool(func: Any, args: Any) -> Any:
    """Maxima without their places, which take most of the time."""
    x, kernel, stride, padding, dilation, ceil = _filled(args, 2, 0, 1, False)
    if x.ndim != 4 or x.shape[2] != 1 or _of(kernel, 0) != 1 or _of(padding, 0):
        return None
    k, s = _of(kernel, 1), _of(stride or kernel, 1)
    p, d = _of(padding, 1), _of(dilation, 1)
    found = torch.max_pool1d(x.squeeze(2), k, s, p, d, ceil).unsqueeze(2)
    return [Part(None, found), Part(None, found.to("meta", torch.int64))]


WHOLES.update(convolution=_whole_convolution, max_pool2d_with_indices=_whole_pool)


def _reached(
    span: Span, reach: int, stride: int, padding: int, length: int
) -> tuple[int, int]:
    """First and one past the last output that reads a part; one at the least."""
    first = -((span.first + padding - reach + 1) // -stride)
    last = (span.last - 1 + padding) // stride + 1
    first = min(max(first, 0), length - 1)
    return first, min(max(last, first + 1), length)


def _pooled(
    x: Changed, k: int, s: int, p: int, d: int, tape: Tape
) -> tuple[Span, tuple[int, int]]:
    """The part of a pooling's output, and the places that it reads."""
    assert x.span is not None
    axis, shape = x.span.axis, tape.next_shape()
    reach = (k - 1) * d + 1
    first, last = _reached(x.span, reach, s, p, shape[axis])
    span = Span(tuple(shape[1:]), axis, first, last - first)
    return span, (first * s - p, (last - 1) * s - p + reach)


def _of(values: Any, i: int) -> int:
    """That of an axis, of a list with one for each axis or for all."""
    if isinstance(values, int):
        return values
    return int(values[i] if len(values) > 1 else values[0])


def _filled(args: Any, *defaults: Any) -> list[Any]:
    """Arguments of a pooling, `(x, kernel, stride, ...)`, with what was left out."""
    given = list(args[: 2 + len(defaults)])
    rest = [[], *defaults[1:]] if defaults else []
    return given + rest[len(given) - 2 :]
