"""Motif files: names, matrices and widths stay together, or the file is refused."""

import gzip
import os

import numpy as np
import pytest
import torch

import tangermeme_gia as gia
from tangermeme_gia import read_motifs
from tangermeme_gia.motifs import compare_motifs, write_meme

HEAD = "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n"
LINE = "letter-probability matrix: alength= 4 w= {} nsites= 20 E= 0\n"
GATA = "0 0 1 0\n1 0 0 0\n0 0 0 1\n1 0 0 0\n"
TC = "0 0 0 1\n0 1 0 0\n"
MEME = f"{HEAD}MOTIF one Gata\n{LINE.format(4)}{GATA}\nMOTIF two\n{LINE.format(2)}{TC}"
JASPAR = (
    ">one Gata\nA [ 0 2 0 2 ]\nC [ 0 0 0 0 ]\nG [ 1 0 0 0 ]\nT [ 0 0 3 0 ]\n"
    "\n>two\n0 0\n0 8\n0 0\n9 0\n"
)
HOMER = f">GATA\tone\t6.05\t-9\n{GATA}>TC\ttwo\t3\n{TC}"
TRANSFAC = (
    "VV  a release\nXX\n//\nAC  one\nXX\nID  V$GATA\nNA  Gata\nP0      T      C  G  A\n"
    "01      0      0     7      0      G\n02 0 0 0 2.5 A\n03 1 0 0 0 T\n"
    "04 0 0 0 1 A\nXX\n//\nAC  two\nPO  A C G T\n1 0 0 0 1\n2 0 1 0 0\nXX\n//\n"
)
FULL = (
    "*****\nMEME - Motif discovery tool\n*****\nMEME version 5.5.5 (Release: ...)\n"
    "ALPHABET= ACGT\nLetter frequencies in dataset:\nA 0.25 C 0.25 G 0.25 T 0.25\n"
    "*****\nMOTIF one MEME-1\twidth =   4  sites =  20  llr = 9  E-value = 1\n*****\n"
    "-----\n\tMotif one MEME-1 Description\n-----\nSimplified  A  :a:a\n-----\n"
    "\tMotif one MEME-1 position-specific scoring matrix\n-----\n"
    "log-odds matrix: alength= 4 w= 4 n= 40 bayes= 5 E= 1e-3\n"
    "  -99 -99 200 -99 \n" * 1 + "  200 -99 -99 -99 \n  -99 -99 -99 200 \n"
    "  200 -99 -99 -99 \n-----\n-----\n\tMotif one position-specific probability matrix"
    "\n-----\nletter-probability matrix: alength= 4 w= 4 nsites= 20 E= 1e-3 \n"
    f"{GATA}-----\n\nTime  0.1 secs.\n*****\nSUMMARY OF MOTIFS\n*****\n"
)
FORMATS = {"a.meme": MEME, "a.jaspar": JASPAR, "a.homer": HOMER, "a.dat": TRANSFAC}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", [*FORMATS, *(f"{name}.gz" for name in FORMATS)])
def test_every_format_gives_the_same_motifs(write, name, end):
    text = "\ufeff" + FORMATS[name.removesuffix(".gz")].replace("\n", end)
    motifs = read_motifs(write(text, name))
    assert {key: motif.letters for key, motif in motifs.items()} == {
        "one": "GATA",
        "two": "TC",
    }
    # HOMER's identifier is its name; the other formats have one word more.
    other = "" if "homer" in name else " Gata"
    assert [motif.name for motif in motifs.values()] == [f"one{other}", "two"]
    assert motifs["one"].alphabet == ("A", "C", "G", "T")


def test_full_meme_is_read(write):
    motifs = read_motifs(write(FULL))
    assert {key: motif.letters for key, motif in motifs.items()} == {"one": "GATA"}
    assert motifs["one"].name == "one MEME-1"


def test_counts_become_probabilities(write):
    path = write(">m\nA [1 2]\nC [1 0]\nG [2 0]\nU [0 6]\n")
    motif = read_motifs(path)["m"]
    assert motif.ppm.T.tolist() == [[0.25, 0.25, 0.5, 0], [0.25, 0, 0, 0.75]]
    assert motif.alphabet == ("A", "C", "G", "U")


