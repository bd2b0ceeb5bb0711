"""What a model knows is called learned, moved or as it is, and nothing else."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import one_hot_encode, random_one_hot

import tangermeme_gia as gia
from tangermeme_gia import kmer_scan, rank_expected
from tangermeme_gia._core.motif import Motif
from tangermeme_gia.surveys.expected_words import core_of

LENGTH = 24
# Of outputs of a few units in single precision.
ROUNDING = {"rtol": 0, "atol": 1e-5}


class Sites(torch.nn.Module):
    """Output: 2 for every GATAC, and a little of everything else."""

    def __init__(self, seed: int = 0, worth: float = 2.0, motif: str = "GATAC") -> None:
        super().__init__()
        self.motif = torch.nn.Parameter(one_hot_encode(motif).float()[None])
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.rest = torch.nn.Sequential(
                torch.nn.Conv1d(4, 8, 7), torch.nn.ReLU(), torch.nn.Flatten()
            )
            self.rest.append(torch.nn.Linear(8 * (LENGTH - 6), 1))
        self.worth = worth

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        matches = torch.nn.functional.conv1d(X, self.motif)
        there = torch.relu(matches - self.motif.shape[-1] + 1).sum(dim=-1)
        return self.worth * there + self.rest(X)


class Letters(torch.nn.Module):
    """G and C count, wherever they stand."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X[:, 1:3].sum(dim=(1, 2))[:, None]


@pytest.fixture(scope="module")
def X() -> torch.Tensor:
    return random_one_hot((60, 4, LENGTH), random_state=0).float()


def ask(model, X, motifs, **options):
    return rank_expected(model, X, motifs, **{"random_state": 0, **options})


def row(expected, number=0, **options) -> pd.Series:
    return expected.to_frame(**options).iloc[number]


def test_a_planted_word_is_learned_and_others_are_not(X):
    table = ask(Sites(), X, ["GATAC", "CCTAG", "TTACG"]).to_frame()
    assert table["verdict"].tolist() == ["learned", "not learned", "not learned"]
    assert table["rank"].iloc[0] == 1
    assert table["rank_high"].iloc[0] <= 10
    assert table["n_kmers"].eq(4**5).all()


@pytest.mark.parametrize(
    ("planted", "motif", "by"),
    [
        ("GATAC", "ATACC", 1),
        ("GATAC", "CGATA", 1),
        ("GATACA", "TACACT", 2),
        ("GATACA", "CAGATA", 2),
    ],
)
def test_a_planted_word_that_is_moved_is_said_to_be(X, planted, motif, by):
    model, total = Sites(motif=planted), f"{4 ** len(motif):,}"
    expected = ask(model, X, [motif])
    found = row(expected)
    assert (found["verdict"], found["shift"]) == ("learned, shifted", by)
    assert (found["shift_word"], found["shift_rank"]) == (planted, 1)
    number = ["one", "two"][by - 1]
    start = f"{motif}: learned, shifted by {number}: {planted} ranks 1 of {total} (eff"
    assert expected.lines()[0].startswith(start)
    assert expected.lines()[0].endswith(f"), {motif} {found['rank']:,}")
    without = row(ask(model, X, [motif], n_shifts=by - 1))
    assert without["verdict"] != "learned, shifted"


def test_networks_that_know_no_word_have_learned_none():
    X = random_one_hot((30, 4, LENGTH), random_state=1).float()
    words = ["GATA", "CGTT", "TACG", "GCAT", "ACCA"]
    said = [
        verdict
        for seed in range(20)
        for verdict in ask(Sites(seed, 0.0), X, words).to_frame()["verdict"]
    ]
    assert np.mean([verdict.startswith("learned") for verdict in said]) <= 0.05
    assert np.mean([verdict == "not learned" for verdict in said]) > 0.3


