"""Runs any design: the only caller of `func`, in batches of bounded memory."""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence
from tqdm import tqdm

from .memory import resolve_memory
from .outputs import Outputs
from .results import GIAResult
from .target import Target, Targeted, check_target, target_labels

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import Options

# Bytes in flight for each number of an output beside itself: the difference that it
# makes and its squared deviation in float64.
_PER_OUTPUT = 16
# More sequences at once gain no speed and make the progress bar stand still.
_LARGEST_BLOCK = 65_536


class Design(Protocol):
    """A table of conditions that can be laid out on any rows of the backgrounds."""

    @property
    def any_device(self) -> bool:
        """Whether `build` works on whichever device X is."""

    @property
    def conditions(self) -> pd.DataFrame:
        """One row per condition."""

    @property
    def columns(self) -> NDArray[np.int64] | None:
        """For each condition, which of those that are built it is; None if itself.

        Conditions that place the same are built, and predicted, once.
        """

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of the sequences of each condition that is built."""

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length).

        `X` holds the backgrounds `rows` only; the conditions have one length.
        """


class Block(NamedTuple):
    """Outputs of some conditions on some backgrounds, shape=(rows, conditions, ...)."""

    rows: slice
    conditions: slice
    y: list[torch.Tensor]


class Engine:
    """A model, the backgrounds, and how outputs are computed.

    Parameters
    ----------
    model: torch.nn.Module
        The model; its device and modes are as before after every call.

    X: torch.Tensor or PackedSequence, shape=(n, n_letters, length)
        The backgrounds.

    target: int, str, tuple, function or None
        Which of the model's outputs; of the others nothing is kept.

    func: function
        `func(model, X, args=None, **kwargs)`, such as tangermeme's `predict`.

    additional_func_kwargs: mapping or None
        Keywords for `func` that are taken here or by an experiment.

    max_memory: int or None
        Bytes that the sequences and outputs in flight may take; None is 256 MiB, or a
        tenth of the free memory if that is less.

    verbose: bool
        Whether to show a progress bar.

    kwargs: optional
        Keywords for `func`; `args` are repeated to follow the sequences. Where
        `batch_size` is absent or None and `func` takes one, it is chosen by device
        and sequence length.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        X: torch.Tensor | PackedSequence,
        *,
        target: Target | None = None,
        func: Callable[..., Any] = predict,
        additional_func_kwargs: Mapping[str, Any] | None = None,
        max_memory: int | None = None,
        verbose: bool = False,
        **kwargs: Any,
    ) -> None:
        self.model = model if target is None else _narrowed(model, target, func)
        self.target = target
        self.X = X
        self.func = func
        self.kwargs = _merge_kwargs(kwargs, additional_func_kwargs)
        args = self.kwargs.pop("args", None)
        self.args = None if args is None else list(args)
        self.verbose = verbose
        self._in_bytes = func is predict
        self.device = _resolve_device(self.kwargs.get("device"))
        self.batch_size = self._choose_batch_size()
        self.max_memory = resolve_memory(max_memory)
        self._check_args()

    def run(self, design: Design) -> GIAResult:
        """Outputs of every condition on every background, with the outputs before."""
        with self.held():
            before, is_list = self.before()
            afters: list[torch.Tensor] = []
            for block in self.stream(design, before):
                if not afters:
                    shape = (len(self.X), len(design.lengths))
                    afters = [y.new_empty((*shape, *y.shape[2:])) for y in block.y]
                for after, y in zip(afters, block.y, strict=True):
                    after[block.rows, block.conditions] = y
        if design.columns is not None:
            columns = torch.from_numpy(design.columns)
            afters = [after[:, columns] for after in afters]
        y_before: Outputs = before if is_list else before[0]
        y_afters: Outputs = afters if is_list else afters[0]
        labels = target_labels(self.target, y_before)
        return GIAResult(y_before, y_afters, design.conditions, outputs=labels)

    def on(self, rows: NDArray[np.int64]) -> Engine:
        """The same on some of the backgrounds, in any order."""
        chosen = torch.from_numpy(rows)
        part = copy.copy(self)
        part.X = self.X[chosen]
        if self.args is not None:
            part.args = [arg[chosen] for arg in self.args]
        return part

    @contextmanager
    def held(self) -> Iterator[None]:
        """The model on its device for many calls; as it was before, afterwards."""
        modes = {module: module.training for module in self.model.modules()}
        tensors = itertools.chain(self.model.parameters(), self.model.buffers())
        first = next(tensors, None)
        device = None if first is None else first.device
        try:
            self.model.to(self.device)
            yield
        finally:
            if device is not None:
                self.model.to(device)
            for module, training in modes.items():
                module.training = training

    def before(self) -> tuple[list[torch.Tensor], bool]:
        """Outputs of the backgrounds, and whether the model gives a list of them."""
        n, _, length = self.X.shape
        size = self._block_size(length, None)
        parts, is_list = [], False
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            X = self._rows(rows, any_device=True)
            y = self._call(X, self._repeated_args(rows, 1))
            is_list = not isinstance(y, torch.Tensor)
            parts.append(_as_list(y))
        return [torch.cat(outputs) for outputs in zip(*parts, strict=True)], is_list

    def stream(
        self, design: Design, before: list[torch.Tensor], *, together: int = 1
    ) -> Iterator[Block]:
        """Outputs block by block, all backgrounds of a condition in one if they fit.

        Every `together` conditions in a row, which have one length, share a block.
        """
        n = len(self.X)
        total = n * len(design.lengths)
        with tqdm(total=total, disable=not self.verbose, unit="seq") as bar:
            for first, last in _runs_of_equal(design.lengths):
                length = int(design.lengths[first])
                size = self._block_size(length, before, together)
                n_rows = min(n, size // together)
                width = size // n_rows // together * together
                for start in range(first, last, width):
                    conditions = slice(start, min(start + width, last))
                    for row in range(0, n, n_rows):
                        rows = slice(row, min(row + n_rows, n))
                        block = self._run_block(design, rows, conditions)
                        _check_shapes(before, block.y)
                        yield block
                        bar.update((rows.stop - row) * (conditions.stop - start))

    def _run_block(self, design: Design, rows: slice, conditions: slice) -> Block:
        n_rows = rows.stop - rows.start
        n_conditions = conditions.stop - conditions.start
        X = self._rows(rows, any_device=design.any_device)
        sequences = design.build(X, rows, conditions)
        args = self._repeated_args(rows, n_conditions)
        try:
            y = _as_list(self._call(sequences.flatten(end_dim=1), args))
        except Exception as error:
            if hasattr(error, "add_note"):  # Python >= 3.11
                first, last = conditions.start, conditions.stop - 1
                error.add_note(f"while running conditions {first} to {last}")
            raise
        return Block(
            rows,
            conditions,
            [output.reshape(n_rows, n_conditions, *output.shape[1:]) for output in y],
        )

    def _call(self, X: torch.Tensor, args: list[torch.Tensor] | None) -> Any:
        kwargs = dict(self.kwargs)
        if "batch_size" in kwargs or _takes_batch_size(self.func):
            kwargs["batch_size"] = self.batch_size
        if args is not None:
            kwargs["args"] = args
        return self.func(self.model, X, **kwargs)

    def _rows(self, rows: slice, *, any_device: bool) -> torch.Tensor:
        """Some backgrounds, one-hot.

        `predict` casts each batch to the dtype of the model on its device, so that for
        it they are kept in one byte a letter, and there from the beginning.
        """
        X: torch.Tensor | PackedSequence = self.X[rows]
        X = X.to_one_hot() if isinstance(X, PackedSequence) else X
        if not self._in_bytes:
            return X
        return X.to(self.device if any_device else X.device, torch.int8)

    def _repeated_args(self, rows: slice, times: int) -> list[torch.Tensor] | None:
        if self.args is None:
            return None
        return [arg[rows].repeat_interleave(times, dim=0) for arg in self.args]

    def _choose_batch_size(self) -> int:
        batch_size = self.kwargs.get("batch_size")
        if batch_size is not None:
            if not isinstance(batch_size, int | np.integer) or batch_size < 1:
                raise ValueError(
                    f"`batch_size`={batch_size!r} must be a positive integer or None."
                )
            return int(batch_size)
        # About the same number of bases per batch, whatever the length: enough to
        # fill a GPU, and little enough for activations to stay in a CPU's cache.
        bases, most = (2**21, 8192) if self.device.type == "cuda" else (2**13, 1024)
        return max(1, min(most, bases // max(1, self.X.shape[-1])))

    def _block_size(
        self, length: int, before: list[torch.Tensor] | None, together: int = 1
    ) -> int:
        """Sequences in flight: what memory allows, in whole batches if it can be."""
        # A packed base is decoded to int8. Blocks are built, then put into a row.
        one_byte = self._in_bytes or isinstance(self.X, PackedSequence)
        per_sequence = 2 * self.X.shape[1] * length
        per_sequence *= 1 if one_byte else self.X.itemsize
        for output in before or []:
            per_sequence += output[0].numel() * (output.element_size() + _PER_OUTPUT)
        for arg in self.args or []:
            per_sequence += arg[0].numel() * arg.element_size()
        most = min(self.max_memory // per_sequence, _LARGEST_BLOCK)
        if most < together:
            needed = "one sequence" if together == 1 else f"{together} sequences"
            raise ValueError(
                f"`max_memory`={self.max_memory} bytes is less than {needed} with "
                f"outputs take, {together * per_sequence} bytes."
            )
        whole_batches: int = most // self.batch_size * self.batch_size
        return max(whole_batches, min(most, self.batch_size), together)

    def _check_args(self) -> None:
        for i, arg in enumerate(self.args or []):
            if len(arg) != len(self.X):
                raise ValueError(
                    f"`args[{i}]` has {len(arg)} rows, but `X` has {len(self.X)} "
                    "sequences; they must agree."
                )


def run_design(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    design: Design,
    rows: NDArray[np.int64] | None = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Run a design on the backgrounds, or on some of them in any order."""
    engine = Engine(model, X, **options)
    return (engine if rows is None else engine.on(rows)).run(design)


