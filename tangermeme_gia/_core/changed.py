"""What changes of a model's activations where a few bases of the sequences do.

What a model computes at one place reads a window of the sequence, and outside of what a
change can reach every activation is that of the background. A `Changed` goes through a
model in place of a batch of sequences. It has their shape, and holds only the part that
may differ from the backgrounds' activations, which a `Tape` keeps. `change_rules` says
for each operation which part of its output may differ; where it knows no rule, the
whole is computed, from there on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch

from .tape import Tape, UnknownChangeError

# Taken as they are called: what they are made of merges sequences with places.
_CALLS: dict[Any, str] = {
    torch.nn.functional.linear: "linear",
    torch.matmul: "matmul",
    torch.Tensor.matmul: "matmul",
    torch.Tensor.__matmul__: "matmul",
}
# What these are made of writes into tensors of its own.
_CALLS |= {
    getattr(torch._VF, name): name for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")
}


class Span(NamedTuple):
    """Which part of a tensor may differ: `width` places of one axis from `first` on.

    `layout` is the shape of a sequence's activations in which that axis stands alone:
    what `flatten` has merged is apart in it. `axis` counts the axis of sequences, too.
    """

    layout: tuple[int, ...]
    axis: int
    first: int
    width: int

    @property
    def last(self) -> int:
        """One past the last place."""
        return self.first + self.width

    @property
    def length(self) -> int:
        """Places of the whole axis."""
        return self.layout[self.axis - 1]

    def over(self, first: int, last: int) -> Span:
        """The same of other places."""
        return self._replace(first=first, width=last - first)


class Part(NamedTuple):
    """What a rule finds: new values of the part, or by what they differ, or both.

    Without a span it is the whole tensor. With neither nobody may read it, such as the
    places of maxima.
    """

    span: Span | None
    value: torch.Tensor | None = None
    difference: torch.Tensor | None = None


class Changed(torch.Tensor):
    """Activations of some sequences, by what differs from those of the backgrounds."""

    tape: Tape
    number: int
    span: Span | None
    value: torch.Tensor | None
    difference: torch.Tensor | None
    _shared: _Shared
    _seen: int

    @staticmethod
    def make(
        tape: Tape, number: int, n: int, part: Part, shared: _Shared | None = None
    ) -> Changed:
        """That of `n` sequences, for an activation of a tape."""
        some = part.difference if part.value is None else part.value
        shape = (n, *tape.shapes[number][1:])
        if part.span is None:
            assert part.value is not None
            shape = tuple(part.value.shape)
        self: Changed = torch.Tensor._make_wrapper_subclass(
            Changed,
            shape,
            dtype=tape.dtypes[number],
            device=None if some is None else some.device,
        )
        self.tape = tape
        self._shared = shared or _Shared()
        self.become(number, part)
        return self

    def become(self, number: int, part: Part) -> None:
        """Hold another activation from now on, as an operation in place has it."""
        self.number = number
        self.span, self.value, self.difference = part
        self._seen = self._shared.version

    def check_fresh(self) -> None:
        """Raise if what this is a view of was changed in place."""
        if self._seen != self._shared.version:
            raise UnknownChangeError(
                "it reads a view of what was changed in place after the view was made"
            )

    def new_values(self, *, keep: bool = True) -> torch.Tensor:
        """Those of the part, or of the whole; without `keep` the caller owns them."""
        if self.value is not None:
            return self.value if keep else self.value.clone()
        if self.span is None or self.difference is None:
            raise UnknownChangeError("it reads an output that is not followed")
        background = self._background(self.span.first, self.span.width)
        difference = self._apart(self.difference)
        value = torch.add(difference, background).flatten(0, 1)
        if keep:
            self.value = value
        return value

    def differences(self, *, keep: bool = True) -> torch.Tensor:
        """By what the part differs; without `keep` the caller owns them."""
        if self.difference is not None:
            return self.difference if keep else self.difference.clone()
        if self.span is None or self.value is None:
            raise UnknownChangeError("it reads an output that is not followed")
        background = self._background(self.span.first, self.span.width)
        difference = (self._apart(self.value) - background).flatten(0, 1)
        if keep:
            self.difference = difference
        return difference

    def read(self, first: int, last: int) -> torch.Tensor:
        """Values of other places, of which the part may be some."""
        span = self.span
        assert span is not None
        if (first, last) == (span.first, span.last):
            return self.new_values()
        background = self._background(first, last - first)
        shape = (len(background), self.tape.each, *background.shape[2:])
        values = background.expand(shape).clone()
        low, high = max(first, span.first), min(last, span.last)
        if low < high:
            part = values.narrow(span.axis + 1, low - first, high - low)
            new = self.new_values().narrow(span.axis, low - span.first, high - low)
            part.copy_(self._apart(new))
        return values.flatten(0, 1)

    def all_values(self) -> torch.Tensor:
        """The tensor as it is without any reuse."""
        if self.span is None:
            return self.new_values()
        return self.read(0, self.span.length).reshape(self.shape)

    def _apart(self, part: torch.Tensor) -> torch.Tensor:
        """Shape=(n_rows, n_each, ...)."""
        return torch.unflatten(part, 0, (-1, self.tape.each))

    def _background(self, first: int, width: int) -> torch.Tensor:
        assert self.span is not None
        background = self.tape.background(self.number)
        apart = background.reshape(len(background), *self.span.layout)
        return apart.narrow(self.span.axis, first, width).unsqueeze(1)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = _CALLS.get(func)
        with torch._C.DisableTorchFunctionSubclass():
            if name is not None and isinstance(args[0], Changed):
                return follow(func, Facts(name, False, False), args, kwargs)
            return func(*args, **kwargs)

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return follow(func, facts_of(func), args, kwargs or {})


class _Shared:
    """What a tensor and its views have in common."""

    def __init__(self) -> None:
        self.version = 0


class Facts(NamedTuple):
    """What an operation is called, whether it writes, and whether it gives a view."""

    name: str
    writes: bool
    is_view: bool


@cache
def facts_of(func: Any) -> Facts:
    """What is known of an operation of torch."""
    schema = func._schema
    returns = [value.alias_info for value in schema.returns]
    is_view = any(alias is not None and not alias.is_write for alias in returns)
    return Facts(func._overloadpacket.__name__, schema.is_mutable, is_view)


# Set by `change_rules`: finds what differs of an operation's output, None if unknown.
Rule = Callable[[Any, Any, Any, Tape], "Part | list[Part] | None"]
RULES: dict[str, Rule] = {}
# Faster ways to the whole of an operation's output, None where there is none.
WHOLES: dict[str, Callable[[Any, Any], Any]] = {}


def follow(func: Any, facts: Facts, args: Any, kwargs: Any) -> Any:
    """What an operation gives, for the backgrounds or for what differs from them."""
    inputs = changed_of(args, kwargs)
    tape = inputs[0].tape
    for x in inputs:
        x.check_fresh()
    owner = args[0] if facts.writes else None
    if facts.writes and (
        not isinstance(owner, Changed) or not facts.name.endswith("_")
    ):
        raise UnknownChangeError("it writes into a tensor of its own")
    found: Any = None
    if not tape.is_recording and any(x.span is not None for x in inputs):
        rule = RULES.get(facts.name.rstrip("_") if facts.writes else facts.name)
        if rule is not None:
            found = rule(func, args, kwargs, tape)
    if found is None:
        found = _whole(func, facts.name, args, kwargs, owner)
    return _given(found, facts, inputs, owner, tape)


def changed_of(args: Any, kwargs: Any) -> list[Changed]:
    """What of an operation's inputs comes from sequences."""
    found: list[Changed] = []
    for value in (*args, *kwargs.values()):
        if isinstance(value, Changed):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += [item for item in value if isinstance(item, Changed)]
    return found


