"""Hypotheses of models whose motifs, and what these do, a reader knows."""

import functools

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from tangermeme.utils import one_hot_encode, random_one_hot

from tangermeme_gia import MotifDiscovery, discover_motifs
from tangermeme_gia.motifs import reverse_complement

L = 60
RAISES, LOWERS = "TGACTGA", "GGATTCG"
COLUMNS = [
    "pattern",
    "consensus",
    "sign",
    "n_seqlets",
    "n_instances",
    "n_removed",
    "placed_effect",
    "placed_low",
    "placed_high",
    "placed_q",
    "removed_effect",
    "removed_low",
    "removed_high",
    "removed_q",
    "verdict",
]


class Counts(torch.nn.Module):
    """How often a sequence holds each motif, on both strands; `rule` makes it y."""

    def __init__(self, *motifs, rule, strands=2):
        super().__init__()
        self.filters = [
            [one_hot_encode(word).float()[None] for word in words]
            for words in (
                dict.fromkeys([m, reverse_complement(m)][:strands]) for m in motifs
            )
        ]
        self.rule = rule

    def forward(self, X, *args):
        counts = [
            sum(
                (torch.nn.functional.conv1d(X, f) == f.shape[-1]).sum(dim=(1, 2))
                for f in filters
            ).float()
            for filters in self.filters
        ]
        return self.rule(*counts, *args)[:, None]


