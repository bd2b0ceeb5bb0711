import math
import sys

import pytest
import RNA
import torch

import residualbind as rb
from residualbind.structure import folding
from residualbind.structure import profiles as profiles_module
from residualbind.structure.folding import CONTEXTS
from residualbind.structure.profiles import structure_profiles

# Paired, hairpin, internal, multi, external. Written down from ViennaRNA 2.8.0 itself:
# `probs_window` and `bpp` after loading the corrected Turner 1999 parameters, without
# code of this package.
EXPECTED = {
    "GGUCACCUGGGAGGACGAUACGAGCGAU": [
        ".0790 .8090 .8757 .8700 .0004 .7720 .4530 .2129 .0321 .0520 .4484 .1388 "
        ".4167 .8808 .5550 .6679 .2713 .1925 .1868 .0030 .1553 .0985 .0706 .0630 "
        ".0845 .1530 .0901 .0761",
        ".0000 .0016 .0038 .0046 .0635 .0613 .4916 .7599 .9114 .9317 .5244 .3940 "
        ".1377 .0879 .0892 .0652 .0868 .1635 .1554 .1595 .0692 .0786 .0779 .0706 "
        ".0333 .0014 .0006 .0000",
        ".0000 .0512 .0136 .0194 .7680 .1465 .0420 .0126 .0431 .0038 .0143 .4452 "
        ".4279 .0137 .2034 .1889 .0231 .0246 .0301 .0576 .0250 .0413 .0235 .0406 "
        ".0484 .0002 .0004 .0000",
        ".0000 .0007 .0009 .0037 .0658 .0019 .0004 .0004 .0002 .0000 .0001 .0073 "
        ".0023 .0016 .0588 .0141 .0003 .0003 .0001 .0007 .0006 .0020 .0424 .0389 "
        ".0419 .0001 .0001 .0000",
        ".9210 .1374 .1060 .1024 .1023 .0183 .0129 .0141 .0133 .0125 .0128 .0148 "
        ".0154 .0160 .0937 .0640 .6185 .6191 .6277 .7791 .7499 .7796 .7857 .7868 "
        ".7919 .8454 .9088 .9239",
    ],
    "GCAGGAGCGCAAGCCGACAUUACAGAGC": [
        ".1670 .1265 .0056 .2505 .4673 .0017 .9656 .9911 .0044 .0039 .0000 .0001 "
        ".9894 .9556 .5344 .0732 .0007 .3065 .0000 .0181 .0158 .0000 .0694 .0005 "
        ".0796 .0088 .1180 .1111",
        ".0000 .0001 .0063 .0063 .0064 .0107 .0080 .0080 .9926 .9932 .9934 .9934 "
        ".0055 .0010 .0007 .0123 .0749 .0754 .1385 .1383 .1426 .1497 .0886 .0885 "
        ".0119 .0063 .0002 .0000",
        ".0000 .0480 .0579 .0251 .2255 .6867 .0252 .0004 .0001 .0000 .0003 .0003 "
        ".0001 .0377 .1740 .2495 .2551 .0112 .0156 .0076 .0067 .0105 .0027 .0045 "
        ".0030 .0045 .0003 .0000",
        ".0000 .0001 .1079 .1025 .0476 .0477 .0001 .0000 .0000 .0000 .0000 .0000 "
        ".0000 .0001 .0388 .0509 .0506 .0061 .0081 .0019 .0001 .0012 .0011 .0471 "
        ".0459 .1011 .0004 .0000",
        ".8330 .8254 .8224 .6157 .2532 .2532 .0011 .0005 .0029 .0029 .0063 .0063 "
        ".0051 .0056 .2521 .6141 .6187 .6008 .8378 .8341 .8348 .8385 .8382 .8594 "
        ".8595 .8792 .8811 .8889",
    ],
    "AGAUNACGGAUCGCANGCGAUCAAUCCGU": [
        ".0003 .4346 .4312 .4212 .0000 .2825 .3885 .3952 .9983 .9950 .9941 .9823 "
        ".9768 .0040 .0004 .0000 .0001 .9686 .9862 .9183 .6973 .6453 .0004 .4912 "
        ".7276 .7846 .4023 .3914 .2862",
        ".0000 .0000 .0025 .0025 .0025 .0025 .0000 .0000 .0000 .0002 .0009 .0053 "
        ".0196 .9956 .9996 1.0000 .9999 .0314 .0132 .0131 .0127 .0053 .0052 .0009 "
        ".0003 .0001 .0001 .0001 .0000",
        ".0000 .0001 .0072 .0188 .4399 .4390 .4413 .4426 .0014 .0048 .0050 .0124 "
        ".0036 .0004 .0000 .0000 .0000 .0000 .0006 .0686 .2899 .3492 .8315 .3450 "
        ".1087 .0488 .0090 .0016 .0000",
        ".0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 "
        ".0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 "
        ".0000 .0000 .0000 .0000 .0000",
        ".9997 .5653 .5591 .5575 .5575 .2760 .1701 .1621 .0003 .0001 .0000 .0000 "
        ".0000 .0000 .0000 .0000 .0000 .0000 .0000 .0000 .0001 .0003 .1629 .1629 "
        ".1634 .1666 .5887 .6070 .7138",
    ],
}
SEQUENCES = list(EXPECTED)


