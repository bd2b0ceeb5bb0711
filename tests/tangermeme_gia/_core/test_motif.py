import numpy as np
import pytest
import torch
from tangermeme.utils import one_hot_encode
from tangermeme.utils import reverse_complement as tangermeme_reverse_complement

from tangermeme_gia._core.letters import RNA, complement_channels, one_hot
from tangermeme_gia._core.motif import Motif
from tangermeme_gia.motifs import reverse_complement

PROTEIN = tuple("ACDEFGHIKLMNPQRSTVWY")


@pytest.fixture
def ppm() -> torch.Tensor:
    matrix = torch.rand(4, 6, generator=torch.Generator().manual_seed(0))
    matrix[1, 2] = 0
    return matrix / matrix.sum(0)


def test_letters_equal_their_one_hot_encoding():
    codes = Motif.parse("GATNNA").draw(5)
    expected = one_hot_encode("GATNNA")
    assert codes.shape == (1, 6)
    np.testing.assert_array_equal(one_hot(codes, 4)[0], expected)
    for motif in (expected, expected[None], expected.float().numpy()):
        np.testing.assert_array_equal(Motif.parse(motif).draw(5), codes)


def test_a_motif_per_background_keeps_its_rows_and_gaps():
    words = ["GAT", "NCA", "TTN"]
    motif = torch.stack([one_hot_encode(word) for word in words])
    np.testing.assert_array_equal(
        Motif.parse(motif).draw(3),
        np.concatenate([Motif.parse(w).draw(1) for w in words]),
    )


def test_n_is_a_letter_where_the_alphabet_has_it():
    assert Motif.parse("NY", PROTEIN).draw(1).tolist() == [[11, 19]]


def test_draws_follow_the_probabilities(ppm):
    n = 20_000
    codes = Motif.parse(ppm).draw(n, 0)
    frequencies = one_hot(codes, 4).double().mean(dim=0)
    # Five standard errors.
    np.testing.assert_allclose(frequencies, ppm, atol=5 * 0.5 / n**0.5)
    assert frequencies[1, 2] == 0
    # Positions are drawn independently of one another.
    joint = np.histogram2d(codes[:, 0], codes[:, 1], bins=4)[0] / n
    np.testing.assert_allclose(joint, np.outer(ppm[:, 0], ppm[:, 1]), atol=0.02)


def test_letters_of_probability_zero_are_never_drawn():
    # Printed with three decimals, a column may miss 1.
    column = np.array([0.0, 0.1, 0.7, 0.1985, 0.0])
    codes = Motif.parse(np.tile(column[:, None], 50), "ABCDE").draw(2000, 1)
    assert set(codes.ravel()) == {1, 2, 3}


def test_a_draw_belongs_to_the_seed_the_ppm_and_the_background(ppm):
    codes = Motif.parse(ppm).draw(100, 7)
    np.testing.assert_array_equal(Motif.parse(ppm).draw(100, 7), codes)
    np.testing.assert_array_equal(Motif.parse(ppm).draw(30, 7), codes[:30])
    np.testing.assert_array_equal(Motif.parse(ppm[None]).draw(100, 7), codes)
    assert (Motif.parse(ppm).draw(100, 8) != codes).any()


def test_a_draw_does_not_depend_on_the_precision_of_the_ppm():
    ppm = np.random.default_rng(0).dirichlet([1.0] * 4, size=6).T
    assert (ppm.astype(np.float32) != ppm).any()
    np.testing.assert_array_equal(
        Motif.parse(ppm).draw(100, 7),
        Motif.parse(ppm.astype(np.float32)).draw(100, 7),
    )


def test_different_ppms_are_drawn_independently():
    half = torch.tensor([[0.5], [0.5], [0.0], [0.0]])
    other = half.flip(0)
    a = Motif.parse(half).draw(4000, 0)[:, 0]
    b = Motif.parse(other).draw(4000, 0)[:, 0]
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / 4000**0.5