def test_what_is_written_is_read_back_exactly(tmp_path):
    ppm = np.random.default_rng(0).dirichlet([0.3] * 4, size=9).T
    path = tmp_path / "m.meme"
    write_meme(path, {"A b": ppm, "C": torch.eye(4)}, alphabet="ACGU")
    motifs = read_motifs(path)
    np.testing.assert_array_equal(motifs["A"].ppm, ppm)
    assert motifs["C"].letters == "ACGU"
    write_meme(path, {m.name: m for m in motifs.values()}, alphabet="ACGU")
    assert list(read_motifs(path)) == ["A", "C"]


def test_channels_are_those_of_the_alphabet(write):
    path = write(MEME)
    assert read_motifs(path, alphabet="ACGU")["one"].letters == "GAUA"
    swapped = read_motifs(path, alphabet="TGCA")["two"]
    assert swapped.letters == "TC"
    assert swapped.ppm.argmax(axis=0).tolist() == [0, 2]
    with pytest.raises(
        ValueError, match=r"its motifs are of A, C, G, T; `alphabet` is"
    ):
        read_motifs(path, alphabet="ACDE")
    protein = "ACDEFGHIKLMNPQRSTVWY"
    row = " ".join("1" if letter == "W" else "0" for letter in protein)
    assert (
        read_motifs(write(f"MOTIF p\n{LINE.format(1)[:26]}\n{row}\n"))["p"].letters
        == "W"
    )


@pytest.mark.parametrize("bare", ["letter-probability matrix:\n", LINE.format(4)])
def test_a_width_need_not_be_stated(write, bare):
    motifs = read_motifs(write(f"{HEAD}MOTIF one\n\n{bare}\n{GATA}URL http://x\n"))
    assert motifs["one"].letters == "GATA"


