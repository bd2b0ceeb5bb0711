"""Each row of docs/howto/model_families.md runs, from a real class to a table.

`make test-models` runs this in an environment of its own; a family whose package is not
installed is skipped, with the reason.
"""

import io
import re
import shlex
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from families import FAMILIES, REPORTS

import tangermeme_gia as gia
from tangermeme_gia.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "model_families.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = {
    family.strip(): (re.findall(r"`([^`]+)`", code), tried.strip())
    for family, code, tried in re.findall(r"^\|(.*?)\|(.*)\|(.*)\|$", TEXT, re.M)[2:]
}
# Other packages warn of what they please.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.models,
    pytest.mark.filterwarnings("ignore"),
]


def test_every_row_is_run_or_says_why_not():
    not_run = {family for family, (_, tried) in ROWS.items() if "not run" in tried}
    assert set(FAMILIES) == set(ROWS) - not_run
    assert not_run == {"EUGENe"}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_lines_of_the_page_give_a_table(family, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    try:
        names = FAMILIES[family]()
    except ImportError as error:
        pytest.skip(f"{family}: {error}")
    lines, _ = ROWS[family]
    if lines[0].startswith("tangermeme-gia "):
        assert main([*shlex.split(lines[0])[1:], "--n", "5"]) == 0
        table = pd.read_csv(io.StringIO(capsys.readouterr().out), sep="\t")
    else:
        names["net"].eval()
        setting = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1]
        exec(setting, names)
        *before, last = lines
        exec("\n".join(before), names)
        table = eval(last, names).to_frame()
    assert len(table) == 1
    assert np.isfinite(table["effect"]).all()
    # Random weights hear a motif, if only a little.
    assert table["effect"].abs().item() > 0


EFFECTS = {"profile head": 2.0}  # the track is twice the count; all others 1

SAID = {"profile head": "output of the model, output head 0, track 1, centre 40"}
SAID["count head"] = "output 1, 0 of the model"


@pytest.mark.parametrize("family", REPORTS)
def test_a_report_comes_from_the_command_line(family, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        words = REPORTS[family]()
    except ImportError as error:
        pytest.skip(f"{family}: {error}")
    more = "--length 60 --motif GATTA --n 80 --backgrounds profile shuffle"
    assert main(shlex.split(f"report {words} {more}")) == 0
    table = pd.read_csv("report/tables/motif.tsv", sep="\t")
    own = table[table["control"] == "none"]["effect"].item()
    assert own == pytest.approx(EFFECTS.get(family, 1.0), abs=0.1)
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert "raises the output of" in page
    assert f"Global importance analysis of the {SAID.get(family, 'output 1')}" in page


VERSIONS = {
    package: version
    for _, tried in ROWS.values()
    if "not run" not in tried
    for package, version in re.findall(r"([a-zA-Z][\w-]+) (\d[\d.]*\d)", tried)
}


@pytest.mark.parametrize("package", VERSIONS)
def test_versions_are_those_that_run(package):
    try:
        found = metadata.version(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    stated = VERSIONS[package]
    assert found.partition("+")[0].split(".")[: stated.count(".") + 1] == (
        stated.split(".")
    )


class FiveTimes(torch.nn.Module):
    def forward(self, y):
        return 5 * y


def test_grelu_gives_predictions_and_its_inner_module_logits():
    """What docs/coming_from/grelu.md says."""
    try:
        made = FAMILIES["gReLU"]()
    except ImportError as error:
        pytest.skip(f"gReLU: {error}")
    net, X = made["net"].eval(), made["X"].float()
    with torch.no_grad():
        torch.testing.assert_close(net(X), net.model(X).exp())
        net.add_transform(FiveTimes())
        torch.testing.assert_close(net(X), 5 * net.model(X).exp())
    patterns = [("GATAAG", None)]
    outer, inner = (
        gia.global_importance(m, X, patterns, target=(0, 0)) for m in (net, net.model)
    )
    assert not torch.allclose(outer.global_importance, inner.global_importance)