@pytest.mark.parametrize("clusters", [None, np.arange(60) // 3])
@pytest.mark.parametrize("both_strands", [False, True])
@pytest.mark.parametrize("lowest", [False, True])
def test_ranks_are_those_of_the_scan(X, clusters, both_strands, lowest):
    options = {"clusters": clusters, "both_strands": both_strands}
    expected = ask(Sites(), X, ["CTAG", "GTAC", "GATA"], lowest=lowest, **options)
    scan = kmer_scan(Sites(), X, 4, **options).to_frame()
    order = scan["effect"].rank(method="min", ascending=lowest).astype(int)
    scan = scan.assign(rank=order).set_index("kmer")
    for _, found in expected.ranks().iterrows():
        own = scan.loc[found["word"]]
        assert found["rank"] == own["rank"]
        assert found["n_kmers"] == len(scan) == (136 if both_strands else 256)
        for name in ("effect", "se"):
            np.testing.assert_allclose(found[name], own[name], **ROUNDING)
        if found["n_candidates"] == 1:
            np.testing.assert_allclose(found["low"], own["low"], **ROUNDING)


def test_errors_of_differences_are_paired(X):
    expected = ask(Sites(), X, ["GTAC"], n_shifts=0)
    words = gia.global_importance(Sites(), X, [[("GTAC", None)], [("CATT", None)]])
    paired = (words.y_afters[:, 1, 0] - words.y_afters[:, 0, 0]).double()
    at = list(expected.scans[4].kmers).index("CATT")
    mean, se = expected.differences[0][:, at]
    np.testing.assert_allclose(mean, paired.mean(), **ROUNDING)
    np.testing.assert_allclose(se, paired.std() / 60**0.5, **ROUNDING)


def test_controls_are_all_other_orders_of_the_letters(X):
    expected = ask(Sites(), X, ["GTAC"])
    scan = kmer_scan(Sites(), X, 4).to_frame()
    same = scan["kmer"].map(lambda kmer: sorted(kmer) == sorted("GTAC"))
    others = scan[same & (scan["kmer"] != "GTAC")]
    found = row(expected)
    assert found["n_shuffles"] == len(others) == 23
    np.testing.assert_allclose(
        found["shuffle_effect"], others["effect"].mean(), **ROUNDING
    )
    orders = [expected.scans[4].kmers[i] for i in expected.orders[0].tolist()]
    assert sorted(orders) == sorted(others["kmer"])


def test_what_letters_alone_do_is_not_learned(X):
    """GCGC, and all orders of two G and two C, rank first together."""
    expected = ask(Letters(), X, ["GCGC", "GCGG", "GATA"])
    first, second, third = expected.to_frame().to_dict("records")
    assert (first["rank"], first["rank_low"], first["rank_high"]) == (1, 1, 16)
    assert first["verdict"] == second["verdict"] == "undecided"
    assert third["verdict"] == "not learned"
    wide = expected.to_frame(top=0.1)["line"].iloc[0]
    assert "undecided: its letters in other orders do as much" in wide


def test_the_reverse_complement_is_ranked_where_strands_matter(X):
    roles = ask(Sites(), X, ["GATAC"]).ranks().set_index("role")
    assert roles.loc["reverse complement", "word"] == "GTATC"
    assert ask(Sites(), X, ["GATAC"], both_strands=True).ranks()["role"].nunique() == 2
    assert row(ask(Sites(), X, ["GTAC"]))[["reverse_rank"]].isna().all()  # is its own
    of_rna = ask(Sites(), X, ["GAUAC"], alphabet="ACGU").ranks()
    assert "reverse complement" not in of_rna["role"].tolist()


def test_of_several_words_the_best_is_ranked(X):
    expected = ask(
        Sites(), X, {"any": "GRTAC", "ppm": _ppm("GATAC"), "long": "GATACGG"}
    )
    table = expected.to_frame()
    assert table["n_candidates"].tolist() == [2, 1, 2]
    assert table["word"].tolist()[:2] == ["GATAC", "GATAC"]
    assert table["p"].iloc[0] == pytest.approx(2 * 2 / 4**5)
    first = expected.lines()[0]
    assert first.startswith("any (GATAC, the best of 2 words) ranks 1 of 1,024 (")
    assert first.endswith("): learned")


def test_of_a_longer_motif_the_most_informative_letters_are(X):
    ppm = np.concatenate([np.full((4, 2), 0.25), _ppm("CGATACGT")], axis=1)
    ppm[:, 2] = [0.2, 0.4, 0.2, 0.2]
    ppm[:, 8:] = [[0.2], [0.3], [0.3], [0.2]]
    expected = ask(Sites(), X, {"long": ppm}, k=5)
    assert expected.to_frame()[["word", "verdict"]].values.tolist() == [
        ["GATAC", "learned"]
    ]
    assert expected.lines()[0].startswith("long (GATAC, 5 letters of it) ranks 1 of")


def test_words_of_several_lengths_stay_in_order(X):
    motifs = {"a": "GATAC", "b": "GTA", "c": "CCTAG", "d": "GTT"}
    table = ask(Sites(), X, motifs).to_frame()
    assert table["motif"].tolist() == list("abcd")
    assert table["word"].tolist() == list(motifs.values())
    assert table["n_kmers"].tolist() == [1024, 64, 1024, 64]
    alone = ask(Sites(), X, ["CCTAG"]).to_frame()
    same = ["effect", "rank", "rank_low", "rank_high", "shuffle_effect", "p"]
    np.testing.assert_allclose(
        table.loc[2, same].astype(float), alone.loc[0, same].astype(float), atol=1e-5
    )


def test_several_motifs_are_one_family(X):
    table = ask(Sites(), X, ["GATAC", "CCTAG"]).to_frame()
    p = table["p"]
    assert table["p_holm"].tolist() == pytest.approx([2 * p[0], max(2 * p[0], p[1])])


def test_files_and_gaps_are_read(X, tmp_path):
    gia.motifs.write_meme(tmp_path / "m.meme", {"M1": _ppm("GATAC")})
    table = ask(Sites(), X, tmp_path / "m.meme").to_frame()
    assert table[["motif", "word", "verdict"]].values.tolist() == [
        ["M1", "GATAC", "learned"]
    ]
    core = core_of(Motif.parse("NNGNTAN"), "x", 6)
    assert (core.k, len(core.words), core.is_whole) == (4, 4, True)


def test_numbers_do_not_depend_on_memory_nor_on_batches(X):
    whole = ask(Sites(), X, ["GTAC", "GATA"]).ranks()
    parts = ask(
        Sites(), X, ["GTAC", "GATA"], max_memory=300_000, batch_size=7, reuse=False
    ).ranks()
    numbers = whole.select_dtypes("number").columns
    np.testing.assert_allclose(whole[numbers], parts[numbers], atol=1e-4)
    assert whole["word"].equals(parts["word"])


def test_a_model_without_effects_leaves_all_undecided(X):
    expected = ask(lambda X: 0 * X.sum(dim=(1, 2))[:, None], X, ["GATAC"])
    assert expected.lines() == [
        "GATAC ranks 1 of 1,024 (effect 0, 95 % 0 to 0): undecided: its interval "
        "reaches over ranks 1 to 1,024"
    ]


def test_one_background_tells_nothing(X):
    found = row(ask(Sites(), X[:1], ["GATAC"]))
    assert (found["verdict"], found["rank_low"], found["rank_high"]) == (
        "undecided",
        1,
        1024,
    )


def test_what_lowers_the_output_is_not_what_raises_it(X):
    class Lowers(Sites):
        def forward(self, X):
            return -super().forward(X)

    assert row(ask(Lowers(), X, ["GATAC"], lowest=True))["verdict"] == "learned"
    assert row(ask(Lowers(), X, ["GATAC"]))["verdict"] == "not learned"

    def falls(X):  # any other letters than C at the centre lower it
        return X[:, 1, 10:15].sum(dim=1, keepdim=True)

    columns = torch.eye(4)[:, [1]].expand(4, LENGTH)
    least = ask(falls, columns.repeat(9, 1, 1), ["CCCCA"], n_shifts=0)
    assert row(least, top=0.1)["verdict"] == "not learned"
    assert "not learned: it lowers the output" in least.lines(top=0.1)[0]


def test_one_output_is_chosen(X):
    def two(X):
        return torch.cat([Sites()(X), Letters()(X)], dim=1)

    assert row(ask(two, X, ["GATAC"], target=0))["verdict"] == "learned"
    with pytest.raises(ValueError, match="gives 2 numbers for a sequence"):
        ask(two, X, ["GATAC"])


@pytest.mark.parametrize(
    ("motifs", "options", "message"),
    [
        (["GATXC"], {}, "`motif` 'GATXC' has 'X' at position 3"),
        (["GA"], {}, "`motifs` 'GA' has 2 letter(s) that say something; at least 3"),
        (["NNNN"], {}, "`motifs` 'NNNN' has 0 letter(s)"),
        (["GNNNNC"], {}, "`motifs` 'GNNNNC' has 2 letter(s)"),
        (["GCNNNNC"], {"k": 7}, "'GCNNNNC' stands for 256 words of 7 letters; at most"),
        ([], {}, "`motifs` is empty"),
        ("GATAC", {}, "`motifs`='GATAC' is not a file"),
        (["GATAC"], {"k": 2}, "`k`=2"),
        (["GATAC"], {"n_shifts": -1}, "`n_shifts`=-1"),
        (["GATAC"], {"start": 20}, "`start`=20"),
        (["GATAC"], {"save_to": "x"}, "`save_to`"),
        (["GATAC"], {"keep": [10]}, "changes positions that `keep` holds"),
    ],
)
def test_what_cannot_be_ranked_is_named(X, motifs, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ask(Sites(), X, motifs, **options)


def test_options_of_the_table_are_checked(X):
    expected = ask(Sites(), X, ["GTA"])
    for name in ("alpha", "top", "confidence"):
        with pytest.raises(ValueError, match=f"`{name}`=2"):
            expected.to_frame(**{name: 2})


def test_it_comes_back_and_says_the_same(X, tmp_path):
    expected = ask(Sites(), X, {"one": "GATAC", "same": "GGG"}, clusters=np.arange(60))
    expected.save(tmp_path / "kept")
    loaded = gia.load(tmp_path / "kept")
    pd.testing.assert_frame_equal(loaded.to_frame(), expected.to_frame())
    pd.testing.assert_frame_equal(loaded.ranks(), expected.ranks())
    assert repr(loaded) == repr(expected)
    assert repr(loaded).startswith("ExpectedMotifs: 2 motifs on 60 backgrounds")
    assert "<table" in loaded._repr_html_()


def _ppm(word: str) -> np.ndarray:
    return 0.85 * one_hot_encode(word).double().numpy() + 0.0375


def test_a_word_of_one_letter_is_never_called_learned(X):
    expected = ask(Letters(), X, ["GGGG"], n_shifts=0)
    assert row(expected, top=0.1)["verdict"] == "undecided"
    reads = ask(Sites(motif="GGGG"), X, ["GGGG", "GGGA"])
    assert row(reads, top=0.02)["verdict"] == "undecided"
    assert "undecided: it is of one letter" in reads.lines(top=0.1)[0]


def test_a_shift_that_is_not_surely_above_the_word_is_no_verdict(X):
    """GATAC is all that is read, which both have."""
    model = Sites()
    torch.nn.init.zeros_(model.rest[-1].weight)
    expected = ask(model, X, ["AGATAC"])
    assert row(expected)["verdict"] == "learned"
    assert row(expected)["shift_word"].startswith("GATAC")
