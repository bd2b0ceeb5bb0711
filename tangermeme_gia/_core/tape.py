"""The activations of some backgrounds, in the order in which a model makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

# Bytes of what is made of weights, such as those of every place of a dense layer.
_MOST_MADE = 2**26


class UnknownChangeError(Exception):
    """A model that cannot be followed, with the reason."""


class MissingActivationError(Exception):
    """An activation was not kept, since nothing had needed it."""


class Tape:
    """What a model computed for some backgrounds, and what is asked about them now.

    Parameters
    ----------
    needed: set of int or None
        Which of the activations to keep; None keeps all.

    made: dict or None
        What was made of weights before.
    """

    def __init__(
        self, needed: set[int] | None = None, made: dict[Any, Any] | None = None
    ) -> None:
        self.needed, self.used = needed, set[int]()
        self.names: list[str] = []
        self.shapes: list[torch.Size] = []
        self.dtypes: list[torch.dtype] = []
        self.is_recording, self.at = True, 0
        # Of the batch that goes through the model: its backgrounds, and how many
        # sequences are made of each.
        self.rows, self.each = slice(0, 0), 1
        # What is made of weights, by their number and for which places.
        self.made: dict[Any, tuple[torch.Tensor, torch.Tensor]] = (
            {} if made is None else made
        )
        # Bytes of a sequence's largest part.
        self.largest = 1
        # Is shown every activation of a batch.
        self.witness: Callable[[int, torch.Tensor], None] | None = None
        self._values: list[torch.Tensor | None] = []

    def sizes(self, numbers: set[int] | None) -> list[int]:
        """Bytes of some activations, or of all, views counted once."""
        chosen = range(len(self._values)) if numbers is None else numbers
        kept = [value for i in chosen if (value := self._values[i]) is not None]
        storages = {value.untyped_storage().data_ptr(): value for value in kept}
        return [value.untyped_storage().nbytes() for value in storages.values()]

    def replay(self, rows: slice, each: int) -> None:
        """Begin again, for `each` sequences made of every one of some backgrounds."""
        self.is_recording, self.at, self.rows, self.each = False, 0, rows, each

    def number(self, name: str, value: torch.Tensor | None) -> int:
        """Which activation comes now; a new one is recorded."""
        number = self.at
        self.at += 1
        if self.is_recording:
            assert value is not None
            keep = self.needed is None or number in self.needed
            keep &= not value.is_meta
            self._values.append(value if keep else None)
            self.names.append(name)
            self.shapes.append(value.shape)
            self.dtypes.append(value.dtype)
        elif number >= len(self.names) or self.names[number] != name:
            before = self.names[number] if number < len(self.names) else "nothing"
            raise UnknownChangeError(
                f"it computes `{name}` where it computed `{before}` for the "
                "backgrounds, so that what it does depends on numbers"
            )
        return number

    def background(self, number: int) -> torch.Tensor:
        """An activation of the batch's backgrounds, shape=(n_rows, ...)."""
        self.used.add(number)
        value = self._values[number]
        if value is None:
            raise MissingActivationError
        return value[self.rows]

    def next_shape(self) -> torch.Size:
        """That of the activation that comes next, of all recorded backgrounds."""
        return self.shapes[self.at]

    @property
    def n_sequences(self) -> int:
        """Of the batch that goes through the model."""
        return (self.rows.stop - self.rows.start) * self.each

    def of_weights(
        self,
        weight: torch.Tensor,
        how: tuple[Any, ...],
        make: Callable[[], torch.Tensor],
    ) -> torch.Tensor:
        """Something made of weights, once where they stay what they are."""
        if not isinstance(weight, torch.nn.Parameter):
            return make()
        key = (id(weight), *how)
        known = self.made.get(key)
        if known is None:
            if sum(made.nbytes for _, made in self.made.values()) > _MOST_MADE:
                self.made.clear()
            # With the weight, so that no other gets its number.
            known = self.made[key] = (weight, make())
        return known[1]
