"""Which part of an operation's output may differ, and by how much.

What is linear is computed of the differences alone: outside of the part they are 0, so
that nothing of the background is needed around it, and no more is multiplied than what
changed. The rest is computed of the values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from .changed import RULES, Changed, Part, Rule, Span, changed_of, with_values
from .tape import Tape

# Computed place by place, of one value or several.
_POINTWISE = (
    "_prelu_kernel _to_copy abs acos addcdiv addcmul asin atan atan2 bitwise_and "
    "bitwise_not bitwise_or ceil clamp clamp_max clamp_min copysign cos cosh div "
    "elu eq erf erfc exp exp2 expm1 floor fmax fmin fmod frac ge gelu gt "
    "hardsigmoid hardswish hardtanh hypot isinf isnan le leaky_relu lerp log "
    "log10 log1p log2 logical_and logical_not logical_or logical_xor logit lt "
    "masked_fill maximum minimum mish mul nan_to_num ne neg pow reciprocal "
    "remainder round rsqrt rsub sgn sigmoid sign silu sin sinh softplus sqrt square "
    "tan tanh threshold trunc where xlogy "
)
# A sequence's channels are one below the other in these, and their places apart.
_NORMS = (
    "native_batch_norm",
    "cudnn_batch_norm",
    "miopen_batch_norm",
    "_native_batch_norm_legit_no_training",
    "_batch_norm_no_update",
)


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Make a function the rule of some operations."""

    def made(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return made


@rule(*_POINTWISE.split())
def _pointwise(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    inputs = changed_of(args, kwargs)
    span = common_span(inputs)
    plain = [a for a in args if isinstance(a, torch.Tensor) and a.ndim]
    plain = [a for a in plain if not isinstance(a, Changed)]
    if span is None or (is_flat(inputs[0]) and (plain or len(inputs) > 1)):
        return None
    ndim = len(span.layout) + 1
    fitted = [
        _fitted(a, span, ndim)
        if isinstance(a, torch.Tensor) and not isinstance(a, Changed)
        else a
        for a in args
    ]
    if any(a is None and b is not None for a, b in zip(fitted, args, strict=True)):
        return None
    owned = func._schema.is_mutable
    take = _reader(span, owned)
    values, named = with_values(fitted, kwargs, take)
    return _of_values(func(*values, **named), span)


@rule("relu")
def _relu(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part:
    (x,) = args
    if x.value is None or func._schema.is_mutable:
        return Part(x.span, torch.relu_(x.new_values(keep=False)))
    return Part(x.span, torch.relu(x.value))


@rule("add", "sub")
def _add(func: Any, args: Any, kwargs: Any, tape: Tape) -> Any:
    a, b = args[:2]
    if not (isinstance(a, Changed) and isinstance(b, Changed)):
        return _pointwise(func, args, kwargs, tape)
    span = common_span([a, b])
    same = a.span == b.span and a.value is not None and b.value is not None
    if span is None or a.shape != b.shape or same:
        return _pointwise(func, args, kwargs, tape)
    scale = kwargs.get("alpha", args[2] if len(args) > 2 else 1)
    scale = -scale if func._overloadpacket.__name__.startswith("sub") else scale
    if a.span == b.span:
        total = torch.add(a.differences(), b.differences(), alpha=scale)
        return Part(span, None, total)
    wide, other = (b, a) if b.span == span and scale == 1 else (a, b)
    if wide.span == span:
        total = wide.differences(keep=False)
    else:
        total = padded(wide.differences(), wide.span, span.first, span.last)
    assert other.span is not None
    at = other.span.first - span.first
    part = total.narrow(span.axis, at, other.span.width)
    part.add_(other.differences(), alpha=scale)
    return Part(span, None, total)


@rule(*_NORMS)
def _batch_norm(func: Any, args: Any, kwargs: Any, tape: Tape) -> Any:
    x = args[0]
    trains = len(args) > 5 and isinstance(args[5], bool) and args[5]
    if x.span.axis == 1 or is_flat(x) or trains:
        return None
    found = func(x.new_values(), *args[1:], **kwargs)
    return [Part(x.span, found[0]), *[Part(x.span)] * (len(found) - 1)]


@rule("native_layer_norm")
def _layer_norm(func: Any, args: Any, kwargs: Any, tape: Tape) -> Any:
    x, shape = args[:2]
    if is_flat(x) or x.span.axis >= x.ndim - len(shape):
        return None
    found = func(x.new_values(), *args[1:], **kwargs)
    return [Part(x.span, found[0]), *[Part(x.span)] * (len(found) - 1)]


@rule("_softmax", "_log_softmax", "glu")
def _along(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x = args[0]
    dim = args[1] if len(args) > 1 else -1
    if is_flat(x) or dim % x.ndim == x.span.axis:
        return None
    return _of_values(func(x.new_values(), *args[1:], **kwargs), x.span)


@rule("mean", "sum")
def _total(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x = args[0]
    dims = args[1] if len(args) > 1 else None
    if is_flat(x) or not dims or 0 in (dims := [dim % x.ndim for dim in dims]):
        return None
    keep = len(args) > 2 and args[2]
    if x.span.axis not in dims:
        axis = x.span.axis - (0 if keep else sum(dim < x.span.axis for dim in dims))
        span = Span(tuple(tape.next_shape()[1:]), axis, *x.span[2:])
        return Part(span, None, func(x.differences(), *args[1:], **kwargs))
    total = torch.sum(x.differences(), dims, keepdim=keep)
    if func._overloadpacket.__name__ == "mean":
        total /= math.prod(x.shape[dim] for dim in dims)
    return _of_difference(total, tape)


@rule("linear", "matmul")
def _linear(func: Any, args: Any, kwargs: Any, tape: Tape) -> Part | None:
    x, weight = args[0], args[1]
    bias = kwargs.get("bias", args[2] if len(args) > 2 else None)
    is_linear = func is torch.nn.functional.linear
    if isinstance(weight, Changed) or isinstance(bias, Changed) or weight.ndim != 2:
        return None
    weight = weight if is_linear else weight.T
    span = x.span
    if (is_flat(x) and x.ndim == 2) or span.axis == x.ndim - 1:
        part = tape.of_weights(
            weight, ("part", *span), lambda: _columns(weight.detach(), span, x.ndim)
        )
        difference = x.differences()
        difference = difference.flatten(1) if is_flat(x) else difference
        return _of_difference(torch.nn.functional.linear(difference, part), tape)
    if is_flat(x):
        return None
    after = span._replace(layout=tuple(tape.next_shape()[1:]))
    if x.value is not None:
        return Part(after, torch.nn.functional.linear(x.value, weight, bias))
    return Part(after, None, torch.nn.functional.linear(x.differences(), weight))


def _columns(weight: torch.Tensor, span: Span, ndim: int) -> torch.Tensor:
    """The weights of the part of a sequence that may differ."""
    layout = span.layout if ndim == 2 else span.layout[-1:]
    axis = span.axis if ndim == 2 else 1
    apart = weight.reshape(len(weight), *layout)
    return apart.narrow(axis, span.first, span.width).flatten(1).contiguous()


def _of_difference(difference: torch.Tensor, tape: Tape) -> Part:
    """What has no places any more, by what differs from the backgrounds' output."""
    background = tape.background(tape.at).unsqueeze(1)
    apart = torch.unflatten(difference, 0, (-1, tape.each))
    return Part(None, (apart + background).flatten(0, 1))


def _of_values(value: torch.Tensor, span: Span) -> Part:
    """Values of a part whose other axes may have been broadcast."""
    shape = list(value.shape[1:])
    shape[span.axis - 1] = span.length
    return Part(span._replace(layout=tuple(shape)), value)


def is_flat(x: Changed) -> bool:
    """Whether the axis of the sequence is merged with others."""
    return x.span is not None and tuple(x.span.layout) != tuple(x.shape[1:])


def common_span(inputs: Sequence[Changed]) -> Span | None:
    """What holds the parts of all, if they lie along the same axis."""
    spans = [x.span for x in inputs]
    first = spans[0]
    for x, span in zip(inputs, spans, strict=True):
        if span is None or first is None or is_flat(x) != is_flat(inputs[0]):
            return None
        if (span.axis, span.length) != (first.axis, first.length):
            return None
        if len(span.layout) != len(first.layout):
            return None
        if is_flat(x) and span.layout != first.layout:
            return None
    known = [span for span in spans if span is not None]
    assert first is not None
    return first.over(min(s.first for s in known), max(s.last for s in known))


def _fitted(plain: torch.Tensor, span: Span, ndim: int) -> torch.Tensor | None:
    """The part of a tensor that depends on no sequence; None if it cannot be said."""
    axis = span.axis - (ndim - plain.ndim)
    if plain.ndim > ndim or not plain.ndim:
        return plain if not plain.ndim else None
    if axis < 0 or plain.shape[axis] == 1:
        return plain
    return plain.narrow(axis, span.first, span.width)


def _reader(span: Span, owned: bool) -> Callable[[Changed], torch.Tensor]:
    def take(x: Changed) -> torch.Tensor:
        values = x.read(span.first, span.last)
        return values.clone() if owned and values is x.value else values

    return take


def padded(part: torch.Tensor, span: Any, first: int, last: int) -> torch.Tensor:
    """Differences of other places: 0 outside of the part, cut inside."""
    pads = [span.first - first, last - span.last]
    if pads == [0, 0]:
        return part
    if span.last <= first or last <= span.first:
        shape = list(part.shape)
        shape[span.axis] = last - first
        return part.new_zeros(shape)
    return torch.nn.functional.pad(part, [0, 0] * (part.ndim - 1 - span.axis) + pads)