def distinct(keys: Sequence[Hashable]) -> tuple[list[int], NDArray[np.int64] | None]:
    """The first condition of each key, and for every condition which of these it is.

    Examples
    --------
    >>> distinct(["a", "b", "a"])
    ([0, 1], array([0, 1, 0]))
    """
    places: dict[Hashable, int] = {}
    columns = [places.setdefault(key, len(places)) for key in keys]
    if len(places) == len(keys):
        return list(range(len(keys))), None
    first = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))
    return [first[key] for key in places], np.array(columns)


def _narrowed(
    model: torch.nn.Module, target: Target, func: Callable[..., Any]
) -> Targeted:
    called = func.func if isinstance(func, functools.partial) else func
    return Targeted(model, check_target(target), keep_axis=called is not predict)


def _merge_kwargs(
    kwargs: Mapping[str, Any], additional_func_kwargs: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The keywords for `func` from both routes, copied.

    Raises
    ------
    TypeError
        If a keyword comes by both.
    """
    additional = dict(additional_func_kwargs or {})
    twice = sorted(kwargs.keys() & additional.keys())
    if twice:
        raise TypeError(
            f"{twice} came both as keywords and in `additional_func_kwargs`; give each "
            "once."
        )
    return {**kwargs, **additional}


def _runs_of_equal(values: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First and one past the last index of each run of equal values."""
    if len(values) == 0:
        return
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    yield from itertools.pairwise(edges)


def _check_shapes(before: list[torch.Tensor], after: list[torch.Tensor]) -> None:
    for y, z in zip(before, after, strict=True):
        if y.shape[1:] != z.shape[2:]:
            raise ValueError(
                f"`func` gives outputs of shape {tuple(y.shape[1:])} before and "
                f"{tuple(z.shape[2:])} after; they must agree. Outputs for every base "
                "cannot be compared when motifs are inserted."
            )


def _as_list(y: Any) -> list[torch.Tensor]:
    if isinstance(y, torch.Tensor):
        return [y.detach().cpu()]
    if isinstance(y, (list, tuple)) and all(isinstance(o, torch.Tensor) for o in y):
        return [output.detach().cpu() for output in y]
    raise TypeError(
        f"`func` returned {type(y).__name__}; it must return a tensor or a list of "
        "tensors."
    )


def _takes_batch_size(func: Callable[..., Any]) -> bool:
    bound = func.keywords if isinstance(func, functools.partial) else {}
    parameters = inspect.signature(func).parameters
    return "batch_size" in parameters and "batch_size" not in bound


def _resolve_device(device: str | torch.device | None) -> torch.device:
    if device is not None:
        return torch.device(device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
