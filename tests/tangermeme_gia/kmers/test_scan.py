import re

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import PackedSequence, one_hot_encode, random_one_hot

from tangermeme_gia._core.letters import DNA, RNA
from tangermeme_gia._core.moments import Moments
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.experiments.importance import global_importance
from tangermeme_gia.kmers.codes import KmerNames, all_kmers, canonical_kmers
from tangermeme_gia.kmers.designs import scan_design
from tangermeme_gia.kmers.mutagenesis import kmer_mutagenesis
from tangermeme_gia.kmers.scan import kmer_scan
from tangermeme_gia.motifs import reverse_complement
from tangermeme_gia.motifs.database import write_meme
from tangermeme_gia.motifs.from_kmers import align_kmers, sensitivity_logo
from tangermeme_gia.statistics.mutagenesis import mutagenesis_change

LENGTH = 12
# Of outputs of a few units in single precision.
ROUNDING = {"rtol": 0, "atol": 1e-5}


class Additive(torch.nn.Module):
    """Two outputs, each the sum of a weight per letter and position."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(2, 4, LENGTH, generator=generator))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nal,oal->no", X, self.weight)


class Curved(Additive):
    """Neither additive nor symmetric; a head with two axes and one with none."""

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.tanh(super().forward(X))
        return torch.stack([y, y**2, 1 / (2 + y)], dim=2), y.prod(dim=1)


@pytest.fixture
def X() -> torch.Tensor:
    return random_one_hot((7, 4, LENGTH), random_state=1)


def score(model: Additive, X: torch.Tensor, kmer: str, start: int) -> torch.Tensor:
    """Motif score minus mean background score of the same columns."""
    columns = slice(start, start + len(kmer))
    weight = model.weight[..., columns].detach().double()
    motif = torch.einsum("al,oal->o", one_hot_encode(kmer).double(), weight)
    return motif - torch.einsum("nal,oal->no", X[..., columns].double(), weight).mean(0)


@pytest.mark.parametrize("start", [0, 3, None])
def test_the_effect_under_an_additive_model_is_the_motif_minus_the_mean_background(
    X, start
):
    model = Additive()
    scan = kmer_scan(model, X, k=2, start=start)
    expected = [
        score(model, X, kmer, 5 if start is None else start) for kmer in all_kmers(2)
    ]
    torch.testing.assert_close(scan.effect, torch.stack(expected), **ROUNDING)
    assert list(scan.kmers) == all_kmers(2)


@pytest.mark.parametrize("model", [Additive(), Curved()], ids=["tensor", "list"])
def test_the_scan_equals_global_importance_of_the_same_kmers(X, model):
    kmers = ["GAT", "ACC", "TTT"]
    frame = kmer_scan(model, X, k=3, start=4).to_frame(0.9)
    frame = frame[frame["kmer"].isin(kmers)]
    expected = global_importance(model, X, [[(kmer, 4)] for kmer in sorted(kmers)])
    expected = expected.to_frame(0.9)
    assert frame["output"].tolist() == expected["output"].tolist()
    for column in ["effect", "se", "low", "high", "n"]:
        np.testing.assert_allclose(frame[column], expected[column], **ROUNDING)


@pytest.mark.parametrize("fold", [False, True])
def test_no_batch_size_or_memory_limit_changes_the_moments(X, fold):
    model = Curved().double()
    whole = kmer_scan(model, X, k=2, both_strands=fold)
    # 700 bytes hold 3 sequences: fewer than the backgrounds of one k-mer.
    for options in [{"batch_size": 3}, {"max_memory": 700}, {"max_memory": 2500}]:
        parts = kmer_scan(model, X, k=2, both_strands=fold, **options)
        for name in ["effect", "se"]:
            for a, b in zip(getattr(whole, name), getattr(parts, name), strict=True):
                torch.testing.assert_close(a, b, atol=1e-12, rtol=0)


def test_a_memory_limit_below_what_must_stay_together_is_an_error(X):
    # A sequence takes 48 bytes, twice, and its two outputs 2 x (4 + 16).
    assert kmer_scan(Additive(), X, k=1, max_memory=136).n == 7
    with pytest.raises(ValueError, match=r"less than 2 sequences .* take, 272 bytes"):
        kmer_scan(Additive(), X, k=1, max_memory=271, both_strands=True)


def test_the_memory_limit_counts_the_size_of_a_number(X):
    def func(model, X, args=None):
        return model(X)

    # `predict` is given bytes, whatever X holds; other functions what it holds.
    assert kmer_scan(Additive(), X.float(), k=1, max_memory=136).n == 7
    with pytest.raises(ValueError, match=r"less than one sequence .* take, 424 bytes"):
        kmer_scan(Additive(), X.float(), k=1, max_memory=423, func=func)


def test_kmers_are_placed_where_the_model_is(X):
    _, design = scan_design(X, 2, None, 3, DNA, 2, False, 0)
    assert design.any_device
    # On the device "meta" any operation with a tensor that lies elsewhere fails.
    built = design.build(X.to("meta", torch.int8), slice(None), slice(4, 10))
    assert (built.device.type, built.dtype) == ("meta", torch.int8)
    assert built.shape == (len(X), 6, 4, X.shape[-1])


@pytest.mark.parametrize(
    ("fold", "n_kmers", "strands"), [(False, 16, 1), (True, 10, 2)]
)
def test_a_scan_counts_the_sequences_of_both_strands(X, fold, n_kmers, strands):
    asked = []

    def count(model, X, args=None):
        asked.append(len(X))
        return model(X.float())

    options = {"k": 2, "both_strands": fold, "func": count}
    scan = kmer_scan(Additive(), X, **options)
    assert scan.n_scanned == n_kmers
    assert scan.n_predictions == scan.n_exhaustive == n_kmers * strands * len(X)
    # The backgrounds, two of them once more.
    assert sum(asked) == scan.n_predictions + len(X) + 2


def test_folding_averages_both_strands_on_each_background(X):
    model = Curved()
    scan = kmer_scan(model, X, k=2, start=3, both_strands=True)
    assert len(scan.kmers) == len(canonical_kmers(2)) == 10
    for i, kmer in enumerate(scan.kmers):
        strands = [[(kmer, 3)], [(reverse_complement(kmer), 3)]]
        both = global_importance(model, X, strands).local_importance[1]
        folded = both.double().mean(dim=1)
        torch.testing.assert_close(scan.effect[1][i], folded.mean(), atol=1e-6, rtol=0)
        se = folded.std() / len(X) ** 0.5
        torch.testing.assert_close(scan.se[1][i], se, atol=1e-6, rtol=0)


@pytest.mark.parametrize("fold", [False, True])
def test_given_kmers_keep_their_order_whatever_way_they_are_placed(X, fold):
    model = Additive()
    kmers = ["TTG", "CAA", "ACG", "TTG"]
    options = {"start": 2, "both_strands": fold}
    by_index = kmer_scan(model, X, kmers=kmers, **options)
    # The gap sends the list through placements.
    placed = kmer_scan(model, X, kmers=[*kmers, "ANG"], **options)
    assert list(by_index.kmers) == kmers
    assert list(placed.kmers) == [*kmers, "ANG"]
    torch.testing.assert_close(by_index.effect, placed.effect[:4], **ROUNDING)
    torch.testing.assert_close(by_index.se, placed.se[:4], **ROUNDING)
    same = [torch.allclose(by_index.effect[0], y, **ROUNDING) for y in by_index.effect]
    assert same == [True, fold, False, True]


def test_a_ppm_gives_the_expectation_over_its_letters_and_a_meme_file_the_same(
    tmp_path,
):
    model, X = Additive(), random_one_hot((4000, 4, LENGTH), random_state=1)
    ppm = torch.tensor([[0.5, 0.0], [0.5, 0.0], [0.0, 0.25], [0.0, 0.75]])
    scan = kmer_scan(model, X, kmers={"half": ppm}, start=4, random_state=0)
    expected = sum(
        0.5 * share * score(model, X, kmer, 4)
        for share, kmer in [(0.25, "AG"), (0.75, "AT"), (0.25, "CG"), (0.75, "CT")]
    )
    assert (torch.abs(scan.effect[0] - expected) < 4 * scan.se[0]).all()
    write_meme(tmp_path / "motifs.meme", {"half": ppm})
    path = tmp_path / "motifs.meme"
    read = kmer_scan(model, X, kmers=path, start=4, random_state=0)
    assert torch.equal(read.effect, scan.effect)
    assert [name.split()[0] for name in read.kmers] == ["half"]


def test_a_seed_repeats_the_draws_and_another_seed_does_not(X):
    ppm = torch.full((4, 4), 0.25)
    effects = [
        kmer_scan(
            Additive().double(), X, kmers=[ppm], random_state=seed, batch_size=size
        ).effect
        for seed, size in [(3, None), (3, 2), (4, None)]
    ]
    torch.testing.assert_close(effects[0], effects[1])
    assert not torch.allclose(effects[0], effects[2])


def test_one_background_has_no_standard_error(X):
    frame = kmer_scan(Additive(), X[:1], k=1).to_frame()
    assert frame["se"].isna().all()
    assert frame["effect"].notna().all()
    assert (frame["n"] == 1).all()


def test_packed_sequences_and_rna_give_the_same_effects(X):
    expected = kmer_scan(Additive(), X, k=2, both_strands=True)
    packed = PackedSequence.from_one_hot(X)
    scan = kmer_scan(Additive(), packed, k=2, both_strands=True, alphabet=RNA)
    assert torch.equal(scan.effect, expected.effect)
    assert scan.kmers[3] == "AU"
    given = kmer_scan(Additive(), X, kmers=["UG"], alphabet=RNA)
    torch.testing.assert_close(
        given.effect, kmer_scan(Additive(), X, kmers=["TG"]).effect
    )


def test_nothing_given_is_changed(X):
    model, X_before, kmers = Additive().train(), X.clone(), ["GA", "TN"]
    kmer_scan(model, X, kmers=kmers)
    kmer_mutagenesis(model, X, "GA")
    assert model.training
    assert torch.equal(X, X_before)
    assert kmers == ["GA", "TN"]


def test_the_top_kmers_are_those_of_the_output_asked_for():
    effect = torch.tensor([[1.0, 5.0], [3.0, 4.0], [3.0, 9.0]], dtype=torch.float64)
    scan = KmerScan(["AA", "AC", "AG"], effect, effect / 10, 50)
    assert scan.output(0).top(2)["kmer"].tolist() == ["AC", "AG"]
    top = scan.output(1).top(10)
    assert top["kmer"].tolist() == ["AG", "AA", "AC"]
    assert top["output"].tolist() == [1, 1, 1]
    pd.testing.assert_frame_equal(
        top.iloc[[0]].reset_index(drop=True),
        scan.to_frame().iloc[[5]].reset_index(drop=True),
    )
    assert scan.output(1).top(1, lowest=True)["kmer"].tolist() == ["AC"]
    with pytest.raises(ValueError, match=re.escape("`n`=0 must be at least 1")):
        scan.top(0)
    with pytest.raises(ValueError, match="`label`=2 is none of the outputs: 0, 1"):
        scan.output(2)
    with pytest.raises(ValueError, match="the result has 2 outputs, 0, 1; choose"):
        scan.top(1)
    with pytest.raises(ValueError, match="`confidence`=1 must be between"):
        scan.to_frame(confidence=1)


def test_outputs_of_a_list_are_picked_by_their_labels(X):
    scan = kmer_scan(Curved(), X, k=1)
    frame = scan.to_frame()
    for label in [(0, 1, 2), 1]:
        picked = scan.output(label)
        rows = frame[[x == label for x in frame["output"]]]
        assert picked.effect.tolist() == rows["effect"].tolist()
        assert picked.se.tolist() == rows["se"].tolist()
        assert picked[3:] == scan[3:]
    assert scan.output((0, 1, 2)).top(2)["output"].tolist() == [(0, 1, 2)] * 2


def test_names_are_spelled_when_read_and_fit_the_alignment():
    names = KmerNames(np.arange(64), 3, RNA)
    assert list(names) == all_kmers(3, RNA)
    assert names[-1] == "UUU"
    assert names[1:3] == ["AAC", "AAG"]
    with pytest.raises(IndexError):
        names[64]
    effects = np.zeros(64)
    effects[5] = 1
    assert align_kmers(names, effects, top=1, alphabet=RNA).table["kmer"][0] == "ACC"


def test_running_moments_keep_their_digits_beside_a_large_mean():
    values = 1e9 + torch.arange(10, dtype=torch.float64)[:, None]
    moments = Moments(1, ())
    for chunk in values.split(3):
        moments.add(slice(0, 1), chunk)
    assert moments.mean.item() == 1e9 + 4.5
    assert moments.se.item() == pytest.approx((np.var(range(10), ddof=1) / 10) ** 0.5)


def test_the_change_of_a_variant_under_an_additive_model_is_that_of_its_weight(X):
    model = Additive()
    result = kmer_mutagenesis(model, X, "GANA", start=3)
    change = mutagenesis_change(result.output(1))
    weight = model.weight[1].detach().double().numpy()
    for j, letter in enumerate("GANA"):
        expected = np.zeros(4)
        if letter != "N":
            expected = weight[:, 3 + j] - weight["ACGT".index(letter), 3 + j]
        np.testing.assert_allclose(change.iloc[j], expected, **ROUNDING)
        if letter != "N":
            assert change[letter].iloc[j] == 0


def test_variants_come_by_position_after_the_wild_type(X):
    result = kmer_mutagenesis(Additive(), X, "GU", alphabet=RNA)
    table = result.conditions
    assert set(table["motif"]) == {"GU"}
    assert table["letters"].tolist() == ["GU", "AU", "CU", "UU", "GA", "GC", "GG"]
    assert table["is_wild_type"].tolist() == [True] + 6 * [False]
    assert table["position"].isna().tolist() == [True] + 6 * [False]
    assert table["position"][1:].tolist() == [0, 0, 0, 1, 1, 1]
    assert table["letter"][1:].tolist() == list("ACUACG")
    expected = global_importance(
        Additive(), X, [[(m, None)] for m in table["letters"]], alphabet=RNA
    )
    assert torch.equal(result.y_afters, expected.y_afters)
    change = mutagenesis_change(result.output(0))
    assert list(change.columns) == list(RNA)
    with pytest.raises(ValueError, match="variant with 'U', which is not"):
        mutagenesis_change(result.output(0), DNA)


def test_the_logo_is_highest_where_the_model_looks(X):
    # Only the second letter counts, so that its variants lose all of the effect: the
    # norm of raw effects would be highest at the other two.
    model = Additive()
    model.weight.data.zero_()
    model.weight.data[:, 1, 5] = 2.0
    result = kmer_mutagenesis(model, X, "GCA", start=4)
    logo = sensitivity_logo(mutagenesis_change(result.output(0)), "GCA")
    assert logo.sum(axis=1).tolist() == pytest.approx([0, 2 * 3**0.5, 0])


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"k": 0}, ValueError, "`k`=0 must be an integer"),
        ({"k": 13}, ValueError, "a 13-mer is longer than `X` of length 12"),
        ({"k": 3, "start": 10}, ValueError, "the last valid start is 9"),
        ({"kmers": []}, ValueError, "`kmers` is empty"),
        ({"kmers": "GATA"}, ValueError, "`kmers`='GATA' is not a file"),
        ({"kmers": 3}, TypeError, "`kmers` is of type int"),
        ({"kmers": ["GAX"]}, ValueError, "which is not in `alphabet` A, C, G, T"),
        ({"kmers": ["GA", "GATTACAGATTACA"]}, ValueError, "condition 1: a 14-mer"),
        (
            {"alphabet": "ACGB", "both_strands": True},
            ValueError,
            "has no complement",
        ),
        ({"batch_size": 0}, ValueError, "`batch_size`=0"),
        (
            {"batch_size": 2, "additional_func_kwargs": {"batch_size": 2}},
            TypeError,
            "came both",
        ),
    ],
)
def test_the_scan_says_what_is_wrong(X, options, error, text):
    with pytest.raises(error, match=re.escape(text)):
        kmer_scan(Additive(), X, **options)


def test_empty_backgrounds_and_unfit_motifs_are_errors(X):
    with pytest.raises(ValueError, match=r"`X` has shape \(0, .* at least one"):
        kmer_scan(Additive(), X[:0], k=2)
    with pytest.raises(ValueError, match=r"`motif` 'PPM\(AA\)' stands for several"):
        kmer_mutagenesis(
            Additive(), X, torch.tensor([[0.5, 1], [0.3, 0], [0.2, 0], [0, 0]])
        )
    with pytest.raises(ValueError, match="must come from `kmer_mutagenesis`"):
        mutagenesis_change(global_importance(Additive(), X, [("GA", 2)]))


def test_controls_get_all_their_variants_and_leave_the_change_alone(X):
    result = kmer_mutagenesis(Additive(), X, "GANA", n_controls=1, random_state=0)
    table = result.conditions
    assert len(table) == 3 * 10
    assert table["control"][::10].tolist() == ["none", "random 1", "shuffled 1"]
    shuffled = table["letters"][20]
    assert sorted(shuffled) == sorted("GANA")
    assert shuffled[2] == "N"
    assert shuffled != "GANA"
    plain = kmer_mutagenesis(Additive(), X, "GANA")
    change, expected = (mutagenesis_change(r.output(1)) for r in (result, plain))
    pd.testing.assert_frame_equal(change, expected, atol=1e-6)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("lowest", [False, True])
def test_kmers_without_an_effect_are_never_ranked(value, lowest):
    effect = torch.tensor([1.0, value, 3.0, value], dtype=torch.float64)
    scan = KmerScan(["AA", "AC", "AG", "AT"], effect, torch.ones(4), 9)
    text = "effects of 2 of 4 k-mers are NaN or infinite, the first 'AC'; they have no"
    with pytest.raises(ValueError, match=text):
        scan.top(2, lowest=lowest)
