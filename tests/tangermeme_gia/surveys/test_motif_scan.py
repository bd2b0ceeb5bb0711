import re

import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.marginalize import marginalize
from tangermeme.utils import characters, one_hot_encode, random_one_hot

from tangermeme_gia._core.motif import Motif
from tangermeme_gia.experiments.importance import global_importance
from tangermeme_gia.kmers.scan import kmer_scan
from tangermeme_gia.motifs.database import write_meme
from tangermeme_gia.surveys.collection_designs import CollectionDesign, Row
from tangermeme_gia.surveys.motif_scan import motif_scan

LENGTH = 24
# Of outputs of a few units in single precision.
ROUNDING = {"rtol": 0, "atol": 1e-5}


class Sites(torch.nn.Module):
    """Output: 1 for every GATAAC, 3 for every CCATTG, 0.5 for every GTTATC."""

    def __init__(self) -> None:
        super().__init__()
        motifs = [one_hot_encode(m) for m in ("GATAAC", "CCATTG", "GTTATC")]
        self.motifs = torch.nn.Parameter(torch.stack(motifs).float())
        self.register_buffer("worth", torch.tensor([1.0, 3.0, 0.5]))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        matches = torch.nn.functional.conv1d(X, self.motifs)
        return (torch.relu(matches - 5).sum(dim=-1) * self.worth).sum(-1, keepdim=True)


class Two(Sites):
    """A head of two numbers and one of one, curved."""

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.tanh(0.1 * X[:, :2, 3:20].sum(dim=-1) + super().forward(X))
        return y, y.sum(dim=1)


def soft(letters: str, certain: float = 0.85) -> torch.Tensor:
    """A PPM of which the letters are likely."""
    rest = (1 - certain) / 3
    return one_hot_encode(letters).double() * (certain - rest) + rest


@pytest.fixture
def empty() -> torch.Tensor:
    """A hundred backgrounds of A and T, in which no motif is, nor a part beside one."""
    rng = np.random.default_rng(0)
    codes = rng.choice([0, 3], (100, LENGTH))
    return torch.eye(4)[codes].transpose(1, 2)


@pytest.fixture
def X() -> torch.Tensor:
    return random_one_hot((20, 4, LENGTH), random_state=1)


def test_planted_motifs_have_the_effects_that_were_planted(empty):
    scan = motif_scan(
        Sites(),
        empty,
        {"gata": "GATAAC", "ccat": "CCATTG", "none": "CGCGTA"},
        strands="apart",
        random_state=0,
    )
    table = scan.to_frame().set_index(["motif", "strand"])
    expected = {
        ("gata", "+"): 1.0,
        ("gata", "-"): 0.5,
        ("ccat", "+"): 3.0,
        ("ccat", "-"): 0.0,
        ("none", "+"): 0.0,
        ("none", "-"): 0.0,
    }
    for row, effect in expected.items():
        assert table.loc[row, "effect"] == pytest.approx(effect, abs=1e-5)
    # Of the 120 orders of the letters no other is a motif.
    assert table["control_effect"].tolist() == pytest.approx([0] * 6, abs=1e-5)
    assert (table["q"] < 0.05).tolist() == [True, True, True, False, False, False]
    both = motif_scan(Sites(), empty, ["GATAAC"], strands="mean", random_state=0)
    assert both.to_frame()["effect"].item() == pytest.approx(0.75, abs=1e-5)
    assert both.to_frame()["strand"].item() == "both"


def test_consensus_on_one_strand_is_a_loop_over_marginalize(X):
    motifs = {
        "even": soft("GATAAC"),
        "odd": soft("CCATTGA"),
        "gap": "GANNAC",
        "long": soft("GATTACAGATTAC"),
    }
    scan = motif_scan(Two(), X, motifs, consensus=True, device="cpu")
    for i, motif in enumerate(motifs.values()):
        letters = Motif.parse(motif).consensus().label
        before, after = marginalize(Two(), X, letters, device="cpu")
        for effect, b, a in zip(scan.effect, before, after, strict=True):
            torch.testing.assert_close(effect[i], (a - b).mean(0).double(), **ROUNDING)


@pytest.mark.parametrize("strands", ["+", "mean"])
def test_effects_and_errors_are_those_of_the_kmer_scan(X, strands):
    motifs = {"soft": soft("GATAAC"), "letters": "CCATTG"}
    scan = motif_scan(Two(), X, motifs, 4, strands=strands, random_state=3)
    known = kmer_scan(
        Two(), X, kmers=motifs, start=4, both_strands=strands == "mean", random_state=3
    )
    for name in ("effect", "se"):
        for a, b in zip(getattr(scan, name), getattr(known, name), strict=True):
            torch.testing.assert_close(a, b, **ROUNDING)


