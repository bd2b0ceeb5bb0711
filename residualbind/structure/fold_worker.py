"""A process that folds RNA with ViennaRNA: a script, started by `folding.py`.

ViennaRNA's energy parameters are global to a process, so sequences are folded in
processes of their own, where loading parameters changes nobody's results. As a script
it needs no `__main__` guard around the caller's code, works in notebooks, and starts
without importing torch.

Arguments: the energies and the caller's `sys.path` as JSON. Each line of standard
input is a request in JSON: `kind`, `temperature` and `sequences`. The answer is a line
of JSON, `{"n_bytes": ...}` or `{"error": ...}`, and as many bytes: for each sequence a
matrix (contexts, length) of float32.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from array import array
from typing import Any, BinaryIO

# Pair types come in the order CG, GC, GU, UG, AU, UA in ViennaRNA's parameter files.
_GC = 1
# The rows of each are the 5' neighbours N, A, C, G, U.
_NEIGHBOURS = 5
_G_AND_U = (3, 4)
# Of the kind that the window callback is told: external, hairpin, internal, multi.
_EXTERNAL, _HAIRPIN, _INTERNAL, _MULTI = 1, 2, 4, 8
_LOOP_KIND = 15


def smooth_dangles(parameters: str) -> str:
    """Turner 1999 parameters that fold as ViennaRNA 1.8.4 did.

    That version smoothed dangling ends in another way. Two hundredths of a kcal/mol
    less for mismatches at a GC pair with G or U on the 5' side, in multiloops and
    outside, reproduces its probabilities to 0.003 instead of 0.016.
    """
    lines = parameters.splitlines()
    for section in ("mismatch_multi", "mismatch_exterior"):
        start = lines.index(f"# {section}") + 1
        # A comment comes first, with the letters of the columns.
        start += lines[start].startswith("/*")
        for neighbour in _G_AND_U:
            row = start + _GC * _NEIGHBOURS + neighbour
            numbers = [int(number) - 2 for number in lines[row].split()]
            lines[row] = " ".join(map(str, numbers))
    return "\n".join(lines) + "\n"


def load_energies(RNA: Any, energies: str) -> None:
    """Set this process's energy parameters, once, before anything is folded."""
    if energies == "turner2004":
        loaded = RNA.params_load_RNA_Turner2004()
    elif energies == "turner1999-as-given":
        loaded = RNA.params_load_RNA_Turner1999()
    else:
        loaded = RNA.params_load_from_string(
            smooth_dangles(RNA.parameter_set_rna_turner1999),
            energies,
            RNA.PARAMETER_FORMAT_DEFAULT,
        )
    if not loaded:
        raise RuntimeError(f"ViennaRNA could not load the parameters {energies!r}")


def fold_pairedness(RNA: Any, sequence: str, temperature: float) -> list[list[float]]:
    """Probabilities of paired and unpaired, from the whole partition function."""
    md = RNA.md()
    md.dangles, md.temperature = 2, temperature
    compound = RNA.fold_compound(sequence, md)
    compound.pf()
    rows = compound.bpp()  # 1-based and only above the diagonal
    paired = [
        min(sum(row) + sum(column), 1.0)
        for row, column in zip(rows, zip(*rows, strict=True), strict=True)
    ][1:]
    return [paired, [1.0 - p for p in paired]]


def fold_contexts(RNA: Any, sequence: str, temperature: float) -> list[list[float]]:
    """Probabilities of paired, hairpin, internal, multi and external."""
    length = len(sequence)
    md = RNA.md()
    md.dangles, md.temperature = 2, temperature
    # A window as long as the sequence folds all of it at once.
    md.window_size = md.max_bp_span = length
    unpaired: dict[tuple[int, int], float] = {}

    def collect(
        probabilities: list[float], size: int, i: int, most: int, what: int, data: Any
    ) -> None:
        unpaired[what & _LOOP_KIND, i] = probabilities[1]

    RNA.fold_compound(sequence, md, RNA.OPTION_WINDOW).probs_window(
        1, RNA.PROBS_WINDOW_UP | RNA.PROBS_WINDOW_UP_SPLIT, collect, None
    )
    kinds = (_HAIRPIN, _INTERNAL, _MULTI, _EXTERNAL)
    contexts = [[unpaired[kind, i + 1] for i in range(length)] for kind in kinds]
    paired = [max(1.0 - sum(column), 0.0) for column in zip(*contexts, strict=True)]
    return [paired, *contexts]


_FOLD = {"PU": fold_pairedness, "PHIME": fold_contexts}


def answer(RNA: Any, request: dict[str, Any]) -> bytes:
    """The matrices of the sequences of one request, end to end."""
    fold, temperature = _FOLD[request["kind"]], request["temperature"]
    values = array("f")
    for sequence in request["sequences"]:
        for row in fold(RNA, sequence, temperature):
            values.extend(row)
    return values.tobytes()


def main() -> None:
    """Answer requests until standard input ends."""
    energies, path = sys.argv[1], sys.argv[2]
    sys.path[:] = json.loads(path)
    # An interrupt is for the caller, whose end closes standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Answers have the standard output for themselves: what libraries print goes to
    # standard error.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        import RNA

        load_energies(RNA, energies)
        _reply(out, {"viennarna": RNA.__version__})
    except Exception as error:
        _reply(out, {"error": f"{type(error).__name__}: {error}"})
        return
    for line in sys.stdin.buffer:
        try:
            content = answer(RNA, json.loads(line))
        except Exception as error:
            _reply(out, {"error": f"{type(error).__name__}: {error}"})
        else:
            _reply(out, {"n_bytes": len(content)}, content)


def _reply(out: BinaryIO, header: dict[str, Any], content: bytes = b"") -> None:
    out.write(json.dumps(header).encode() + b"\n" + content)
    out.flush()


if __name__ == "__main__":
    main()