def test_a_ppm_per_background_is_drawn_row_by_row():
    certain = torch.stack([one_hot_encode(w) for w in ("GAT", "CCA")]).double()
    mixed = 0.5 * certain + 0.5 * certain[:, [1, 0, 3, 2]]
    codes = Motif.parse(mixed).draw(2, 0)
    for row, allowed in zip(codes, certain + certain[:, [1, 0, 3, 2]], strict=True):
        assert all(allowed[code, i] == 1 for i, code in enumerate(row))


def test_gaps_of_a_ppm_stay_gaps(ppm):
    ppm[:, 3] = 0
    codes = Motif.parse(ppm).draw(50, 0)
    assert (codes[:, 3] == -1).all()
    assert (np.delete(codes, 3, axis=1) >= 0).all()


def test_global_random_state_is_left_alone(ppm):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    torch_before = torch.get_rng_state()
    Motif.parse(ppm).draw(10)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_reverse_complement_equals_tangermeme():
    text = "GATTNACA"
    one = one_hot_encode(text)
    assert reverse_complement(text) == tangermeme_reverse_complement(text)
    assert torch.equal(reverse_complement(one), tangermeme_reverse_complement(one))
    batch = torch.stack([one, one_hot_encode("CCCCATGA")])
    expected = torch.stack([tangermeme_reverse_complement(x) for x in batch])
    assert torch.equal(reverse_complement(batch), expected)
    np.testing.assert_array_equal(reverse_complement(batch.numpy()), expected.numpy())


def test_reverse_complement_knows_rna_and_any_order_of_letters():
    assert reverse_complement("UGCAUA", RNA) == "UAUGCA"
    one = one_hot_encode("GATTC", alphabet=list("TAGC"))
    expected = one_hot_encode("GAATC", alphabet=list("TAGC"))
    assert torch.equal(reverse_complement(one, "TAGC"), expected)
    assert complement_channels("TAGC") == (1, 0, 3, 2)


def test_reverse_complement_is_its_own_inverse(ppm):
    assert torch.equal(reverse_complement(reverse_complement(ppm)), ppm)


def test_numbers_of_any_kind_and_layout_are_taken(ppm):
    expected = Motif.parse(ppm).draw(9, 0)
    fixed = ppm.numpy().copy()
    fixed.flags.writeable = False
    backwards = np.ascontiguousarray(fixed[::-1, ::-1])[::-1, ::-1]
    for same in (fixed, backwards, ppm.double(), torch.nn.Parameter(ppm)):
        np.testing.assert_array_equal(Motif.parse(same).draw(9, 0), expected)
    one = one_hot_encode("GATNA")
    for dtype in (torch.bool, torch.bfloat16, torch.uint8):
        assert Motif.parse(one.to(dtype)).draw(9).tolist() == [[2, 0, 3, -1, 0]]
    torch.as_tensor(reverse_complement(fixed))


def test_labels_tell_motifs_apart(ppm):
    assert Motif.parse("GATNA").label == "GATNA"
    assert Motif.parse(one_hot_encode("GATNA")).label == "GATNA"
    assert Motif.parse(one_hot_encode("GATNA")[None].numpy()).label == "GATNA"
    assert (
        Motif.parse(0.7 * one_hot_encode("GAU", RNA) + 0.075, RNA).label == "PPM(GAU)"
    )


@pytest.mark.parametrize(
    ("motif", "message"),
    [
        ("GAXA", "`motif` 'GAXA' has 'X' at position 2, which is not in `alphabet` A"),
        ("GA-A", "has '-' at position 2.* C, G, T, N and IUPAC's R, Y, S, W, K, M, B"),
        (torch.zeros(5, 6), r"`motif` has shape \(5, 6\); it must be \(4, k\)"),
        (torch.zeros(2, 4, 6), r"`motif` has shape \(2, 4, 6\).*\(10, 4, k\)"),
        (torch.full((4, 3), 3), "sums to 12 at position 0"),
        (torch.tensor([[1.0], [1.0], [0.0], [0.0]]), "sums to 2 at position 0"),
        (torch.tensor([[2.0], [-1.0], [0.0], [0.0]]), "negative or missing"),
        (torch.full((4, 2), torch.nan), "negative or missing"),
    ],
)
def test_a_motif_that_cannot_be_placed_is_refused(motif, message):
    with pytest.raises(ValueError, match=message):
        Motif.parse(motif).draw(10)