@pytest.mark.parametrize("start", [None, "random"])
@pytest.mark.parametrize("clusters", [None, [i // 2 for i in range(20)]])
def test_no_batch_size_or_memory_limit_changes_the_table(X, start, clusters):
    motifs = {"soft": soft("GATAAC"), "letters": "CCATTG", "GNA": "GNA"}
    given = {"strands": "mean", "clusters": clusters, "random_state": 0}
    model = Two().double()
    whole = motif_scan(model, X, motifs, start, n_controls=2, **given)
    # 6 conditions of a motif stay together; 2,000 bytes hold them for one background.
    for options in [{"batch_size": 3}, {"max_memory": 2000}, {"max_memory": 9000}]:
        part = motif_scan(model, X, motifs, start, n_controls=2, **given, **options)
        for label in whole.outputs:
            pd.testing.assert_frame_equal(
                whole.output(label).to_frame(), part.output(label).to_frame()
            )
            pd.testing.assert_frame_equal(
                whole.output(label).top(), part.output(label).top()
            )


def test_clusters_of_backgrounds_reach_every_error(X):
    labels = [i // 2 for i in range(20)]
    scan = motif_scan(
        Two(),
        X,
        {"soft": soft("GATAAC")},
        clusters=labels,
        n_controls=0,
        random_state=0,
        target=1,
    )
    known = global_importance(
        Two(), X, [(soft("GATAAC"), None)], clusters=labels, random_state=0, target=1
    )
    columns = ["effect", "se", "low", "high", "n", "n_clusters", "df"]
    pd.testing.assert_frame_equal(
        scan.to_frame()[columns], known.to_frame()[columns], rtol=1e-5
    )
    # Both halves are of whole templates.
    first, second = (half.effect.clusters for half in scan.halves)
    assert not {*first} & {*second}
    assert scan.top()["n_clusters"].item() == 5


def built(row: Row, starts, X, n_controls=1, seed=0) -> list[list[str]]:
    design = CollectionDesign([row], [starts], len(X), LENGTH, n_controls, seed)
    n_conditions = len(design.lengths)
    sequences = design.build(X, slice(0, len(X)), slice(0, n_conditions))
    return [[characters(y) for y in each] for each in sequences]


@pytest.mark.parametrize(
    "motif", ["GATNAAC", soft("GATAACC", 0.5)], ids=["letters", "ppm"]
)
@pytest.mark.parametrize("moves", [False, True])
def test_a_control_has_the_letters_of_each_background_in_another_order(
    empty, motif, moves
):
    parsed = Motif.parse(motif)
    starts = np.arange(100) % 17 if moves else np.array([4])
    sequences = built(Row("m", "+", (parsed,)), starts, empty)
    orders = set()
    for i, (with_motif, with_control) in enumerate(sequences):
        at = starts[i % len(starts)]
        inside = slice(at, at + 7)
        background = characters(empty[i])
        for sequence in (with_motif, with_control):
            assert (
                sequence[:at] + sequence[at + 7 :]
                == background[:at] + background[at + 7 :]
            )
        assert sorted(with_motif[inside]) == sorted(with_control[inside])
        if motif == "GATNAAC":
            assert with_motif[inside] == "GAT" + background[at + 3] + "AAC"
            assert with_control[at + 3] == background[at + 3]
            assert with_control[inside] != with_motif[inside]
        orders.add(with_control[inside])
    # Each background has its own.
    assert len(orders) > 30


def test_random_starts_are_uniform_and_the_same_for_motifs_of_one_length(empty):
    found = motif_scan(
        lambda X: (X[:, 2] * torch.arange(LENGTH)).sum(-1, keepdim=True),
        empty.repeat(20, 1, 1),
        {"G": "GAAAAAAAAA", "C": "CG" + 8 * "A"},
        "random",
        n_controls=0,
        random_state=0,
    )
    first, second = found.effect[:, 0]
    # Of 15 starts, 0 to 14, the mean is 7.
    assert float(first) == pytest.approx(7, abs=0.4)
    assert float(second) == pytest.approx(float(first) + 1)


def test_a_motif_of_one_letter_has_no_control(empty):
    with pytest.warns(UserWarning, match="1 of 2 motifs are of one letter.*'tract'"):
        scan = motif_scan(Sites(), empty, {"tract": "AAAA", "gata": "GATAAC"})
    table = scan.to_frame().set_index("motif")
    assert table.loc["tract", ["difference", "p", "q"]].isna().all()
    assert table.loc["tract", "effect"] == pytest.approx(0, abs=1e-5)
    assert table.loc["gata", "q"] < 0.05
    assert scan.top()["motif"].tolist() == ["gata"]


def test_similar_motifs_have_the_best_as_representative(empty):
    motifs = {
        "weak": soft("GATAACAGG", 0.8),
        "strong": "GATAACAGG",
        "reverse": "CCTGTTATC",
        "other": "CCATTGCAC",
    }
    table = motif_scan(Sites(), empty, motifs, random_state=0).to_frame()
    table = table.set_index("motif")
    assert table["representative"].to_dict() == {
        "weak": "strong",
        "strong": "strong",
        "reverse": "strong",
        "other": "other",
    }
    assert table["cluster"].to_dict() == {
        "other": 1,
        "strong": 2,
        "weak": 2,
        "reverse": 2,
    }


def test_the_best_are_chosen_on_some_backgrounds_and_measured_on_others(empty):
    model, motifs = Sites(), {"gata": "GATAAC", "ccat": "CCATTG", "none": "CGCGTA"}
    scan = motif_scan(model, empty, motifs, selection_fraction=0.3, random_state=0)
    chosen, held_out = scan.halves
    assert (chosen.effect.n, held_out.effect.n) == (30, 70)
    best = scan.top(2)
    assert best["motif"].tolist() == ["ccat", "gata"]
    assert best["effect"].tolist() == pytest.approx([3, 1], abs=1e-5)
    assert best["n"].tolist() == [70, 70]
    assert scan.top(1, lowest=True)["motif"].item() == "none"
    few = motif_scan(model, empty[:3], motifs, random_state=0)
    with pytest.raises(ValueError, match="3 backgrounds, too few to choose"):
        few.top()


def test_false_discoveries_are_as_rare_as_said():
    """Weights that know no motif: all differences from controls are chance."""
    rates = []
    for seed in range(60):
        X = random_one_hot((40, 4, LENGTH), random_state=seed)
        rng = torch.Generator().manual_seed(seed)
        weight = torch.randn(4, generator=rng)
        motifs = {
            str(i): random_one_hot((1, 4, 8), random_state=1000 * seed + i)[0]
            for i in range(25)
        }

        def composition(X, weight=weight):
            return torch.einsum("ncl,c->n", X.float(), weight)[:, None] ** 2

        def noisy(X, weight=weight):
            place = torch.arange(1, LENGTH + 1)
            mixed = torch.einsum(
                "ncl,c,l->n", X.float(), weight, torch.sin(place * 1.7)
            )
            return torch.sin(40 * mixed)[:, None] + composition(X)

        table = motif_scan(noisy, X, motifs, random_state=seed).to_frame()
        rates.append((table["q"] < 0.1).any())
    # With no true one, any is false: 6 of 60 are expected, and 13 are beyond chance.
    assert np.sum(rates) <= 13


def test_a_file_gives_identifiers_and_names(empty, tmp_path):
    path = tmp_path / "motifs.meme"
    write_meme(path, {"MA1 Gata": soft("GATAAC"), "MA2": soft("CCATTG")})
    table = motif_scan(Sites(), empty, path, random_state=0).to_frame()
    columns = ["motif", "name", "consensus"]
    assert table[columns].values.tolist() == [
        ["MA1", "Gata", "GATAAC"],
        ["MA2", "MA2", "CCATTG"],
    ]


@pytest.mark.parametrize(
    ("motifs", "options", "message"),
    [
        ([], {}, "`motifs` is empty"),
        ("GATA", {}, "`motifs`='GATA' is not a file; pass a list"),
        (3, {}, "`motifs` is of type int"),
        (["GATA", "GATA"], {}, "`motifs` holds 'GATA' twice"),
        ({"x": "GAXA"}, {}, r"`motifs`\['x'\]: "),
        ({"x": torch.zeros(20, 4, 5)}, {}, r"`motifs`\['x'\] is a 5-mer of each"),
        ({"x": "G" * 25}, {}, "motif 'x': a 25-mer is longer than `X`"),
        (["GATA"], {"strands": "both"}, "`strands`='both' must be one of"),
        (["GATA"], {"start": "left"}, "`start`='left' must be an integer, 'random'"),
        (["GATA"], {"start": 22}, "motif 'GATA': `start`=22 with a 4-mer runs past"),
        (["GATA"], {"n_controls": -1}, "`n_controls`=-1"),
        (["GATA"], {"selection_fraction": 1.0}, "`selection_fraction`=1.0"),
    ],
)
def test_what_cannot_be_scanned_is_named(X, motifs, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        motif_scan(Sites(), X, motifs, **options)


def test_failures_name_the_motif_and_its_control(empty):
    def model(X):
        y = X[:, 2].sum(dim=-1, keepdim=True)
        return torch.where(y > 0, torch.nan, y)

    with pytest.raises(ValueError, match=re.escape("motif 'gata' on strand +")):
        motif_scan(model, empty, {"gata": "GATAAC"}, random_state=0)
