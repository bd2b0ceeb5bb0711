import pandas as pd
import pytest
import torch
from tangermeme.utils import characters, one_hot_encode, random_one_hot

from tangermeme_gia._core.controls import CONTROLS, with_controls
from tangermeme_gia._core.letters import DNA, RNA
from tangermeme_gia._core.motif import Motif, MotifLike
from tangermeme_gia._core.patterns import Pattern
from tangermeme_gia.experiments.importance import global_importance


def controls(
    motif: MotifLike, kind: str, alphabet=DNA, *, n: int = 1, seed: int = 0
) -> list[Motif]:
    """The controls of one kind of a motif at position 3."""
    conditions, table = with_controls(
        [[Pattern(Motif.parse(motif, alphabet), 3)]], pd.DataFrame(index=[0]), n, seed
    )
    chosen = [i for i, name in enumerate(table["control"]) if name.startswith(kind)]
    assert all(conditions[i][0].start == 3 for i in chosen)
    return [conditions[i][0].motif for i in chosen]


@pytest.mark.parametrize("kind", CONTROLS)
@pytest.mark.parametrize("numbers", [False, True])
def test_controls_differ_and_keep_gaps(kind, numbers):
    motif = one_hot_encode("UGNAUG", alphabet=RNA) if numbers else "UGNAUG"
    found = controls(motif, kind, RNA, n=50)
    assert len(found) == 50
    for control in found:
        assert control.label != "UGNAUG"
        assert control.label[2] == "N"
        assert control.label.count("N") == 1
        assert set(control.label) <= {*RNA, "N"}
        if kind == "shuffled":
            assert sorted(control.label) == sorted("UGNAUG")


@pytest.mark.parametrize("kind", CONTROLS)
def test_letters_and_their_one_hot_have_the_same_controls(kind):
    assert controls("GACNT", kind, n=5) == controls(one_hot_encode("GACNT"), kind, n=5)


def test_random_letters_are_uniform():
    found = controls("ACGTACGT", "random", n=500)
    letters = "".join(control.label for control in found)
    counts = [letters.count(letter) for letter in DNA]
    # 1,000 expected of each, standard deviation 27.
    assert max(abs(count - 1000) for count in counts) < 110


def test_permutations_are_uniform():
    found = [control.label for control in controls("ACG", "shuffled", n=1000)]
    counts = [found.count(word) for word in ("AGC", "CAG", "CGA", "GAC", "GCA")]
    # The motif's own order is drawn again; 200 expected of each, sd 13.
    assert sum(counts) == 1000
    assert max(abs(count - 200) for count in counts) < 60


def test_a_ppm_keeps_its_columns_when_shuffled():
    ppm = torch.rand(4, 5, generator=torch.Generator().manual_seed(0), dtype=float)
    ppm = ppm / ppm.sum(0)
    control = controls(ppm, "shuffled")[0]
    assert sorted(control.values[0].T.tolist()) == sorted(ppm.T.tolist())
    assert control != Motif.parse(ppm)
    drawn = controls(ppm, "random")[0]
    assert not drawn.is_drawn
    assert len(drawn.label) == 5
    assert set(drawn.label) <= set(DNA)


@pytest.mark.parametrize("kind", CONTROLS)
def test_motifs_of_each_background_keep_their_own_gaps(kind):
    motifs = random_one_hot((6, 4, 8), random_state=0)
    for i in range(6):
        motifs[i, :, i % 4 : i % 4 + 1 + i % 2] = 0
    before, parsed = motifs.clone(), Motif.parse(motifs)
    control = controls(motifs, kind)[0]
    assert torch.equal(motifs, before)
    assert ((control.values < 0) == (parsed.values < 0)).all()
    assert control != parsed
    if kind == "shuffled":
        ordered = [sorted(row) for row in parsed.values.tolist()]
        assert [sorted(row) for row in control.values.tolist()] == ordered


@pytest.mark.parametrize("kind", CONTROLS)
def test_a_motif_that_moves_keeps_its_control(kind):
    framed = torch.zeros(3, 4, 12, dtype=torch.int8)
    for i, start in enumerate([0, 5, 8]):
        framed[i, :, start : start + 4] = one_hot_encode("GATC")
    codes = controls(framed, kind)[0].values
    assert codes[0, :4].tolist() == codes[1, 5:9].tolist() == codes[2, 8:].tolist()
    assert codes[0, :4].tolist() == controls("GATC", kind)[0].values[0].tolist()


@pytest.mark.parametrize("motif", ["NNN", ""])
def test_what_has_no_letters_stays(motif):
    assert controls(motif, "shuffled")[0].label == motif


@pytest.mark.parametrize(
    ("motif", "where"),
    [
        ("GGG", "GGG"),
        ("GNG", "GNG"),
        (one_hot_encode("GGG")[None].repeat(3, 1, 1), "in 3 of 3 backgrounds"),
        (torch.tensor([0.7, 0.1, 0.1, 0.1])[:, None].repeat(1, 3), r"PPM\(AAA\)"),
    ],
)
def test_a_control_that_can_only_be_the_motif_is_said(motif, where):
    with pytest.warns(UserWarning, match=f"a shuffled control of .*{where}") as said:
        found = controls(motif, "shuffled", n=3)
    assert found == 3 * [Motif.parse(motif)]
    assert len(said) == 1


def test_a_control_differs_from_the_motif_of_every_background():
    # The permutation that swaps the last two letters leaves the second as it is.
    motifs = torch.stack([one_hot_encode("GAC"), one_hot_encode("GCC")])
    for seed in range(20):
        control = controls(motifs, "shuffled", seed=seed)[0]
        assert (control.values != Motif.parse(motifs).values).any(axis=1).all()


def test_a_random_control_is_not_the_best_of_a_ppm():
    ppm = torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1]]).T
    found = controls(ppm, "random", n=200)
    assert len({control.label for control in found}) == 15  # all 16 but AC
    assert "AC" not in {control.label for control in found}


def test_letters_of_controls_stand_in_the_table(blank, recorder, additive_model):
    result = global_importance(
        additive_model,
        blank[:1],
        [("GACC", 0), ("CGAG", 12)],
        n_controls=1,
        random_state=0,
        func=recorder,
    )
    placed = [characters(x) for x in recorder.batches[-1]]
    letters = [""] + [f"{x[:4]} + {x[12:16]}" for x in placed[1:]]
    assert result.to_frame()["control_letters"].tolist() == letters


def test_rows_follow_the_conditions():
    conditions = [[], [Pattern(Motif.parse("GA"), 1), Pattern(Motif.parse("CT"), 5)]]
    table = pd.DataFrame({"start": [0, 1]})
    found, rows = with_controls(conditions, table, 1, 0)
    assert rows["start"].tolist() == [0, 1] * 3
    names = ["none", "none", "random 1", "random 1", "shuffled 1", "shuffled 1"]
    assert rows["control"].tolist() == names
    assert [[p.start for p in condition] for condition in found] == [[], [1, 5]] * 3
    assert [p.motif.label for p in found[-1]] == ["AG", "TC"]
    assert table.columns.tolist() == ["start"]


@pytest.mark.parametrize(
    ("n_controls", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError)]
)
def test_a_wrong_number_of_controls_is_named(X, additive_model, n_controls, error):
    with pytest.raises(error, match=f"`n_controls`={n_controls} must be a"):
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