def contexts_of(dot_bracket):
    """The context of each base of one structure: a letter of PHIME."""
    partner, open_, contexts = {}, [], []
    for i, symbol in enumerate(dot_bracket):
        if symbol == "(":
            open_.append(i)
        elif symbol == ")":
            partner[open_.pop()] = i
    enclosing = []
    for i, symbol in enumerate(dot_bracket):
        if symbol == "(":
            enclosing.append(i)
        if symbol != ".":
            contexts.append("P")
        elif not enclosing:
            contexts.append("E")
        else:
            first, last = enclosing[-1], partner[enclosing[-1]]
            branches, k = 0, first + 1
            while k < last:
                branches += k in partner
                k = partner.get(k, k) + 1
            contexts.append("HIM"[min(branches, 2)])
        if symbol == ")":
            enclosing.pop()
    return contexts


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_profiles_are_those_ofvienna(sequence):
    (profile,) = structure_profiles([sequence], length=None)
    expected = [[float(value) for value in row.split()] for row in EXPECTED[sequence]]
    torch.testing.assert_close(profile, torch.tensor(expected), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("sequence", "most"),
    [("ACGGAUCGAAAGACCGU", "PE"), ("GCCAGGCGAAAGCCAGGCGAAAGCCAGGC", "PHIME")],
)
def test_profiles_sum_over_all_structures_of_a_sequence(sequence, most):
    # This process has ViennaRNA's own parameters, Turner 2004.
    expected = torch.zeros(5, len(sequence), dtype=torch.float64)
    for found in RNA.subopt(sequence, 1200):
        weight = math.exp(-found.energy / (310.15 * 1.98717e-3))
        for i, context in enumerate(contexts_of(found.structure)):
            expected["PHIME".index(context), i] += weight
    expected /= expected.sum(dim=0)
    assert all(expected["PHIME".index(context)].max() > 0.2 for context in most)
    (profile,) = structure_profiles([sequence], energies="turner2004", length=None)
    torch.testing.assert_close(profile.double(), expected, atol=2e-6, rtol=0)


