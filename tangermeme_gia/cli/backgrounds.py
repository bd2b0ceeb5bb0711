"""The backgrounds of an experiment, by name."""

from __future__ import annotations

import logging
from typing import Any

import torch
from tangermeme.predict import predict

from ..backgrounds.by_name import background_names, sample_background
from ..backgrounds.profiles import profile_background
from ..backgrounds.shuffles import template_rows
from ..backgrounds.structured import structured_background
from ..report import ReportInputs
from ..structure.pairs import Hairpin

OBSERVED, STRUCTURED = "observed", "structured"
# Those of observed sequences, and those of a design.
NAMES = (*background_names(), OBSERVED, STRUCTURED)
N_BACKGROUNDS = 1000
# Draws from a profile that stand in for each observed sequence where there are none.
_STAND_INS = 4

_log = logging.getLogger("tangermeme_gia.cli")


def draw_background(
    name: str,
    inputs: ReportInputs,
    n: int | None = None,
    seed: int = 0,
    *,
    dot_bracket: str | Hairpin | None = None,
    fold_check: bool = False,
    **prediction: Any,
) -> torch.Tensor:
    """The sequences of a background.

    Parameters
    ----------
    name: str
        One of `NAMES`: those of `background_names()`; "observed", the sequences as
        they are; or "structured", folded into a design.

    inputs: ReportInputs
        The sequences, or the profile from which stand-ins for them are drawn, and the
        model, whose predictions divide sequences without scores into quartiles.

    n: int or None, optional
        How many. None is 1000, or all observed ones; fewer of these are drawn without
        replacement. Default is None.

    seed: int, optional
        Seed of the draws. Default is 0.

    dot_bracket: str, Hairpin or None, optional
        The design of "structured", and of no other. Default is None.

    fold_check: bool, optional
        Whether its sequences must fold so by ViennaRNA. Default is False.

    prediction: optional
        Keywords for `predict`.

    Returns
    -------
    X: torch.Tensor, dtype=int8, shape=(n, len(alphabet), length)
        For observed sequences those of `sample_background` with this seed.

    Raises
    ------
    ValueError
        If there are too few sequences, or none for "observed", or "structured" and a
        design are not given together.

    Examples
    --------
    >>> from .options import read_inputs
    >>> draw_background("profile", read_inputs("A1CF"), n=5).shape
    torch.Size([5, 4, 41])
    """
    if n is not None and n < 1:
        raise ValueError(f"`--n`={n} must be at least 1.")
    if name == STRUCTURED:
        if dot_bracket is None:
            raise ValueError("the background 'structured' needs `--dot-bracket`.")
        return structured_background(
            inputs.profile if inputs.X is None else inputs.X,
            dot_bracket,
            n or N_BACKGROUNDS,
            alphabet=inputs.alphabet,
            fold_check=fold_check,
            random_state=seed,
        )
    if name == OBSERVED:
        if inputs.X is None:
            raise ValueError("the background 'observed' needs `--sequences`.")
        if n is None:
            return inputs.X
        if n > len(inputs.X):
            raise ValueError(
                f"`--n`={n}, but there are {len(inputs.X)} observed sequences."
            )
        return inputs.X[torch.from_numpy(template_rows(len(inputs.X), n, seed))]
    n = n or N_BACKGROUNDS
    if inputs.profile is not None and name == "profile":
        return profile_background(inputs.profile, n, seed)
    X = inputs.X
    if X is None:
        assert inputs.profile is not None
        # Another seed, so that none of them is a background of the profile as well.
        X = profile_background(inputs.profile, _STAND_INS * n, seed + 1)
    scores = inputs.scores
    if name.startswith("quartile") and scores is None:
        _log.info("no measured scores: %s is of the model's predictions", name)
        keywords = {"batch_size": 256, **prediction}
        scores = predict(inputs.model, X, **keywords)[:, 0]
    return sample_background(X, name, n, scores, seed)


def draw_all(
    names: list[str],
    inputs: ReportInputs,
    n: int | None,
    seed: int,
    **options: Any,
) -> dict[str, torch.Tensor]:
    """Several backgrounds by name, each as from `draw_background`.

    Raises
    ------
    ValueError
        If a name comes twice, or as `draw_background`.
    """
    if len(set(names)) < len(names):
        raise ValueError(f"`--backgrounds` {' '.join(names)} names one twice.")
    return {name: draw_background(name, inputs, n, seed, **options) for name in names}
