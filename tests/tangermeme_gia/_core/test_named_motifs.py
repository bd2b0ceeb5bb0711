"""Motifs by their file and name: one meaning, or a line that says what is wrong."""

import re
from pathlib import Path

import pytest

from tangermeme_gia._core.motif import Motif
from tangermeme_gia._core.named_motifs import locate, named_motifs

DNA, RNA = tuple("ACGT"), tuple("ACGU")
NAMES = {
    "MA0035.1 Gata1": "GATA",
    "MA0140.2 GATA1::TAL1": "GATT",
    "GATA3(Zf)/iTreg": "GATG",
    "MA0099.2 FOS::JUN": "TGAC",
    "a:b": "CC",
    "JUN_HUMAN.H11MO.0.A": "TT",
    "MA1.1 twice": "AA",
    "MA1.2 twice": "AC",
}


def meme(names: dict[str, str]) -> str:
    text = "MEME version 4\n\nALPHABET= ACGT\n\n"
    for name, word in names.items():
        rows = "".join(
            " ".join(str(int(letter == base)) for base in "ACGT") + "\n"
            for letter in word
        )
        text += f"MOTIF {name}\nletter-probability matrix: alength= 4\n{rows}\n"
    return text


@pytest.fixture
def files(here) -> Path:
    (here / "db.meme").write_text(meme(NAMES))
    (here / "one.meme").write_text(meme({"single": "GTTA"}))
    (here / "odd:name.meme").write_text(meme({"x": "CG", "y": "CC"}))
    return here


@pytest.mark.parametrize(
    ("word", "letters"),
    [
        ("db.meme:MA0035.1", "GATA"),
        ("db.meme:Gata1", "GATA"),
        ("db.meme:gata1", "GATA"),
        ("db.meme:MA0035.1 Gata1", "GATA"),
        ("db.meme:MA0035", "GATA"),
        ("db.meme:GATA1::TAL1", "GATT"),
        ("db.meme:FOS::JUN", "TGAC"),
        ("db.meme:GATA3", "GATG"),
        ("db.meme:GATA3(Zf)/iTreg", "GATG"),
        ("db.meme:a:b", "CC"),
        ("db.meme:JUN", "TT"),
        ("./db.meme:JUN", "TT"),
        (Path("db.meme:JUN"), "TT"),
        ("odd:name.meme:x", "CG"),
        ("one.meme", "GTTA"),
        (Path("one.meme"), "GTTA"),
        ("one.meme:single", "GTTA"),
        ("~/one.meme:single", "GTTA"),
    ],
)
def test_a_name_means_one_motif(files, monkeypatch, word, letters):
    monkeypatch.setenv("HOME", str(files))
    monkeypatch.setenv("USERPROFILE", str(files))
    motif = Motif.parse(word)
    assert motif.letters == letters
    assert motif.label == motif.name
    rna = Motif.parse(word, RNA)
    assert rna.letters == letters.replace("T", "U")


def test_a_path_with_a_drive_is_a_path(files):
    # Not split at the drive's colon, wherever it ends.
    assert locate(f"{files}/db.meme:Gata1") == (files / "db.meme", "Gata1")
    assert locate(r"C:\motifs\db.meme:Gata1") is None
    with pytest.raises(ValueError, match=r"there is no file 'C:\\\\m\\\\db.meme'"):
        Motif.parse(r"C:\m\db.meme:Gata1")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "db.meme",
            "`motif` 'db.meme' holds 8 motifs, and one is needed: .* db.meme:MA",
        ),
        ("db.meme:Gatta1", "'Gatta1' is none of the 8 motif.* close are 'Gata1'"),
        ("db.meme:tal1", "'tal1' is none of the 8 .* close are .*'GATA1::TAL1'"),
        ("db.meme:xyzzy", "'xyzzy' is none of the 8 .* none is close"),
        ("db.meme:twice", "'twice' is 'MA1.1', 'MA1.2' in db.meme; give one of these"),
        ("no.meme:Gata1", "'no.meme:Gata1' is not of the letters .* no file 'no.meme'"),
        ("no.meme", "and there is no file 'no.meme'"),
        ("~nobody/x.meme:A", "there is no file '~nobody/x.meme'"),
        ("x\0.meme", "there is no file"),
        ("GAXA", "`motif` 'GAXA' has 'X' at position 2"),
    ],
)
def test_what_means_no_motif_is_one_line(files, word, message):
    with pytest.raises(ValueError, match=message) as caught:
        Motif.parse(word)
    assert "\n" not in str(caught.value)


def test_a_file_never_changes_what_letters_mean(files):
    for name in ("GATA", "motifs"):
        (files / name).write_text(meme({"single": "CCC"}))
    assert Motif.parse("GATA").letters == "GATA"
    assert Motif.parse("./GATA").letters == "CCC"
    assert Motif.parse("motifs").letters == "CCC"
    assert [m.letters for m in named_motifs(["GATA", "TT"], DNA)[1]] == ["GATA", "TT"]


def test_a_file_that_changes_is_read_again(files):
    assert Motif.parse("one.meme").letters == "GTTA"
    (files / "one.meme").write_text(meme({"single": "GTTAC"}))
    assert Motif.parse("one.meme").letters == "GTTAC"


@pytest.mark.parametrize(
    ("motifs", "labels"),
    [
        ("db.meme", list(NAMES)),
        (["db.meme"], list(NAMES)),
        ("db.meme:a:b", ["a:b"]),
        (["db.meme", "Gata1", "a:b"], ["MA0035.1 Gata1", "a:b"]),
        (["db.meme", "Gata1", "one.meme"], ["MA0035.1 Gata1", "single"]),
        (["one.meme", "GATA"], ["single", "GATA"]),
        (["GATA", "db.meme:JUN"], ["GATA", "JUN_HUMAN.H11MO.0.A"]),
        ({"mine": "db.meme:Gata1"}, ["mine"]),
    ],
)
def test_several_motifs_are_a_list_a_mapping_or_a_file(files, motifs, labels):
    assert named_motifs(motifs, DNA)[0] == labels


@pytest.mark.parametrize(
    ("motifs", "error", "message"),
    [
        ([], ValueError, "`motifs` is empty"),
        (3, TypeError, "`motifs` is of type int"),
        ("GATA", ValueError, "`motifs`='GATA' is not a file"),
        (["db.meme", "none"], ValueError, "'none' is none of the 8 motif"),
        (["GATA", "db.meme"], ValueError, "'db.meme' holds 8 motifs"),
    ],
)
def test_what_is_not_several_motifs_is_said(files, motifs, error, message):
    with pytest.raises(error, match=message):
        named_motifs(motifs, DNA)


def test_repeated_identifiers_are_told_apart(files):
    text = meme({"m one": "GA"}) + meme({"m two": "TT"}).partition("\n\n")[2]
    (files / "twice.meme").write_text(text.replace("ALPHABET= ACGT\n\nMOTIF", "MOTIF"))
    with pytest.warns(UserWarning, match="the later motifs are named m_2"):
        names, motifs = named_motifs("twice.meme", DNA)
    assert names == ["m one", "m_2 two"]
    assert [m.letters for m in motifs] == ["GA", "TT"]
    assert Motif.parse("twice.meme:two").letters == "TT"


def test_a_message_lists_few_of_many(files):
    (files / "many.meme").write_text(meme({f"M{i} same": "GA" for i in range(9)}))
    expected = re.escape("'same' is 'M0', 'M1', 'M2' and 6 more in many.meme")
    with pytest.raises(ValueError, match=expected):
        Motif.parse("many.meme:same")
