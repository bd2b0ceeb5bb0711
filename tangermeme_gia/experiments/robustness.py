"""One experiment under many backgrounds, or with many models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from tangermeme.utils import PackedSequence

from .._core.clusters import Labels
from .._core.shapes import output_shapes
from ..statistics.comparisons import Comparison, comparable_frames

Experiment = Callable[..., Any]


def across_backgrounds(
    experiment: Experiment,
    model: torch.nn.Module,
    backgrounds: Mapping[str, torch.Tensor | PackedSequence],
    /,
    *args: Any,
    clusters: Mapping[str, Labels | None] | None = None,
    **kwargs: Any,
) -> Comparison:
    """Does a finding depend on the choice of background?

    Any experiment, called as it would be for one background, with several backgrounds
    in the place of `X` (paper, "approximate data distributions").

    Parameters
    ----------
    experiment: function
        `experiment(model, X, *args, **kwargs)`, such as `global_importance`.

    model: torch.nn.Module
        The model to ask.

    backgrounds: mapping of str to torch.Tensor or PackedSequence
        Sequences of each background by name, for example from `sample_backgrounds`.

    clusters: mapping of str to sequence or None, optional
        The template of each sequence of each background, as from `sample_backgrounds`;
        None has independent ones. Default is None, for all.

    args, kwargs: optional
        Everything else that the experiment takes, the same for all backgrounds.

    Returns
    -------
    comparison: Comparison
        The results by name; `to_frame`, `agreement` and `spread` compare them.

    Raises
    ------
    TypeError, ValueError
        If `backgrounds` is no mapping or is empty, `clusters` is no mapping of the same
        names, the conditions differ between backgrounds, or the experiment raises: the
        background is then named.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> from tangermeme_gia import global_importance
    >>> from tangermeme_gia.backgrounds import sample_backgrounds
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> backgrounds = sample_backgrounds(random_one_hot((50, 4, 20)), n=10)
    >>> comparison = across_backgrounds(
    ...     global_importance, model, backgrounds, [("GATA", 8)]
    ... )
    >>> comparison.to_frame()["background"].tolist()
    ['profile', 'shuffle', 'dinucleotide']
    """
    if not isinstance(backgrounds, Mapping) or not backgrounds:
        raise _not_named("backgrounds", "sequences", backgrounds)
    _check_no_folder(kwargs)
    of_each = _of_each(clusters, backgrounds)
    results = {
        name: _run(
            experiment,
            f"background {name!r}",
            model,
            X,
            *args,
            **of_each[name],
            **kwargs,
        )
        for name, X in backgrounds.items()
    }
    comparable_frames(results, "background")
    return Comparison(results)


def across_models(
    experiment: Experiment,
    models: Mapping[str, torch.nn.Module] | Sequence[torch.nn.Module],
    X: torch.Tensor | PackedSequence,
    /,
    *args: Any,
    **kwargs: Any,
) -> Comparison:
    """Does a finding hold for every replicate of a model, or for other models?

    Any experiment, called as it would be for one model, with several models in the
    place of `model`. Replicates differ in their random initialisation; an interval that
    leaves that out is too narrow (see `Comparison.summary`).

    Parameters
    ----------
    experiment: function
        `experiment(model, X, *args, **kwargs)`, such as `global_importance`.

    models: mapping of str to torch.nn.Module, or list or tuple of torch.nn.Module
        The models by name; those of a list are named "model 1", "model 2", ...

    X: torch.Tensor, shape=(n, len(alphabet), length), or PackedSequence
        The backgrounds, the same for all models.

    args, kwargs: optional
        Everything else that the experiment takes, the same for all models.

    Returns
    -------
    comparison: Comparison
        The results by name; `to_frame`, `summary`, `agreement` and `spread` compare
        them.

    Raises
    ------
    TypeError, ValueError
        If `models` is neither a mapping nor a list or tuple, or is empty, the
        shapes of outputs differ between models (found before anything is run) or the
        conditions do, or the experiment raises: the model is then named.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> from tangermeme_gia import global_importance
    >>> from tangermeme_gia.backgrounds import sample_backgrounds
    >>> models = [
    ...     torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    ...     for _ in range(3)
    ... ]
    >>> X = random_one_hot((50, 4, 20))
    >>> comparison = across_models(global_importance, models, X, [("GATA", 8)])
    >>> comparison.summary()["n_models"].tolist()
    [3]
    """
    if isinstance(models, (list, tuple)):
        models = {f"model {i}": model for i, model in enumerate(models, start=1)}
    if not isinstance(models, Mapping) or not models:
        raise _not_named("models", "models", models)
    _check_no_folder(kwargs)
    if len(models) > 1:
        _check_shapes(experiment, models, X, *args, **kwargs)
    results = {
        name: _run(experiment, f"model {name!r}", model, X, *args, **kwargs)
        for name, model in models.items()
    }
    comparable_frames(results, "model")
    return Comparison(results, "model")


def _of_each(
    clusters: Mapping[str, Labels | None] | None, backgrounds: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """The keyword for the clusters of each background, if it has some."""
    if clusters is None:
        return {name: {} for name in backgrounds}
    if not isinstance(clusters, Mapping):
        raise _not_named("clusters", "labels", clusters)
    if {*clusters} != {*backgrounds}:
        raise ValueError(
            f"`clusters` is of {sorted(clusters)} and `backgrounds` of "
            f"{sorted(backgrounds)}; the names must agree (None for independent rows)."
        )
    return {
        name: {} if labels is None else {"clusters": labels}
        for name, labels in clusters.items()
    }


def _check_no_folder(kwargs: Mapping[str, Any]) -> None:
    if kwargs.get("save_to") is not None:
        raise ValueError(
            "`save_to` keeps the result of one experiment, and here are several: leave "
            "it out, or call the experiment for each with a folder of its own."
        )


def _not_named(argument: str, what: str, value: object) -> TypeError | ValueError:
    needed = f"{what} by name, at least one, such as a dict"
    if isinstance(value, (Mapping, list, tuple)) and not value:
        return ValueError(f"`{argument}` is empty; it must hold {needed}.")
    return TypeError(f"`{argument}` is a {type(value).__name__}; it must be {needed}.")


def _check_shapes(
    experiment: Experiment,
    models: Mapping[str, torch.nn.Module],
    *args: Any,
    **kwargs: Any,
) -> None:
    """Raise, before anything is run, if the models give other outputs."""
    first: str | None = None
    for name, model in models.items():
        found = output_shapes(
            partial(_run, experiment, f"model {name!r}", model, *args, **kwargs)
        )
        if found is None:  # an experiment of one's own that asks in another way
            return
        if first is None:
            first, expected = name, found
        if found != expected:
            raise ValueError(
                f"model {name!r} gives outputs of shape {_shown(found)} for a "
                f"sequence, but model {first!r} {_shown(expected)}; they must agree. "
                "Choose what both have with `target`."
            )


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes))


def _run(experiment: Experiment, where: str, *args: Any, **kwargs: Any) -> Any:
    try:
        return experiment(*args, **kwargs)
    except (ValueError, TypeError) as error:
        # Subclasses may take other arguments; the cause keeps the original.
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{where}: {error}") from error
