"""Effects split by what the background completes, where the answer is known."""

import numpy as np
import pytest
import torch
from tangermeme.utils import PackedSequence, one_hot_encode, random_one_hot

from tangermeme_gia._core.letters import DNA, RNA, codes_from_one_hot
from tangermeme_gia.backgrounds.composition import motif_occurrences
from tangermeme_gia.kmers.junctions import find_junctions, junction_effects
from tangermeme_gia.kmers.scan import kmer_scan
from tangermeme_gia.motifs import reverse_complement
from tangermeme_gia.motifs.from_kmers import align_kmers
from tangermeme_gia.motifs.matrices import information_content

MOTIF, SHIFT, START = "UGCAUG", "GCAUGA", 17


class Reads(torch.nn.Module):
    """The highest weight among the k-mers that stand anywhere, else 0."""

    def __init__(self, **weights: float) -> None:
        super().__init__()
        self.weights = weights
        motifs = [one_hot_encode(k.replace("U", "T")) for k in weights]
        self.motifs = torch.stack(motifs).float()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        k = self.motifs.shape[-1]
        matches = torch.nn.functional.conv1d(X.float(), self.motifs) == k
        weights = torch.tensor(list(self.weights.values()))[:, None]
        return (matches * weights).amax(dim=(1, 2))[:, None]


def backgrounds(n: int, *kmers: str, seed: int = 0) -> torch.Tensor:
    """Uniform RNA without any of the k-mers."""
    X = random_one_hot((n, 4, 41), random_state=seed)
    has = sum(motif_occurrences(X, kmer, RNA) for kmer in kmers)
    return X[torch.from_numpy(np.asarray(has == 0))]


@pytest.fixture(scope="module")
def X() -> torch.Tensor:
    return backgrounds(2000, MOTIF)


def test_a_shift_has_the_whole_effect_where_it_completes_the_motif_and_none_elsewhere(
    X,
):
    junctions = junction_effects(
        Reads(UGCAUG=2.0), X, [MOTIF, SHIFT], START, alphabet=RNA
    )
    motif, shift = junctions.to_frame().to_dict("records")
    has_u = X[:, 3, START - 1] == 1
    share = float(has_u.float().mean())
    assert 0.2 < share < 0.3
    assert (junctions.completed[:, 1] == np.where(has_u, 0, -1)).all()
    assert (motif["completes"], motif["n_with"], motif["share"]) == ("", 0, 0)
    assert np.isnan(motif["effect_with"])
    assert motif["effect"] == motif["effect_without"] == 2
    assert shift["completes"] == MOTIF
    assert shift["share"] == pytest.approx(share)
    assert shift["effect"] == pytest.approx(2 * share)
    assert (shift["effect_with"], shift["effect_without"]) == (2, 0)
    assert (shift["low_without"], shift["high_without"]) == (0, 0)
    assert (shift["n_with"], shift["n_without"]) == (has_u.sum(), (~has_u).sum())


def test_the_motif_of_the_best_of_a_scan_is_what_the_model_reads(X):
    model = Reads(UGCAUG=1.0)
    # All 6-mers would take long; these are its shifts, which have all other effects.
    shifts = [MOTIF[1:] + c for c in RNA] + [c + MOTIF[:-1] for c in RNA]
    kmers = [MOTIF, *shifts, "AAAAAA"]
    scan = kmer_scan(model, X[:900], kmers=kmers, start=START, alphabet=RNA)
    best = scan.top(9)["kmer"].tolist()
    assert {*best} == {MOTIF, *shifts}
    junctions = junction_effects(model, X[900:], best, START, alphabet=RNA)
    alone = align_kmers(junctions, alphabet=RNA)
    assert alone.table["weight"].tolist() == [1.0] + [0.0] * 8
    assert "".join(RNA[i] for i in alone.ppm.argmax(dim=0)) == MOTIF
    assert information_content(alone.ppm).tolist() == pytest.approx([2.0] * 6)
    smeared = align_kmers(scan, alphabet=RNA)
    assert information_content(smeared.ppm).min() < 0.2


def test_graded_kmers_keep_their_weights():
    grades = {MOTIF: 1.0, "GCAUGU": 0.75, "UGCACG": 0.5, "UUGCAU": 0.25}
    X = backgrounds(1500, *grades)
    junctions = junction_effects(Reads(**grades), X, list(grades), START, alphabet=RNA)
    frame = junctions.to_frame().set_index("kmer")
    # Mixed in, what the better ones add where they are completed.
    assert frame.loc["GCAUGU", "effect"] > 0.78
    for kmer, grade in grades.items():
        assert frame.loc[kmer, "effect_without"] == pytest.approx(grade)
    weights = align_kmers(junctions, alphabet=RNA).table.set_index("kmer")["weight"]
    for kmer, grade in grades.items():
        assert weights[kmer] == pytest.approx(grade / 2.5)


def naive(sequence: str, kmers: list[str], i: int, start: int, better: bool) -> int:
    """What one k-mer completes in one sequence, letter by letter."""
    k = len(kmers[i])
    after = sequence[:start] + kmers[i] + sequence[start + k :]
    for j in range(i) if better else [j for j in range(len(kmers)) if j != i]:
        width = len(kmers[j])
        for left in range(len(sequence) - width + 1):
            inside = [start <= p < start + k for p in range(left, left + width)]
            window = slice(left, left + width)
            if (
                after[window] == kmers[j] != sequence[window]
                and 0 < sum(inside) < width
            ):
                return j
    return -1


