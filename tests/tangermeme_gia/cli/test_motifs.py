"""Motifs of files on the command line: one, or each of several."""

import pandas as pd
import pytest
import torch

import tangermeme_gia as gia
from tangermeme_gia.cli.commands import COMMANDS

SAMPLE = ["--n", "20"]
# What each command needs beside its motif.
MORE = {
    "global-importance": "",
    "multi-site": "--starts 3 12",
    "positional-bias": "--starts 0 9",
    "random-position": "",
    "gc-flank": "",
    "effect-ratio": "",
    "hairpin-importance": "--structure 2,4,8",
    "kmer-mutagenesis": "--consensus",
}
PATTERNS = {
    "global-importance": "--patterns MOTIF@3 GG@18 --patterns MOTIF@9",
    "pairwise-interaction": "--a GG@1 --b MOTIF@12",
    "factorial": "--patterns GG@1 MOTIF@12 CC@20",
    "effect-null": "--patterns MOTIF@3 --n-words 4",
}
NAMES = ["M1 Gata1", "M2 FOS::JUN", "M3"]


@pytest.fixture
def motifs(here):
    gata = torch.tensor([[0, 0.6, 0], [0.1, 0, 0], [0.9, 0, 0], [0, 0.4, 1]])
    motifs = {
        "M1 Gata1": gata,
        "M2 FOS::JUN": torch.eye(4)[:, [3, 2, 0]],
        "M3": torch.eye(4)[:, [1, 1, 1]],
    }
    gia.motifs.write_meme(here / "m.meme", motifs)
    return motifs


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("consensus", [False, True])
def test_each_motif_of_a_file_has_its_rows(
    name, consensus, motifs, toy, table, here, assert_same
):
    words = [name, *toy, *SAMPLE, *MORE[name].split()]
    words += ["--consensus"] if consensus and "--consensus" not in words else []
    whole = table(*words, "--motifs", "m.meme")
    assert whole.columns[0] == "motif"
    assert list(dict.fromkeys(whole["motif"])) == NAMES
    option = "--patterns" if name == "global-importance" else "--motif"
    for label, part in whole.groupby("motif"):
        one = table(*words, option, f"m.meme:{label.split()[0]}")
        same = one.columns.drop("motif", errors="ignore")
        assert_same(part.reset_index(drop=True)[list(same)], one[same])


@pytest.mark.filterwarnings("ignore:a shuffled control of 'M3'")
@pytest.mark.parametrize("name", PATTERNS)
def test_the_word_motif_stands_for_each(name, motifs, toy, table, assert_same):
    words = [name, *toy, *SAMPLE]
    asked = PATTERNS[name]
    whole = table(*words, *asked.split(), "--motifs", "m.meme", "M3", "gata1")
    assert list(dict.fromkeys(whole["motif"])) == ["M3", "M1 Gata1"]
    one = table(*words, *asked.replace("MOTIF", "m.meme:M1").split())
    part = whole[whole["motif"] == "M1 Gata1"].reset_index(drop=True)
    assert_same(part[list(one.columns)], one)


def test_words_are_motifs_too(motifs, toy, table):
    words = ["random-position", *toy, *SAMPLE, "--motifs", "GATA", "m.meme:M3"]
    assert table(*words)["motif"].tolist() == ["GATA", "M3"]


def test_motifs_beside_each_other(motifs, toy, table):
    words = ["motif-spacing", *toy, *SAMPLE, "--spacings", "2", "--motifs"]
    assert set(table(*words, "m.meme")["motifs"]) == {", ".join(NAMES)}
    two = table(*words, "m.meme", "M3", "M2", "--orders", "all")
    assert set(two["motifs"]) == {"M3, M2 FOS::JUN"}
    mixed = table(*words, "m.meme:M3", "TTA")
    assert set(mixed["motifs"]) == {"M3, TTA"}


@pytest.mark.parametrize("name", ["kmer-scan", "best-kmers", "junction-effects"])
def test_kmers_are_motifs_of_a_file(name, motifs, toy, table):
    words = [name, *toy, *SAMPLE, "--consensus", "--kmers", "m.meme"]
    assert {*table(*words)["kmer"]} == {*NAMES}
    assert {*table(*words, "M3", "Gata1")["kmer"]} == {"M3", "M1 Gata1"}


def test_pictures_and_effects_are_of_each(motifs, toy, table, here):
    words = ["multi-site", *toy, *SAMPLE, "--starts", "3", "12", "--motifs", "m.meme"]
    table(*words, "--plot", "s.png", "--local", "local.tsv")
    expected = {f"s.{n}.png" for n in ("M1-Gata1", "M2-FOS-JUN", "M3")}
    assert {path.name for path in here.glob("s.*")} == expected
    table("random-position", *toy, *SAMPLE, "--motifs", "m.meme", "--plot", "r.png")
    assert {path.name for path in here.glob("r.*")} == {"r.png"}
    local = pd.read_csv("local.tsv", sep="\t")
    assert local["motif"].value_counts().to_dict() == dict.fromkeys(NAMES, 40)


def test_backgrounds_are_compared_for_each(motifs, toy, table, observed):
    words = ["random-position", *toy, *SAMPLE, "--motifs", "m.meme"]
    words += ["--sequences", "observed.npz", "--backgrounds", "shuffle", "profile"]
    whole = table(*words)
    assert whole[["motif", "background"]].drop_duplicates().shape == (6, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("multi-site --starts 3", "`--motif` or `--motifs` is needed"),
        ("multi-site --starts 3 --motif GA --motifs m.meme", "give one, not both"),
        ("multi-site --starts 3 --motif m.meme", "holds 3 motifs, and one is needed"),
        ("multi-site --starts 3 --motifs m.meme no", "'no' is none of the 3 motif"),
        ("multi-site --starts 3 --motifs GA GA", "`--motifs` has GA more than once"),
        ("multi-site --starts 3 --motifs n.meme", "there is no file 'n.meme'"),
        ("multi-site --starts 23 --motifs m.meme", "motif M1 Gata1: condition 0:"),
        ("global-importance", "`--patterns` or `--motifs` is needed"),
        ("global-importance --patterns MOTIF@3", "and the word MOTIF in a pattern"),
        ("global-importance --patterns G@3 --motifs m.meme", "and the word MOTIF in"),
        ("factorial --patterns m.meme@3", "holds 3 motifs, and one is needed"),
        ("motif-spacing --motifs m.meme M3 --spacings 1", "at least two motifs"),
        ("kmer-mutagenesis --motif m.meme:M1", "stands for several words"),
        ("report --motif GA --motifs m.meme", "exclude each other"),
    ],
)
def test_what_is_unclear_is_one_line(words, message, motifs, toy, failure):
    assert message in failure(*words.split(), *toy, *SAMPLE)


def test_every_command_that_places_a_motif_takes_several():
    names = {
        command.name
        for command in COMMANDS
        if {"--motif", "--patterns", "--a"} & {*dict(command.options)}
    }
    # Of letters there are no sites to grade.
    graded = {"affinity-response", "latent-interaction", "latent-sites"}
    assert names == {*MORE, *PATTERNS, *graded}
