"""The command: `python -m benchmarks.paper`."""

from __future__ import annotations

import argparse
import dataclasses
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

import tangermeme_gia as gia

from .material import Given, Material, read_header
from .motifs import read_affinities
from .page import save_panel, write_page
from .panel import Missing, Panel
from .performance import scores
from .registry import PANELS
from .simulated import RNA, Budget


def main(arguments: Sequence[str] | None = None) -> Path:
    """Draw the panels that are asked for; the path of the page."""
    options = _parser().parse_args(arguments)
    budget = Budget(
        **{f.name: getattr(options, f.name) for f in dataclasses.fields(Budget)}
    )
    given = Given(
        options.data,
        options.measured,
        options.performance,
        dict(options.affinities),
        tuple(options.motifs),
        tuple(options.subjects),
    )
    material = Material(budget, options.cache or options.out / "trained", given)
    _read_all(material)
    options.out.mkdir(parents=True, exist_ok=True)
    started, panels = time.monotonic(), []
    left_out: dict[str, str] = {}
    for name in options.panels:
        try:
            panels.append(_drawn(name, material, options.out))
        except (Missing, ImportError) as error:
            left_out[name] = str(error)
            print(f"{name}: not drawn: {error}", flush=True)
    provenance = {
        "command": " ".join(["python -m benchmarks.paper", *_words(arguments)]),
        "budget": ", ".join(
            f"{name} {value}" for name, value in dataclasses.asdict(budget).items()
        ),
        "versions": f"python {platform.python_version()}, torch {torch.__version__}",
        "threads": str(torch.get_num_threads()),
        "seconds": f"{time.monotonic() - started:.0f}",
    }
    page = write_page(options.out, panels, left_out, provenance)
    print(page)
    return page


def _read_all(material: Material) -> None:
    """Raise where something that was given cannot be read, before hours of work."""
    _ = material.shown
    for path in material.given.motifs:
        gia.read_motifs(path, alphabet=RNA)
    for path in material.given.affinities.values():
        read_affinities(path)
    if material.given.performance is not None:
        scores(material)
    if material.given.measured is not None:
        read_header(material.given.measured)


def _drawn(name: str, material: Material, folder: Path) -> Panel:
    started = time.monotonic()
    panel = PANELS[name](material)
    save_panel(panel, folder)
    print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    return panel


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper", description=__doc__
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("paper"), help="where to write")
    add("--data", type=Path, help="a folder of trained models")
    add("--measured", type=Path, help="table: set, sequence, a column per model")
    add("--performance", type=Path, help="table of scores, as of a benchmark")
    add(
        "--affinities",
        type=_named,
        nargs="+",
        default=[],
        metavar="MODEL=TABLE",
        help="measured affinities of k-mers",
    )
    add("--motifs", type=Path, nargs="+", default=[], help="collections of motifs")
    add("--subjects", nargs="+", default=[], help="models of single panels")
    add("--panels", nargs="+", default=list(PANELS), choices=list(PANELS))
    add("--cache", type=Path, help="where simulated trainings are kept")
    for field in dataclasses.fields(Budget):
        add(f"--{field.name.replace('_', '-')}", type=int, default=field.default)
    return parser


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} must be MODEL=TABLE")
    return name, Path(path)


def _words(arguments: Sequence[str] | None) -> Sequence[str]:
    return sys.argv[1:] if arguments is None else arguments


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"benchmarks.paper: {error}")
