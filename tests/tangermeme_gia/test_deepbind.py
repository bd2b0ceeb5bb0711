"""What benchmarks/deepbind.py reads, counts and lengthens, on models made here."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from tangermeme.utils import one_hot_encode

import residualbind
import tangermeme_gia as gia

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "deepbind.py"

if not BENCHMARK.exists():  # a source distribution carries no benchmarks
    pytest.skip(f"{BENCHMARK} is missing", allow_module_level=True)


@pytest.fixture(scope="module")
def deepbind() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deepbind", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class BestMatch(torch.nn.Module):
    """The most letters that any window shares with the motif, on one strand or both."""

    def __init__(self, motif: str, both_strands: bool) -> None:
        super().__init__()
        self.motif = one_hot_encode(motif.replace("U", "T")).float()[None]
        self.both_strands = both_strands

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        strands = [X, X.flip(1, 2)] if self.both_strands else [X]
        scores = [torch.nn.functional.conv1d(x.float(), self.motif) for x in strands]
        return torch.cat(scores, dim=2).amax(dim=2)


def test_a_model_that_scores_otherwise_than_published_is_refused(
    deepbind, monkeypatch, tmp_path
):
    protein = deepbind.Protein("P", "M", deepbind.DNA, ("P",), ("ACGT", 100.0))
    read = []
    monkeypatch.setattr(
        deepbind.residualbind,
        "load_deepbind",
        lambda path, alphabet: read.append((path, alphabet)) or BestMatch("ACG", True),
    )
    with pytest.raises(SystemExit, match=r"P scores 3\.0, published is 100\.0"):
        deepbind.load(protein, tmp_path)
    assert read == [(tmp_path / "M.txt", deepbind.DNA)]


def test_words_like_a_consensus_allow_as_many_letters(deepbind):
    words = deepbind.words_like("YGCY")
    assert len(words) == len(set(words)) == 6 * 4 * 4 * 6
    assert "YGCY" in words
    assert "RAAW" in words
    assert "YGCA" not in words


def test_kmers_hold_a_word_at_any_place(deepbind):
    kmers = ["UGCUA", "ACGCC", "GGCUU", "AUGCA"]
    (holds,) = deepbind.contains(kmers, ["YGCY"])
    assert holds.tolist() == [True, True, False, False]


def test_the_words_rank_is_by_the_mean_effect_of_the_kmers_that_hold_them(deepbind):
    kmers = ["".join(pair) for pair in deepbind.itertools.product("ACGU", repeat=2)]
    effect = torch.arange(16, dtype=torch.float64)[:, None]
    scan = gia.KmerScan(kmers, effect, effect, 1)
    assert deepbind.word_rank(scan, "UU") == (1, 16)
    assert deepbind.word_rank(scan, "AA") == (16, 16)
    # The mean is 4 times that of the first letter's, 0 to 3, plus the second's: YU has
    # 4 * 2 + 3 = 11, and only KC, KG and KU (4 * 2.5 and 1 to 3) are as high.
    assert deepbind.word_rank(scan, "YU") == (4, 24)


def test_a_word_as_high_as_the_consensus_counts_before_it(deepbind):
    effect = torch.zeros(4, 1, dtype=torch.float64)
    scan = gia.KmerScan(list("ACGU"), effect, effect, 1)
    assert deepbind.word_rank(scan, "C") == (4, 4)


@pytest.mark.parametrize(
    ("motif", "seed", "alphabet"),
    [("CCACTAGGGGGC", "TAGGG", "ACGT"), ("GUACUAACG", "CUA", "ACGU")],
)
def test_the_best_kmer_grows_to_the_motif_and_no_further(
    deepbind, motif, seed, alphabet
):
    model = BestMatch(motif, both_strands=alphabet == "ACGT")
    X = gia.backgrounds.composition_background([0.25] * 4, 100, 26, random_state=0)
    assert deepbind.extend(model, X, seed, 20, tuple(alphabet)) == motif
    shorter = deepbind.extend(model, X, seed, len(seed) + 2, tuple(alphabet))
    assert len(shorter) == len(seed) + 2
    assert seed in shorter
    assert shorter in motif


def test_a_growing_motif_stays_where_it_is(deepbind):
    class Fixed(BestMatch):
        def forward(self, X):
            return (X[:, :, 9:16] * self.motif).sum(dim=(1, 2))[:, None]

    X = gia.backgrounds.composition_background([0.25] * 4, 50, 26, random_state=0)
    model = Fixed("UACUAAC", both_strands=False)
    # A 3-mer is placed at (26 - 3) // 2 = 11, where the motif has its CUA.
    assert deepbind.extend(model, X, "CUA", 20, deepbind.RNA) == "UACUAAC"


def test_a_letter_whose_gain_may_be_chance_is_not_added(deepbind):
    class Noisy(torch.nn.Module):
        """An A behind CUA gains 1 if the first base is A, and costs 1 otherwise."""

        def forward(self, X):
            first = torch.where(X[:, 0, 0] > 0, 1.0, -1.0)
            return (first * X[:, 0, 14])[:, None]

    X = torch.zeros(100, 4, 26)
    X[:, 1] = 1
    X[:53, :, 0] = torch.eye(4)[0]
    assert deepbind.extend(Noisy(), X, "CUA", 20, deepbind.RNA) == "CUA"
    X[:80, :, 0] = torch.eye(4)[0]
    assert deepbind.extend(Noisy(), X, "CUA", 20, deepbind.RNA) == "CUAA"


def test_effects_on_dna_are_the_mean_of_both_strands(deepbind):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(40, 1))
    X = gia.backgrounds.composition_background([0.25] * 4, 6, 10, random_state=0)
    motifs = [("GATA", 2), ("CCC", 5)]
    local = deepbind.local_importance(model, X, motifs, deepbind.DNA)
    for column, ((motif, start), other) in enumerate(
        zip(motifs, ("TATC", "GGG"), strict=True)
    ):
        both = gia.global_importance(model, X, [[(motif, start)], [(other, start)]])
        expected = both.local_importance.mean(dim=1)[:, 0]
        torch.testing.assert_close(local[:, column], expected)


def test_the_best_hit_and_the_proteins_own_motif_are_looked_up(deepbind):
    rng = np.random.default_rng(0)
    jaspar = {f"MA{i:04d}.1 OTHER{i}": rng.dirichlet([0.3] * 4, 8).T for i in range(60)}
    jaspar["MA1000.1 GATA1"] = rng.dirichlet([0.3] * 4, 8).T
    jaspar["MA1001.1 Gata3"] = rng.dirichlet([0.3] * 4, 8).T
    protein = deepbind.PROTEINS[2]
    found = deepbind.look_up(jaspar["MA1001.1 Gata3"], protein, jaspar)
    assert (found["best"], found["own_rank"], found["hit"]) == (
        "MA1001.1 Gata3",
        1,
        True,
    )
    assert (found["n_motifs"], found["n_family"]) == (62, 2)
    relative = deepbind.look_up(jaspar["MA1000.1 GATA1"], protein, jaspar)
    assert relative["hit"]
    assert relative["own_rank"] > 1
    assert not deepbind.look_up(jaspar["MA0007.1 OTHER7"], protein, jaspar)["hit"]


def test_a_best_hit_that_may_be_chance_is_none(deepbind):
    rng = np.random.default_rng(1)
    jaspar = {f"MA{i:04d}.1 OTHER": rng.dirichlet([1] * 4, 8).T for i in range(60)}
    query = rng.dirichlet([1] * 4, 8).T
    best = gia.motifs.compare_motifs({"query": query}, jaspar)["known"].iloc[0]
    jaspar = {
        f"{name[:9]}{'GATA3' if name == best else 'OTHER'}": ppm
        for name, ppm in jaspar.items()
    }
    found = deepbind.look_up(query, deepbind.PROTEINS[2], jaspar)
    assert found["own_rank"] == 1
    assert found["q"] > 0.05
    assert found["hit"] is False


def test_known_motifs_are_ranked_by_their_effect_as_patterns(deepbind, monkeypatch):
    monkeypatch.setattr(deepbind, "KNOWN", (30, 14))
    motifs = {"MA1.1 CTCF": "CCACTAGGGGGC", "MA2.1 OTHER": "GATAAG"}
    ppms = {name: one_hot_encode(word).double() for name, word in motifs.items()}
    for name, first in (("CTCF", 0), ("OTHER", 1)):
        model = BestMatch(list(motifs.values())[first], both_strands=True)
        table = deepbind.scan_known(model, ppms)
        assert len(table) == 2
        assert table["motif"].iloc[0].endswith(name)


def test_a_site_is_known_by_its_best_part_of_each_length(deepbind, monkeypatch):
    monkeypatch.setattr(deepbind, "HELD_OUT", (50, 12))
    model = BestMatch("GGUACC", both_strands=False)
    table = deepbind.parts_of(model, "AAGGUACCAA", deepbind.RNA)
    assert table["k"].tolist() == list(range(4, 11))
    assert table["part"].iloc[2] == "GGUACC"
    assert all("GGUACC" in part for part in table["part"][2:])


def test_the_reach_of_a_detector_adds_its_best_adjacent_letters(deepbind):
    torch.manual_seed(0)
    model = residualbind.DeepBind(2, 3)
    table = deepbind.reach(model, 2)
    for i, detector in enumerate(model.detectors.weight.detach()):
        best, mean = detector.amax(dim=0), detector.mean(dim=0)
        base = model.detectors.bias[i].item()
        two = max(best[0] + best[1] + mean[2], mean[0] + best[1] + best[2])
        assert table["by_k"][i] == pytest.approx(base + two.item(), abs=1e-5)
        assert table["by_all"][i] == pytest.approx(base + best.sum().item(), abs=1e-5)


def test_a_consensus_must_be_in_the_best_kmer_and_stand_high(deepbind):
    kmers = ["".join(k) for k in deepbind.itertools.product("ACGU", repeat=4)]
    (holds,) = deepbind.contains(kmers, ["YGCY"])
    effect = torch.from_numpy(holds.astype(float))[:, None]
    scan = gia.KmerScan(kmers, effect, effect, 1)
    match = deepbind.match_consensus(scan, ["UGCU", "AAAA", "CGCC"], "YGCY")
    assert match["hit"]
    assert match["in_top"] == 2
    assert match["chance_of_one"] == pytest.approx(4 / 256)
    assert not deepbind.match_consensus(scan, ["AAAA", "UGCU"], "YGCY")["hit"]
    low = gia.KmerScan(kmers, -effect, effect, 1)
    assert not deepbind.match_consensus(low, ["UGCU"], "YGCY")["hit"]


def test_without_pyjaspar_it_says_what_to_install(deepbind, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyjaspar", None)
    with pytest.raises(SystemExit, match="pip install pyjaspar"):
        deepbind.read_jaspar("JASPAR2026")


def test_the_whole_protocol_finds_a_planted_rna_motif(deepbind, monkeypatch):
    monkeypatch.setattr(deepbind, "K", 6)
    monkeypatch.setattr(deepbind, "HELD_OUT", (60, 12))
    model = BestMatch("UACUAAC", both_strands=False)
    model.width = 9
    # The best 6-mer is UACUAA or ACUAAC.
    qki = deepbind.PROTEINS[1]._replace(known="CUAA")
    _, found = deepbind.study(qki, model, {})
    assert found["found"] is True
    assert found["extended"] == "UACUAAC"
    _, wrong = deepbind.study(qki._replace(known="GGCC"), model, {})
    assert wrong["found"] is False
