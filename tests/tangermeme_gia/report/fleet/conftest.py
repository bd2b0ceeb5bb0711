"""Reports as the page of many models reads them, without a model."""

import json

import numpy as np
import torch

from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.kmers.codes import all_kmers
from tangermeme_gia.report import Entry
from tangermeme_gia.report.store import Probe, Store

PROBE = Probe(torch.eye(4, dtype=torch.int8)[None], torch.zeros(1, 1))
LOGO = {"A": [1.0, 0.25], "C": [0.0, 0.25], "G": [0.0, 0.25], "U": [0.0, 0.25]}


def write_report(folder, name="m", logo=None, output=None, **headline):
    """The files of a finished report that a page of many reads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("<!DOCTYPE html>")
    held = {"name": name, "output": output, "headline": headline, "logo": logo}
    (folder / "report.json").write_text(json.dumps(held))
    return folder


def write_scan(folder, effect, kmers=None):
    """The stored scan of a report."""
    kmers = all_kmers(2, "ACGT") if kmers is None else kmers
    effect = torch.as_tensor(np.array(effect, dtype=float, order="C"))[:, None]
    scan = KmerScan(kmers, effect, effect.abs(), 64, len(kmers))
    Store(folder / "results").save("scan", {"scan": scan}, {"n": "1"}, PROBE)


def with_interval(name, effect, half=0.5):
    return {name: effect, f"{name}_low": effect - half, f"{name}_high": effect + half}


def entry(name, group="", state="finished", **headline):
    return Entry(name, group, headline=headline, state=state)
