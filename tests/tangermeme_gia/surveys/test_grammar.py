"""Surveys of pairs of motifs, on models whose rules can be read."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch

import tangermeme_gia as gia
from tangermeme_gia import motif_grammar
from tangermeme_gia._core.letters import DNA, RNA
from tangermeme_gia.surveys.arrangements import all_arrangements, distinct_motifs
from tangermeme_gia.surveys.measuring import divide, offsets_of, total_stride

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "grammar.py"
LENGTH = 60


@pytest.fixture(scope="module")
def truth() -> ModuleType:
    if not BENCHMARK.exists():  # a source distribution carries no benchmarks
        pytest.skip(f"{BENCHMARK} is missing")
    spec = importlib.util.spec_from_file_location("planted_grammar", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def backgrounds(n: int, length: int = LENGTH, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.eye(4)[rng.integers(4, size=(n, length))].transpose(1, 2)


def clean(n: int) -> torch.Tensor:
    """A and T, so that no motif with G or C is there; the first base of half is C."""
    X = backgrounds(n)
    X[:, 0], X[:, 1:3] = 1 - X[:, 3], 0
    X[::2, :, 0] = torch.tensor([0.0, 1, 0, 0])
    return X


class Pair(torch.nn.Module):
    """1 for GACCA with CCTGC behind it, 3 bases apart; 2 if the first base is C."""

    distance, scale = 8, 1.0

    def __init__(self):
        super().__init__()
        self.asked = 0
        self.seen = []

    def sites(self, X, letters):
        kernel = torch.eye(4)[["ACGT".index(x) for x in letters]].T[None]
        return (torch.nn.functional.conv1d(X, kernel) == len(letters)).float()[:, 0]

    def forward(self, X):
        X = X.float()
        self.asked += len(X)
        a, b = self.sites(X, "GACCA"), self.sites(X, "CCTGC")
        pairs = (a[:, : -self.distance] * b[:, self.distance :]).sum(dim=1)
        strength = 1 + X[:, 1, 0]
        return self.scale * (pairs * strength + 2 * a.sum(1) + b.sum(1))[:, None]


def row_of(grammar, *names):
    pairs = grammar.pairs
    return pairs[(pairs["a"] == names[0]) & (pairs["b"] == names[-1])].iloc[0]


@pytest.fixture(scope="module")
def grammar() -> gia.statistics.Grammar:
    X = clean(40)
    return motif_grammar(Pair(), X, ["GACCA", "CCTGC"], range(8), random_state=0)


class TestAPairWithOneRule:
    def test_it_is_found_where_it_stands(self, grammar):
        row = row_of(grammar, "GACCA", "CCTGC")
        assert row["class"] == "hard"
        assert (row["arrangement"], row["spacing"]) == ("GACCA+ CCTGC+", 3)
        assert row["depends_on"] == "order and strands"
        # 1, and 2 where the first base is C.
        assert 1.2 <= row["effect"] <= 1.8
        assert row["low"] < row["effect"] < row["high"]
        assert row["n"] == 20

    def test_nothing_else_is(self, grammar):
        assert grammar.pairs["significant"].tolist() == [False, True, False]
        assert grammar.pairs["class"].tolist() == ["none", "hard", "none"]
        frame = grammar.to_frame()
        stands = frame[frame["significant"]]
        assert stands["spacing"].dropna().tolist() == [3]
        assert set(stands["arrangement"]) == {"GACCA+ CCTGC+"}

    def test_what_is_not_there_is_exactly_0(self, grammar):
        frame = grammar.to_frame()
        elsewhere = frame[frame["spacing"].notna() & (frame["spacing"] != 3)]
        assert (elsewhere["effect"] == 0).all()

    def test_the_table_has_a_row_for_each_placement_and_mean(self, grammar):
        frame = grammar.to_frame()
        assert len(frame) == 2 * 4 * (8 + 1)
        assert frame.columns[:6].tolist() == [
            "a",
            "b",
            "order",
            "orientation",
            "arrangement",
            "spacing",
        ]
        means = frame[frame["spacing"].isna()]
        assert len(means) == 8
        assert {"effect", "se", "low", "high", "p", "q", "class"} <= set(frame)

    def test_only_what_was_asked_has_a_p_value(self, grammar):
        frame, asked = grammar.to_frame(), grammar.found["asked"]
        assert frame["p"].notna().sum() == asked.sum()
        assert not frame.loc[frame["p"].isna(), "significant"].any()

    def test_interactions_are_a_result(self, grammar):
        local = grammar.interactions.local_importance
        assert local.shape == (20, 72)
        at = (
            (grammar.interactions.conditions["spacing"] == 3)
            & (grammar.interactions.conditions["arrangement"] == "GACCA+ CCTGC+")
        ).to_numpy(bool, na_value=False)
        assert set(local[:, at].flatten().tolist()) == {1.0, 2.0}

    def test_the_mean_over_spacings_is_theirs(self, grammar):
        frame = grammar.to_frame()
        means = frame.groupby("arrangement", sort=False)["effect"].apply(
            lambda e: (e.iloc[:-1].mean(), e.iloc[-1])
        )
        assert all(a == pytest.approx(b, abs=1e-12) for a, b in means)


def test_both_arms_stand_where_the_pair_stands():
    # A model that answers by position only: no arm may be elsewhere.
    class ByPlace(torch.nn.Module):
        def forward(self, X):
            weights = torch.arange(4.0 * LENGTH).reshape(4, LENGTH) ** 2
            return (X.float() * weights).sum(dim=(1, 2))[:, None]

    X = backgrounds(16)
    grammar = motif_grammar(ByPlace(), X, ["GATA", "CC"], range(5), random_state=0)
    assert not grammar.pairs["significant"].any()
    assert not grammar.found["asked"].any()
    assert (grammar.found["effect"] == 0).all()


def test_each_placement_is_predicted_once():
    model = Pair()
    X = clean(16)
    spacings = range(4)
    grammar = motif_grammar(model, X, ["GACCA", "CCTGC"], spacings, random_state=0)
    # 16 + 2 x 8 profiles, and each motif on each strand at start and at 4 others.
    pairs, alone = 4 * (2 * 4 + 8), 4 * (1 + 4)
    found = 8 * (1 + pairs + alone)
    confirmed = 8 * (1 + 4 * 8 + alone)
    assert grammar.n_asked == found + confirmed
    # The engine asks for a few backgrounds twice.
    assert grammar.n_asked <= model.asked <= grammar.n_asked + 16


@pytest.mark.parametrize("n_starts", [1, 4])
def test_motifs_stand_at_neighbouring_starts(n_starts):
    class Where(torch.nn.Module):
        """The place of the first GGGGG in a background of A."""

        def forward(self, X):
            return X[:, 2].float().argmax(dim=1).float()[:, None]

    X = torch.zeros(16, 4, 30)
    X[:, 0] = 1
    grammar = motif_grammar(
        Where(),
        X,
        ["GGGGG"],
        [2],
        start=6,
        n_starts=n_starts,
        orientations=None,
        random_state=0,
    )
    # AB - A - B + 0 = start - start - (start + 7).
    local = grammar.interactions.local_importance.flatten().tolist()
    assert set(local) == {-13.0 - i for i in range(n_starts)}


def test_the_log_scale_is_there_where_outputs_are_positive():
    class Product(torch.nn.Module):
        """2 for GACCA times 3 for CCTGC: no interaction of logarithms."""

        def forward(self, X):
            a, b = (Pair().sites(X.float(), m).sum(1) for m in ("GACCA", "CCTGC"))
            return (2.0**a * 3.0**b)[:, None]

    X = clean(24)
    options = {"orders": None, "orientations": None, "random_state": 0}
    grammar = motif_grammar(Product(), X, ["GACCA", "CCTGC"], range(6), **options)
    assert row_of(grammar, "GACCA", "CCTGC")["class"] == "soft"
    assert row_of(grammar, "GACCA", "CCTGC")["effect"] == pytest.approx(2)
    frame = grammar.to_frame()
    pair = frame[frame["a"] != frame["b"]]
    assert pair["log_effect"].abs().max() < 1e-5
    assert pair["log_p"].min() > 0.5
    without = motif_grammar(Pair(), X, ["GACCA", "CCTGC"], [3], **options)
    assert without.log_interactions is None
    assert "log_effect" not in without.to_frame()


def test_sizes_do_not_depend_on_the_scale_of_the_output():
    X = backgrounds(24)
    options = {"random_state": 0}
    one = motif_grammar(Pair(), X, ["GACCA", "CCTGC"], range(5), **options)
    model = Pair()
    model.scale = 1024.0
    other = motif_grammar(model, X, ["GACCA", "CCTGC"], range(5), **options)
    assert other.pairs["class"].tolist() == one.pairs["class"].tolist()
    effects = one.to_frame()["effect"].to_numpy() * 1024
    assert other.to_frame()["effect"].to_numpy() == pytest.approx(effects)


def test_the_seed_alone_decides_and_nothing_is_changed():
    X = backgrounds(24)
    before = X.clone()
    first, again = (
        motif_grammar(
            Pair(), X, ["GAYCA", "CCTGC"], range(5), random_state=3, batch_size=size
        )
        for size in (7, 500)
    )
    assert torch.equal(X, before)
    pd.testing.assert_frame_equal(first.to_frame(), again.to_frame())
    pd.testing.assert_frame_equal(first.found, again.found)


def test_several_models_answer_the_questions_of_one():
    X = backgrounds(40)
    motifs, spacings = ["GACCA", "CCTGC"], range(6)
    found = motif_grammar(Pair(), X, motifs, spacings, random_state=0)
    strong = Pair()
    strong.scale = 2.0
    comparison = gia.across_models(
        motif_grammar,
        {"one": Pair(), "two": strong},
        backgrounds(30, seed=1),
        motifs,
        spacings,
        found=found,
        random_state=0,
    )
    frame = comparison.to_frame()
    assert frame["model"].unique().tolist() == ["one", "two"]
    assert set(frame["n"]) == {30}
    there = frame[frame["significant"] & (frame["spacing"] == 3)]
    assert there["effect"].tolist() == pytest.approx(
        [there["effect"].iloc[0], 2 * there["effect"].iloc[0]]
    )
    summary = comparison.summary()
    assert len(summary) == len(frame) / 2
    with pytest.raises(ValueError, match="`found` is of other motifs"):
        motif_grammar(Pair(), X, motifs, range(5), found=found)


def test_templates_are_not_split_between_halves():
    clusters = np.repeat(np.arange(12), 3)
    division = divide(36, clusters, 0, 24)
    finding, confirming = (
        set(clusters[rows]) for rows in (division.finding, division.confirming)
    )
    assert not finding & confirming
    assert len(finding) == len(confirming) == 6
    X = backgrounds(36)
    motifs = ["GACCA", "CCTGC"]
    grammar = motif_grammar(Pair(), X, motifs, range(5), clusters=clusters)
    assert set(grammar.to_frame()["n_clusters"]) == {6}
    with pytest.raises(ValueError, match="3 templates; 8 or more"):
        motif_grammar(Pair(), X, motifs, [1], clusters=np.arange(36) % 3)


def test_palindromes_and_pairs_of_one_motif_are_asked_once():
    motifs = distinct_motifs({"P": "GAATTC", "A": "GATA"}, DNA)
    strands, found = all_arrangements(motifs, "all", "all", DNA)
    written = [
        (strands.written(a.left), strands.written(a.right))
        for a in found
        if a.a == a.b == "P"
    ]
    assert written == [("P+", "P+")]
    assert sum(a.a == a.b == "A" for a in found) == 4
    assert sum(a.a != a.b for a in found) == 4
    assert len({(a.left, a.right) for a in found}) == len(found)


def test_other_alphabets_have_one_strand():
    motifs = distinct_motifs(["GAUA", "CC"], RNA)
    _, found = all_arrangements(motifs, "all", "all", RNA)
    assert [a.orientation for a in found] == ["++"] * 4
    with pytest.raises(ValueError, match="strands of DNA"):
        all_arrangements(motifs, "all", ["+-"], RNA)


def test_three_motifs_are_asked_about_together():
    class Three(Pair):
        """5 for GACCA, CCTGC, TTCAC in a row, 1 for any two of them."""

        def forward(self, X):
            X = X.float()
            a, b, c = (self.sites(X, m).amax(1) for m in ("GACCA", "CCTGC", "TTCAC"))
            return (a * b + b * c + a * c + 5 * a * b * c)[:, None]

    X = clean(24)
    grammar = motif_grammar(
        Three(),
        X,
        ["GACCA", "CCTGC", "TTCAC"],
        [2, 5],
        orientations=None,
        triples=True,
        random_state=0,
    )
    (row,) = grammar.triples.to_dict("records")
    assert (row["a"], row["b"], row["c"]) == ("GACCA", "CCTGC", "TTCAC")
    assert row["effect"] == pytest.approx(5, abs=0.3)
    assert row["significant"]
    assert len(row["arrangement"].split()) == 3
    two = motif_grammar(Pair(), X, ["GACCA", "CCTGC"], [3], triples=True)
    assert two.triples.empty


@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_patterns_of_a_confirmed_pair_are_those_that_act(strand):
    """What is placed again has the interaction that was confirmed."""
    motif = {"+": "CCTGC", "-": "GCAGG"}[strand]
    X = clean(24)
    for motifs in (["GACCA", motif], [motif, "GACCA"]):
        grammar = motif_grammar(Pair(), X, motifs, [3, 5, 9], random_state=0)
        confirmed = grammar.confirmed.reset_index(drop=True)
        assert len(confirmed)
        for row, pair in confirmed.iterrows():
            left, right = grammar.patterns(row, start=2)
            assert left.start == 2
            assert right.start == 2 + len(left.motif) + pair["spacing"] == 10
            result = gia.pairwise_interaction(Pair(), X, left, right)
            again = gia.statistics.interaction_contrast(result).interval.effect
            assert again == pytest.approx(1.5)
            # Of a mean over spacings, the one that stood out most.
            pairs = grammar.pairs.assign(spacing=pd.NA)
            assert grammar._replace(pairs=pairs).patterns(row, 2) == (left, right)
    with pytest.raises(ValueError, match="`row`=99 is none of the"):
        grammar.patterns(99)


def test_strides_are_known():
    pool = torch.nn.MaxPool1d
    layers = [torch.nn.Conv1d(4, 2, 3, stride=2), torch.nn.ReLU(), pool(5)]
    assert total_stride(torch.nn.Sequential(*layers)) == 10
    assert total_stride(lambda X: X) == 1
    counts = np.bincount(offsets_of(21, 10, 0))
    assert set(counts) == {2, 3}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"motifs": []}, "`motifs` is empty"),
        ({"motifs": "GACCA"}, "file"),
        ({"motifs": 5}, "`motifs` is of type int"),
        ({"motifs": ["GACCA", "GACCA"]}, "more than once"),
        ({"spacings": []}, "`spacings`"),
        ({"spacings": [1, 1]}, "`spacings` holds 1 twice"),
        ({"spacings": [-1]}, "`spacings` holds -1"),
        ({"spacings": [80]}, "`X` has length 60"),
        ({"start": 50}, "`start`=50"),
        ({"start": -1}, "`start`=-1"),
        ({"n_starts": 60}, "`n_starts`=60"),
        ({"alpha": 2}, "`alpha`=2"),
        ({"orders": "both"}, "`orders`='both'"),
        ({"orientations": ["+"]}, "`orientations` holds"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    given = {"motifs": ["GACCA", "CCTGC"], "spacings": [3], **change}
    with pytest.raises((ValueError, TypeError), match=message):
        motif_grammar(Pair(), backgrounds(8), **given)


def test_few_backgrounds_and_several_outputs_are_refused():
    with pytest.raises(ValueError, match="7 backgrounds; 8 or more"):
        motif_grammar(Pair(), backgrounds(7), ["GACCA"], [3])

    class Two(torch.nn.Module):
        def forward(self, X):
            return X.float().mean(dim=2)[:, :2]

    with pytest.raises(ValueError, match="target"):
        motif_grammar(Two(), backgrounds(8), ["GACCA"], [3])


def test_planted_rules_come_back_and_none_is_invented(truth):
    X = truth.backgrounds(64, 74, np.random.default_rng(0))
    rules = {"AP1 ETS": "hard", "ETS GATA": "helical", "AP1 GATA": "soft"}
    motifs = {name: truth.MOTIFS[name] for name in ("AP1", "ETS", "GATA")}
    kept = [r for r in truth.RULES if f"{r.a} {r.b}" in rules]
    model = truth.Planted(tuple(kept), length=74, noise=0.3)
    rng = np.random.default_rng(1)
    grammar = truth.survey(model, X, motifs, range(36), rng, orientations=["++", "+-"])
    pairs = grammar.pairs
    found = {
        f"{a} {b}": kind
        for a, b, kind in zip(pairs["a"], pairs["b"], pairs["class"], strict=True)
    }
    assert found == {"AP1 AP1": "none", "ETS ETS": "none", "GATA GATA": "none", **rules}
    assert row_of(grammar, "AP1", "ETS")["depends_on"] == "order and strands"
    assert row_of(grammar, "AP1", "ETS")["spacing"] == 4
    assert row_of(grammar, "ETS", "GATA")["period"] == pytest.approx(10.5, abs=0.5)
    decays = grammar.profiles.query("a == 'AP1' and b == 'GATA'")["half_distance"]
    assert decays.median() == pytest.approx(15 * np.log(2), rel=0.3)
    by_name = {frozenset((r.a, r.b)): r for r in kept}
    assert truth.share_false(grammar.to_frame(), by_name) < 0.05
