"""A model of any layout as one that reads (n, letters, length)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from .._core.asking import as_module, structure
from .._core.letters import (
    DNA,
    RNA,
    as_generator,
    check_alphabet,
    check_count,
    check_sequences,
    one_hot,
)
from .reading import (
    KmerTokens,
    OneHot,
    OwnTokens,
    Reading,
    Tokens,
    Word,
    axes_of,
    check_vocabulary,
    is_number,
    vocabulary_of,
)


def adapt(
    model: torch.nn.Module | Callable[..., Any],
    layout: str = "channels_first",
    *,
    alphabet: Sequence[str] | None = None,
    unknown: float | str | None = None,
    tokens: Tokens | None = None,
    k: int = 1,
    stride: int = 1,
    cls: Word | None = None,
    eos: Word | None = None,
    args: Sequence[torch.Tensor | np.ndarray[Any, Any]] = (),
    integer_args: Sequence[int] = (),
    **forward_kwargs: Any,
) -> Adapted:
    """How does a model that reads sequences in its own way take one-hot `X`?

    Experiments, samplers and tangermeme's functions give a model one-hot sequences,
    shape=(n, letters, length), letters in the order A, C, G, T (or U). What this
    returns takes these and gives what the model gives.

    Parameters
    ----------
    model: torch.nn.Module, or function of sequences
        The model; it is not changed, and shared, not copied.

    layout: str, optional
        How the model reads sequences: "channels_first" (n, letters, length),
        "channels_last" (n, length, letters), "conv2d" (n, letters, 1, length), or
        "tokens", whole numbers of shape (n, n_tokens). Other axes are spelled out, such
        as "n c l 1" or "n 1 c l": n the sequences, c the letters, l the positions.
        Default is "channels_first".

    alphabet: sequence of str or None, optional
        The letters in the order of the model's channels, such as "AGCT", or as its
        tokens spell them. Of DNA and RNA `X` is in the order A, C, G, T (U) all the
        same; of others in this one. None is `model.alphabet` where the model has one,
        else ("A", "C", "G", "T"). Default is None.

    unknown: float, int, str or None, optional
        What the model reads for N and padding, the zero columns of `X`. One-hot: a
        number for each channel, such as 0.25, or the letter of `alphabet` whose channel
        is 1, such as "N" of "ACGTN"; None leaves zeros. Tokens: the token, as a number
        or a word, of a word with an N in it, or the letter that a tokenizer is given;
        None refuses N. Default is None.

    tokens: mapping, sequence of str, function or None, optional
        The number of each word; all words in order; or a tokenizer: a function of a
        list of strings that gives tokens, or a mapping of what the model takes by name
        (as those of Hugging Face do; also for byte pairs). None numbers all words from
        0 in the order of `alphabet`. Default is None.

    k: int, optional
        Letters of a word: 1 for single bases, 6 for 6-mers. Default is 1.

    stride: int, optional
        Letters from one word to the next: 1 for words that overlap, `k` for words side
        by side. Default is 1.

    cls, eos: int, str or None, optional
        Tokens put before the first and behind the last word. Default is None.

    args: sequence of tensors or arrays, optional
        Further inputs of the model that are the same for every sequence, without an
        axis for these, such as [zeros(2, 2114)] for control tracks. Those that differ
        come by `args` of an experiment, and follow. Default is ().

    integer_args: sequence of int, optional
        Which of the latter, counted from 0, the model takes as whole numbers, such as
        that of a cell type: tangermeme's functions make floats of them. Default is ().

    forward_kwargs: optional
        Keywords of the model's `forward`, such as `head="human"`.

    Returns
    -------
    adapted: torch.nn.Module
        Its `describe()` runs two sequences and prints what went in and came out. Its
        `alphabet` is that of `X`. Gradients pass through every layout but tokens, so
        that `deep_lift_shap` explains these, and where tokens are read raises
        TypeError; `saturation_mutagenesis` explains all.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or does not go with the layout.

    Examples
    --------
    >>> keras_like = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> adapt(keras_like, "channels_last").describe(20)
    X             (2, 4, 20) one-hot, A C G T
    model reads   tensor of shape (2, 20, 4), torch.float32
    model gives   tensor of shape (2, 1)
    N             stays a column of zeros
    attributions  deep_lift_shap, saturation_mutagenesis
    """
    order = _letters_of(model, alphabet)
    own = _letters_of_X(order, unknown)
    if layout == "tokens":
        size, ends = (k, stride), (cls, eos)
        reading: Reading = _read_tokens(own, order, tokens, unknown, size, ends)
    else:
        axes = axes_of(layout)
        given = {"tokens": tokens, "cls": cls, "eos": eos}
        given |= {name: v for name, v in {"k": k, "stride": stride}.items() if v != 1}
        wrong = [name for name, value in given.items() if value is not None]
        if wrong:
            raise ValueError(
                f"`{wrong[0]}` goes with `layout`='tokens', not {layout!r}."
            )
        reading = _read_one_hot(own, order, axes, unknown)
    kept = [_as_constant(f"args[{i}]", arg) for i, arg in enumerate(args)]
    return Adapted(as_module(model), reading, own, kept, integer_args, forward_kwargs)


class Adapted(torch.nn.Module):
    """What `adapt` returns.

    Parameters
    ----------
    model: torch.nn.Module
        The model.

    reading: torch.nn.Module
        How it reads sequences.

    alphabet: tuple of str
        The letters of X.

    args: sequence of torch.Tensor
        Inputs that are the same for every sequence.

    integer_args: sequence of int
        Which of the other inputs are whole numbers.

    forward_kwargs: mapping
        Keywords of the model's `forward`.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        reading: Reading,
        alphabet: tuple[str, ...],
        args: Sequence[torch.Tensor],
        integer_args: Sequence[int],
        forward_kwargs: dict[str, Any],
    ) -> None:
        super().__init__()
        self.is_adapted = True
        self.reading: Reading
        self.model, self.reading, self.alphabet = model, reading, alphabet
        self.n_args, self.integer_args = len(args), tuple(integer_args)
        for i, arg in enumerate(args):
            self.register_buffer(f"arg_{i}", arg, persistent=False)
        self.forward_kwargs = dict(forward_kwargs)
        self.tensor_kwargs = [
            name for name, v in forward_kwargs.items() if isinstance(v, torch.Tensor)
        ]
        for name in self.tensor_kwargs:  # they follow the model to its device
            value = self.forward_kwargs.pop(name)
            self.register_buffer(f"kwarg_{name}", value, persistent=False)
        self.training = model.training

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        """What the model gives for one-hot sequences, shape=(n, letters, length)."""
        first, named = self.reading(X)
        n = len(X)
        same = [
            arg.to(X.dtype) if arg.is_floating_point() else arg
            for arg in (self.get_buffer(f"arg_{i}") for i in range(self.n_args))
        ]
        same = [arg.expand(n, *arg.shape) for arg in same]
        own = [
            arg.to(torch.long) if i in self.integer_args else arg
            for i, arg in enumerate(args)
        ]
        tensors = {
            name: self.get_buffer(f"kwarg_{name}") for name in self.tensor_kwargs
        }
        keywords = {**named, **self.forward_kwargs, **tensors}
        return self.model(*first, *same, *own, **keywords)

    def describe(self, X: int | torch.Tensor, *args: torch.Tensor) -> None:
        """Run two sequences, and print what goes into the model and what comes out.

        Parameters
        ----------
        X: int, or torch.Tensor, shape=(n, letters, length)
            The length of the sequences, which are then drawn at random, or sequences,
            of which the first two are taken.

        args: torch.Tensor
            Further inputs, with a row for each sequence.
        """
        few = self._few(X)
        device = next((t.device for t in self.parameters()), torch.device("cpu"))
        few = few.to(device, self._dtype())
        modes = {module: module.training for module in self.modules()}
        try:
            self.eval()
            with torch.no_grad():
                first, named = self.reading(few)
                y = self(few, *(arg[:2].to(device) for arg in args))
        finally:
            for module, training in modes.items():
                module.training = training
        read = [_shown(part) for part in first]
        read += [f"{name} {_shown(part)}" for name, part in named.items()]
        ways = ["deep_lift_shap"] * self.reading.differentiable
        lines = {
            "X": f"{tuple(few.shape)} one-hot, {' '.join(self.alphabet)}",
            "model reads": "; ".join(read),
            "model gives": structure(y).removeprefix("a "),
            "N": self.reading.describe_unknown(),
            "attributions": ", ".join([*ways, "saturation_mutagenesis"]),
        }
        for name, text in lines.items():
            print(f"{name:<14}{text}")

    def _few(self, X: int | torch.Tensor) -> torch.Tensor:
        if isinstance(X, torch.Tensor):
            check_sequences(X, self.alphabet)
            return X[:2]
        check_count("X", X)
        codes = as_generator(0).integers(len(self.alphabet), size=(2, X))
        return one_hot(codes, len(self.alphabet))

    def _dtype(self) -> torch.dtype:
        """That of the weights, to which tangermeme's functions cast sequences."""
        return next((t.dtype for t in self.model.parameters()), torch.float32)


