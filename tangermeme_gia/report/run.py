"""Runs a report: every part that is not there already, then the page."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .motif_sections import MOTIF_FILE, align_motif, no_alignment
from .page import Provenance, save_figures, save_tables, write_page
from .parts import PARTS
from .section import Section
from .sections import SECTIONS
from .store import REPORT, Results, Store
from .study import ReportInputs, ReportOptions, Study

_log = logging.getLogger("tangermeme_gia.report")


def run_report(
    inputs: ReportInputs,
    folder: str | os.PathLike[str],
    options: ReportOptions | None = None,
    *,
    command: str | None = None,
    verbose: bool = False,
    **kwargs: Any,
) -> list[Section]:
    """What has this model learned, how much does it matter, and how sure is it?

    Runs the paper's systematic analysis and writes a page about it. Each part is saved
    when it is done; a second run into the same folder reuses the parts for which
    model, sequences and options are the same, and says so on the logger
    "tangermeme_gia.report".

    Parameters
    ----------
    inputs: ReportInputs
        The model, and the sequences or profile of its backgrounds.

    folder: str or path-like
        Where to write `index.html`, `figures`, `tables` and `results`. Files of an
        earlier report there are replaced; others are left alone.

    options: ReportOptions or None, optional
        How to analyse; None is as in the paper. Default is None.

    command: str or None, optional
        The command line, for the provenance. Default is None.

    verbose: bool, optional
        Whether to show progress bars. Default is False.

    kwargs: optional
        Keywords for tangermeme's `predict`: `device`, `batch_size`, `dtype`.

    Returns
    -------
    sections: list of Section
        What each part says, in the order of the page.

    Raises
    ------
    ValueError
        If the options do not fit the sequences, or the model does not give one number
        for each sequence (`OutputError`).

    OSError
        If a file cannot be written; finished parts stay.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import torch
    >>> from tangermeme_gia.report import OneOutput
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> inputs = ReportInputs(
    ...     "linear", OneOutput(model), profile=torch.full((4, 20), 0.25)
    ... )
    >>> options = ReportOptions(n=20, motif="GATA", experiments=("sites",))
    >>> with TemporaryDirectory() as folder:
    ...     sections = run_report(inputs, folder, options)
    ...     Path(folder, "index.html").exists()
    True
    >>> [section.name for section in sections]
    ['motif', 'sites']
    """
    began = time.monotonic()
    options = options or ReportOptions()
    study = Study(inputs, options, verbose, **kwargs)
    study.check()
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    (root / REPORT).unlink(missing_ok=True)
    store = Store(root / "results")
    wanted = options.wanted()
    names = [name for name in wanted if name in PARTS]
    finished, skipped = _compute(study, store, names)
    if "alignment" in wanted:
        reason = no_alignment(finished["scan"])
        if reason is None:
            finished["alignment"] = finished["scan"]
        else:
            skipped["alignment"] = reason
    sections = []
    for name in wanted:
        if name in finished:
            _log.info("writing %s", name)
            section = SECTIONS[name](study, finished[name])
            save_figures(section, root / "figures")
            save_tables(section, root / "tables")
            sections.append(section)
    if any(MOTIF_FILE in section.files for section in sections):
        _write_motif(study, finished["scan"], root / "tables" / MOTIF_FILE)
    provenance = Provenance.of(study, command, time.monotonic() - began)
    parts = [name for name in finished if name in PARTS]
    write_page(root, study, sections, skipped, parts, provenance)
    return sections


def _compute(
    study: Study, store: Store, names: Sequence[str]
) -> tuple[dict[str, Results], dict[str, str]]:
    """Results of the parts that apply, and why the others do not."""
    finished: dict[str, Results] = {}
    skipped: dict[str, str] = {}
    for i, name in enumerate(names, start=1):
        title = f"{i}/{len(names)} {name}"
        obstacle = PARTS[name].obstacle(study)
        if obstacle is not None:
            _log.info("%s: left out, %s", title, obstacle)
            skipped[name] = obstacle
            continue
        fingerprint = study.fingerprint(name)
        changes = store.changes(name, fingerprint)
        if changes == []:
            _log.info("%s: as saved (same model, sequences and options)", title)
        else:
            because = f" again, changed: {', '.join(changes)}" if changes else ""
            _log.info("%s%s", title, because)
            store.save(name, PARTS[name].compute(study, store), fingerprint)
            shutil.rmtree(store.folder / f"{name}.chunks", ignore_errors=True)
        finished[name] = store.load(name)
        if name == "scan" and not study.options.motif:
            found: Any = finished[name]["scan"]
            study.motif = found.top(1)["kmer"][0]
    return finished, skipped


def _write_motif(study: Study, results: Results, path: Path) -> None:
    from ..motifs.database import write_meme

    ppm = align_motif(study, results).ppm
    # Names in this format end at a blank.
    name = "_".join(study.inputs.name.split())
    write_meme(path, {name: ppm}, alphabet=study.inputs.alphabet)