def meme(name="m", line="letter-probability matrix: alength= 4 w= 4\n", rows=GATA):
    return f"{HEAD}MOTIF {name}\n{line}{rows}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # Line 7 is the first MOTIF line of these files.
        ("", "is empty"),
        ("GATA\n", "is no motif file: neither MEME"),
        ("<html>", "is no motif file"),
        (HEAD, "holds no motif"),
        (
            meme() + "\nMOTIF b\n\nMOTIF c\n" + LINE.format(4) + GATA,
            "line 14, motif 'b'",
        ),
        (meme() + "\nMOTIF b\n", "line 14, motif 'b': it has no letter-probability"),
        (
            meme(line=LINE.format(3)),
            "line 8, motif 'm': w= 3, but its matrix has 4 row",
        ),
        (
            meme(line=LINE.format(5)),
            "line 8, motif 'm': w= 5, but its matrix has 4 row",
        ),
        (meme(line="letter-probability matrix: alength= 20\n"), "alength= 20, but"),
        (
            meme(rows="0 0 1 0\n\n1 0 0 0\n"),
            "line 11, motif 'm': numbers behind the end",
        ),
        (meme(rows="0 0 1 0\n1 0 0\n"), r"line 10, motif 'm': 3 number\(s\), where 4"),
        (meme(rows="0 0 1 0\n1 0 0 x\n"), "line 10, motif 'm': 'x' is not a number"),
        (
            meme(rows="0 0 1 0\nnan 0 0 0\n"),
            "line 10, motif 'm': 'nan' is not a number",
        ),
        (meme(rows=""), "line 8, motif 'm': its matrix has no rows"),
        (meme(name=""), "line 7: a MOTIF line without an identifier"),
        (meme() + LINE.format(4) + GATA, "line 7, motif 'm': .* 2 matrices"),
        (
            HEAD + LINE.format(4) + GATA + "MOTIF m\n",
            "line 7: a matrix before any MOTIF",
        ),
        (
            meme().replace("ACGT", '"DNA" DNA-LIKE'),
            "line 3: .* of alphabets are not read",
        ),
        (meme() + "\nALPHABET= ACGU\n", "line 14: the alphabet was ACGT before"),
        (">a\nA 0 1\nC 1 0\nG 0 0\n", "line 1, motif 'a': it has 3 rows; JASPAR"),
        (">a\n0 1\n1 0\n0 0\n0\n", r"line 5, motif 'a': 1 number\(s\), where 2"),
        (">a\nA 0\nC 1\nG 0\nG 0\n", "line 5, motif 'a': a second row of G"),
        (">a\nA 0\nC [1\nG 0\nT 0\n", r"line 3, motif 'a': 'C \[1' is no row"),
        (">a\nA 0\nC 0\nG 0\nT 0\n", "lines 2 to 5, motif 'a': position 0 sums to 0"),
        (">a\nA 2\nC -1\nG 0\nT 0\n", "motif 'a': position 0 holds -1; contributions"),
        (">\nA 2\nC 1\nG 0\nT 0\n", "line 1, motif '': a title without an identifier"),
        (">G\ta\t6\n0 0 1 0\n>b\n" + GATA, "line 3, motif 'b': a title of HOMER is"),
        (">G\ta\t6\n", "line 1, motif 'a': it has no matrix"),
        (">G\ta\t6\n0 0 1\n", r"line 2, motif 'a': 3 number\(s\), where 4"),
        (TRANSFAC[:-3], "line 15: a record that does not end in //"),
        (
            TRANSFAC.replace("02 0", "04 0"),
            "line 10, motif 'one': position 04 does not",
        ),
        (TRANSFAC.replace("02 0 0", "02 0"), r"line 10, motif 'one': 3 number\(s\)"),
        (TRANSFAC.replace("P0 ", "P1 "), "line 4, motif 'one': .* and 0"),
        (TRANSFAC.replace("AC  two\n", ""), "line 15, motif '': a record has AC"),
        (
            TRANSFAC.replace("A C G T", "A C G X"),
            "motif 'two': .* names no A, C, G and",
        ),
        (TRANSFAC + "AC  x\nP0 A C G T\nXX\n//\n", "motif 'x': its matrix has no rows"),
        (TRANSFAC.replace("XX\n//\nAC  two", "XX\n05 1 1 1 1\n//\nAC  two"), "behind"),
    ],
)
def test_what_is_no_motif_is_refused_by_file_line_and_motif(write, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_motifs(write(text, "motifs.txt"))
    assert "motifs.txt" in str(caught.value)


def test_four_rows_that_are_positions_are_not_taken_for_letters(write):
    """ATtRACT has a row for each position: GAAA, not the rows A, C, G, T of JASPAR."""
    rows = "0.1\t0.1\t0.7\t0.1\n" + 3 * "0.7\t0.1\t0.1\t0.1\n"
    with pytest.raises(
        ValueError, match="line 1, motif 'M1': each of its rows sums to"
    ):
        read_motifs(write(f">M1\t4\n{rows}"))
    named = "".join(
        f"{a} {row}\n" for a, row in zip("ACGT", rows.splitlines(), strict=True)
    )
    assert read_motifs(write(f">M1\n{named}"))["M1"].ppm[
        :, 0
    ].tolist() == pytest.approx([0.1 / 2.2, 0.7 / 2.2, 0.7 / 2.2, 0.7 / 2.2])


def test_an_alphabet_in_lower_case_is_that_of_dna(write):
    lower = read_motifs(write(meme().replace("ACGT", "acgt")))["m"]
    assert lower.alphabet == ("A", "C", "G", "T")


def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "m.meme")
    with pytest.raises(ValueError, match=r"m\.meme is a pipe or device; write it to a"):
        read_motifs(tmp_path / "m.meme")


def test_damaged_gzip_and_other_bytes_are_refused(write):
    path = write(b"", "m.gz")
    path.write_bytes(gzip.compress(MEME.encode())[:-9])
    with pytest.raises(ValueError, match=r"m\.gz: the gzip file is damaged"):
        read_motifs(path)
    with pytest.raises(ValueError, match=r"m\.bin, line 1: not UTF-8"):
        read_motifs(write(b"\xff\x00", "m.bin"))
    with pytest.raises(IsADirectoryError):
        read_motifs(path.parent)


