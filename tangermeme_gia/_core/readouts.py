"""One number of outputs that have a length: profiles, bins, splice sites."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch

_REDUCTIONS = ("sum", "mean", "max")


@dataclass(frozen=True)
class Readout:
    """Which number of a profile, of bins or of splice sites answers my question?

    A `target` for models whose outputs lie along the sequence: a track, the bins that
    count, how they are added up, and whether effects are fold changes. It is taken
    batch by batch, so that whole profiles are never kept.

    Parameters
    ----------
    head: int, str or None, optional
        Number or key of a head, for models that return several. Default is None.

    track: int or None, optional
        Index on the axis of tracks, which is axis 1 (the last one if positions lie on
        axis 1); None keeps all tracks as outputs. Default is None.

    window: tuple of int or None, optional
        First bin and one past the last, counted from 0. Default is None, all bins.

    centre: int or None, optional
        Instead: so many bins in the middle. Default is None.

    around: int or None, optional
        Instead: bins around a placed motif, the first (0), second (1), ... from the
        left where all of a condition's motifs are placed, as `starts` in the table
        says. Conditions are then read at different places, the backgrounds at each
        one: `y_before` is 0, and `y_afters` the change there. Default is None.

    width: int or None, optional
        Bins around the motif's first base, which `around` needs. Default is None.

    bin_size: int, optional
        Bases in a bin, for `around`; outputs are taken to be centred on the sequence.
        Default is 1.

    axis: int, optional
        Axis of the positions: -1, or 1 for outputs of shape (n, bins, tracks).
        Default is -1.

    reduce: str, optional
        "sum", "mean" or "max" over the bins. Default is "sum".

    log2: float or None, optional
        A pseudocount: effects are then log2 fold changes of what is reduced plus it.
        Default is None, differences.

    Raises
    ------
    TypeError, ValueError
        If options exclude each other or are out of range; and, when a model is asked,
        if a head, a track or a bin is not there, or a logarithm is of no positive
        number.

    Examples
    --------
    >>> profile = torch.arange(20.0).reshape(1, 2, 10)
    >>> Readout(track=1, centre=4)(profile)  # bins 3 to 6 of the second track
    tensor([58.])
    >>> Readout(track=0, window=(7, 9), reduce="mean", log2=0.5)(profile)
    tensor([3.])
    """

    head: int | str | None = None
    track: int | None = None
    window: tuple[int, int] | None = None
    centre: int | None = None
    around: int | None = None
    width: int | None = None
    bin_size: int = 1
    axis: int = -1
    reduce: str = "sum"
    log2: float | None = None

    def __post_init__(self) -> None:
        chosen = [n for n in ("window", "centre", "around") if self._has(n)]
        if len(chosen) > 1:
            raise ValueError(f"`{chosen[0]}` and `{chosen[1]}` exclude each other.")
        if self._has("around") != self._has("width"):
            raise ValueError("`around` and `width` go together.")
        if self.reduce not in _REDUCTIONS:
            raise ValueError(f"`reduce`={self.reduce!r} must be one of {_REDUCTIONS}.")
        if self.axis not in (1, -1):
            raise ValueError(f"`axis`={self.axis!r} must be -1 or 1.")
        for name, least in (
            ("track", 0),
            ("centre", 1),
            ("around", 0),
            ("width", 1),
            ("bin_size", 1),
        ):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or value < least):
                raise ValueError(f"`{name}`={value!r} must be at least {least}.")
        if self.window is not None and not 0 <= self.window[0] < self.window[1]:
            raise ValueError(f"`window`={self.window} must be two numbers from 0, up.")
        if self.log2 is not None and not 0 <= self.log2 < float("inf"):
            raise ValueError(f"`log2`={self.log2!r} must be a pseudocount from 0.")

    def __call__(self, y: Any) -> torch.Tensor:
        """What is asked of a model's output; all bins if they are of each condition."""
        bins = self._bins(y)
        if self.around is not None:
            return bins
        first, end = self._window(bins.shape[-1])
        return self._reduced(bins[..., first:end])

    def at(self, bins: torch.Tensor, start: int, length: int) -> torch.Tensor:
        """What is read around a base of sequences of some length.

        Parameters
        ----------
        bins: torch.Tensor, shape=(..., n_bins)
            What calling this has given.

        start, length: int
            The base, from 0, and how many there are.
        """
        assert self.width is not None
        n_bins = bins.shape[-1]
        before = length - n_bins * self.bin_size
        if before < 0:
            raise ValueError(
                f"`bin_size`={self.bin_size}: {n_bins} bins are more than the {length} "
                "bases of the sequences."
            )
        first = (start - before // 2) // self.bin_size - self.width // 2
        if first < 0 or first + self.width > n_bins:
            raise ValueError(
                f"`width`={self.width}: around base {start} these are the bins {first} "
                f"to {first + self.width - 1}, but the model gives bins 0 to "
                f"{n_bins - 1}."
            )
        return self._reduced(bins[..., first : first + self.width])

    def _has(self, name: str) -> bool:
        return getattr(self, name) is not None

    def _bins(self, y: Any) -> torch.Tensor:
        """Outputs of shape (n, ..., n_bins), of one track if one is asked for."""
        if self.head is not None:
            y = _head(y, self.head)
        if not isinstance(y, torch.Tensor):
            raise ValueError(
                f"`target` ({self}): the model gives a {type(y).__name__}; choose one "
                "of its heads by `head`."
            )
        if y.ndim < 2 or (self.track is not None and y.ndim < 3):
            raise ValueError(
                f"`target` ({self}): outputs of shape {tuple(y.shape)} have no axis of "
                f"{'tracks' if y.ndim == 2 else 'positions'}."
            )
        bins = y if self.axis == -1 else y.movedim(1, -1)
        if self.track is None:
            return bins
        # Beside the positions, tracks are on axis 1, or on the last one.
        axis = 1 if self.axis == -1 else bins.ndim - 2
        if self.track >= bins.shape[axis]:
            raise ValueError(
                f"`track`={self.track}, but outputs of shape {tuple(y.shape)} have "
                f"tracks 0 to {bins.shape[axis] - 1}."
            )
        return bins.select(axis, self.track)

    def _window(self, n_bins: int) -> tuple[int, int]:
        window = self.window or (0, n_bins)
        if self.centre is not None:
            first = (n_bins - self.centre) // 2
            window = first, first + self.centre
        if window[0] < 0 or window[1] > n_bins:
            raise ValueError(
                f"`target` ({self}) asks for the bins {window[0]} to {window[1] - 1}, "
                f"but the model gives bins 0 to {n_bins - 1}."
            )
        return window

    def _reduced(self, bins: torch.Tensor) -> torch.Tensor:
        if self.reduce == "max":
            y = bins.amax(dim=-1)
        else:
            y = bins.sum(dim=-1) if self.reduce == "sum" else bins.mean(dim=-1)
        if self.log2 is None:
            return y
        y = y + self.log2
        if not (y > 0).all():
            raise ValueError(
                f"`log2`={self.log2}: an output with it is {y.min().item():.4g}, which "
                "has no logarithm; give a larger pseudocount, or none if the model "
                "gives logarithms."
            )
        return y.log2()

    def __str__(self) -> str:
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"Readout({', '.join(shown)})"


def _head(y: Any, head: int | str) -> Any:
    known = list(y) if hasattr(y, "keys") else list(range(len(y)))
    if isinstance(y, torch.Tensor) or head not in known:
        heads = "one output" if isinstance(y, torch.Tensor) else f"the heads {known}"
        raise ValueError(f"`head`={head!r}, but the model gives {heads}.")
    return y[head]
