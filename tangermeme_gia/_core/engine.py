"""Runs any design: the only caller of `func`, in batches of bounded memory."""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from .background_rows import BackgroundRows
from .calls import (
    Caller,
    as_args,
    choose_batch_size,
    merge_kwargs,
    resolve_device,
)
from .clusters import Labels, as_labels
from .conditions import Design, WholeDesign, runs_of_equal
from .finite import check_finite
from .kept import Keep, resolve_keep
from .lengths import check_shapes, check_whole, other_length
from .memory import check_fits, halved, resolve_memory
from .notes import noted
from .outputs import Outputs, as_heads
from .precision import check_precision
from .progress import progress
from .readings import Block, Reading, numbers_of, reading_of
from .results import GIAResult
from .reuse import Reuse, check_reuse
from .saved_runs import run_saved
from .shapes import end_if_only_shapes
from .target import Target, target_labels

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import Options

# Bytes in flight for each number of an output beside itself: the difference that it
# makes and its squared deviation in float64.
_PER_OUTPUT = 16
# More sequences at once gain no speed and make the progress bar stand still.
_LARGEST_BLOCK = 65_536


# Backgrounds that are asked first.
_FEW = 2
_WAY_OUT = (
    "`save_to` writes it to a folder. Or choose outputs by `target`, reduce them in a "
    "`func`, or take fewer conditions or backgrounds at a time."
)
NO_RAW = (
    "`save_to` is for experiments that return a GIAResult, with the effect on every "
    "background; scans and surveys keep less, which fits into memory and is kept by "
    "`result.save`. Leave it out."
)


