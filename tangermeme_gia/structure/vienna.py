"""A program that folds RNA with ViennaRNA; `processes` runs it.

ViennaRNA's energy parameters are global to a process. In a process of its own they are
ViennaRNA's defaults, or what is loaded there, whatever the caller has loaded, and the
caller's stay as they are. It imports nothing of this package, so that it starts in a
fraction of a second.

Each line of standard input is a request in JSON, `{"task": name, "given": [[argument,
...], ...]}`: a function below that is called with each list of arguments. The answer is
a line of JSON, too, `{"answers": [...]}` or `{"error": text}`; an array is written as
`{"shape": [...], "float64": base64 of its bytes}`, which keeps every bit.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import sys
import warnings
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import RNA
from numpy.typing import NDArray

Values = NDArray[np.float64]
# Structure in dot-bracket, free energy, and what else was asked for.
Fold = tuple[str, float, Values | None]

# Of the kind that the window callback is told: external, hairpin, internal, multi.
_EXTERNAL, _HAIRPIN, _INTERNAL, _MULTI = 1, 2, 4, 8
_LOOP_KIND = 15
# Structures drawn of a sequence, and how many of the most frequent stand alone.
_DRAWN, _ALONE = 100, 5
# ViennaRNA's letters of unpaired bases, in hairpins, internal loops, multiloops and
# outside; those of paired bases are capitals.
_LOOPS = "hime"
# Milliseconds after which one process has noticed that the other has ended.
_WATCH = 500


def load(parameters: str) -> None:
    """Fold with these parameters, in ViennaRNA's format, from now on."""
    if not RNA.params_load_from_string(
        parameters, "parameters", RNA.PARAMETER_FORMAT_DEFAULT
    ):
        raise RuntimeError("ViennaRNA could not load the energy parameters")


def structure(sequence: str) -> Fold:
    """The minimum-free-energy structure."""
    return _most_stable(sequence)[1]


def matrix(sequence: str) -> Fold:
    """And the probability of each pair of bases."""
    compound, (found, energy, _) = _most_stable(sequence)
    # Without this the sums over the structures of a long sequence overflow.
    compound.exp_params_rescale(energy)
    compound.pf()
    upper = np.array(compound.bpp())[1:, 1:]
    return found, energy, upper + upper.T


def unpaired(sequence: str) -> Fold:
    """And the probability that each base is unpaired."""
    found, energy, probabilities = matrix(sequence)
    assert probabilities is not None
    return found, energy, np.clip(1 - probabilities.sum(axis=1), 0, 1)


def pairs(sequence: str, listed: Sequence[tuple[int, int]]) -> Fold:
    """And the probabilities of the pairs listed."""
    found, energy, probabilities = matrix(sequence)
    assert probabilities is not None
    where = np.array(listed, dtype=np.int64).reshape(-1, 2)
    return found, energy, probabilities[where[:, 0], where[:, 1]]


def pairedness(sequence: str, temperature: float) -> Values:
    """Probabilities of paired and unpaired, from the whole partition function."""
    compound = RNA.fold_compound(sequence, _model(temperature))
    compound.pf()
    rows = compound.bpp()  # 1-based and only above the diagonal
    paired = [
        min(sum(row) + sum(column), 1.0)
        for row, column in zip(rows, zip(*rows, strict=True), strict=True)
    ][1:]
    return np.array([paired, [1.0 - p for p in paired]])


def contexts(sequence: str, temperature: float) -> Values:
    """Probabilities of paired, hairpin, internal, multi and external."""
    length = len(sequence)
    model = _model(temperature)
    # A window as long as the sequence folds all of it at once.
    model.window_size = model.max_bp_span = length
    found: dict[tuple[int, int], float] = {}

    def collect(
        probabilities: list[float], size: int, i: int, most: int, what: int, data: Any
    ) -> None:
        found[what & _LOOP_KIND, i] = probabilities[1]

    RNA.fold_compound(sequence, model, RNA.OPTION_WINDOW).probs_window(
        1, RNA.PROBS_WINDOW_UP | RNA.PROBS_WINDOW_UP_SPLIT, collect, None
    )
    kinds = (_HAIRPIN, _INTERNAL, _MULTI, _EXTERNAL)
    loops = [[found[kind, i + 1] for i in range(length)] for kind in kinds]
    paired = [max(1.0 - sum(column), 0.0) for column in zip(*loops, strict=True)]
    return np.array([paired, *loops])


