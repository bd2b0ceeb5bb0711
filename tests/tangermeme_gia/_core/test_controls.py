import numpy as np
import pytest
import torch
from tangermeme.utils import characters, one_hot_encode, random_one_hot

from tangermeme_gia._core.controls import CONTROLS, control_motif
from tangermeme_gia._core.letters import DNA, RNA
from tangermeme_gia.experiments.importance import global_importance


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("kind", CONTROLS)
def test_string_controls_differ_and_keep_gaps(rng, kind):
    for _ in range(50):
        control = control_motif("UGNAUG", kind, RNA, rng)
        assert control != "UGNAUG"
        assert control[2] == "N"
        assert set(control) <= {*RNA, "N"}
        if kind == "shuffled":
            assert sorted(control) == sorted("UGNAUG")


def test_random_letters_are_uniform(rng):
    letters = "".join(control_motif("ACGTACGT", "random", DNA, rng) for _ in range(500))
    counts = [letters.count(letter) for letter in DNA]
    # 1,000 expected of each, standard deviation 27.
    assert max(abs(count - 1000) for count in counts) < 110


@pytest.mark.parametrize("kind", CONTROLS)
@pytest.mark.parametrize("as_array", [False, True])
def test_one_hot_controls_keep_gaps(rng, kind, as_array):
    motif = one_hot_encode("TGNATG")
    control = control_motif(motif.numpy() if as_array else motif, kind, DNA, rng)
    letters = characters(control, allow_N=True)
    assert letters != "TGNATG"
    assert letters[2] == "N"
    assert letters.count("N") == 1
    if kind == "shuffled":
        assert sorted(letters) == sorted("TGNATG")


def test_a_ppm_keeps_its_columns_when_shuffled(rng):
    ppm = torch.rand(4, 5, generator=torch.Generator().manual_seed(0))
    ppm = ppm / ppm.sum(0)
    control = control_motif(ppm, "shuffled", DNA, rng)
    assert sorted(control.T.tolist()) == sorted(ppm.T.tolist())
    assert not torch.equal(control, ppm)
    drawn = control_motif(ppm, "random", DNA, rng)
    assert drawn.sum(0).tolist() == 5 * [1]
    assert set(drawn.flatten().tolist()) == {0, 1}


@pytest.mark.parametrize("kind", CONTROLS)
def test_motifs_of_each_background_keep_their_own_gaps(rng, kind):
    motifs = random_one_hot((6, 4, 8), random_state=0)
    for i in range(6):
        motifs[i, :, i % 4 : i % 4 + 1 + i % 2] = 0
    before = motifs.clone()
    controls = control_motif(motifs, kind, DNA, rng)
    assert torch.equal(motifs, before)
    assert torch.equal(controls.any(dim=1), motifs.any(dim=1))
    assert not torch.equal(controls, motifs)
    if kind == "shuffled":
        assert torch.equal(controls.sum(dim=2), motifs.sum(dim=2))


@pytest.mark.parametrize("kind", CONTROLS)
def test_a_motif_that_moves_keeps_its_control(rng, kind):
    framed = torch.zeros(3, 4, 12, dtype=torch.int8)
    for i, start in enumerate([0, 5, 8]):
        framed[i, :, start : start + 4] = one_hot_encode("GATC")
    control = control_motif(framed, kind, DNA, rng)
    assert torch.equal(control[0, :, :4], control[1, :, 5:9])
    assert torch.equal(control[0, :, :4], control[2, :, 8:])


@pytest.mark.parametrize("motif", ["NNN", "", "GGG"])
def test_what_has_no_other_order_stays(rng, motif):
    assert control_motif(motif, "shuffled", DNA, rng) == motif


def test_an_unknown_kind_is_named(rng):
    with pytest.raises(ValueError, match="`kind`='reversed' must be one of"):
        control_motif("GATA", "reversed", DNA, rng)


@pytest.mark.parametrize("n_controls", [-1, 1.0, True])
def test_a_wrong_number_of_controls_is_named(X, additive_model, n_controls):
    with pytest.raises(ValueError, match=f"`n_controls`={n_controls} must be 0 or"):
        global_importance(additive_model, X, [("GA", 0)], n_controls=n_controls)


def test_controls_follow_seeded_and_alike_in_all_conditions(blank, recorder):
    def controlled(seed: int) -> tuple[list[str], list[list[str]]]:
        result = global_importance(
            torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 1)),
            blank[:1],
            [[("GACC", 0)], [("GACC", 6), ("CGAG", 12)]],
            n_controls=2,
            random_state=seed,
            func=recorder,
        )
        placed = [characters(x) for x in recorder.batches[-1]]
        parts = [[p[0:4], p[6:10], p[12:16]] for p in placed]
        return result.conditions["control"].tolist(), parts

    names, parts = controlled(0)
    assert names == [
        name
        for name in ["none", "random 1", "random 2", "shuffled 1", "shuffled 2"]
        for _ in range(2)
    ]
    for alone, together in zip(parts[::2], parts[1::2], strict=True):
        assert alone[0] == together[1]
        assert alone[1:] == ["TTTT", "TTTT"]
    assert len({alone[0] for alone in parts[::2]}) == 5
    for shuffled in (parts[7], parts[9]):
        assert sorted(shuffled[1]) == sorted("GACC")
        assert sorted(shuffled[2]) == sorted("CGAG")
    assert controlled(0)[1] == parts
    assert controlled(1)[1] != parts
