"""Options that say how a model is loaded and reads sequences, as those of `adapt`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # what explains the options needs no torch
    import torch

    from ..models.providers import ModelSource

# Keywords of `adapt` whose options are called otherwise.
_OPTIONS = {"k": "token-k", "stride": "token-stride"}


class Loading(NamedTuple):
    """Weights of the model, and keywords of `adapt`."""

    weights: Sequence[Path] | None = None
    layout: str | None = None
    unknown: float | str | None = None
    tokens: Path | None = None
    token_k: int | None = None
    token_stride: int | None = None
    cls: int | str | None = None
    eos: int | str | None = None
    args: Sequence[str] | None = None

    @property
    def adapts(self) -> bool:
        """Whether the model is to be read otherwise than it is."""
        return any(value is not None for value in self[1:])

    def load(self, spec: str, alphabet: tuple[str, ...] | None) -> ModelSource:
        """The model of `--model`, adapted; then `alphabet` is the order it has.

        Raises
        ------
        ValueError, TypeError, OSError
            If it cannot be loaded, or the options do not go together.
        """
        from ..models.averaging import AveragedModels

        files = self.weights or ()
        sources = [self._load_one(spec, path, alphabet) for path in files or (None,)]
        first = sources[0]
        if len(sources) == 1:
            return first
        shown = ", ".join(map(str, files))
        origin = {**first.origin, "weights": f"mean of {len(files)}: {shown}"}
        model = AveragedModels([source.model for source in sources]).eval()
        return first._replace(model=model, origin=origin)

    @property
    def fold_names(self) -> list[str]:
        """What to call the models of several weights: their files, in short."""
        files = [*(self.weights or ())]
        stems = [path.stem for path in files]
        alike = len({*stems}) < len(stems)
        return list(map(str, files)) if alike else stems

    def _load_one(
        self, spec: str, weights: Path | None, alphabet: tuple[str, ...] | None
    ) -> ModelSource:
        """The model with one file of weights."""
        from ..models.adapted import adapt
        from ..models.loading import load_model

        source = load_model(spec, weights)
        if not self.adapts:
            return source
        given = {
            "unknown": self.unknown,
            "tokens": None if self.tokens is None else read_vocabulary(self.tokens),
            "k": self.token_k,
            "stride": self.token_stride,
            "cls": self.cls,
            "eos": self.eos,
        }
        keywords: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
        keywords["args"] = [a for word in self.args or () for a in read_args(word)]
        layout = self.layout or "channels_first"
        try:
            model = adapt(source.model, layout, alphabet=alphabet, **keywords)
        except (TypeError, ValueError) as error:
            raise ValueError(_as_options(str(error))) from error
        origin = {**source.origin, "layout": layout}
        return source._replace(
            model=model.eval(), alphabet=model.alphabet, origin=origin
        )


def add_loading(group: argparse._ArgumentGroup) -> None:
    """The options of `Loading`."""
    group.add_argument(
        "--weights",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="state dict, or checkpoint of Lightning, for a model given as "
        "module:callable; several, such as those of folds, are one model",
    )
    group.add_argument(
        "--layout",
        help="how the model reads sequences: channels_first (default), channels_last, "
        "conv2d, tokens, or axes such as 'n 1 c l'",
    )
    group.add_argument(
        "--unknown",
        type=word_or_number,
        help="what it reads for N: a number in each channel, a letter, or a token "
        "(default: zeros; an error for tokens)",
    )
    group.add_argument(
        "--tokens",
        type=Path,
        metavar="FILE",
        help="its vocabulary: words by line, or .json (default: all words in order)",
    )
    group.add_argument("--token-k", type=int, help="letters of a token (default: 1)")
    group.add_argument(
        "--token-stride", type=int, help="letters from token to token (default: 1)"
    )
    for name, place in (("--cls", "before the first"), ("--eos", "behind the last")):
        text = f"token, or its word, put {place}"
        group.add_argument(name, type=word_or_number, help=text)
    group.add_argument(
        "--args",
        nargs="+",
        metavar="INPUT",
        help="its other inputs, the same for every sequence and without an axis for "
        "these: .npy, .npz, or zeros:2,2114 for control tracks",
    )


def word_or_number(word: str) -> float | int | str:
    """A whole number, a number, or letters.

    Examples
    --------
    >>> word_or_number("3"), word_or_number("0.25"), word_or_number("N")
    (3, 0.25, 'N')
    """
    for kind in (int, float):
        try:
            number: float = kind(word)
        except ValueError:
            continue
        if number == number and abs(number) != float("inf"):
            return number
    return word


def read_vocabulary(path: Path) -> dict[str, int] | list[str]:
    """Words and their numbers, or words in order.

    Raises
    ------
    ValueError, OSError
        If it is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"`--tokens`: there is no file {path}.")
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".json":
            return text.splitlines()
        words = json.loads(text)
    except ValueError as error:
        raise ValueError(f"`--tokens`: {path} cannot be read: {error}") from error
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return words
    if isinstance(words, dict) and all(type(n) is int for n in words.values()):
        return words
    raise ValueError(
        f"`--tokens`: {path} must hold words and their numbers, or words in order."
    )


def read_args(word: str) -> list[torch.Tensor]:
    """Inputs of a model: those of a file, or zeros of a shape.

    Raises
    ------
    ValueError, OSError
        If there is no such file, or no arrays of numbers in it.

    Examples
    --------
    >>> [arg.shape for arg in read_args("zeros:2,2114")]
    [torch.Size([2, 2114])]
    """
    import numpy as np
    import torch

    if word.startswith("zeros:"):
        sizes = word.removeprefix("zeros:").split(",")
        if not all(size.isdecimal() and int(size) for size in sizes):
            raise ValueError(f"`--args`={word!r} must be a shape such as zeros:2,2114.")
        return [torch.zeros(*map(int, sizes))]
    path = Path(word)
    if path.suffix not in (".npy", ".npz"):
        raise ValueError(
            f"`--args`={word!r} must be a file .npy or .npz, or such as zeros:2,2114."
        )
    if not path.is_file():
        raise FileNotFoundError(f"`--args`: there is no file {path}.")
    try:
        content = np.load(path, allow_pickle=False)
        arrays = [content] if path.suffix == ".npy" else list(content.values())
        return [torch.from_numpy(np.array(array)) for array in arrays]
    except Exception as error:  # zip files, headers and pickles each have their own
        raise ValueError(f"`--args`: {path} cannot be read: {error}") from error


def _as_options(text: str) -> str:
    for name in ("layout", "unknown", "tokens", "k", "stride", "cls", "eos"):
        text = text.replace(f"`{name}`", f"`--{_OPTIONS.get(name, name)}`")
    return text