def sampled(sequence: str, temperature: float) -> Values:
    """Structures drawn at random by their probability, six rows of ten for each base.

    The five most frequent of 100, from the most frequent on, then the mean of the
    others: nine features of each, and at last its share of the 100, the same at each
    base. Without others their features are 0. Where fewer than five differ, the last
    one is repeated and its share divided. A sequence has the same draws each time.
    """
    model = _model(temperature)
    model.uniq_ML = 1
    compound = RNA.fold_compound(sequence, model)
    compound.pf()
    RNA.init_rand(zlib.crc32(sequence.encode()))
    structures, counts = zip(
        *Counter(compound.pbacktrack(_DRAWN)).most_common(), strict=True
    )
    features, shares = _features(structures), np.array(counts) / _DRAWN
    last = min(len(shares), _ALONE) - 1
    rest = shares[_ALONE:].sum()
    rows = np.zeros((_ALONE + 1, features.shape[1] + 1, len(sequence)))
    rows[: last + 1, :-1] = features[: last + 1]
    rows[: last + 1, -1] = shares[: last + 1, None]
    rows[last:_ALONE, :-1] = features[last]
    rows[last:_ALONE, -1] = shares[last] / (_ALONE - last)
    if rest:
        weights = shares[_ALONE:] / rest
        rows[_ALONE, :-1] = np.tensordot(weights, features[_ALONE:], axes=1)
        rows[_ALONE, -1] = rest
    return rows.reshape(-1, len(sequence))


def _features(structures: Sequence[str]) -> Values:
    """Nine features of each base of structures in dot-bracket, shape=(n, 9, length).

    Hairpin, internal, multi, paired, external; then the ends of runs of the first four.
    A run is of bases of one kind side by side. Its two ends are 1, and their
    neighbours within it a half; a run of one base has no end.
    """
    letters = np.array([list(RNA.db_to_element_string(s)) for s in structures])
    loops = [letters == letter for letter in _LOOPS]
    paired = ~np.any(loops, axis=0)
    kinds = np.stack([*loops[:3], paired, loops[3]], axis=1).astype(np.float64)
    runs = kinds[:, :4]
    ends = runs * (_beside(runs) == 1)
    near = runs * (ends == 0) * (_beside(ends) >= 1)
    return np.concatenate([kinds, ends + near / 2], axis=1)


def _beside(values: Values) -> Values:
    """The sum of the values on both sides of each base."""
    padded = np.pad(values, ((0, 0), (0, 0), (1, 1)))
    both: Values = padded[..., :-2] + padded[..., 2:]
    return both


_TASKS = {
    task.__name__: task
    for task in (
        *(load, structure, matrix, unpaired, pairs),
        *(pairedness, contexts, sampled),
    )
}


def main() -> None:
    """Answer requests until standard input ends."""
    # An interrupt is for the caller, whose end closes standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_caller()
    # Whatever else writes to standard output must not come between the answers.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        reply: dict[str, Any]
        try:
            request = json.loads(line)
            task: Any = _TASKS[request["task"]]
            reply = {"answers": [task(*given) for given in request["given"]]}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(reply, default=_write_array).encode() + b"\n")
        out.flush()


def _end_with_caller() -> None:
    """Have a process watch for the end of the caller, also in the middle of a fold.

    No thread could: ViennaRNA lets none run while it folds. The signal that Linux sends
    when a parent ends comes at the end of the thread that started the process. Where
    there is no `fork`, on Windows, the fold goes on to its end; `fold` says so.
    """
    if not hasattr(os, "fork"):
        return
    folding = os.getpid()
    with warnings.catch_warnings():
        # Threads of NumPy, which the other process does not use.
        warnings.simplefilter("ignore", DeprecationWarning)
        if os.fork():
            return
    try:
        os.closerange(1, 3)  # the caller waits for the end of what is written there
        poll = select.poll()
        poll.register(0, 0)
        # The end of standard input is told apart from requests, which it does not read.
        while not poll.poll(_WATCH) and os.getppid() == folding:
            pass
        if os.getppid() == folding:
            os.kill(folding, signal.SIGKILL)
    finally:
        os._exit(0)


def _most_stable(sequence: str) -> tuple[Any, Fold]:
    compound = RNA.fold_compound(sequence)
    found, energy = compound.mfe()
    # Energies are hundredths, in single precision.
    return compound, (found, round(energy, 2), None)


def _model(temperature: float) -> Any:
    model = RNA.md()
    model.dangles, model.temperature = 2, temperature
    return model


def _write_array(values: Values) -> dict[str, Any]:
    text = base64.b64encode(values.tobytes()).decode()
    return {"shape": values.shape, "float64": text}


if __name__ == "__main__":
    main()
