import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import characters

from tangermeme_gia._core.patterns import place
from tangermeme_gia.kmers.codes import all_kmers
from tangermeme_gia.motifs.from_kmers import align_kmers, sensitivity_logo

RNA = "ACGU"


@pytest.fixture
def change() -> np.ndarray:
    """The change of every variant of UGCA, whose second position matters most."""
    change = np.array([[-1.0, -2, -2, 0], [-3, -4, 0, -12], [0, 0, 0, 0], [0, 5, 0, 0]])
    change[3, 0] = 0
    return change


def test_heights_are_norms_on_the_wild_type_letters(change):
    logo = sensitivity_logo(change, "UGCA", RNA)
    expected = pd.DataFrame(0.0, index=range(4), columns=list(RNA))
    expected.loc[0, "U"], expected.loc[1, "G"], expected.loc[3, "A"] = 3, 13, 5
    pd.testing.assert_frame_equal(logo, expected)


def test_tensors_and_frames_give_the_same_logo(change):
    expected = sensitivity_logo(change, "UGCA", RNA)
    frame = pd.DataFrame(change, columns=list(RNA))
    for same in (torch.tensor(change, dtype=torch.float32), frame, change.tolist()):
        pd.testing.assert_frame_equal(sensitivity_logo(same, "UGCA", RNA), expected)


def test_raw_effects_are_refused(change):
    # Raw effects would draw the letters that do not matter the highest.
    with pytest.raises(
        ValueError, match="`change` is 14 at position 0 for its wild-ty"
    ):
        sensitivity_logo(change + 14, "UGCA", RNA)