def sequences(*motifs, n=120, seed=0, strands=2, every=1):
    """A motif at 5, 25, ... of random A and C, where none arises by chance.

    Of each pair of strands in turn, and only in every other sequence if asked.
    """
    rng = np.random.default_rng(seed)
    words = []
    for i in range(n):
        letters = rng.choice(list("AC"), L)
        for j, motif in enumerate(motifs):
            if (i + j) % every == 0:
                both = [motif, reverse_complement(motif)][:strands]
                word = both[(i // every) % strands]
                letters[5 + 20 * j : 5 + 20 * j + len(word)] = list(word)
        words.append("".join(letters))
    return torch.stack([one_hot_encode(word) for word in words])


def runs(X):
    """Stretches that contribute at least half of the most, as seqlets."""
    high = np.pad(X.numpy() >= max(X.max().item() / 2, 1e-6), ((0, 0), (1, 1)))
    edges = np.diff(high.astype(int), axis=1)
    rows, start = np.nonzero(edges == 1)
    end = np.nonzero(edges == -1)[1]
    sums = [float(X[r, s:e].sum()) for r, s, e in zip(rows, start, end, strict=True)]
    return pd.DataFrame(
        {"example_idx": rows, "start": start, "end": end, "attribution": sums}
    )


def planted(model, X, args=None, *, starts=(5,), **_):
    """1 for each letter of the motifs of `sequences` at these starts."""
    values = torch.zeros(X.shape[-1])
    for start in starts:
        values[start : start + 7] = 1
    return X * values


both_planted = functools.partial(planted, starts=(5, 25))


def discover(model, X, **options):
    options = {
        "attribution": planted,
        "seqlets": runs,
        "random_state": 0,
        **options,
    }
    return discover_motifs(model, X, **options)


def one_of(*words):
    return {w for word in words for w in (word, reverse_complement(word))}


@pytest.fixture(scope="module")
def two():
    """3 for each RAISES, -2 for each LOWERS."""
    model = Counts(RAISES, LOWERS, rule=lambda a, b: 3 * a - 2 * b)
    X = sequences(RAISES, LOWERS)
    return discover(model, X, attribution=saturation_mutagenesis)


def test_planted_motifs_are_found_with_what_they_do(two):
    frame = two.to_frame()
    assert frame.columns.tolist() == COLUMNS
    assert frame["pattern"].tolist() == [
        "pos_patterns.pattern_0",
        "neg_patterns.pattern_0",
    ]
    first, second = frame.itertuples()
    assert first.consensus in one_of(RAISES)
    assert second.consensus in one_of(LOWERS)
    # Half of 120 sequences are seen; each holds each motif once.
    assert frame[["n_seqlets", "n_instances", "n_removed"]].to_numpy().tolist() == [
        [60, 60, 60],
        [60, 60, 60],
    ]
    # Each motif counts once more, or once less; of its letters in another order, and
    # where it is placed on another one, hardly any is one.
    np.testing.assert_allclose(frame["placed_effect"], [3, -2], atol=0.15)
    np.testing.assert_allclose(frame["removed_effect"], [-3, 2], atol=0.15)
    assert (frame["placed_low"] <= frame["placed_effect"]).all()
    assert frame["sign"].tolist() == [1, -1]
    assert frame["verdict"].tolist() == ["sufficient and necessary"] * 2


def test_what_is_found_on_both_strands_reads_one_way(two):
    for name, motif in two.motifs.items():
        sites = two.seqlets[two.seqlets["pattern"] == name]
        assert sites["strand"].value_counts().tolist() == [30, 30]
        assert (motif.ppm.max(axis=0) == 1).all()
        assert two.cwms[name].shape == (4, 7)


def test_sites_are_where_the_motif_was_planted(two):
    sites = two.seqlets[two.seqlets["pattern"] == "pos_patterns.pattern_0"]
    assert (sites["start"] == 5).all()
    assert (sites["end"] == 12).all()


def test_what_finds_does_not_test(two):
    assert not set(two.seqlets["example_idx"]) & set(two.instances["example_idx"])
    assert len({*two.seqlets["example_idx"], *two.instances["example_idx"]}) == 120


def test_clusters_are_not_divided():
    model = Counts(RAISES, rule=lambda a: a)
    labels = np.repeat(np.arange(30), 4)
    found = discover(model, sequences(RAISES), clusters=labels)
    seen, held_out = (
        set(labels[table["example_idx"].to_numpy(int)])
        for table in (found.seqlets, found.instances)
    )
    assert not seen & held_out
    assert len(seen) == len(held_out) == 15
    assert len(set(found.removed.clusters.tolist())) == 15


def test_redundant_copies_are_sufficient_only():
    # One copy is enough, and every sequence has two.
    model = Counts(RAISES, rule=lambda a: a.clamp(max=1))

    found = discover(model, sequences(RAISES, RAISES), attribution=both_planted)
    (row,) = found.to_frame().itertuples()
    assert row.verdict == "sufficient only"
    # Shuffles of them have a copy now and then, to which another adds nothing.
    assert row.placed_effect == pytest.approx(1, abs=0.2)
    assert row.removed_effect == pytest.approx(0, abs=0.05)
    assert row.n_instances == 120


def test_motifs_that_act_together_only_are_necessary_only():
    model = Counts(RAISES, LOWERS, rule=lambda a, b: a * b)
    found = discover(model, sequences(RAISES, LOWERS), attribution=both_planted)
    frame = found.to_frame()
    assert set(frame["consensus"]) <= one_of(RAISES, LOWERS)
    assert frame["verdict"].tolist() == ["necessary only"] * 2
    np.testing.assert_allclose(frame["removed_effect"], [-1, -1], atol=0.05)
    np.testing.assert_allclose(frame["placed_effect"], [0, 0], atol=0.05)


def test_given_motifs_may_act_either_way():
    # As before, with a third that raises and a fourth that does nothing.
    model = Counts(RAISES, LOWERS, "GTTGCTT", rule=lambda a, b, c: -a * b + c)
    given = {"a": RAISES, "b": LOWERS, "c": "GTTGCTT", "d": "TTATTCG"}
    X = sequences(RAISES, LOWERS, "GTTGCTT", n=60)
    frame = discover(model, X, motifs=given).to_frame()
    assert frame["sign"].tolist() == [0] * 4
    assert frame["verdict"].tolist() == [
        "necessary only",
        "necessary only",
        "sufficient and necessary",
        "not sufficient, removal not tested",
    ]


def test_an_effect_against_the_hypothesis_is_no_verdict():
    model = Counts(RAISES, rule=lambda a: a)
    given = {"neg_patterns.pattern_0": RAISES}
    frame = discover(model, sequences(RAISES), motifs=given).to_frame()
    assert frame["placed_q"].item() < 0.001
    assert frame["verdict"].tolist() == ["neither"]


@pytest.mark.filterwarnings("ignore:.*motifs are of one letter")
def test_what_cannot_be_tested_is_said():
    model = Counts(RAISES, rule=lambda a: a)
    given = {"absent": LOWERS, "present": RAISES, "letter": "AAA"}
    frame = discover(model, sequences(RAISES), motifs=given).to_frame()
    assert frame["verdict"].tolist() == [
        "not sufficient, removal not tested",
        "sufficient and necessary",
        "not tested",
    ]
    assert frame["n_removed"].tolist()[:2] == [0, 120]
    assert frame["removed_q"].isna().tolist() == [True, False, True]


def test_a_model_that_says_the_same_of_all_gives_no_pattern():
    model = Counts(RAISES, rule=lambda a: 0 * a)
    with pytest.warns(UserWarning, match="give no pattern"):
        found = discover(model, sequences(RAISES), attribution=saturation_mutagenesis)
    assert isinstance(found, MotifDiscovery)
    assert found.placed is None
    assert found.removed is None
    frame = found.to_frame()
    assert len(frame) == 0
    assert frame.columns.tolist() == COLUMNS


class Noise(torch.nn.Module):
    """A number for each sequence that has nothing to do with its motifs."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.rand(4 * L, generator=generator, dtype=torch.float64)

    def forward(self, X):
        total = X.flatten(1).to(torch.float64) @ self.weight
        return torch.sin(1e5 * total)[:, None]


def test_what_means_nothing_gets_no_verdict():
    # Of 8 patterns with two tests each, which hold at 5 % together.
    rng = np.random.default_rng(1)
    given = {f"p{i}": "".join(rng.choice(list("ACGT"), 7)) for i in range(8)}
    X = sequences(*list(given.values())[:3], n=80)
    frame = discover(Noise(), X, motifs=given).to_frame()
    assert set(frame["verdict"]) <= {"neither", "not sufficient, removal not tested"}
    assert (frame["n_removed"] > 50).sum() == 3


def test_rna_has_one_strand():
    model = Counts(RAISES, rule=lambda a: a, strands=1)
    model.alphabet = tuple("ACGU")
    found = discover(model, sequences(RAISES, strands=1))
    assert found.to_frame()["consensus"].tolist() == [RAISES.replace("T", "U")]
    assert set(found.seqlets["strand"]) == set(found.instances["strand"]) == {"+"}
    assert found.placed.conditions["strand"].tolist() == ["+"]


def test_known_motifs_give_names():
    rng = np.random.default_rng(0)
    known = {f"other{i}": "".join(rng.choice(list("ACGT"), 8)) for i in range(30)}
    known = {n: one_hot_encode(w).double() for n, w in known.items()}
    known["mine"] = one_hot_encode(reverse_complement(RAISES)).double()
    model = Counts(RAISES, rule=lambda a: a)
    frame = discover(model, sequences(RAISES), known=known).to_frame()
    assert frame["name"].tolist() == ["mine"]
    assert frame["name_q"].item() < 0.01


def test_results_of_tfmodisco_are_tested_alike(two, tmp_path):
    path = tmp_path / "modisco_results.h5"
    with h5py.File(path, "w") as file:
        for name, motif in two.motifs.items():
            group = file.create_group(name.replace(".", "/"))
            group["sequence"] = motif.ppm.T
            group["contrib_scores"] = two.cwms[name].T.numpy()
    model = Counts(RAISES, LOWERS, rule=lambda a, b: 3 * a - 2 * b)
    unseen = np.setdiff1d(np.arange(120), two.seqlets["example_idx"].to_numpy(int))
    X = sequences(RAISES, LOWERS)[torch.from_numpy(unseen)]
    frame = discover(model, X, motifs=path).to_frame()
    same = [c for c in COLUMNS if c != "n_seqlets"]
    expected = two.to_frame()[same]
    pd.testing.assert_frame_equal(frame[same], expected, rtol=0.05, check_dtype=False)
    assert frame["n_seqlets"].tolist() == [0, 0]


def test_a_seed_gives_the_same_in_every_batch_size():
    model = Counts(RAISES, rule=lambda a: a)
    X = sequences(RAISES, n=60)
    first, again, other = (
        discover(model, X, random_state=seed, batch_size=size)
        for seed, size in ((0, 500), (0, 41), (1, 500))
    )
    pd.testing.assert_frame_equal(again.to_frame(), first.to_frame())
    pd.testing.assert_frame_equal(again.instances, first.instances)
    assert not other.seqlets.equals(first.seqlets)


def test_side_inputs_follow_their_sequences():
    model = Counts(RAISES, rule=lambda a, dose: a * dose[:, 0])
    dose = torch.arange(120.0)[:, None] ** 3
    found = discover(model, sequences(RAISES), args=[dose])
    removed = dose[found.instances["example_idx"].tolist()].mean().item()
    # Each shuffle has the side input of the sequence that it is made of.
    placed = dose[found.placed.clusters.tolist()].mean().item()
    frame = found.to_frame()
    assert frame["removed_effect"].item() == pytest.approx(-removed, rel=0.03)
    assert frame["placed_effect"].item() == pytest.approx(placed, rel=0.1)


def test_backgrounds_may_be_given():
    model = Counts(RAISES, rule=lambda a, *dose: a)
    X = sequences(RAISES)
    given = sequences(n=30, seed=5)
    found = discover(model, X, backgrounds=given)
    assert found.placed.n == 30
    with pytest.raises(ValueError, match="none for `backgrounds`"):
        discover(model, X, backgrounds=given, args=[torch.ones(120, 1)])


def test_the_output_is_chosen_by_target():
    model = Counts(RAISES, rule=lambda a: torch.stack([0 * a, a], dim=1))
    model.forward = lambda X: Counts.forward(model, X)[:, 0]
    X = sequences(RAISES)
    with pytest.raises(ValueError, match=r"`model` gives 2 numbers .* `target`"):
        discover(model, X)
    assert len(discover(model, X, target=1).to_frame()) == 1


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"discovery_fraction": 0.01}, "discovery would see 1; at least 2"),
        ({"discovery_fraction": 1.5}, "`discovery_fraction`"),
        ({"min_seqlets": 1}, "`min_seqlets`=1 must be at least 2"),
        ({"n_instances": 0}, "`n_instances`=0"),
        ({"alphabet": "ABCD"}, "`alphabet` is A, B, C, D"),
        ({"attribution": lambda model, X: X[:, 0]}, "`attribution` returned numbers"),
        ({"seqlets": lambda X: [(0, 1, 2)]}, "`seqlets` returned a list"),
        ({"motifs": {}}, "`motifs` is empty"),
    ],
)
def test_what_does_not_fit_is_refused(options, match):
    model = Counts(RAISES, rule=lambda a: a)
    with pytest.raises(ValueError, match=match):
        discover(model, sequences(RAISES), **options)


class Filters(torch.nn.Module):
    """max(matches - 5.5, 0) of RAISES at each position and strand, summed."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv1d(4, 2, len(RAISES))
        words = [RAISES, reverse_complement(RAISES)]
        weights = torch.stack([one_hot_encode(word) for word in words])
        self.conv.weight = torch.nn.Parameter(weights.float())
        self.conv.bias = torch.nn.Parameter(torch.full((2,), -5.5))
        self.relu = torch.nn.ReLU()

    def forward(self, X):
        return self.relu(self.conv(X)).sum(dim=(1, 2))[:, None]


@pytest.mark.slow
def test_deepshap_and_recursive_seqlets_find_it_too():
    attribution = functools.partial(deep_lift_shap, n_shuffles=5)
    found = discover_motifs(
        Filters(), sequences(RAISES), attribution=attribution, random_state=0
    )
    frame = found.to_frame()
    assert frame["consensus"][0] in one_of(RAISES)
    assert frame["verdict"][0] == "sufficient and necessary"
    assert frame["placed_effect"][0] == pytest.approx(1.5, abs=0.2)


@pytest.mark.parametrize(("n_holding", "is_necessary"), [(4, False), (12, True)])
def test_few_sequences_that_agree_are_not_sure(n_holding, is_necessary):
    """Four of the same sign are so by chance once in eight."""
    word = one_hot_encode("TGACTCAGGA")
    X = random_one_hot((30, 4, 40), random_state=0).clone()
    X[:n_holding, :, 15:25] = word

    class Holds(torch.nn.Module):
        def forward(self, X):
            matches = torch.nn.functional.conv1d(X.float(), word[None].float())
            return (matches > 9.5).any(dim=2).float()

    found = discover_motifs(
        Holds(), X, motifs={"M": "TGACTCAGGA"}, random_state=0, device="cpu"
    )
    row = found.to_frame().iloc[0]
    assert row["removed_effect"] < -0.9
    assert (row["removed_q"] < 0.05) == is_necessary