def test_a_motif_of_the_wrong_type_is_refused():
    with pytest.raises(TypeError, match="`motif` is of type list"):
        Motif.parse([[1, 0, 0, 0]]).draw(1)


def test_only_nucleotides_have_complements():
    with pytest.raises(ValueError, match="has no complement; only DNA"):
        reverse_complement("MK", PROTEIN)
    with pytest.raises(ValueError, match=r"`motif` has shape \(5, 3\)"):
        reverse_complement(torch.zeros(5, 3))


def test_motifs_with_the_same_letters_or_probabilities_are_equal(ppm):
    parsed = Motif.parse(ppm)
    assert len({Motif.parse("GNA"), Motif.parse(one_hot_encode("GNA"))}) == 1
    assert Motif.parse(ppm.clone()) == parsed == Motif.parse(ppm.double()[None])
    assert Motif.parse(parsed) is parsed
    others = [Motif.parse(m) for m in (ppm[:, :3], ppm.flip(1), "GNA", "GNAN", "GCA")]
    assert len({parsed, *others}) == 6
    assert Motif.parse("GA", RNA) != Motif.parse("GA")
    assert Motif.parse("GA") != "GA"


def test_a_motif_knows_its_length_and_whether_it_is_drawn(ppm):
    stack = torch.stack([one_hot_encode(word) for word in ("GATN", "NCAC")])
    for motif, length, is_drawn in (
        ("UG", 2, False),
        (ppm, 6, True),
        (stack, 4, False),
    ):
        parsed = Motif.parse(motif, RNA)
        assert (len(parsed), parsed.is_drawn) == (length, is_drawn)
    assert repr(Motif.parse("GNA")) == "Motif('GNA')"


def test_a_parsed_motif_keeps_its_alphabet_but_for_t_and_u():
    assert Motif.parse(Motif.parse("GAT"), RNA) == Motif.parse("GAU", RNA)
    with pytest.raises(ValueError, match=r"`motif` 'GA' has the alphabet A, C, G, T; "):
        Motif.parse(Motif.parse("GA"), "TGCA")


def test_the_other_strand_of_every_kind_of_motif(ppm):
    # G(0) A(1) gap: read backwards, the gap, T, C.
    words = torch.stack([one_hot_encode(word) for word in ("GAN", "CCT")])
    turned = Motif.parse(words).reverse_complement()
    assert turned.values.tolist() == [[-1, 3, 1], [0, 2, 2]]
    other = Motif.parse(ppm).reverse_complement()
    assert other.values[0].tolist() == ppm.double().flip(0, 1).tolist()
    assert other.reverse_complement() == Motif.parse(ppm)
    assert Motif.parse("UGN", RNA).reverse_complement().label == "NCA"


def test_consensus_has_the_most_likely_letters_and_gaps_where_none_is():
    ppm = np.array([[0.4, 0.25, 0, 0.1], [0.4, 0.25, 0, 0.2], [0.2, 0.25, 0, 0.3]])
    motif = Motif.parse(np.vstack([ppm, [0, 0.25, 0, 0.4]]))
    assert motif.consensus() == Motif.parse("ANNT")
    each = Motif.parse(np.stack([motif.ppm, np.roll(motif.ppm, 1, axis=0)]))
    assert each.consensus().values.tolist() == [[0, -1, -1, 3], [1, -1, -1, 0]]
    assert Motif.parse("GANT").consensus() == Motif.parse("GANT")
