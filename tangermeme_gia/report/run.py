"""Runs a report: every experiment that is not done already, then the page."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import pandas as pd

from .._core.agreement import FewEffectsWarning
from .._core.outputs import Label
from ..statistics.grammar import Grammar
from ..statistics.nulls import EffectNull
from .figures import save_figures, unit_of
from .inputs import ReportInputs
from .options import ReportOptions
from .page import Provenance, write_page
from .probes import changes, make_probe
from .section import Section
from .store import REPORT, Results, Store, finished_report
from .study import Study
from .tables import save_tables
from .written import Written, one_writer

_log = logging.getLogger("tangermeme_gia.report")


class Experiment(Protocol):
    """What a file of `experiments` holds."""

    def obstacle(self, study: Study) -> str | None:
        """Why the experiment cannot be done here, or None."""

    def compute(self, study: Study) -> Results:
        """Its results by name, which are stored."""

    def describe(self, study: Study, results: Results) -> Section:
        """What the page says of them."""


def experiment(name: str) -> Experiment:
    """The file of an experiment, read when it is used: it needs a study's types."""
    return cast(Experiment, import_module(f"{__package__}.experiments.{name}"))


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
    model, environment, sequences and options are the same and the model predicts a few
    stored sequences as before, and says so on the logger "tangermeme_gia.report".

    Parameters
    ----------
    inputs: ReportInputs
        The model, and the sequences or profile of its backgrounds.

    folder: str or path-like
        Where to write `index.html`, `figures`, `tables` and `results`. Files of an
        earlier report there are replaced or removed, but results of the same model
        and sequences are kept; other files are left alone.

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
        If the options do not fit the sequences, the model does not give one number
        for each sequence (`OutputError`), or another report is being written to the
        folder.

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
    root = Path(folder)
    options = options or ReportOptions()
    study = Study(inputs, options, Store(root / "results"), verbose, **kwargs)
    study.check()
    root.mkdir(parents=True, exist_ok=True)
    with one_writer(root):
        return _write(study, root, command, began)


def _write(
    study: Study, root: Path, command: str | None, began: float
) -> list[Section]:
    """Compute what is not there, and write the page unless it is as it would be."""
    skipped = _compute(study)
    key = _page_key(study, skipped)
    written = Written(root)
    is_there = finished_report(root).get("key") == key and written.unchanged
    if is_there:
        _log.info("index.html: as it was")
    else:
        (root / REPORT).unlink(missing_ok=True)
        written.remove()
        study.store.remove_other_models(study.checksums)
    sections, unit = [], unit_of(study.inputs.answer)
    for name, results in study.finished.items():
        section = _described(name, study, results)
        _name_output(section, study.inputs.label)
        sections.append(section)
        if not is_there:
            _log.info("writing %s", name)
            with written.writing(section.written):
                save_figures(section, root / "figures", unit)
                save_tables(section, root / "tables")
    if not is_there:
        provenance = Provenance.of(study, command, time.monotonic() - began)
        with written.writing(["index.html"]):
            write_page(root, study, sections, skipped, provenance, key)
    return sections


def _described(name: str, study: Study, results: Results) -> Section:
    """What the page says of an experiment, and where its intervals say too much."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FewEffectsWarning)
        section = experiment(name).describe(study, results)
    cautions = []
    for each in caught:
        if issubclass(each.category, FewEffectsWarning):
            cautions.append(str(each.message))
        else:
            warnings.warn_explicit(
                each.message, each.category, each.filename, each.lineno
            )
    return replace(section, cautions=list(dict.fromkeys(cautions)))


def _page_key(study: Study, skipped: Mapping[str, str]) -> str:
    """SHA-256 of all that a page shows, but for when and by which command."""
    inputs, parts = study.inputs, study.finished
    shown = [inputs.name, inputs.answer, dict(inputs.origin), repr(study.options)]
    shown += [skipped, {name: study.fingerprint(name) for name in parts}]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def _compute(study: Study) -> dict[str, str]:
    """Finish the experiments that apply; say why the others do not."""
    skipped: dict[str, str] = {}
    wanted = study.options.wanted()
    for i, name in enumerate(wanted, start=1):
        title = f"{i}/{len(wanted)} {name}"
        obstacle = experiment(name).obstacle(study)
        if obstacle is None:
            study.finished[name] = _results(study, name, title)
        else:
            _log.info("%s: left out, %s", title, obstacle)
            skipped[name] = obstacle
    return skipped


def _results(study: Study, name: str, title: str) -> Results:
    """Those that are saved, if nothing they follow from has changed, or new ones."""
    fingerprint, store = study.fingerprint(name), study.store
    changed = changes(study, store, name, fingerprint)
    if changed == []:
        _log.info("%s: as saved (same model, sequences and options)", title)
        return store.load(name).results
    because = f" again, changed: {', '.join(changed)}" if changed else ""
    _log.info("%s%s", title, because)
    results = experiment(name).compute(study)
    if not results:  # it reads those of another
        return results
    results = {k: _named(v, study.inputs.label) for k, v in results.items()}
    store.save(name, results, fingerprint, make_probe(study, results))
    return store.load(name).results


def _name_output(section: Section, label: Label | None) -> None:
    """Say in every table of which output it is, if one was chosen."""
    for name, table in section.tables.items():
        if label is not None and "output" not in table:
            column = pd.Series([label] * len(table), table.index, dtype=object)
            section.tables[name] = table.assign(output=column.infer_objects())


def _named(result: Any, label: Label | None) -> Any:
    """A result whose one output has the label of the one that was chosen."""
    if label is None or result is None:
        return result
    if isinstance(result, Grammar):
        names = ("interactions", "log_interactions")
        return result._replace(**{n: _named(getattr(result, n), label) for n in names})
    if isinstance(result, EffectNull):
        return result._replace(motifs=_named(result.motifs, label))
    fields, beside = result._parts()
    return type(result)._from_parts(fields, {**beside, "outputs": [label]})
