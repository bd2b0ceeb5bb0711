"""How a model reads sequences: one-hot in some order of axes, or tokens."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch

from .._core.letters import GAP_LETTER, check_count

# What a reading gives: what comes first, or several by their names.
Given: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]
Word: TypeAlias = int | str
# A vocabulary, or a function of strings.
Tokens: TypeAlias = Mapping[str, int] | Sequence[str] | Callable[[list[str]], Any]

# Axes: n the sequences, c the letters, l the positions, 1 an axis of one.
LAYOUTS = {
    "channels_first": "n c l",
    "channels_last": "n l c",
    "conv2d": "n c 1 l",
}
# k-mers of a vocabulary.
_MOST_WORDS = 1 << 22


class OneHot(torch.nn.Module):
    """Sequences one-hot, as a model has its axes and letters.

    Parameters
    ----------
    axes: str
        Such as "n c 1 l".

    alphabet: tuple of str
        The letters of X, in the order of its channels.

    order: tuple of str
        Those that the model reads, in the order of its channels.

    unknown: float, str or None
        What a zero column becomes: this number in each channel, a 1 in the channel of
        this letter of `order`; None leaves it.
    """

    differentiable = True
    places: torch.Tensor

    def __init__(
        self,
        axes: str,
        alphabet: tuple[str, ...],
        order: tuple[str, ...],
        unknown: float | str | None,
    ) -> None:
        super().__init__()
        self.axes, self.unknown = axes, unknown
        columns = (*alphabet, unknown) if isinstance(unknown, str) else alphabet
        places = torch.tensor([columns.index(letter) for letter in order])
        self.register_buffer("places", places, persistent=False)

    def forward(self, X: torch.Tensor) -> Given:
        """The sequences, as what comes first."""
        if self.unknown is not None:
            missing = (X == 0).all(dim=1, keepdim=True).to(X.dtype)
            if isinstance(self.unknown, str):
                X = torch.cat([X, missing], dim=1)
            else:
                X = X + missing * self.unknown
        X = X[:, self.places]
        names = self.axes.split()
        X = X.permute(["ncl".index(name) for name in names if name != "1"])
        for place, name in enumerate(names):
            if name == "1":
                X = X.unsqueeze(place)
        return (X,), {}

    def describe_unknown(self) -> str:
        """What becomes of N."""
        if self.unknown is None:
            return "stays a column of zeros"
        if isinstance(self.unknown, str):
            return f"becomes the letter {self.unknown}"
        return f"becomes {self.unknown} in every channel"


class KmerTokens(torch.nn.Module):
    """Sequences as the numbers of their k-mers in a vocabulary.

    Parameters
    ----------
    alphabet: tuple of str
        The letters of X.

    vocabulary: mapping of str to int
        The number of each word.

    k, stride: int
        Letters of a word, and from one to the next.

    unknown: int, str or None
        The token of a word with an N: a number or a word; None refuses N.

    ends: tuple of (int, str or None)
        Tokens before the first word and behind the last.
    """

    differentiable = False
    numbers: torch.Tensor
    powers: torch.Tensor

    def __init__(
        self,
        alphabet: tuple[str, ...],
        vocabulary: Mapping[str, int],
        k: int,
        stride: int,
        unknown: Word | None,
        ends: tuple[Word | None, Word | None],
    ) -> None:
        super().__init__()
        self.k, self.stride = k, stride
        self.unknown = _number("unknown", unknown, vocabulary)
        names = ("cls", "eos")
        self.ends = [_number(*end, vocabulary) for end in zip(names, ends, strict=True)]
        numbers = _numbers_of_kmers(vocabulary, alphabet, k)
        self.register_buffer("numbers", numbers, persistent=False)
        powers = torch.tensor([len(alphabet) ** (k - 1 - i) for i in range(k)])
        self.register_buffer("powers", powers, persistent=False)

    def forward(self, X: torch.Tensor) -> Given:
        """The tokens, as what comes first, shape=(n, n_tokens)."""
        codes, is_known = codes_of(X)
        if self.unknown is None and not is_known.all():
            raise ValueError(f"{_first_unknown(is_known)}; give the token of N.")
        length = X.shape[-1]
        if length < self.k or (length - self.k) % self.stride:
            raise ValueError(
                f"`X` has {length} positions, which words of `k`={self.k} letters, "
                f"`stride`={self.stride} from one to the next, do not cover; give "
                "other sequences, or the model's own tokenizer as `tokens`."
            )
        words = codes.unfold(1, self.k, self.stride)
        tokens = self.numbers[(words * self.powers).sum(dim=-1)]
        if self.unknown is not None:
            is_whole = is_known.unfold(1, self.k, self.stride).all(dim=-1)
            tokens = torch.where(is_whole, tokens, self.unknown)
        first, last = (
            [] if end is None else [tokens.new_full((len(tokens), 1), end)]
            for end in self.ends
        )
        return (torch.cat([*first, tokens, *last], dim=1),), {}

    def describe_unknown(self) -> str:
        """What becomes of N."""
        return _described(self.unknown)


class OwnTokens(torch.nn.Module):
    """Sequences as a tokenizer has them, which is given their letters.

    Parameters
    ----------
    alphabet: tuple of str
        The letters of X.

    tokens: function
        Of a list of strings. It gives the tokens, or a mapping of what the model takes
        by name.

    unknown: str or None
        The letter of a zero column; None refuses N.
    """

    differentiable = False

    def __init__(
        self,
        alphabet: tuple[str, ...],
        tokens: Callable[[list[str]], Any],
        unknown: str | None,
    ) -> None:
        super().__init__()
        self.alphabet, self.tokens, self.unknown = alphabet, tokens, unknown

    def forward(self, X: torch.Tensor) -> Given:
        """What the tokenizer gives."""
        codes, is_known = codes_of(X)
        if self.unknown is None and not is_known.all():
            raise ValueError(f"{_first_unknown(is_known)}; give the letter of N.")
        letters = np.array([*self.alphabet, self.unknown or GAP_LETTER])
        chosen = torch.where(is_known, codes, len(self.alphabet)).cpu().numpy()
        given = self.tokens(["".join(row) for row in letters[chosen]])
        if isinstance(given, Mapping):
            return (), {
                name: self._tensor(value, X.device) for name, value in given.items()
            }
        return (self._tensor(given, X.device),), {}

    def describe_unknown(self) -> str:
        """What becomes of N."""
        return _described(self.unknown)

    def _tensor(self, value: Any, device: torch.device) -> torch.Tensor:
        try:
            return torch.as_tensor(value, device=device)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TypeError(
                f"`tokens` gives a {type(value).__name__} that is no tensor ({error}). "
                "Of Hugging Face's tokenizers give `functools.partial(tokenizer, "
                'return_tensors="pt", padding=True)`.'
            ) from error


Reading: TypeAlias = OneHot | KmerTokens | OwnTokens


def axes_of(layout: str) -> str:
    """The axes of a layout, by its name or spelled out.

    Raises
    ------
    ValueError
        If they are no axes.

    Examples
    --------
    >>> axes_of("channels_last"), axes_of("n 1 c l")
    ('n l c', 'n 1 c l')
    """
    axes = LAYOUTS.get(layout, layout)
    names = axes.split() if isinstance(axes, str) else []
    if names[:1] != ["n"] or sorted(n for n in names if n != "1") != ["c", "l", "n"]:
        raise ValueError(
            f"`layout`={layout!r} must be {', '.join(LAYOUTS)} or tokens; or axes such "
            "as 'n 1 c l': n the sequences, c the letters, l the positions."
        )
    return " ".join(names)


def codes_of(X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The channel of each letter, 0 for none, and whether there is one.

    Raises
    ------
    TypeError
        If gradients are asked for, which tokens do not have.

    ValueError
        If `X` is not one-hot.

    Examples
    --------
    >>> codes, is_known = codes_of(torch.tensor([[[0, 1, 0], [1, 0, 0]]]))
    >>> codes.tolist(), is_known.tolist()
    ([[1, 0, 0]], [[True, True, False]])
    """
    if X.requires_grad and torch.is_grad_enabled():
        raise TypeError(
            "a model of tokens has no gradient with respect to `X`, so that "
            "`deep_lift_shap` and others that use it cannot explain it; "
            "`saturation_mutagenesis` does."
        )
    largest, codes = X.max(dim=1)
    if not ((largest == X.sum(dim=1)) & ((largest == 0) | (largest == 1))).all():
        raise ValueError(
            "`X` is not one-hot, and only such sequences have tokens: a single 1 in "
            "each column, or only 0 for N."
        )
    return codes, largest == 1


