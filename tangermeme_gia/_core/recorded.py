"""A model whose activations for some backgrounds are kept."""

from __future__ import annotations

from typing import Any

import torch

from . import change_shapes, change_windows  # noqa: F401 - they have rules
from .asking import Asked, tensors_of
from .changed import Changed, Part, Span
from .tape import Tape, UnknownChangeError

# How many last digits are rounding, after many operations.
_DIGITS = 256
_TF32 = 2.0**-11


class Recorded:
    """Activations of some backgrounds, and what is asked about sequences of them.

    Parameters
    ----------
    asked: Asked
        The model, on its device and in eval mode.

    X: torch.Tensor, shape=(n_rows, n_letters, length)
        The backgrounds, on the device of the model.

    args: list of torch.Tensor or None
        Their side inputs.

    needed: set of int or None
        Which activations to keep; None keeps all.

    made: dict
        What was made of weights before.
    """

    def __init__(
        self,
        asked: Asked,
        X: torch.Tensor,
        args: list[torch.Tensor] | None,
        needed: set[int] | None,
        made: dict[Any, Any],
    ) -> None:
        self._asked, self.X, self._args = asked, X, args or []
        self.dtype = dtype_of(asked)
        self.tape = Tape(needed, made)
        value = X.to(self.dtype)
        number = self.tape.number("input", value)
        x = Changed.make(self.tape, number, len(X), Part(None, value))
        self.y = self._run(x, slice(0, len(X)), 1)

    def ask(
        self, rows: slice, first: int, sequences: torch.Tensor
    ) -> list[torch.Tensor]:
        """Outputs, shape=(n_rows * n_each, ...), on the CPU.

        `sequences` has the places from `first` on that differ from the backgrounds',
        shape=(n_rows, n_each, n_letters, width).
        """
        _, n_each, n_letters, width = sequences.shape
        tape = self.tape
        tape.replay(rows, n_each)
        number = tape.number("input", None)
        background = self.X[rows, None, :, first : first + width]
        difference = (sequences - background).flatten(0, 1).to(self.dtype)
        span = Span((n_letters, self.X.shape[-1]), 2, first, width)
        part = Part(span, None, difference)
        x = Changed.make(tape, number, len(difference), part)
        y = self._run(x, rows, n_each)
        if tape.at != len(tape.names):
            raise UnknownChangeError(
                f"it ends where it computed `{tape.names[tape.at]}` for the "
                "backgrounds, so that what it does depends on numbers"
            )
        return y

    def sizes(self, numbers: set[int] | None) -> list[int]:
        """Bytes of one background's activations, of some or of all."""
        return [n // len(self.X) + 1 for n in self.tape.sizes(numbers)]

    def operation_apart(
        self, first: int, sequences: torch.Tensor, whole: Recorded
    ) -> str | None:
        """The first operation that gives something else than in full, but for rounding.

        `whole` has recorded the same sequences in full.
        """
        apart: list[str] = []
        largest = 0.0
        tape, truth = self.tape, whole.tape
        truth.rows = slice(0, len(whole.X))

        def look(number: int, value: torch.Tensor) -> None:
            nonlocal largest
            exact = truth.background(number)
            if exact.is_floating_point() and exact.numel():
                # What is subtracted later rounds as what it is subtracted from.
                largest = max(largest, float(exact.abs().max()))
            if not apart and is_apart(value, exact, largest):
                apart.append(tape.names[number])

        tape.witness = look
        try:
            self.ask(slice(0, len(sequences)), first, sequences)
        finally:
            tape.witness = None
        return apart[0] if apart else None

    def _run(self, x: Changed, rows: slice, each: int) -> list[torch.Tensor]:
        args = [
            arg[rows].to(x.device, self.dtype).repeat_interleave(each, dim=0)
            for arg in self._args
        ]
        with torch.no_grad():
            y = self._asked(x, *args)
        return [head.cpu() for head in tensors_of(y)]


def dtype_of(model: torch.nn.Module) -> torch.dtype:
    """That in which `predict` gives sequences to a model."""
    return next((p.dtype for p in model.parameters()), torch.float32)


def is_apart(value: torch.Tensor, truth: torch.Tensor, largest: float) -> bool:
    """Whether two activations differ by more than rounding of numbers so large."""
    if value.shape != truth.shape or not value.is_floating_point():
        return value.shape != truth.shape or bool((value != truth).any())
    error = float((value - truth).abs().max()) if value.numel() else 0.0
    return not error <= _DIGITS * last_digit(truth) * largest


def last_digit(y: torch.Tensor) -> float:
    """The relative rounding of numbers, or of what a GPU multiplies by default."""
    eps = torch.finfo(y.dtype).eps if y.is_floating_point() else 0.0
    return max(eps, _TF32) if torch.cuda.is_available() else eps
