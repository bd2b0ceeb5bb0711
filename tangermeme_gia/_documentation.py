"""The parameters that every experiment shares, written once."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])

_MODEL = """model: torch.nn.Module
    The model to ask; its device and train/eval mode are as before after the call.

X: torch.Tensor, shape=(n, len(alphabet), length), or PackedSequence
    One-hot background sequences; padding and N are zero columns. Not changed."""

_OPTIONS = """alphabet: sequence of str, optional
    Letters in channel order, ("A", "C", "G", "U") for RNA.
    Default is ("A", "C", "G", "T").

func: function, optional
    What is computed before and after: `func(model, X, args=None, **kwargs)`, such as
    tangermeme's `predict`, `deep_lift_shap` or `saturation_mutagenesis`.
    Default is `predict`.

    `func` gets several conditions of several backgrounds in one call, and which ones
    depends on `max_memory`, so that what it draws itself must depend on a sequence
    alone. `deep_lift_shap` does so if it is seeded, which `random_state` below does
    not: give `additional_func_kwargs={"random_state": 0}`. Its references are then
    shuffles of each sequence, the motif's letters among them, and differ before and
    after. For the same references before and after give one set per background as
    `args=[references]`, shape=(n, n_shuffles, len(alphabet), length), with a `func`
    that returns `deep_lift_shap(model, X, references=args[0], **kwargs)`.

additional_func_kwargs: dict or None, optional
    Keywords for `func` whose names this function uses itself. Default is None.

max_memory: int or None, optional
    Bytes that sequences and outputs in flight may take, whatever the number of
    conditions; the returned outputs come on top. None is 256 MiB, or a tenth of the
    free memory if that is less. Default is None.

random_state: int or None, optional
    Seed of every draw but those of `func`; an integer gives the same numbers for
    every batch size, to float rounding. Default is None.

verbose: bool, optional
    Whether to show a progress bar. Default is False.

kwargs: optional
    Keywords for `func`: `batch_size` (chosen by device and length if absent),
    `device`, `dtype`, `args` (repeated to follow the sequences), ..."""

_CONTROLS = """n_controls: int, optional
    How often each condition is repeated with every motif replaced by a random one of
    its length, and by a permutation of its own letters; the rows say so in their
    column `control`. Default is 0."""

_INSERT = """insert: bool, optional
    Whether motifs are inserted, lengthening the sequences, instead of written over the
    bases. Default is False."""

_PARTS = {
    "{model}": _MODEL,
    "{options}": _OPTIONS,
    "{controls}": _CONTROLS,
    "{insert}": _INSERT,
}


def document(function: _Function) -> _Function:
    """Put the shared parameters where the docstring names them."""
    text = function.__doc__ or ""
    for name, part in _PARTS.items():
        text = text.replace(f"    {name}", indent(part, "    "))
    function.__doc__ = text
    return function