def _letters_of(model: Any, alphabet: Sequence[str] | None) -> tuple[str, ...]:
    """The letters in the order of the model's channels."""
    if alphabet is not None:
        return check_alphabet(alphabet)
    try:
        return check_alphabet(getattr(model, "alphabet", None) or DNA)
    except (TypeError, ValueError):  # such as a tokenizer's
        return DNA


def _letters_of_X(order: tuple[str, ...], unknown: Any) -> tuple[str, ...]:
    """Those of the model without that of N, as everyone else has their order."""
    own = tuple(letter for letter in order if letter != unknown)
    return next((known for known in (DNA, RNA) if set(known) == set(own)), own)


def _read_one_hot(
    own: tuple[str, ...],
    order: tuple[str, ...],
    axes: str,
    unknown: float | str | None,
) -> OneHot:
    if isinstance(unknown, str):
        if unknown not in order or len(order) == 1:
            raise ValueError(
                f"`unknown`={unknown!r} must be a letter of `alphabet` "
                f"{', '.join(order)}, a number, or None, which leaves zeros."
            )
    elif unknown is not None and not is_number(unknown):
        raise TypeError(
            f"`unknown`={unknown!r} must be a number, a letter of `alphabet`, or None."
        )
    return OneHot(axes, own, order, unknown)


