"""Execute the notebooks of `tutorials/` and save them with their outputs.

    python scripts/run_tutorials.py [tutorials/1_gia_in_five_minutes.ipynb ...]

Needs `pip install ".[test]"`. Without names all notebooks are run. Each runs on the
kernel "python3" in an empty folder, without a GPU and on one thread (`OMP_NUM_THREADS`
asks for more), so that trained models come out alike. What differs from run to run
(times, versions, the state of an editor) is not saved. A cell that fails, or anything
on the error stream but a progress bar, stops the script before the notebook is saved.

A notebook may say in its metadata which modules it needs beyond those of the `test`
extra (`"requires": ["bpnetlite"]`) and that it belongs to the fast tests
(`"fast": true`); both are kept. `tests/integration/test_tutorials.py` reads them.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "tutorials"
TIMEOUT = 600
KEPT = ("fast", "requires")
KEPT_OF_CELLS = ("tolerance",)
PROGRESS = re.compile(r"\d+%\|.*\||\d+(?:\.\d+)?(?:s/)?it/?s?")


def execute(notebook: NotebookNode, timeout: int = TIMEOUT) -> NotebookNode:
    """A copy of the notebook with fresh outputs, run in a temporary folder.

    `timeout` holds for each cell, in seconds. The first cell that fails raises
    nbclient's `CellExecutionError`, which says where and why.
    """
    fresh = nbformat.from_dict(notebook)
    for cell in code_cells(fresh):
        cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            fresh,
            timeout=timeout,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],
        )
        client.execute(env=kernel_environment())
    return fresh


def kernel_environment() -> dict[str, str]:
    """This checkout, one thread or those asked for, no GPU, and figures inline."""
    environment = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    paths = [str(ROOT), environment.get("PYTHONPATH", "")]
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return (
        environment
        | dict.fromkeys(threads, environment.get("OMP_NUM_THREADS", "1"))
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "CUDA_VISIBLE_DEVICES": "",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
    )


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells with code, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def missing_modules(notebook: NotebookNode) -> list[str]:
    """Modules that the notebook says it needs and that are not installed."""
    required = notebook.metadata.get("requires", [])
    return [name for name in required if importlib.util.find_spec(name) is None]


def unwanted_messages(notebook: NotebookNode) -> list[str]:
    """What the cells wrote on the error stream, but for progress bars."""
    lines = [
        line.strip()
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.get("name") == "stderr"
        for line in re.split(r"[\r\n]+", output.text)
    ]
    return [line for line in lines if line and not PROGRESS.search(line)]


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Leave out what says nothing about the content, so that differences are small."""
    tidied = nbformat.from_dict(notebook)
    kept = keep(notebook.metadata, KEPT)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    language = {"name": "python", "file_extension": ".py"}
    tidied.metadata = nbformat.from_dict(
        kept | {"kernelspec": kernel, "language_info": language}
    )
    tidied.nbformat, tidied.nbformat_minor = 4, 5
    for i, cell in enumerate(tidied.cells):
        cell.id = f"cell-{i:02d}"
        cell.metadata = keep(cell.metadata, KEPT_OF_CELLS)
    for cell in code_cells(tidied):
        cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    nbformat.validate(tidied)
    return tidied


def keep(metadata: NotebookNode, keys: tuple[str, ...]) -> NotebookNode:
    """The metadata with these keys only."""
    return nbformat.from_dict({key: metadata[key] for key in keys if key in metadata})


def main() -> int:
    """Run what is named on the command line; 1 if a notebook was not saved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="all if none is named")
    paths = parser.parse_args().notebooks or sorted(TUTORIALS.glob("*.ipynb"))
    failed = False
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        if missing := missing_modules(notebook):
            print(f"{path.name}: left as it is, needs {', '.join(missing)}")
            continue
        began = time.perf_counter()
        fresh = execute(notebook)
        if messages := unwanted_messages(fresh):
            print(f"{path.name}: not saved; messages:", *messages, sep="\n  ")
            failed = True
            continue
        nbformat.write(tidy(fresh), path)
        seconds = time.perf_counter() - began
        print(f"{path.name}: {seconds:.0f} s, {path.stat().st_size / 1000:.0f} kB")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
