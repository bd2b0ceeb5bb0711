"""Everything that the README shows is what the code does."""

import operator
import re
import shlex
from pathlib import Path

import matplotlib as mpl
import pytest
import torch
from code_blocks import read_blocks, run_block
from matplotlib import pyplot as plt
from matplotlib.testing.compare import compare_images

import residualbind
import tangermeme_gia
from tangermeme_gia.cli import main

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(?:tangermeme-gia|residualbind) .*$", TEXT, re.MULTILINE)
# What every line of the analysis is shortened by; its other words stay.
SHORT = "--motif UAAUUA --experiments sites --n 20 --backgrounds profile"


@pytest.mark.parametrize("block", read_blocks(README), ids=lambda b: f"line {b.line}")
def test_a_session_prints_what_the_readme_shows(block, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    assert block.shown
    run_block(README, block, {}, lambda: capsys.readouterr().out)
    plt.close("all")
    if "savefig" in block.code:
        shown = ROOT / "docs" / "images" / "additivity.png"
        assert compare_images(shown, tmp_path / "additivity.png", tol=10) is None


def test_all_code_of_the_readme_is_executed():
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    assert {language for language, _ in blocks} == {"", "python", "text"}
    assert [c for c, _ in blocks].count("python") == len(read_blocks(README))
    lines = "".join(code for language, code in blocks if not language).splitlines()
    left = {line.split("#")[0].strip() for line in lines} - {*COMMANDS}
    # These two make an environment of their own; CI and a release run them.
    assert left == {"make demo", "make test"}


@pytest.mark.usefixtures("_folder_of_my_models")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_runs(command, capsys):
    write_what_commands_read()
    program, *words = shlex.split(command)
    assert program == "tangermeme-gia"
    if words[0] == "report":
        short = SHORT.replace("U", "T" if "--genome" in words else "U")
        if "--motifs" in words:
            short = re.sub(r"--motif \w+", "", short)
        words += shlex.split(short)
    assert main(words) == 0
    if "--plot" in words:
        assert Path(words[words.index("--plot") + 1]).stat().st_size > 1000
    assert capsys.readouterr().out


def write_what_commands_read() -> None:
    """A model with its weights, a genome and regions, in the current folder."""
    Path("my_models.py").write_text(
        "import torch\n"
        "def build():\n"
        "    head = torch.nn.Conv1d(4, 1, 9), torch.nn.AdaptiveMaxPool1d(1)\n"
        "    return torch.nn.Sequential(*head, torch.nn.Flatten())\n"
    )
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv1d(4, 1, 9))
    torch.save(model.state_dict(), "w.pt")
    gata = {
        "MA0035.1 Gata1": torch.eye(4)[:, [2, 0, 3, 0]],
        "TC": torch.eye(4)[:, [3, 1]],
    }
    tangermeme_gia.motifs.write_meme("jaspar.meme", gata)
    letters = "".join("ACGT"[i] for i in torch.randint(4, (30_000,)))
    Path("hg38.fa").write_text(f">chr1\n{letters}\n")
    starts = range(2_000, 26_000, 500)
    lines = [f"chr1\t{start}\t{start + 200}" for start in starts]
    Path("peaks.bed").write_text("\n".join(lines) + "\n")


def test_every_function_of_the_table_exists():
    table = TEXT[TEXT.index("| question | function |") :].split("\n\n")[0]
    names = set(re.findall(r"`([\w.]+)`", table))
    assert len(names) >= 18
    for name in names:
        space, _, function = name.rpartition(".")
        module = operator.attrgetter(space)(tangermeme_gia) if space else tangermeme_gia
        assert function in module.__all__


def test_links_of_the_readme_exist():
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", TEXT)
    assert len(targets) > 10
    assert not [target for target in targets if not (ROOT / target).exists()]


def test_the_readme_is_short():
    assert len(TEXT.splitlines()) <= 150
    assert residualbind.pretrained_names() == ("A1CF", "ANKHD1")