def _read_tokens(
    own: tuple[str, ...],
    order: tuple[str, ...],
    tokens: Tokens | None,
    unknown: float | str | None,
    size: tuple[int, int],
    ends: tuple[Word | None, Word | None],
) -> KmerTokens | OwnTokens:
    k, stride = size
    if callable(tokens):
        if size != (1, 1) or ends != (None, None):
            raise ValueError(
                "`tokens` is a function, which makes the words and their ends itself: "
                "`k`, `stride`, `cls` and `eos` go with a vocabulary."
            )
        if unknown is not None and not isinstance(unknown, str):
            raise TypeError(
                f"`unknown`={unknown!r} must be the letter that `tokens`, a function, "
                "is given for N, such as 'N', or None."
            )
        return OwnTokens(own, tokens, unknown)
    check_vocabulary(k, stride, order)
    if isinstance(unknown, float):
        raise TypeError(
            f"`unknown`={unknown!r} must be a token: a whole number or a word of "
            "`tokens`, or None, which refuses N."
        )
    return KmerTokens(own, vocabulary_of(tokens, order, k), k, stride, unknown, ends)


def _as_constant(name: str, arg: Any) -> torch.Tensor:
    try:
        return torch.as_tensor(arg).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(
            f"`{name}` is of type {type(arg).__name__}; it must be a tensor or an "
            "array of numbers."
        ) from error


def _shown(part: torch.Tensor) -> str:
    return f"tensor of shape {tuple(part.shape)}, {part.dtype}"