def test_paired_and_unpaired_agree_with_the_contexts():
    contexts = structure_profiles(SEQUENCES, "PHIME")
    pairedness = structure_profiles(SEQUENCES, "PU")
    assert pairedness.shape == (3, 2, 41)
    torch.testing.assert_close(pairedness[:, 0], contexts[:, 0], atol=1e-6, rtol=0)
    torch.testing.assert_close(
        pairedness[:, 1], contexts[:, 1:].sum(dim=1), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("kind", CONTEXTS)
def test_profiles_sum_to_one_at_bases_and_are_zero_at_padding(kind):
    X = rb.encode_sequences(SEQUENCES)
    profiles = structure_profiles(X, kind)
    for profile, sequence in zip(profiles, SEQUENCES, strict=True):
        start = (41 - len(sequence)) // 2
        inside = torch.zeros(41)
        inside[start : start + len(sequence)] = 1  # with N between bases
        torch.testing.assert_close(profile.sum(dim=0), inside)
    assert (profiles >= 0).all()


def test_n_between_bases_cannot_pair():
    with_n, without = structure_profiles(["GGGNAAAACCCC", "GGGGAAAACCCC"], "PU")
    column = (41 - 12) // 2 + 3
    assert with_n[:, column].tolist() == [0, 1]
    assert without[0, column] > 0.7


def test_letters_dna_and_tensors_are_the_same_sequences():
    X = rb.encode_sequences(SEQUENCES)
    more = torch.cat([X, torch.ones(3, 2, 41)], dim=1)
    dna = [sequence.replace("U", "t").lower() for sequence in SEQUENCES]
    expected = structure_profiles(SEQUENCES)
    for same in (X, X.float(), more, dna):
        assert torch.equal(structure_profiles(same), expected)
    assert torch.equal(structure_profiles(SEQUENCES, length=51)[:, :, 5:46], expected)


def test_order_and_number_of_processes_change_nothing():
    sequences = list(rb.simulate_rnacompete(n=90).sequences)
    one = structure_profiles(sequences, "PU", n_jobs=1)
    assert torch.equal(structure_profiles(sequences, "PU", n_jobs=3), one)
    backwards = structure_profiles(sequences[::-1], "PU", n_jobs=2)
    assert torch.equal(backwards.flip(0), one)


def test_a_sequence_is_folded_once(count_folds):
    folded = count_folds(profiles_module)
    profiles = structure_profiles([SEQUENCES[0], SEQUENCES[1], SEQUENCES[0]], "PU")
    assert sorted(folded) == sorted(SEQUENCES[:2])
    assert torch.equal(profiles[0], profiles[2])


def test_no_sequences_have_no_profiles():
    assert structure_profiles([], "PHIME").shape == (0, 5, 41)


def test_the_energies_of_this_process_neither_change_nor_matter():
    before = RNA.fold(SEQUENCES[0])
    expected = structure_profiles(SEQUENCES)
    assert RNA.fold(SEQUENCES[0]) == before
    try:
        RNA.params_load_RNA_Andronescu2007()
        mine = RNA.fold(SEQUENCES[0])
        assert mine[1] != before[1]
        assert torch.equal(structure_profiles(SEQUENCES), expected)
        assert RNA.fold(SEQUENCES[0]) == mine
    finally:
        RNA.params_load_RNA_Turner2004()
    assert RNA.fold(SEQUENCES[0]) == before


def test_energies_and_temperature_matter():
    X = rb.encode_sequences(SEQUENCES)
    default = structure_profiles(X)
    for options in (
        {"energies": "turner2004"},
        {"energies": "turner1999-as-given"},
        {"temperature": 60},
    ):
        assert not torch.allclose(structure_profiles(X, **options), default, atol=5e-3)
    melted = structure_profiles(X, temperature=90)
    assert melted[:, 0].sum() < default[:, 0].sum()


def test_a_second_call_reads_the_cache(tmp_path, count_folds):
    first = structure_profiles(SEQUENCES, cache_folder=tmp_path / "cache")
    folded = count_folds(profiles_module)
    again = structure_profiles(SEQUENCES[::-1], cache_folder=tmp_path / "cache")
    assert folded == []
    assert torch.equal(again.flip(0), first)
    more = [*SEQUENCES, "GGGGAAAACCCC"]
    structure_profiles(more, cache_folder=tmp_path / "cache")
    assert folded == ["GGGGAAAACCCC"]


def test_the_cache_keeps_settings_apart(tmp_path, count_folds):
    folded = count_folds(profiles_module)
    for options in (
        {"kind": "PU"},
        {"kind": "PHIME"},
        {"kind": "PU", "temperature": 38.0},
        {"kind": "PU", "energies": "turner2004"},
    ):
        expected = structure_profiles(SEQUENCES, **options)
        folded.clear()
        for calls in (3, 3):
            found = structure_profiles(SEQUENCES, cache_folder=tmp_path, **options)
            assert torch.equal(found, expected)
            assert len(folded) == calls
    assert len(list(tmp_path.iterdir())) == 4


def test_an_interrupted_call_resumes(tmp_path, monkeypatch, count_folds):
    sequences = list(dict.fromkeys(rb.simulate_rnacompete(n=80).sequences))
    monkeypatch.setattr(profiles_module, "_CACHE_CHUNK", 32)

    def interrupted(sequences, settings, n_jobs):
        yield from folding.fold(sequences[:40], settings, n_jobs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(profiles_module, "fold", interrupted)
        with pytest.raises(KeyboardInterrupt):
            structure_profiles(sequences, "PU", n_jobs=1, cache_folder=tmp_path)
    folded = count_folds(profiles_module)
    found = structure_profiles(sequences, "PU", cache_folder=tmp_path)
    assert folded == sequences[40:]
    assert torch.equal(found, structure_profiles(sequences, "PU"))


def test_a_damaged_cache_is_noticed_and_folded_again(tmp_path, count_folds):
    expected = structure_profiles(SEQUENCES, cache_folder=tmp_path)
    (path,) = tmp_path.glob("*/*.safetensors")
    content = bytearray(path.read_bytes())
    content[-3] ^= 1  # one bit of one value
    path.write_bytes(content)
    folded = count_folds(profiles_module)
    with pytest.warns(UserWarning, match=f"1 file.* damaged.* removed.*{path.name}"):
        found = structure_profiles(SEQUENCES[:2], cache_folder=tmp_path)
    assert folded == SEQUENCES[:2]
    assert torch.equal(found, expected[:2])
    assert not path.exists()
    structure_profiles(SEQUENCES, cache_folder=tmp_path)  # no warning, the third anew
    assert folded == SEQUENCES


def test_a_truncated_cache_is_noticed(tmp_path):
    structure_profiles(SEQUENCES, "PU", cache_folder=tmp_path)
    (path,) = tmp_path.glob("*/*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.warns(UserWarning, match="damaged"):
        structure_profiles(SEQUENCES, "PU", cache_folder=tmp_path)


def test_progress_is_shown_when_asked(capsys):
    structure_profiles(SEQUENCES, "PU")
    assert capsys.readouterr().err == ""
    structure_profiles(SEQUENCES, "PU", verbose=True)
    assert "3/3" in capsys.readouterr().err


def test_missingvienna_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "RNA", None)
    install = r'needs ViennaRNA.*pip install "tangermeme-gia\[vienna\]"'
    with pytest.raises(ImportError, match=f"structure_profiles.*{install}"):
        structure_profiles(SEQUENCES)
    with pytest.raises(ImportError, match=f"WithStructure.*{install}"):
        rb.WithStructure(rb.ResidualBind(rb.ResidualBindConfig(channels=6)))


@pytest.mark.parametrize(
    ("sequences", "options", "error", "match"),
    [
        (SEQUENCES, {"kind": "pu"}, ValueError, "`kind`='pu' must be one of 'PU', 'PH"),
        (SEQUENCES, {"energies": "1999"}, ValueError, "`energies`='1999' must be one"),
        (SEQUENCES, {"temperature": -1}, ValueError, "`temperature`=-1 must be from 0"),
        (SEQUENCES, {"temperature": "hot"}, TypeError, "`temperature`='hot' must be"),
        (SEQUENCES, {"n_jobs": 0}, ValueError, "`n_jobs`=0 must be at least 1"),
        (
            ["ACGUACGU", "GAAC"],
            {},
            ValueError,
            r"`sequences`\[1\] has 4 bases, too few",
        ),
        (["ACGUACGU", ""], {}, ValueError, r"`sequences`\[1\].* is empty"),
        (["ACG-ACGU"], {}, ValueError, "'-' at position 4"),
        (["A" * 42], {}, ValueError, "42 letters, more than `length`=41"),
        ("ACGUACGU", {}, TypeError, "one string"),
        (torch.zeros(1, 4, 9), {}, ValueError, r"`sequences`\[0\] has 0 bases"),
        (torch.zeros(1, 3, 9), {}, ValueError, r"shape \(1, 3, 9\); it must be"),
        (torch.full((1, 4, 9), 0.25), {}, ValueError, "is not one-hot: sequence 0"),
        (torch.ones(1, 4, 9), {}, ValueError, r"\[1.*\] at position 0"),
    ],
)
def test_what_cannot_be_folded_is_named(sequences, options, error, match):
    with pytest.raises(error, match=match):
        structure_profiles(sequences, **options)


def test_other_letters_are_read_as_n_with_a_warning():
    with pytest.warns(UserWarning, match="read as N"):
        found = structure_profiles(["GGGRAAAACCCC"], "PU")
    assert torch.equal(found, structure_profiles(["GGGNAAAACCCC"], "PU"))
