"""Designed structures: their pairs, their composition, and whether they fold."""

import itertools
import sys

import numpy as np
import pytest
import torch
from scipy import stats
from tangermeme.utils import PackedSequence, one_hot_encode, random_one_hot

from tangermeme_gia.backgrounds.profiles import profile_background
from tangermeme_gia.backgrounds.shuffles import draw_rows
from tangermeme_gia.backgrounds.structured import structured_background
from tangermeme_gia.structure.folding import folding_check
from tangermeme_gia.structure.pairing import forms_pairs, impose_pairs
from tangermeme_gia.structure.pairs import Hairpin, pair_indices

RNA = ("A", "C", "G", "U")
UNIFORM = torch.full((4, 41), 0.25)
# Two hairpins within a stem.
BRANCHED = ".....(((.(((...)))..(((....))).)))......."
PADDED_STEM = torch.zeros(2, 4, 41, dtype=torch.int8)


@pytest.fixture
def X() -> torch.Tensor:
    """30 to 41 bases centred in 41, with C and G rarer than A and T."""
    X = profile_background(torch.tensor([[0.35, 0.1, 0.2, 0.35]] * 41).T, 48, 1)
    for i, x in enumerate(X):
        missing = i % 12
        x[:, : missing // 2] = 0
        x[:, 41 - (missing - missing // 2) :] = 0
    return X


def uniformity(observed, expected=None) -> float:
    return stats.chisquare(observed, expected).pvalue


def counts(X: torch.Tensor) -> np.ndarray:
    """How often each sequence has each letter."""
    return X.sum(dim=2, dtype=torch.int64).numpy()


@pytest.mark.parametrize("structure", ["paper", "released", BRANCHED, Hairpin(6, 9, 4)])
def test_every_pair_forms_and_all_else_is_the_template(X, structure):
    background = structured_background(X, structure, 40, random_state=3)
    templates = X[draw_rows(len(X), 40, 3)]
    pairs = pair_indices(structure, 41)
    assert forms_pairs(background, pairs).all()
    unpaired = np.setdiff1d(np.arange(41), pairs)
    assert torch.equal(background[:, :, unpaired], templates[:, :, unpaired])
    i, j = torch.from_numpy(pairs).T
    kept = [(background[:, :, k] == templates[:, :, k]).all(dim=1) for k in (i, j)]
    assert (kept[0] | kept[1]).all()
    formed = forms_pairs(templates, pairs)
    assert (kept[0] & kept[1])[formed].all()


def test_pairs_are_random_and_so_is_which_base_is_kept():
    n = 8000
    background = structured_background(UNIFORM, "paper", n, random_state=0)
    drawn = background.sum(dim=0).numpy()
    assert min(uniformity(column) for column in drawn.T) > 0.001 / 41
    # Positions outside the stem pair by chance only: 4 of 16 combinations.
    chance = forms_pairs(background, [[3, 38], [16, 21]]).double().mean()
    assert chance == pytest.approx(0.25, abs=0.015)
    letters = background.argmax(dim=1).numpy()
    pairs = np.bincount(4 * letters[:, 5] + letters[:, 6], minlength=16)
    assert uniformity(pairs) > 0.001
    templates = profile_background(UNIFORM, n, 0)
    sides = [
        (background[:, :, side] == templates[:, :, side]).all(dim=1).double().mean(0)
        for side in Hairpin.paper().pairs.T
    ]
    # A quarter forms at once, of the rest either side is kept equally often.
    assert torch.stack(sides).numpy() == pytest.approx(0.625, abs=0.025)


def every_way_to_pair(template: str, pairs) -> np.ndarray:
    """Letter counts of all sequences with all pairs and one base of each changed."""
    complement = dict(zip("ACGT", "TGCA", strict=True))
    ways = [
        [(i, complement[template[j]]), (j, complement[template[i]])] for i, j in pairs
    ]
    found = set()
    for changes in itertools.product(*ways):
        letters = list(template)
        for position, letter in changes:
            letters[position] = letter
        found.add(tuple(letters.count(letter) for letter in "ACGT"))
    return np.array(sorted(found))


def test_no_other_choice_of_bases_keeps_the_composition_better():
    structure = "((((((....))))))"
    pairs = pair_indices(structure)
    X = random_one_hot((60, 4, 16), random_state=2)
    background = structured_background(X, structure, 60, random_state=0)
    templates = X[draw_rows(60, 60, 0)]
    distances = np.abs(counts(background) - counts(templates)).sum(axis=1)
    for template, distance in zip(templates, distances, strict=True):
        text = "".join("ACGT"[i] for i in template.argmax(dim=0))
        before = np.array([text.count(letter) for letter in "ACGT"])
        ways = every_way_to_pair(text, pairs)
        assert distance == np.abs(ways - before).sum(axis=1).min()


def test_the_gc_content_of_every_sequence_is_kept_to_one_base(X):
    for structure in ("paper", BRANCHED):
        background = structured_background(X, structure, 48, random_state=1)
        templates = X[draw_rows(48, 48, 1)]
        change = counts(background)[:, 1:3].sum(1) - counts(templates)[:, 1:3].sum(1)
        assert np.abs(change).max() <= 1
        assert abs(change.mean()) < 0.5
        # Complements of the left arms alone change it by more.
        folded = impose_pairs(templates, pair_indices(structure))
        other = counts(folded)[:, 1:3].sum(1) - counts(templates)[:, 1:3].sum(1)
        assert np.abs(other).max() > 1


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_wobble_pairs_come_at_their_rate(rate):
    background = structured_background(
        UNIFORM, "paper", 1000, alphabet=RNA, wobble_rate=rate, random_state=0
    )
    pairs = Hairpin.paper().pairs
    assert forms_pairs(background, pairs, alphabet=RNA, wobble=True).all()
    wobbles = ~forms_pairs(background, pairs, alphabet=RNA)
    assert wobbles.double().mean() == pytest.approx(rate, abs=0.02)
    if rate:
        letters = background.argmax(dim=1).numpy()[:, pairs[:, 0]][wobbles.numpy()]
        assert uniformity(np.bincount(letters, minlength=4)[2:]) > 0.001


def test_wobbles_keep_a_base_where_one_is_g_or_u_and_gc_is_made_up_for():
    X = random_one_hot((300, 4, 41), random_state=3)
    background = structured_background(X, "paper", 300, wobble_rate=0.3, random_state=0)
    templates = X[draw_rows(300, 300, 0)]
    i, j = torch.from_numpy(Hairpin.paper().pairs).T
    wobbles = ~forms_pairs(background, Hairpin.paper().pairs)
    fits = (templates[:, 2:, i] + templates[:, 2:, j]).sum(dim=1) > 0
    kept = (background[:, :, i] == templates[:, :, i]).all(1) | (
        background[:, :, j] == templates[:, :, j]
    ).all(1)
    assert kept[fits].all()
    assert not kept[wobbles & ~fits].any()
    change = counts(background)[:, 1:3].sum(1) - counts(templates)[:, 1:3].sum(1)
    assert (np.abs(change) <= 1).mean() > 0.95


def test_a_profile_is_drawn_from(X):
    profile = X.double().mean(dim=0)
    background = structured_background(profile, "paper", 50, random_state=2)
    drawn = profile_background(profile, 50, 2)
    unpaired = np.setdiff1d(np.arange(41), Hairpin.paper().pairs)
    assert torch.equal(background[:, :, unpaired], drawn[:, :, unpaired])
    for same in (profile.numpy(), profile.numpy().tolist()):
        again = structured_background(same, "paper", 50, random_state=2)
        assert torch.equal(again, background)


def test_the_order_of_the_alphabet_is_followed(X):
    order = [3, 0, 2, 1]
    turned = [RNA[i] for i in order]
    background = structured_background(
        X[:, order], BRANCHED, 20, alphabet=turned, wobble_rate=0.2, random_state=0
    )
    expected = structured_background(X, BRANCHED, 20, wobble_rate=0.2, random_state=0)
    same = expected[:, order]
    assert forms_pairs(
        background, pair_indices(BRANCHED), alphabet=turned, wobble=True
    ).all()
    assert torch.equal(background.sum(dim=1), same.sum(dim=1))


def test_checked_backgrounds_fold_and_the_others_are_as_they_were():
    structure = Hairpin(8, 6, 7)
    plain = structured_background(UNIFORM, structure, 60, random_state=4)
    checked = structured_background(
        UNIFORM, structure, 60, fold_check=True, random_state=4
    )
    before = folding_check(plain, structure)
    assert 0.6 < before.share < 1
    assert folding_check(checked, structure).folds.all()
    assert torch.equal(checked[before.folds], plain[before.folds])
    changed = (checked != plain).any(dim=2).any(dim=1).numpy()
    assert (changed == ~before.folds).all()
    assert checked.shape == plain.shape
    again = structured_background(
        UNIFORM, structure, 60, fold_check=True, n_jobs=2, random_state=4
    )
    assert torch.equal(again, checked)
    first = structured_background(
        UNIFORM, structure, 20, fold_check=True, random_state=4
    )
    assert torch.equal(first, checked[:20])


def test_checked_templates_stay_templates(X):
    packed = PackedSequence.from_one_hot(X)
    checked = structured_background(
        packed, "released", 30, fold_check=True, random_state=0
    )
    unpaired = np.setdiff1d(np.arange(41), pair_indices("released"))
    rows = {tuple(x.flatten().tolist()) for x in X[:, :, unpaired]}
    assert {tuple(x.flatten().tolist()) for x in checked[:, :, unpaired]} <= rows
    assert folding_check(checked, "released").folds.all()


def test_a_multibranch_design_folds_if_asked_to():
    checked = structured_background(
        torch.full((4, 60), 0.25),
        "((((((..((((((....))))))...((((((.....))))))..))))))........",
        12,
        fold_check=True,
        alphabet=RNA,
        random_state=0,
    )
    assert checked.shape == (12, 4, 60)


def test_too_few_that_fold_are_an_error_and_never_fewer():
    A = one_hot_encode("A" * 41)[None].repeat(3, 1, 1)  # stems of A and T alone
    with pytest.raises(ValueError, match=r"only \d of `n`=5 sequences fold into"):
        structured_background(A, Hairpin(8, 3, 3), 5, fold_check=True, random_state=0)
    with pytest.raises(ValueError, match="`max_draws`=2 draws of each"):
        structured_background(A, Hairpin(8, 3, 3), 5, fold_check=True, max_draws=2)


def test_only_the_check_needs_viennarna(monkeypatch):
    monkeypatch.setitem(sys.modules, "RNA", None)
    assert len(structured_background(UNIFORM, "paper", 5)) == 5
    with pytest.raises(ImportError, match=r"tangermeme-gia\[vienna\]"):
        structured_background(UNIFORM, "paper", 5, fold_check=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"structure": "(...)"}, ValueError, "`structure` has 5 characters, but"),
        ({"structure": "." * 41}, ValueError, "has no base pair"),
        ({"structure": "((.)"}, ValueError, "opens a pair at position 0 .* never"),
        ({"structure": "((...[))]"}, ValueError, r"'\[' at .* a pseudoknot"),
        ({"structure": "stem"}, ValueError, "'paper', 'released'"),
        ({"structure": 5}, TypeError, "`structure`=5 must be a dot-bracket"),
        ({"structure": Hairpin(5, 11, 9)}, None, ""),
        ({"structure": Hairpin(5, 14, 9)}, ValueError, "ends at 42 and runs past"),
        (
            {"structure": Hairpin(5, 11, 2)},
            ValueError,
            "pairs position 15 with 18 around 2 bases; a loop of fewer than 3",
        ),
        ({"X": UNIFORM[:, :32]}, ValueError, "runs past a sequence of length 32"),
        ({"X": UNIFORM[:3] * 1.3}, ValueError, "`X` has 3 channels"),
        ({"X": PADDED_STEM}, ValueError, "padding .* in sequence [01] at position 5,"),
        ({"X": PADDED_STEM[0]}, ValueError, r"padding \(a zero column\) at position 5"),
        ({"alphabet": ()}, ValueError, "no complementary bases"),
        ({"alphabet": "ABCD"}, ValueError, "no complementary bases"),
        ({"wobble_rate": 1.1}, ValueError, "`wobble_rate`=1.1 must be between 0 and"),
        ({"wobble_rate": True}, TypeError, "`wobble_rate`=True must be a number"),
        ({"max_draws": 0}, ValueError, "`max_draws`=0 must be at least 1"),
        ({"n": 0}, ValueError, "`n`=0 must be at least 1"),
    ],
)
def test_impossible_designs_are_refused(options, error, message):
    given = {"X": UNIFORM, "structure": "paper", "n": 5, "random_state": 0, **options}
    if error is None:
        assert len(structured_background(**given)) == 5
        return
    with pytest.raises(error, match=message):
        structured_background(**given)


def test_the_templates_come_with_their_sequences():
    X = random_one_hot((6, 4, 20), random_state=0)
    design = "((((((....))))))...."
    background, rows = structured_background(
        X, design, 50, random_state=1, return_templates=True
    )
    assert torch.equal(background, structured_background(X, design, 50, random_state=1))
    assert torch.equal(background[:, :, 16:], X[rows][:, :, 16:])
    assert torch.equal(background[:, :, 6:10], X[rows][:, :, 6:10])
    _, none = structured_background(
        torch.full((4, 20), 0.25), design, 5, random_state=1, return_templates=True
    )
    assert none is None


def test_sequences_that_are_drawn_again_have_their_new_template():
    pytest.importorskip("RNA")
    X = random_one_hot((6, 4, 20), random_state=0)
    design = "((((....))))........"
    background, rows = structured_background(
        X, design, 30, fold_check=True, random_state=1, return_templates=True
    )
    assert torch.equal(background[:, :, 12:], X[rows][:, :, 12:])
    assert rows.tolist() != draw_rows(6, 30, 1).tolist()
