"""Samplers of backgrounds: sequences to average a motif's surroundings over.

A background approximates the distribution of the data without the features in
question. Robust conclusions hold under several of them (paper, "approximate data
distributions").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, overload

if TYPE_CHECKING:  # a list of names needs no torch
    import pandas as pd
    import torch
    from numpy.typing import ArrayLike
    from tangermeme.utils import PackedSequence

    from .._core.kept import Keep
    from .._core.letters import RandomState
    from .shuffles import Templates

_QUARTILES = {f"quartile{i}": i for i in (1, 2, 3, 4)}
# Of a genome, and so of no `X`: not one of the names below.
GENOMIC = "genomic"
_NAMES = ("profile", "shuffle", "dinucleotide", *_QUARTILES)


class Drawn(NamedTuple):
    """Background sequences, and the template of each; None if all are independent.

    `regions` says where on a genome each is from, or its template, if that is known.
    """

    X: torch.Tensor
    clusters: Templates | None
    regions: pd.DataFrame | None = None

    def part(self, rows: slice) -> Drawn:
        """Some of them."""
        clusters = None if self.clusters is None else self.clusters[rows]
        regions = None if self.regions is None else self.regions.iloc[rows]
        return Drawn(self.X[rows], clusters, regions)


def background_names() -> tuple[str, ...]:
    """Which backgrounds can be chosen by name? The seven of the paper, in its order.

    Examples
    --------
    >>> background_names()[:3]
    ('profile', 'shuffle', 'dinucleotide')
    """
    return _NAMES


def draw_background(
    X: torch.Tensor | PackedSequence,
    name: str,
    n: int,
    scores: ArrayLike | torch.Tensor | None,
    random_state: RandomState,
    keep: Keep | None = None,
) -> Drawn:
    """The background of a given name, as `sample_background` describes it."""
    from .profiles import profile_background
    from .shuffles import dinucleotide_shuffled_background, shuffled_background
    from .subsets import quantile_background

    if name not in _NAMES:
        raise ValueError(f"`name`={name!r} is not a background; known: {_NAMES}.")
    if name == "profile":
        return Drawn(profile_background(X, n, random_state, keep=keep), None)
    if name == "shuffle":
        drawn = shuffled_background(
            X, n, random_state, keep=keep, return_templates=True
        )
        return Drawn(*drawn)
    if name == "dinucleotide":
        drawn = dinucleotide_shuffled_background(
            X, n, random_state, keep=keep, return_templates=True
        )
        return Drawn(*drawn)
    if scores is None:
        raise ValueError(f"the background {name!r} needs `scores`, one per sequence.")
    subset = quantile_background(
        X,
        scores,
        n,
        quartile=_QUARTILES[name],
        random_state=random_state,
        return_templates=True,
    )
    return Drawn(*subset)


@overload
def sample_background(
    X: torch.Tensor | PackedSequence,
    name: str,
    n: int = ...,
    scores: ArrayLike | torch.Tensor | None = ...,
    random_state: RandomState = ...,
    *,
    keep: Keep | None = ...,
    return_templates: Literal[False] = ...,
) -> torch.Tensor: ...
@overload
def sample_background(
    X: torch.Tensor | PackedSequence,
    name: str,
    n: int = ...,
    scores: ArrayLike | torch.Tensor | None = ...,
    random_state: RandomState = ...,
    *,
    keep: Keep | None = ...,
    return_templates: Literal[True],
) -> tuple[torch.Tensor, Templates | None]: ...
def sample_background(
    X: torch.Tensor | PackedSequence,
    name: str,
    n: int = 1000,
    scores: ArrayLike | torch.Tensor | None = None,
    random_state: RandomState = None,
    *,
    keep: Keep | None = None,
    return_templates: bool = False,
) -> torch.Tensor | tuple[torch.Tensor, Templates | None]:
    """Draw the background of a given name.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, alphabet, length), or PackedSequence
        Observed one-hot sequences.

    name: str
        One of `background_names()`: "profile", "shuffle", "dinucleotide", "quartile1"
        (the lowest 25 % of the scores) to "quartile4".

    n: int, optional
        Sequences to draw. Default is 1000.

    scores: array-like, shape=(len(X),), or None, optional
        Experimental score of each sequence, which only the quartiles use and need.
        Default is None.

    random_state: int, numpy Generator or None, optional
        Seed; None draws anew. Default is None.

    keep: slice, sequence of int, mask or None, optional
        Positions that every sequence keeps, such as the adapters of a reporter assay;
        quartiles, which are observed sequences, keep all. Default is None.

    return_templates: bool, optional
        Whether to return the template of each background sequence, too, to be given to
        experiments as `clusters`: sequences of one template are not independent.
        Default is False.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, alphabet, length)
        As from the function of that background.

    templates: numpy.ndarray of int, shape=(n,), or None
        Only if asked for: the row of `X` that each sequence is made of; None for
        "profile", whose sequences are independent.

    Raises
    ------
    TypeError, ValueError
        If the name is unknown, a quartile has no scores, or the function raises.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> X = random_one_hot((20, 4, 41), random_state=0)
    >>> sample_background(X, "dinucleotide", n=5).shape
    torch.Size([5, 4, 41])
    """
    drawn = draw_background(X, name, n, scores, random_state, keep)
    return (drawn.X, drawn.clusters) if return_templates else drawn.X


@overload
def sample_backgrounds(
    X: torch.Tensor | PackedSequence,
    names: Sequence[str] | None = ...,
    n: int = ...,
    scores: ArrayLike | torch.Tensor | None = ...,
    random_state: RandomState = ...,
    *,
    keep: Keep | None = ...,
    return_templates: Literal[False] = ...,
) -> dict[str, torch.Tensor]: ...
@overload
def sample_backgrounds(
    X: torch.Tensor | PackedSequence,
    names: Sequence[str] | None = ...,
    n: int = ...,
    scores: ArrayLike | torch.Tensor | None = ...,
    random_state: RandomState = ...,
    *,
    keep: Keep | None = ...,
    return_templates: Literal[True],
) -> tuple[dict[str, torch.Tensor], dict[str, Templates | None]]: ...
def sample_backgrounds(
    X: torch.Tensor | PackedSequence,
    names: Sequence[str] | None = None,
    n: int = 1000,
    scores: ArrayLike | torch.Tensor | None = None,
    random_state: RandomState = None,
    *,
    keep: Keep | None = None,
    return_templates: bool = False,
) -> (
    dict[str, torch.Tensor]
    | tuple[dict[str, torch.Tensor], dict[str, Templates | None]]
):
    """Draw several backgrounds of observed sequences, to run an experiment under each.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, alphabet, length), or PackedSequence
        Observed one-hot sequences.

    names: sequence of str or None, optional
        Any of `background_names()`. None is all seven of the paper with `scores`, and
        the three that need none without. Default is None.

    n: int, optional
        Sequences to draw of each. Default is 1000.

    scores: array-like, shape=(len(X),), or None, optional
        Experimental score of each sequence, for the quartiles. Default is None.

    random_state: int, numpy Generator or None, optional
        Seed; each background is the one `sample_background` draws with it. Default is
        None.

    keep: slice, sequence of int, mask or None, optional
        Positions that every sequence keeps, such as the adapters of a reporter assay;
        quartiles, which are observed sequences, keep all. Default is None.

    return_templates: bool, optional
        Whether to return the templates, too, to be given to `across_backgrounds` as
        `clusters`. Default is False.

    Returns
    -------
    backgrounds: dict of str to torch.Tensor, dtype=int8, shape=(n, alphabet, length)

    templates: dict of str to numpy.ndarray of int or None
        Only if asked for: those of each background, as from `sample_background`.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown or comes twice, or as `sample_background`.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> X = random_one_hot((40, 4, 41), random_state=0)
    >>> list(sample_backgrounds(X, n=10, scores=range(40)))[2:4]
    ['dinucleotide', 'quartile1']
    """
    if names is None:
        known = background_names()
        names = known if scores is not None else known[:3]
    if isinstance(names, str) or len(set(names)) < len(names) or not len(names):
        raise ValueError(
            f"`names`={names!r} must be a list of distinct names from "
            f"{background_names()}."
        )
    from .._core.letters import as_seed

    seed = as_seed(random_state)
    drawn = {name: draw_background(X, name, n, scores, seed, keep) for name in names}
    backgrounds = {name: each.X for name, each in drawn.items()}
    if not return_templates:
        return backgrounds
    return backgrounds, {name: each.clusters for name, each in drawn.items()}