def with_values(args: Any, kwargs: Any, take: Callable[[Changed], Any]) -> Any:
    """The inputs of an operation, with something else for each that is Changed."""

    def one(value: Any) -> Any:
        if isinstance(value, Changed):
            return take(value)
        if isinstance(value, list | tuple):
            return [one(item) for item in value]
        return value

    return [one(a) for a in args], {key: one(value) for key, value in kwargs.items()}


def _whole(func: Any, name: str, args: Any, kwargs: Any, owner: Changed | None) -> Any:
    args, kwargs = with_values(args, kwargs, lambda x: x.all_values())
    if owner is not None:
        args[0] = args[0].clone()
    if func in _VIEWS:
        func = torch.reshape
    found = WHOLES[name](func, args) if name in WHOLES else None
    if found is not None:
        return found
    found = func(*args, **kwargs)
    if isinstance(found, torch.Tensor):
        return Part(None, found)
    if isinstance(found, list | tuple):
        return [Part(None, y) if isinstance(y, torch.Tensor) else y for y in found]
    return found


# Values of what was transposed lie otherwise than what a `Changed` pretends.
_VIEWS = (torch.ops.aten.view.default, torch.ops.aten._unsafe_view.default)


def _given(
    found: Any, facts: Facts, inputs: list[Changed], owner: Changed | None, tape: Tape
) -> Any:
    """The output of an operation, known to the tape."""
    shared = inputs[0]._shared if facts.is_view else None
    if isinstance(found, list):
        return [_one(part, facts.name, shared, tape) for part in found]
    if not isinstance(found, Part):
        return found  # a number: what it decides is seen from what comes next
    if owner is None:
        return _one(found, facts.name, shared, tape)
    number = tape.number(facts.name, found.value)
    owner._shared.version += 1
    owner.become(number, found)
    return _settled(owner)


def _one(part: Any, name: str, shared: _Shared | None, tape: Tape) -> Any:
    if not isinstance(part, Part):
        return part
    number = tape.number(name, part.value)
    return _settled(Changed.make(tape, number, tape.n_sequences, part, shared))


def _settled(y: Changed) -> Changed:
    """A part that is all is the whole."""
    some = y.difference if y.value is None else y.value
    if some is None:
        return y
    if not y.tape.is_recording:
        y.tape.largest = max(y.tape.largest, some.nbytes // y.tape.n_sequences)
    if y.span is not None and y.span.width == y.span.length:
        y.become(y.number, Part(None, y.all_values()))
    if y.tape.witness is not None and not some.is_meta:
        y.tape.witness(y.number, y.all_values())
    return y
