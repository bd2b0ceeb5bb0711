"""Runs any design: the only caller of `func`, in batches of bounded memory."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence

from .anchored import run_anchored
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
from .outputs import Outputs, as_heads
from .precision import check_precision
from .progress import progress
from .readouts import Readout
from .results import GIAResult
from .reuse import Reuse, check_reuse
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
    "Choose outputs by `target`, reduce them in a `func`, or take fewer conditions or "
    "backgrounds at a time."
)


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
        **kwargs: Any,
    ) -> None:
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
        self._in_bytes = func is predict
        self.rows = BackgroundRows(X, args, self.device if self._in_bytes else None)
        self._reuse = Reuse(
            self.caller, check_reuse(reuse), self.max_memory, keywords.get("batch_size")
        )
        # Bytes that the model keeps alive for each sequence while `func` runs, beside
        # its outputs.
        self._alive = 0
        self._is_checked = False

    def run(self, design: WholeDesign) -> GIAResult:
        """Outputs of every condition on every background, with the outputs before."""
        self.check_kept(design)
        with self.held():
            if (design.lengths != self.X.shape[-1]).any():
                rows = slice(0, min(_FEW, len(self.X)))
                args = self.rows.side_inputs(rows)
                check_whole(self.caller, self.rows.writable(rows), args)
            if isinstance(self.target, Readout) and self.target.around is not None:
                return run_anchored(self, design, self.target)
            y_before = self.before()
            self._check_fits(design, as_heads(y_before))
            afters: list[torch.Tensor] = []
            for block in self.stream(design, as_heads(y_before)):
                if not afters:
                    shape = (len(self.X), len(design.lengths))
                    afters = [y.new_empty((*shape, *y.shape[2:])) for y in block.y]
                for after, y in zip(afters, block.y, strict=True):
                    after[block.rows, block.conditions] = y
        if design.columns is not None:
            columns = torch.from_numpy(design.columns)
            afters = [after[:, columns] for after in afters]
        y_afters = afters if isinstance(y_before, list) else afters[0]
        fields = (y_before, y_afters, design.conditions)
        labels = target_labels(self.target, y_before)
        return GIAResult(*fields, outputs=labels, clusters=self.clusters)

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
        few = self._first(slice(0, min(n, _FEW, self._block_size(length, []))))
        end_if_only_shapes(few)
        size = self._block_size(length, few)
        parts: list[list[torch.Tensor]] = []
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            parts += halved(self._run_backgrounds, rows, self.caller.say_fewer)
        heads = [torch.cat(outputs) for outputs in zip(*parts, strict=True)]
        self.caller.check_again(few, [head[: len(few[0])] for head in heads])
        return heads if self.caller.is_list else heads[0]

    def stream(
        self, design: Design, before: list[torch.Tensor], *, together: int = 1
    ) -> Iterator[Block]:
        """Outputs block by block, all backgrounds of a condition in one if they fit.

        Every `together` conditions in a row, which have one length, share a block.
        """
        n = len(self.X)
        total = n * len(design.lengths)
        if not self._is_checked:
            self._is_checked = True
            check_precision(self.caller, self.rows, design)
        at_once = self._reuse.rows_at_once(self.rows, design)
        with progress(total, "sequences", self.verbose) as update:
            for first, last in runs_of_equal(design.lengths):
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
            ask = partial(self._run_block, design, conditions=conditions)
            return list(halved(ask, rows, say))

        say = self.caller.say_fewer
        for blocks in halved(run, conditions, say, together=together):
            yield from blocks

    def _run_backgrounds(self, rows: slice) -> list[torch.Tensor]:
        with _noted(f"while running backgrounds {rows.start} to {rows.stop - 1}"):
            y = self.caller(self.rows.writable(rows), self.rows.side_inputs(rows))
        self._check_finite(
            rows, [head[:, None] for head in y], lambda *_: "the background"
        )
        return y

    def _run_block(self, design: Design, rows: slice, conditions: slice) -> Block:
        n_rows = rows.stop - rows.start
        n_conditions = conditions.stop - conditions.start
        X = self.rows.one_hot(rows, any_device=design.any_device)
        sequences = design.build(X, rows, conditions)
        first, last = conditions.start, conditions.stop - 1
        y = self._reuse.ask(self.rows, rows, X, sequences)
        args = self.rows.side_inputs(rows, n_conditions)
        with (
            _noted(f"while running conditions {first} to {last}"),
            other_length(self.X.shape[-1], sequences.shape[-1]),
        ):
            y = y or self.caller(sequences.flatten(end_dim=1), args)
        shaped = [head.reshape(n_rows, n_conditions, *head.shape[1:]) for head in y]
        self._check_finite(
            rows, shaped, lambda i, row: design.describe(first + i, rows.start + row)
        )
        return Block(rows, conditions, shaped)

    def _first(self, rows: slice) -> list[torch.Tensor]:
        """Outputs of a few backgrounds; what they keep alive counts from now on."""
        X, args = self.rows.writable(rows), self.rows.side_inputs(rows)
        note = f"while running backgrounds 0 to {rows.stop - 1}, the first"
        with _noted(note, partial(self.caller.advise, X, args)):
            few, alive = self.caller.first(X, args)
        kept = sum(y.nbytes for y in few) // len(few[0])
        if self._in_bytes:
            # Only a batch of them is there at a time, and then what is asked of them.
            most = max(1, self.max_memory // (4 * max(alive, 1)))
            self.caller.batch_size = min(self.caller.batch_size, most)
        elif alive > kept:
            self._alive = 2 * alive
        return few

    def _check_finite(
        self,
        rows: slice,
        y: list[torch.Tensor],
        condition: Callable[[int, int], str],
    ) -> None:
        numbers = self.rows.numbers[rows]
        who = "`model`" if self._in_bytes else "`func`"
        check_finite(y, who, condition, lambda i: int(numbers[i]))

    def _check_fits(self, design: Design, before: list[torch.Tensor]) -> None:
        n_conditions = len(design.lengths)
        if design.columns is not None:
            n_conditions += len(design.columns)
        sizes = {
            "backgrounds": len(self.X),
            "conditions": n_conditions,
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
    engine = Engine(model, X, **options)
    if rows is not None:
        engine = engine.on(rows)
        if engine.clusters is None:
            engine.clusters = as_labels(rows, len(rows))
    return engine.run(design)._replace(length=X.shape[-1])


@contextmanager
def _noted(
    note: str, advise: Callable[[Exception], str] = lambda error: ""
) -> Iterator[None]:
    """Errors from within get a note, and what to do where there is advice."""
    try:
        yield
    except Exception as error:
        if hasattr(error, "add_note"):  # Python >= 3.11
            for text in filter(None, (note, advise(error))):
                error.add_note(text)
        raise