def check_vocabulary(k: int, stride: int, alphabet: Sequence[str]) -> None:
    """Raise unless words of this length can be numbered."""
    check_count("k", k)
    check_count("stride", stride)
    if len(alphabet) ** k > _MOST_WORDS:
        raise ValueError(
            f"`k`={k}: {len(alphabet)} letters make more than {_MOST_WORDS:,} words; "
            "give the model's own tokenizer as `tokens`."
        )


def vocabulary_of(
    tokens: Mapping[str, int] | Sequence[str] | None, order: Sequence[str], k: int
) -> dict[str, int]:
    """The number of each word; None numbers the k-mers of letters in this order.

    Examples
    --------
    >>> vocabulary_of(None, "AG", 2)
    {'AA': 0, 'AG': 1, 'GA': 2, 'GG': 3}
    """
    if tokens is None:
        return {word: i for i, word in enumerate(_kmers(order, k))}
    if isinstance(tokens, Mapping):
        return {str(word): int(number) for word, number in tokens.items()}
    return {str(word): i for i, word in enumerate(tokens)}


def _kmers(alphabet: Sequence[str], k: int) -> list[str]:
    return ["".join(word) for word in itertools.product(alphabet, repeat=k)]


def _numbers_of_kmers(
    vocabulary: Mapping[str, int], alphabet: tuple[str, ...], k: int
) -> torch.Tensor:
    kmers = _kmers(alphabet, k)
    absent = [word for word in kmers if word not in vocabulary]
    if absent:
        raise ValueError(
            f"`tokens` lacks {len(absent)} of the {len(kmers)} words of `k`={k} "
            f"letters {', '.join(alphabet)}: {', '.join(absent[:3])}"
            f"{', ...' if len(absent) > 3 else ''}."
        )
    return torch.tensor([vocabulary[word] for word in kmers])


def _number(name: str, word: Word | None, vocabulary: Mapping[str, int]) -> int | None:
    """The token of a word, or of a number, which need not be in the vocabulary."""
    if word is None:
        return None
    if isinstance(word, str):
        if word not in vocabulary:
            raise ValueError(f"`{name}`={word!r} is no word of `tokens`.")
        return vocabulary[word]
    check_count(name, word, least=0)
    return int(word)


def _first_unknown(is_known: torch.Tensor) -> str:
    row, position = (~is_known).nonzero()[0].tolist()
    return (
        f"`unknown` is None, but sequence {row} has no letter at position {position} "
        "(N or padding), which no token stands for"
    )


def _described(unknown: Word | None) -> str:
    return "is refused" if unknown is None else f"becomes {unknown!r}"


def is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)