@pytest.mark.parametrize(
    ("rows", "kmer", "message"),
    [
        (slice(3), "UGCA", r"`change` has shape \(3, 4\).* \(4, 4\), a row for each"),
        (slice(4), "UGXA", "k-mer 'UGXA' has 'X' at position 2, which is not in"),
        (slice(0), "", r"`change` has shape \(0, 4\).* and at least one"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(change, rows, kmer, message):
    with pytest.raises(ValueError, match=message):
        sensitivity_logo(change[rows], kmer, RNA)


def test_missing_changes_and_other_columns_are_refused(change):
    change[0, 0] = np.nan
    with pytest.raises(ValueError, match="`change` holds NaN"):
        sensitivity_logo(change, "UGCA", RNA)
    frame = pd.DataFrame(change, columns=list("TGCA"))
    with pytest.raises(ValueError, match=r"columns \['T', 'G', 'C', 'A'\]; they must"):
        sensitivity_logo(frame, "UGCA", RNA)


def test_shifted_kmers_are_aligned_by_their_letters():
    kmers = ["UGCAUG", "GCAUGU", "UUGCAU", "UGCACG"]
    ppm, table = align_kmers(kmers, [4.0, 3.0, 2.0, 1.0], alphabet=RNA)
    assert table["kmer"].tolist() == kmers
    assert table["start"].tolist() == [1, 2, 0, 1]
    np.testing.assert_allclose(table["weight"], [0.4, 0.3, 0.2, 0.1])
    #            U-UGCAU / UGCAUG, GCAUGU, UGCACG
    expected = np.zeros((4, 8))
    expected[:, 0] = [0.2, 0.2, 0.2, 0.4]  # 0.8 of the weight does not reach here
    expected[:, 1] = [0.075, 0.075, 0.075, 0.775]
    expected[2, 2] = expected[1, 3] = expected[0, 4] = 1
    expected[3, 5], expected[1, 5] = 0.9, 0.1
    expected[:, 6] = [0.05, 0.05, 0.85, 0.05]
    expected[:, 7] = [0.175, 0.175, 0.175, 0.475]
    np.testing.assert_allclose(ppm, expected)


def test_the_planted_motif_comes_back_from_a_scan():
    # An additive model of the motif UGCA, the best of its windows in each 6-mer.
    kmers = all_kmers(6, RNA)
    codes = np.array([[RNA.index(letter) for letter in kmer] for kmer in kmers])
    motif = np.array([3, 2, 1, 0])
    matches = [(codes[:, i : i + 4] == motif).sum(axis=1) for i in range(3)]
    effects = np.max(matches, axis=0) ** 2.0
    ppm, _ = align_kmers(kmers, effects, top=48, alphabet=RNA)
    core = ppm[:, ppm.max(dim=0).values > 0.9]
    assert characters(core, alphabet=list(RNA)) == "UGCA"


def test_one_kmer_is_its_own_motif():
    ppm, table = align_kmers(["UGCAUG"], [0.3], alphabet=RNA)
    assert characters(ppm, alphabet=list(RNA)) == "UGCAUG"
    assert set(ppm.unique().tolist()) == {0, 1}
    assert table.to_dict("list") == {
        "kmer": ["UGCAUG"],
        "effect": [0.3],
        "weight": [1.0],
        "strand": ["+"],
        "start": [0],
    }


def test_the_best_kmer_weighs_even_when_it_comes_last():
    ppm, table = align_kmers(["AAAA", "GGGG", "CCCC"], [1.0, 1.0, 2.0])
    assert table["kmer"].tolist() == ["CCCC", "AAAA", "GGGG"]
    np.testing.assert_allclose(ppm, np.tile([[0.25], [0.5], [0.25], [0]], 4))


def test_ties_keep_the_order_given():
    kmers = np.random.default_rng(0).permutation(all_kmers(3)).tolist()
    effects = np.tile([1.0, 2.0], 32)
    _, table = align_kmers(kmers, effects, top=34)
    assert table["kmer"].tolist() == kmers[1::2] + kmers[:4:2]
    np.testing.assert_allclose(table["weight"], [2 / 66] * 32 + [1 / 66] * 2)


def test_equal_shifts_prefer_the_smallest_then_the_left():
    # ACA against CAC agrees equally one to the left and one to the right.
    assert align_kmers(["ACA", "CAC"], [2.0, 1.0]).table["start"].tolist() == [1, 0]
    # No letter agrees anywhere: no shift.
    assert align_kmers(["AAA", "CCC"], [2.0, 1.0]).table["start"].tolist() == [0, 0]


def test_negative_effects_weigh_nothing_and_are_listed():
    mixed, table = align_kmers(["GAT", "ATT", "TTT"], [2.0, 1.0, -1.0])
    alone, _ = align_kmers(["GAT", "ATT"], [2.0, 1.0])
    assert torch.equal(mixed, alone)
    assert table["weight"].tolist() == [pytest.approx(2 / 3), pytest.approx(1 / 3), 0]
    # A shifted k-mer without weight adds no column either.
    assert align_kmers(["GAT", "TGA"], [2.0, 0.0]).ppm.shape == (4, 3)


def test_a_baseline_makes_weights_relative():
    _, table = align_kmers(["GAT", "GAC"], [-1.0, -2.0], baseline=-4.0)
    np.testing.assert_allclose(table["weight"], [0.6, 0.4])


def test_without_a_positive_effect_there_is_no_motif():
    with pytest.raises(ValueError, match=r"no k-mer has an effect above .* -0.5\), so"):
        align_kmers(["GAT", "ATT"], [-0.5, -1.0])
    with pytest.raises(ValueError, match="negate `effects`"):
        align_kmers(["GAT"], [0.0])


@pytest.mark.parametrize("seed", range(20))
def test_columns_sum_to_one_and_every_column_of_the_best_stays(seed):
    rng = np.random.default_rng(seed)
    kmers = rng.choice(all_kmers(4), size=12, replace=False).tolist()
    effects = rng.normal(size=12)
    background = [0.3, 0.2, 0.1, 0.4]
    for coverage in (0.0, 0.5, 1.0):
        ppm, table = align_kmers(
            kmers, effects, background=background, min_coverage=coverage
        )
        np.testing.assert_allclose(ppm.sum(dim=0), 1)
        assert (ppm >= 0).all()
        best = table.iloc[0]
        codes = ["ACGT".index(letter) for letter in best["kmer"]]
        where = np.arange(best["start"], best["start"] + 4)
        assert (ppm[codes, where] >= best["weight"]).all()
    assert ppm.shape[1] >= 4


def test_poorly_covered_flanks_are_trimmed_on_request():
    kmers, effects = ["TTGCA", "GCATT", "TTTGC"], [6.0, 3.0, 1.0]
    whole = align_kmers(kmers, effects)
    assert whole.ppm.shape == (4, 8)
    trimmed = align_kmers(kmers, effects, min_coverage=0.2)
    assert torch.equal(trimmed.ppm, whole.ppm[:, 1:])
    assert (trimmed.table["start"] == whole.table["start"] - 1).all()
    core = align_kmers(kmers, effects, min_coverage=1.0)
    assert torch.equal(core.ppm, whole.ppm[:, 1:6])


def test_a_largest_shift_holds():
    kmers, effects = ["GATTC", "TCAAA"], [2.0, 1.0]
    assert align_kmers(kmers, effects).table["start"].tolist() == [0, 3]
    near = align_kmers(kmers, effects, max_shift=2).table["start"]
    assert abs(near[1] - near[0]) <= 2
    assert align_kmers(kmers, effects, max_shift=0).ppm.shape == (4, 5)


def test_the_motif_can_be_placed():
    ppm = align_kmers(["GAT", "ATT"], [2.0, 1.0]).ppm
    treated = place(torch.zeros(50, 4, 9), [(ppm, 2)], random_state=0)
    assert (treated[:, :, 2:6].sum(dim=1) == 1).all()


@pytest.mark.parametrize(
    ("kmers", "effects", "kwargs", "message"),
    [
        ([], [], {}, "`kmers` holds 0 k-mers"),
        (["GAT"], [1.0, 2.0], {}, r"1 k-mers and `effects` has shape \(2,\)"),
        (["GAT", "CC"], [1.0, 2.0], {}, r"must have one length; found \[2, 3\]"),
        ([""], [1.0], {}, r"must have one length; found \[0\]"),
        (["GAT", "GAT"], [1.0, 2.0], {}, "`kmers` must be distinct"),
        (["GAX"], [1.0], {}, "'GAX' has 'X' at position 2"),
        (["GAT"], [np.nan], {}, "`effects` holds NaN"),
        (["GAT"], [1.0], {"top": 0}, "`top`=0 must be at least 1"),
        (["GAT"], [1.0], {"max_shift": 3}, "`max_shift`=3 between 0 and 2"),
        (["GAT"], [1.0], {"min_coverage": 2}, "`min_coverage`=2 between 0 and 1"),
        (["GAT"], [1.0], {"background": [1, 1, 1, 1]}, "`background`="),
    ],
)
def test_kmers_that_cannot_be_aligned_are_refused(kmers, effects, kwargs, message):
    with pytest.raises(ValueError, match=message):
        align_kmers(kmers, effects, **kwargs)


def test_folded_kmers_are_turned_to_the_strand_of_the_best():
    kmers, effects = ["GATAAC", "CTTATC", "GTTATC", "AGATAA"], [4.0, 3.0, 2.0, 1.0]
    ppm, table = align_kmers(kmers, effects, both_strands=True)
    # CTTATC is GATAAG and GTTATC is GATAAC on the other strand.
    assert table["strand"].tolist() == ["+", "-", "-", "+"]
    assert table["start"].tolist() == [1, 1, 1, 0]
    torch.testing.assert_close(
        ppm, align_kmers(["GATAAC", "GATAAG", "AGATAA"], [6.0, 3.0, 1.0]).ppm
    )
    assert "".join("ACGT"[i] for i in ppm[:, 1:7].argmax(dim=0)) == "GATAAC"


def test_a_palindrome_stays_on_its_strand():
    table = align_kmers(["GATATC", "GATAGC"], [2.0, 1.0], both_strands=True).table
    assert table["strand"].tolist() == ["+", "+"]


def test_letters_without_complement_have_one_strand():
    with pytest.raises(ValueError, match="alphabet"):
        align_kmers(["LIV"], [1.0], alphabet="LIVM", both_strands=True)


def test_kmers_of_either_spelling_are_aligned():
    words = ["UGCAUG", "gcaugu"]
    aligned = align_kmers(words, [3.0, 1.0])
    expected = align_kmers(["TGCATG", "GCATGT"], [3.0, 1.0])
    assert torch.equal(aligned.ppm, expected.ppm)
    assert aligned.table["kmer"].tolist() == words
    with pytest.raises(ValueError, match="must be distinct"):
        align_kmers(["UGC", "TGC"], [3.0, 1.0])