class Engine:
    """A model, the backgrounds, and how outputs are computed.

    Parameters
    ----------
    model: torch.nn.Module
        The model; its device and modes are as before after every call.

    X: torch.Tensor or PackedSequence, shape=(n, n_letters, length)
        The backgrounds.

    clusters: sequence or None, shape=(n,)
        Which of them depend on each other; results keep it.

    keep: slice, sequence of int, mask or None
        Positions that no design may change.

    target: int, str, tuple, function or None
        Which of the model's outputs; of the others nothing is kept.

    func: function
        `func(model, X, args=None, **kwargs)`, such as tangermeme's `predict`.

    additional_func_kwargs: mapping or None
        Keywords for `func` that are taken here or by an experiment.

    max_memory: int or None
        Bytes that the sequences and outputs in flight may take; None is 256 MiB, or a
        tenth of the free memory if that is less.

    reuse: bool or None
        Whether to keep what the model computed for the backgrounds; None finds out
        whether that is faster.

    verbose: bool
        Whether to show a progress bar.

    save_to: None
        Here anything else is an error: only `run` keeps raw effects.

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
        clusters: Labels | None = None,
        keep: Keep | None = None,
        target: Target | None = None,
        func: Callable[..., Any] = predict,
        additional_func_kwargs: Mapping[str, Any] | None = None,
        max_memory: int | None = None,
        reuse: bool | None = None,
        verbose: bool = False,
        save_to: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if save_to is not None:
            raise ValueError(NO_RAW)
        keywords = merge_kwargs(kwargs, additional_func_kwargs)
        self.target, self.X, self.verbose = target, X, verbose
        self.clusters = None if clusters is None else as_labels(clusters, len(X))
        self.kept = resolve_keep(keep, X.shape[-1])
        args = as_args(keywords.pop("args", None), len(X))
        self.device = resolve_device(keywords.get("device"))
        batch_size = choose_batch_size(
            keywords.get("batch_size"), self.device, X.shape[-1]
        )
        self.max_memory = resolve_memory(max_memory)
        dtypes = [arg.dtype for arg in args or []]
        self.caller = Caller(model, target, func, keywords, dtypes, batch_size)
        self.model = self.caller.model
        self.is_predicted = func is predict
        self.rows = BackgroundRows(X, args, self.device if self.is_predicted else None)
        self._reuse = Reuse(
            self.caller, check_reuse(reuse), self.max_memory, keywords.get("batch_size")
        )
        # Bytes that the model keeps alive for each sequence while `func` runs, beside
        # its outputs.
        self._alive = 0
        self._is_checked = False

    def run(
        self, design: WholeDesign, save_to: str | os.PathLike[str] | None = None
    ) -> GIAResult:
        """Outputs of every condition on every background, with the outputs before.

        In a folder, if there is one to save them to.
        """
        self.check_kept(design)
        if save_to is not None:
            return run_saved(self, design, save_to)
        with self.held():
            self.check_lengths(design)
            reading = self.reading(design, self.before())
            y_before = reading.y_before
            self._check_fits(design, as_heads(y_before))
            shape = len(self.X), len(design.conditions)
            afters = [
                head.new_empty((*shape, *head.shape[1:])) for head in as_heads(y_before)
            ]
            for block in self.stream(design, reading.heads):
                numbers = numbers_of(reading.built, block.conditions)
                for after, y in zip(afters, reading.read(block, numbers), strict=True):
                    after[block.rows, torch.from_numpy(numbers)] = y
        y_afters = afters if isinstance(y_before, list) else afters[0]
        fields = (y_before, y_afters, design.conditions)
        labels = target_labels(self.target, y_before)
        return GIAResult(*fields, outputs=labels, clusters=self.clusters)

    def reading(self, design: Design, before: Outputs) -> Reading:
        """What is kept of outputs."""
        return reading_of(design, before, self.target, self.X.shape[-1])

    def check_lengths(self, design: Design) -> None:
        """Raise if a design lengthens sequences whose outputs lie along them."""
        if (design.lengths != self.X.shape[-1]).any():
            rows = slice(0, min(_FEW, len(self.X)))
            args = self.rows.side_inputs(rows)
            check_whole(self.caller, self.rows.writable(rows), args)

    def on(self, rows: NDArray[np.int64]) -> Engine:
        """The same on some of the backgrounds, in any order."""
        part = copy.copy(self)
        part.rows = self.rows.on(rows)
        part.X = part.rows.X
        if self.clusters is not None:
            part.clusters = self.clusters[rows]
        return part

    def check_kept(self, design: WholeDesign) -> None:
        """Raise if a design changes what is to be kept."""
        if not self.kept.any():
            return
        touching = np.flatnonzero(design.touching(self.kept))
        if len(touching):
            raise ValueError(
                f"{design.describe(int(touching[0]), 0)} changes positions that `keep` "
                f"holds, the first of {len(touching)} conditions that do."
            )

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

    def before(self) -> Outputs:
        """Outputs of the backgrounds: a list where the model gives several.

        A few come first, to know the outputs' size, and twice, to know that a model
        answers the same.
        """
        n, _, length = self.X.shape
        few = self.first()
        end_if_only_shapes(few)
        size = self._block_size(length, few)
        parts: list[list[torch.Tensor]] = []
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            parts += halved(self._run_backgrounds, rows, self.caller.say_fewer)
        heads = [torch.cat(outputs) for outputs in zip(*parts, strict=True)]
        self.caller.check_again(few, [head[: len(few[0])] for head in heads])
        return heads if self.caller.is_list else heads[0]

    def first(self) -> list[torch.Tensor]:
        """Outputs of a few backgrounds; what they keep alive counts from now on."""
        n, _, length = self.X.shape
        rows = slice(0, min(n, _FEW, self._block_size(length, [])))
        X, args = self.rows.writable(rows), self.rows.side_inputs(rows)
        note = f"while running backgrounds 0 to {rows.stop - 1}, the first"
        with noted(note, partial(self.caller.advise, X, args)):
            few, alive = self.caller.first(X, args)
        kept = sum(y.nbytes for y in few) // len(few[0])
        if self.is_predicted:
            # Only a batch of them is there at a time, and then what is asked of them.
            most = max(1, self.max_memory // (4 * max(alive, 1)))
            self.caller.batch_size = min(self.caller.batch_size, most)
        elif alive > kept:
            self._alive = 2 * alive
        return few

    def stream(
        self,
        design: Design,
        before: list[torch.Tensor],
        *,
        together: int = 1,
        part: slice | None = None,
    ) -> Iterator[Block]:
        """Outputs block by block, all backgrounds of a condition in one if they fit.

        Every `together` conditions in a row, which have one length, share a block. Of
        all conditions, or of some in a row.
        """
        n, part = len(self.X), part or slice(0, len(design.lengths))
        total = n * (part.stop - part.start)
        if not self._is_checked:
            self._is_checked = True
            check_precision(self.caller, self.rows, design)
        at_once = self._reuse.rows_at_once(self.rows, design)
        with progress(total, "sequences", self.verbose) as update:
            for run_first, run_last in runs_of_equal(design.lengths[part]):
                first, last = part.start + run_first, part.start + run_last
                length = int(design.lengths[first])
                size = self._block_size(length, before, together)
                n_rows = min(n, size // together, at_once or n)
                width = size // n_rows // together * together
                for start in range(first, last, width):
                    conditions = slice(start, min(start + width, last))
                    for row in range(0, n, n_rows):
                        rows = slice(row, min(row + n_rows, n))
                        for block in self._blocks(design, rows, conditions, together):
                            check_shapes(before, block.y)
                            yield block
                        update((rows.stop - row) * (conditions.stop - start))

    def _blocks(
        self, design: Design, rows: slice, conditions: slice, together: int
    ) -> Iterator[Block]:
        """One block, or several where memory runs out."""

        def run(conditions: slice) -> list[Block]:
            ask = partial(self.ask, design, conditions=conditions)
            return list(halved(ask, rows, say))

        say = self.caller.say_fewer
        for blocks in halved(run, conditions, say, together=together):
            yield from blocks

    def _run_backgrounds(self, rows: slice) -> list[torch.Tensor]:
        with noted(f"while running backgrounds {rows.start} to {rows.stop - 1}"):
            y = self.caller(self.rows.writable(rows), self.rows.side_inputs(rows))
        self._check_finite(
            rows, [head[:, None] for head in y], lambda *_: "the background"
        )
        return y

    def ask(self, design: Design, rows: slice, conditions: slice) -> Block:
        """Outputs of some conditions on some backgrounds."""
        n_rows = rows.stop - rows.start
        n_conditions = conditions.stop - conditions.start
        X = self.rows.one_hot(rows, any_device=design.any_device)
        sequences = design.build(X, rows, conditions)
        first, last = conditions.start, conditions.stop - 1
        y = self._reuse.ask(self.rows, rows, X, sequences)
        args = self.rows.side_inputs(rows, n_conditions)
        with (
            noted(f"while running conditions {first} to {last}"),
            other_length(self.X.shape[-1], sequences.shape[-1]),
        ):
            y = y or self.caller(sequences.flatten(end_dim=1), args)
        shaped = [head.reshape(n_rows, n_conditions, *head.shape[1:]) for head in y]
        self._check_finite(
            rows, shaped, lambda i, row: design.describe(first + i, rows.start + row)
        )
        return Block(rows, conditions, shaped)

    def _check_finite(
        self,
        rows: slice,
        y: list[torch.Tensor],
        condition: Callable[[int, int], str],
    ) -> None:
        numbers = self.rows.numbers[rows]
        who = "`model`" if self.is_predicted else "`func`"
        check_finite(y, who, condition, lambda i: int(numbers[i]))

    def conditions_at_once(self, design: Design, before: list[torch.Tensor]) -> int:
        """So many as are in flight, of the longest sequences; 1 if not even that."""
        size = self._block_size(int(design.lengths.max()), before)
        return max(1, size // len(self.X))

    def _check_fits(self, design: Design, before: list[torch.Tensor]) -> None:
        sizes = {
            "backgrounds": len(self.X),
            "conditions": len(design.conditions),
            "bytes of outputs": sum(y[0].nbytes for y in before),
        }
        check_fits("the result", sizes, _WAY_OUT)

    def _block_size(
        self, length: int, before: list[torch.Tensor], together: int = 1
    ) -> int:
        """Sequences in flight: what memory allows, in whole batches if it can be."""
        per_sequence = self.rows.bytes_of_one(length) + self._alive
        for output in before:
            per_sequence += output[0].numel() * (output.element_size() + _PER_OUTPUT)
        most = min(self.max_memory // per_sequence, _LARGEST_BLOCK)
        if most < together:
            needed = "one sequence" if together == 1 else f"{together} sequences"
            raise ValueError(
                f"`max_memory`={self.max_memory} bytes is less than {needed} with "
                f"outputs take, {together * per_sequence} bytes."
            )
        batch = self.caller.batch_size
        return max(most // batch * batch, min(most, batch), together)


def run_design(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    design: WholeDesign,
    rows: NDArray[np.int64] | None = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Run a design on the backgrounds, or on some, in clusters of the same ones."""
    save_to = options.pop("save_to", None)
    engine = Engine(model, X, **options)
    if rows is not None:
        engine = engine.on(rows)
        if engine.clusters is None:
            engine.clusters = as_labels(rows, len(rows))
    return engine.run(design, save_to)._replace(length=X.shape[-1])