@pytest.mark.parametrize("better", [True, False])
@pytest.mark.parametrize("start", [0, 3, 6, None])
def test_junctions_are_those_of_a_search_letter_by_letter(start, better):
    X = random_one_hot((300, 4, 9), random_state=2)
    kmers = ["GA", "ACG", "AG", "G", "CGA"]
    sequences = ["".join(DNA[c] for c in row) for row in codes_from_one_hot(X)]
    expected = [
        [
            naive(s, kmers, i, 9 // 2 - len(k) // 2 if start is None else start, better)
            for i, k in enumerate(kmers)
        ]
        for s in sequences
    ]
    for form in (X, X.float(), PackedSequence.from_one_hot(X, list(DNA))):
        found = find_junctions(form, kmers, start, better_only=better)
        assert found.tolist() == expected
    assert (np.array(expected) >= 0).any()


def found_in(sequence: str, kmers, start: int, **options) -> list[int]:
    letters = [DNA.index(c) if c in DNA else -1 for c in sequence]
    X = torch.stack([torch.eye(4)[c] if c >= 0 else torch.zeros(4) for c in letters])
    return find_junctions(X.T[None], kmers, start, **options)[0].tolist()


def test_what_the_background_has_itself_is_no_junction():
    # Elsewhere; in a window that placing left as it was; and with the border in it.
    assert found_in("TGCATGAAAAAAA", ["TGCATG", "GCATGA"], 7) == [-1, -1]
    assert found_in("ATGCATGAAAAAA", ["TGCATG", "GCATGA"], 2) == [-1, -1]
    assert found_in("ATAAAAAAAAAAA", ["TGCATG", "GCATGA"], 2) == [-1, 0]


def test_padding_and_gaps_are_no_letters():
    assert found_in("ANAAAAAAAAAAA", ["TGCATG", "GCATGA"], 2) == [-1, -1]
    # N stands for any letter of the background, but not for padding.
    assert found_in("ATCAAAAA", ["TNGC", "GC"], 3) == [-1, 0]
    assert found_in("ATNAAAAA", ["TNGC", "GC"], 3) == [-1, -1]
    # The background's letter in a gap is the background's.
    assert found_in("AAATAAAA", ["GTC", "GNC"], 2) == [-1, 0]
    # No letter of the background is asked for.
    assert found_in("AAAAAAAA", ["NGCN", "GC"], 3) == [-1, -1]


def test_either_strand_counts_where_strands_are_folded():
    kmers, start = ["TGCAAG", "GCAAGT"], 2
    # ACTTGC before A is CTTGCA, the other strand of TGCAAG.
    assert reverse_complement("GCAAGT") == "ACTTGC"
    assert reverse_complement("TGCAAG") == "CTTGCA"
    sequence = "GG" + "CCCCCC" + "AGG"
    assert found_in(sequence, kmers, start) == [-1, -1]
    assert found_in(sequence, kmers, start, both_strands=True) == [-1, 0]


def test_folded_effects_are_those_of_the_scan():
    X = random_one_hot((40, 4, 20), random_state=0)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 2))
    kmers = {"one": "GATA", "two": "TTANC", "three": torch.eye(4)[:, [2, 1]]}
    options = {"start": 4, "both_strands": True}
    scan = kmer_scan(model, X, kmers=kmers, **options)
    junctions = junction_effects(model, X, kmers, **options)
    torch.testing.assert_close(
        junctions.result.global_importance.double(), scan.effect, rtol=0, atol=1e-5
    )
    frame = junctions.to_frame()
    assert frame["kmer"].tolist() == ["one", "one", "two", "two", "three", "three"]
    assert frame["output"].tolist() == [0, 1] * 3
    assert (frame["n_with"] + frame["n_without"] == 40).all()


def test_a_kmer_that_always_completes_another_weighs_nothing():
    X = one_hot_encode("T" * 20)[None].repeat(3, 1, 1)
    junctions = junction_effects(Reads(TGCATG=1.0), X, ["TGCATG", "GCATGA"], 5)
    frame = junctions.to_frame()
    assert frame["n_without"].tolist() == [3, 0]
    table = align_kmers(junctions).table
    assert table["weight"].tolist() == [1, 0]
    assert np.isnan(table["effect"][1])


@pytest.mark.parametrize(
    ("kmers", "message"),
    [
        (["GA", "GA"], r"`kmers` must be distinct; \['GA'\] are there repeatedly"),
        (["GA", torch.full((4, 3), 0.25)], "which is a PPM; a junction is a match let"),
        (["GAX"], "'GAX' has 'X' at position 2"),
        ([], "`kmers` is empty"),
        (["G" * 21], "a 21-mer is longer than `X` of length 20"),
    ],
)
def test_kmers_without_exact_letters_are_refused(kmers, message):
    X = random_one_hot((3, 4, 20), random_state=0)
    with pytest.raises(ValueError, match=message):
        find_junctions(X, kmers)
    with pytest.raises(ValueError, match=message):
        junction_effects(Reads(GA=1.0), X, kmers)
