"""How attributions are read, as effects of what was placed.

Rules, the same for every question and written before any network was asked:

- *DeepLIFT/SHAP and seqlets*: tangermeme's `deep_lift_shap` against dinucleotide
  shuffles; seqlets of high and of low contributions are called by `recursive_seqlets`
  with its default threshold. A placed motif has the sum of its bases' contributions
  if seqlets cover half of it, and otherwise 0.
- *In silico mutagenesis*: for each base of a placed motif, the output less the mean of
  those with the other three letters; their sum over the motif.
- *Dependency map*: two bases are changed, each and both, to letters drawn at random;
  e = f(wild type) - f(one) - f(other) + f(both). The mean over pairs of positions.
"""

from __future__ import annotations

import numpy as np
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.seqlet import recursive_seqlets

from .decisions import Effects, Values
from .networks import logits
from .questions import Arm, Question
from .sequences import K, one_hot

_REFERENCES = 5


def deeplift(model: torch.nn.Module, question: Question, X: np.ndarray) -> Effects:
    effects = {}
    for name, arm in question.arms(X).items():
        if name not in _needed(question, X):
            continue
        found = deep_lift_shap(
            model,
            one_hot(arm.X),
            n_shuffles=_REFERENCES,
            batch_size=256,
            random_state=0,
            device="cpu",
        ).sum(dim=1)
        covered = _covered(found)
        columns = arm.starts[:, :, None] + np.arange(K)
        rows = np.arange(len(X))[:, None, None]
        called = covered[rows, columns].mean(axis=2) >= 0.5
        sums = found.double().numpy()[rows, columns].sum(axis=2)
        effects[name] = np.where(called, sums, 0).sum(axis=1)
    return {**effects, **question.known(X)}


def _needed(question: Question, X: np.ndarray) -> set[str]:
    """Arms that claims are about; others are for dependency maps."""
    return {n for n in question.arms(X) if n != "beside" and " and " not in n}


def _covered(found: torch.Tensor) -> np.ndarray:
    """Positions within a seqlet, of high or of low contributions."""
    covered = np.zeros(found.shape, bool)
    for signed in (found, -found):
        if not bool((signed > 0).any()):
            continue
        seqlets = recursive_seqlets(signed)
        spans = seqlets[["example_idx", "start", "end"]].to_numpy(int)
        for row, start, end in spans:
            covered[row, start:end] = True
    return covered


def mutagenesis(model: torch.nn.Module, question: Question, X: np.ndarray) -> Effects:
    effects = {}
    for name, arm in question.arms(X).items():
        if name not in _needed(question, X):
            continue
        wild = logits(model, arm.X)
        effects[name] = np.zeros(len(X))
        rows = np.arange(len(X))
        for column in (arm.starts[:, :, None] + np.arange(K)).reshape(len(X), -1).T:
            for step in (1, 2, 3):
                changed = arm.X.copy()
                changed[rows, column] = (changed[rows, column] + step) % 4
                effects[name] += (wild - logits(model, changed)) / 3
    return {**effects, **question.known(X)}


def dependency_map(
    model: torch.nn.Module, question: Question, X: np.ndarray
) -> Effects:
    """e of each arm with couples, and what a change of one base does alone."""
    effects: dict[str, Values] = {}
    for name, arm in question.arms(X).items():
        if arm.couples is not None:
            effects[name], effects[f"{name}, second"] = _dependency(model, arm)
    return {**effects, **question.known(X)}


def _dependency(model: torch.nn.Module, arm: Arm) -> tuple[Values, Values]:
    assert arm.couples is not None
    n = len(arm.X)
    e, second, kept = np.full(n, np.nan), np.full(n, np.nan), arm.couples[:, 0, 0] >= 0
    if not kept.any():
        return e, second
    X, couples = arm.X[kept], arm.couples[kept]
    rng, rows = np.random.default_rng(0), np.arange(kept.sum())
    wild, found, alone = logits(model, X), [], []
    for i, j in couples.transpose(1, 2, 0):
        new = {column.tobytes(): rng.integers(1, 4, len(X)) for column in (i, j)}
        outputs = []
        for columns in ((i,), (j,), (i, j)):
            changed = X.copy()
            for column in columns:
                step = new[column.tobytes()]
                changed[rows, column] = (changed[rows, column] + step) % 4
            outputs.append(logits(model, changed))
        found.append(wild - outputs[0] - outputs[1] + outputs[2])
        alone.append(wild - outputs[1])
    e[kept], second[kept] = np.mean(found, axis=0), np.mean(alone, axis=0)
    return e, second


METHODS = {
    "DeepLIFT/SHAP, seqlets": deeplift,
    "in silico mutagenesis": mutagenesis,
    "dependency map": dependency_map,
}
