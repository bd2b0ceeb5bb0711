"""A small convolutional network, its training, and what it must know to count."""

from __future__ import annotations

import ast
import hashlib
import inspect
import itertools
import textwrap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from . import grammars, sequences
from .grammars import Additive, Random, Rule
from .sequences import Codes, one_hot

# A network has learned its rule if it gives so many members of held-out pairs the
# label that they have.
LEARNED = 0.9
# Training goes on until pairs for validation reach this, or for the most rounds.
_ENOUGH, _FEWEST, _MOST = 0.985, 3, 16
_STEPS, _BATCH, _PAIRS = 200, 128, 1000
# One that has not learned its rule by then starts again, from other weights.
_STARTS = 3
# Labels that are wrong: the logit of what is certain is log(0.95 / 0.05) = 2.9.
FLIPPED = 0.05


class Network(torch.nn.Module):
    """Logit of the label, shape=(n, 1).

    Motif detectors with a bias for each position; combinations of what stands within 22
    bases; the highest and the mean of all positions; two dense layers.
    """

    def __init__(self, length: int, channels: int = 16, width: int = 9) -> None:
        super().__init__()
        self.first = torch.nn.Conv1d(4, channels, width, padding=width // 2)
        self.position = torch.nn.Parameter(torch.zeros(channels, length))
        self.near = torch.nn.Conv1d(channels, channels, 5, padding=2)
        self.far = torch.nn.Conv1d(channels, 2 * channels, 9, padding=20, dilation=5)
        self.highest = torch.nn.MaxPool1d(length)
        self.mean = torch.nn.AvgPool1d(length)
        self.dense = torch.nn.Linear(4 * channels, 32)
        self.last = torch.nn.Linear(32, 1)
        self.act = torch.nn.ModuleList(torch.nn.ReLU() for _ in range(4))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        seen = self.act[0](self.first(X) + self.position)
        seen = self.act[2](self.far(self.act[1](self.near(seen))))
        pooled = torch.cat([self.highest(seen), self.mean(seen)], dim=1)[:, :, 0]
        return self.last(self.act[3](self.dense(pooled)))


class Trained(NamedTuple):
    """A network, the steps that it took, and its accuracy on held-out pairs."""

    model: Network
    steps: int
    accuracy: float


def trained(rule: Rule, seed: int, cache: Path, most: int = _MOST) -> Trained:
    """The network of a rule and a seed, or of the first start that learned its rule."""
    for start in range(_STARTS):
        found = _trained(rule, seed + 100 * start, cache, most)
        if not found.accuracy < LEARNED:
            break
    return found


def _trained(rule: Rule, seed: int, cache: Path, most: int) -> Trained:
    """From the cache or trained now.

    Held-out pairs are drawn from a stream that neither training nor its end has seen.
    """
    path = cache / f"{rule.name.replace(', ', '_').replace(' ', '_')}_{seed}.pt"
    key = _key(rule, most)
    if path.exists():
        held = torch.load(path, weights_only=True)
        if held["key"] == key:
            model = Network(rule.length, **rule.network)
            model.load_state_dict(held["weights"])
            return Trained(model.eval(), held["steps"], held["accuracy"])
    model, steps = _train(rule, seed, most)
    accuracy = _accuracy(model, rule, np.random.default_rng([seed, 2]))
    cache.mkdir(parents=True, exist_ok=True)
    held = {"key": key, "weights": model.state_dict()}
    torch.save({**held, "steps": steps, "accuracy": accuracy}, path)
    return Trained(model, steps, accuracy)


def _key(rule: Rule, most: int) -> str:
    """Of all that decides what comes out of a training."""
    own = [c for c in type(rule).__mro__ if c.__module__ == grammars.__name__]
    sources = [inspect.getsource(x) for x in (*own, sequences, Network, _train)]
    # As parsed, so that no change of layout trains anew.
    parts = [ast.dump(ast.parse(textwrap.dedent(source))) for source in sources]
    parts += [torch.__version__, str(most), str((_ENOUGH, _FEWEST, _STEPS, _BATCH))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _train(rule: Rule, seed: int, most: int) -> tuple[Network, int]:
    torch.manual_seed(seed)
    model = Network(rule.length, **rule.network).train()
    optimiser = torch.optim.Adam(model.parameters())
    rng, checking = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    for i in itertools.count():
        last = i >= _FEWEST and _accuracy(model, rule, checking) >= _ENOUGH
        last = last or i == most - 1 or (isinstance(rule, Random) and i == _FEWEST)
        rate = 5e-4 if last else 5e-3 * 0.85**i
        for group in optimiser.param_groups:
            group["lr"] = rate
        for _ in range(_STEPS):
            X, y = rule.simulate(_BATCH, rng)
            y = np.where(rng.random(_BATCH) < flipped(rule), 1 - y, y)
            wanted = torch.from_numpy(y).float()[:, None]
            optimiser.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(
                model(one_hot(X)), wanted
            ).backward()
            optimiser.step()
        if last:
            return model.eval(), (i + 1) * _STEPS
    raise AssertionError


def flipped(rule: Rule) -> float:
    """Labels of the additive control are drawn, and need no others that are wrong."""
    return 0.0 if isinstance(rule, (Additive, Random)) else FLIPPED


def _accuracy(model: Network, rule: Rule, rng: np.random.Generator) -> float:
    """Members of pairs that get their label; of random labels there are none."""
    if isinstance(rule, Random):
        return float("nan")
    positive, negative = rule.pairs(_PAIRS, rng)
    right = [logits(model, positive) > 0, logits(model, negative) < 0]
    return float(np.mean(right))


@torch.no_grad()
def logits(model: torch.nn.Module, X: Codes) -> np.ndarray:
    parts = [model(one_hot(X[i : i + 512])) for i in range(0, len(X), 512)]
    return torch.cat(parts)[:, 0].numpy()
