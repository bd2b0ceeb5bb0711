"""Every command is one that a sweep runs, and finds its results again."""

import random
import shlex
from pathlib import Path

import pytest

from tangermeme_gia.cli import main
from tangermeme_gia.cli.commands import COMMANDS
from tangermeme_gia.cli.sweep import _OWN, _parser
from tangermeme_gia.sweep import read_ledger
from tangermeme_gia.sweep.words import options_of

SWEPT = [command for command in COMMANDS if command.name != "sweep"]
# Options that name files to read.
READ = {"sequences", "genome", "weights", "tokens", "annotations", "motifs", "known"}
READ |= {"database"}
MEME = (
    "MEME version 4\n\nALPHABET= ACGU\n\nMOTIF one\nletter-probability matrix: "
    "alength= 4 w= 4\n0 0 0 1\n1 0 0 0\n0 0 0 1\n0 0 0 1\n\nMOTIF two\n"
    "letter-probability matrix: alength= 4 w= 4\n0 0 0 1\n0 0 1 0\n0 1 0 0\n1 0 0 0\n"
)


@pytest.mark.parametrize("name", [command.name for command in SWEPT])
def test_no_row_says_where_to_write(name):
    """Two rows would write one file."""
    for option, action in options_of(_parser(name)).items():
        if action.type is Path:
            assert option in READ or option in _OWN, option


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("motif.meme", "known.meme"):
        Path(name).write_text(MEME)
    draw = random.Random(0)
    letters = ["".join(draw.choices("ACGU", k=41)) for _ in range(40)]
    Path("probes.fa").write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(letters)))
    Path("t.tsv").write_text("name\nx\n")


def words_of(command):
    """The example of a command without the files it writes, on few backgrounds."""
    words = shlex.split(command.example)
    for option in ("--plot", "--out", "--save", "--meme", "--n"):
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
    options = options_of(_parser(command.name))
    if "n" in options and command.name != "occlusion":
        words += ["--n", "24"]
    if "model" in options and "--model" not in words:
        words += ["--model", "A1CF"]
    more = {"report": ["--n-scan", "24", "--experiments", "sites", "--motif", "UAAU"]}
    return [*words, *more.get(command.name, [])]


QUICK = ("multi-site", "compare-motifs", "align-kmers")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(c, id=c.name, marks=[] if c.name in QUICK else pytest.mark.slow)
        for c in SWEPT
    ],
)
@pytest.mark.filterwarnings("ignore:tomtom was given 2 target motifs")
def test_each_command_finds_its_results_again(here, command):
    words = ["sweep", "t.tsv", "--out", "out", "--command", command.name]
    words += words_of(command)
    for reused in (False, True):
        assert main(words) == 0
        table = read_ledger("out")
        assert table["reused"].tolist() == [reused]
    assert list(Path("out/dataset").glob("*.parquet"))
