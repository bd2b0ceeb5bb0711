"""The keywords that experiments share: declared, documented and shown once.

An experiment takes them as `**options: Unpack[Options]`, by which type checkers and
editors know them, and passes them on; `document` shows them in its signature and
describes them in its docstring.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from textwrap import indent
from typing import Any, TypedDict, TypeVar

import torch
from tangermeme.predict import predict

from .clusters import Labels
from .kept import Keep
from .letters import RandomState
from .target import Target

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Options(TypedDict, total=False):
    """How outputs are computed, and of which backgrounds, whatever the experiment."""

    clusters: Labels | None
    keep: Keep | None
    target: Target | None
    func: Callable[..., Any]
    additional_func_kwargs: Mapping[str, Any] | None
    max_memory: int | None
    reuse: bool | None
    save_to: str | os.PathLike[str] | None
    verbose: bool
    batch_size: int | None
    device: str | torch.device | None
    dtype: str | torch.dtype | None
    args: Sequence[torch.Tensor] | None


class PatternOptions(Options, total=False):
    """Those, and what concerns the motifs that are placed."""

    consensus: bool
    n_controls: int
    random_state: RandomState


# What is not given, as help and editors show it; those that are None here for `func`'s
# sake are not passed to it.
_DEFAULTS: dict[str, Any] = {
    "func": predict,
    "consensus": False,
    "n_controls": 0,
    "verbose": False,
}

_MODEL = """model: torch.nn.Module, or function of sequences
    The model to ask; its device and train/eval mode are as before after the call.

X: torch.Tensor, shape=(n, len(alphabet), length), or PackedSequence
    One-hot background sequences; padding and N are zero columns. Not changed."""

_ALPHABET = """alphabet: sequence of str or None, optional
    Letters in channel order, such as ("A", "C", "G", "U") for RNA. Motifs may be
    written in either case, and with T or U. None is `model.alphabet` where the model
    has one, else ("A", "C", "G", "T"). Default is None."""

_OPTIONS = """clusters: sequence or None, shape=(n,), optional
    The template each background was made from, as the samplers return it with
    `return_templates=True`. Backgrounds of one template are not independent; the result
    keeps the labels, and tables, statistics and plots take only templates to be
    independent. None takes every background as independent. Default is None.

keep: slice, sequence of int, mask or None, optional
    Positions of X that no condition may change, such as the adapters of a reporter
    assay: a condition that would write there, or insert between two of them, is an
    error before any of them is run. Default is None, no such position.

target: int, str, tuple, function or None, optional
    Which of the model's outputs: an index of axis 1, the key (or number) of a head, a
    tuple of indices of axes 1, 2, ... (the head first where there are several), or a
    function of the whole output. Axes that are left stay outputs. It is taken batch by
    batch, before anything is kept, and attribution functions explain it.
    Default is None, all outputs.

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

    Two backgrounds are asked first, for the size of the outputs. `predict` must give
    the same for them again (a model that keeps state, draws or stays in train mode is
    an error); another `func` may draw, and is not compared. NaN and infinite outputs
    are an error that names how many and the first.

additional_func_kwargs: dict or None, optional
    Keywords for `func` whose names this function uses itself. Default is None.

max_memory: int or None, optional
    Bytes that sequences and outputs in flight may take, whatever the number of
    conditions; the returned outputs come on top, and an error says if these do not
    fit. What a model returns counts in full where `func` or a slice keeps some of it.
    None is 256 MiB, or a tenth of the free memory if that is less. Default is None.

reuse: bool or None, optional
    Whether to keep what the model computed for the backgrounds, and to compute for each
    condition only what its change can reach. It is for `predict`; outputs are compared
    with those computed in full, on the first and the last of the sequences, and where
    they differ by more than rounding or the model cannot be followed all is computed in
    full, with a warning. None does it where a trial is faster. Default is None.

save_to: str, path-like or None, optional
    A folder, new or empty, that outputs are written to while conditions finish, for
    results that are larger than memory or must survive a kill; the same call with it
    goes on where it stopped, once the model gave a few of the stored outputs again.
    `y_afters` then stays in its file, of which memory holds what is read, and
    `tangermeme_gia.load` gives the result again. Scans and surveys, which keep
    means and errors only, refuse it. Default is None, in memory.

verbose: bool, optional
    Whether to show a progress bar. Default is False.

kwargs: optional
    Keywords for `func`: `batch_size` (chosen by device and length if absent),
    `device`, `dtype`, `args` (tensors or arrays, repeated to follow the sequences; as
    tangermeme has it, `predict` makes floats of whole numbers, unless the model fails
    with these and takes them as they are), ..."""

_SEED = """random_state: int, numpy Generator or None, optional
    Seed of every draw but those of `func`; an integer gives the same numbers, to float
    rounding, for every batch size. Default is None."""

_CONSENSUS = """consensus: bool, optional
    Whether a PPM is placed as its most likely letters, the same in every background,
    instead of drawn. Default is False."""

_CONTROLS = """n_controls: int, optional
    How often each condition is repeated with every motif replaced by a random one of
    its length, and by a permutation of its own letters; the rows say so in their
    columns `control` and `control_letters`. All backgrounds have the same letters:
    intervals are for these, and how controls differ is seen between several. A control
    that can only be the motif itself comes with a warning. Default is 0."""

_INSERT = """insert: bool, optional
    Whether motifs are inserted, lengthening the sequences, instead of written over the
    bases. What follows moves on: outputs for every base or bin are refused, and one
    that is read at a fixed place is compared with another place; the model must answer
    for the whole sequence (a sum, a mean, a maximum), of which a warning reminds.
    Default is False."""

_PARTS = {
    "{model}": _MODEL,
    "{options}": "\n\n".join([_ALPHABET, _SEED, _OPTIONS]),
    "{consensus}": _CONSENSUS,
    "{controls}": f"{_CONSENSUS}\n\n{_CONTROLS}",
    "{insert}": _INSERT,
}


def document(function: _Function) -> _Function:
    """Show the shared parameters in the docstring and in the signature."""
    text = function.__doc__ or ""
    for name, part in _PARTS.items():
        text = text.replace(f"    {name}", indent(part, "    "))
    function.__doc__ = text
    own = inspect.signature(function)
    function.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[p for q in own.parameters.values() for p in _shown(q)]
    )
    return function


def _shown(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """A parameter, or what `**options` stands for, with anything else `func` takes."""
    if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
        return [parameter]
    kind = PatternOptions if "PatternOptions" in str(parameter.annotation) else Options
    named = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_DEFAULTS.get(name),
            # As it is written, like the annotations of the other parameters.
            annotation=getattr(annotation, "__forward_arg__", annotation),
        )
        for name, annotation in inspect.get_annotations(kind).items()
    ]
    return [*named, parameter.replace(name="kwargs", annotation=Any)]