@pytest.mark.parametrize("row", ["0.33 0.33 0.33 0", "0.34 0.34 0.33 0"])
def test_rounded_columns_are_normalised_and_named(write, row):
    path = write(meme() + f"\nMOTIF b\n{LINE.format(2)}1 0 0 0\n{row}\n")
    total = sum(map(float, row.split()))
    message = (
        r"1 column\(s\) miss 1 by more than 0.002 .* position 1 of motif 'b', line 17, "
        rf"which sums to {total:.6g}"
    )
    with pytest.warns(UserWarning, match=message):
        ppm = read_motifs(path)["b"].ppm
    np.testing.assert_allclose(ppm[:, 1], np.array(row.split(), float) / total)


def test_columns_of_three_decimals_are_as_they_stand(write):
    path = write(meme(rows="0.333 0.333 0.333 0\n0.334 0.334 0.333 0\n" + TC))
    ppm = read_motifs(path)["m"].ppm
    assert ppm[:, :2].T.tolist() == [[0.333, 0.333, 0.333, 0], [0.334, 0.334, 0.333, 0]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0.1 -0.01 0.2 0.3", r"line 17, motif 'b': position 1 holds -0.01; contribut"),
        ("0.3 0.3 0.3 0", r"line 17, motif 'b': position 1 sums to 0.9, where 1"),
        ("0 0 0 0", r"line 17, motif 'b': position 1 sums to 0, where 1 is needed"),
        ("1e999 0 0 0", r"line 17, motif 'b': position 1 sums to inf"),
    ],
)
def test_columns_that_are_no_probabilities_are_named(write, row, message):
    path = write(meme() + f"\nMOTIF b\n{LINE.format(2)}1 0 0 0\n{row}\n", "m.meme")
    with pytest.raises(ValueError, match=message):
        read_motifs(path)


def test_repeated_identifiers_get_a_suffix(write):
    text = HEAD + "".join(
        f"MOTIF {name}\n{LINE.format(1)}{row}\n\n"
        for name, row in zip(
            ["a x", "a_2", "a y", "a"],
            ["1 0 0 0", "0 1 0 0", "0 0 1 0", "0 0 0 1"],
            strict=True,
        )
    )
    with pytest.warns(UserWarning, match=r"2 identifier\(s\) .* are named a_3, a_4\."):
        motifs = read_motifs(write(text))
    assert [(k, m.name, m.letters) for k, m in motifs.items()] == [
        ("a", "a x", "A"),
        ("a_2", "a_2", "C"),
        ("a_3", "a_3 y", "G"),
        ("a_4", "a_4", "T"),
    ]


class Counts(torch.nn.Module):
    """How often GATA is there."""

    def forward(self, X):
        word = torch.eye(4)[[2, 0, 3, 0]].T[None]
        return (torch.nn.functional.conv1d(X.float(), word) == 4).sum(2).float()


@pytest.mark.parametrize("name", FORMATS)
def test_scans_and_comparisons_read_every_format(write, name):
    path = write(FORMATS[name], name)
    X = torch.zeros(5, 4, 12)
    X[:, 1] = 1  # poly-C
    table = gia.kmer_scan(Counts(), X, kmers=path).to_frame()
    other = "" if "homer" in name else " Gata"
    effects = dict(zip(table["kmer"], table["effect"], strict=True))
    assert effects == {f"one{other}": 1, "two": 0}
    with pytest.warns(UserWarning, match="fewer than 25 targets"):
        found = compare_motifs(read_motifs(path), path, n_jobs=1)
    assert set(found["known"]) == {f"one{other}", "two"}
    assert set(found["query"]) == {"one", "two"}
    rna = ("A", "C", "G", "U")
    scanned = gia.kmer_scan(Counts(), X, kmers=path, alphabet=rna)
    assert scanned.to_frame()["effect"].max() == 1
