"""Models that fold their input, in the experiments of tangermeme_gia."""

import pytest
import torch

import residualbind as rb
import tangermeme_gia as gia

RNA = ("A", "C", "G", "U")
STEM, PARTNER = "GCGCAC", "GUGCGC"


class PairedShare(torch.nn.Module):
    """The expected number of paired bases: sequence + PU, of which PU is read."""

    def forward(self, X):
        return X[:, 4].sum(dim=1, keepdim=True)


@pytest.fixture
def model():
    return rb.WithStructure(PairedShare(), "PU", n_jobs=1)


@pytest.fixture
def X():
    # Nothing pairs in A and C alone.
    torch.manual_seed(0)
    letters = torch.randint(2, (20, 30))
    return torch.nn.functional.one_hot(letters, 4).transpose(1, 2).to(torch.int8)


def test_a_placed_stem_folds(model, X):
    arms = [(STEM, 6), (PARTNER, 16)]
    result = gia.global_importance(
        model, X, [[arms[0]], [arms[1]], arms], alphabet=RNA, device="cpu"
    )
    left, right, both = result.global_importance[:, 0]
    assert result.y_before.max() < 0.1
    assert both > 11.5  # of six pairs
    placed = X.clone()
    for motif, start in arms:
        placed[:, :, start : start + 6] = rb.encode_sequences([motif], length=6)[0]
    paired = rb.structure_profiles(placed, "PU")[:, 0].sum(dim=1)
    torch.testing.assert_close(result.y_afters[:, 2, 0], paired)
    # One arm alone pairs a little, G and U of the right one with the background.
    assert max(left, right) < both - 6


def test_an_interaction_is_the_pairing_of_two_motifs(model, X):
    result = gia.pairwise_interaction(
        model, X, (STEM, 6), (PARTNER, 16), alphabet=RNA, device="cpu"
    )
    a, b, both = result.global_importance[:, 0]
    assert both - a - b > 6


def test_a_hairpin_pairs_more_than_its_background(model, X):
    hairpin = gia.structure.Hairpin(stem_start=4, stem_length=8, loop_length=6)
    result = gia.hairpin_importance(
        model, X, "ACA", hairpin, alphabet=RNA, device="cpu"
    )
    table = result.to_frame()
    in_hairpin = table["structure"] == "hairpin"
    assert table.loc[in_hairpin, "effect"].min() > 8
    assert table.loc[~in_hairpin, "effect"].abs().max() < 0.1


def test_a_scan_folds_every_sequence(model, X):
    scan = gia.kmer_scan(
        model, X[:4], k=3, start=15, alphabet=RNA, device="cpu", batch_size=64
    )
    best = scan.top(1).iloc[0]
    placed = X[:4].clone()
    placed[:, :, 15:18] = rb.encode_sequences([best["kmer"]], length=3)[0]
    before, after = (
        rb.structure_profiles(x, "PU")[:, 0].sum(dim=1) for x in (X[:4], placed)
    )
    assert best["effect"] == pytest.approx((after - before).mean().item(), abs=1e-5)
    assert set(best["kmer"]) & {"G", "U"}  # what pairs with A and C


def test_batches_and_devices_change_nothing(model, X):
    options = {"alphabet": RNA, "device": "cpu"}
    one = gia.multi_site(model, X, STEM, [2, 12], batch_size=1, **options)
    many = gia.multi_site(model, X, STEM, [2, 12], batch_size=64, **options)
    torch.testing.assert_close(one.y_afters, many.y_afters)
