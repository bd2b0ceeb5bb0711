import re

import pytest
import torch
from tangermeme.utils import PackedSequence, characters, random_one_hot

from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.experiments.hairpin import hairpin_importance
from tangermeme_gia.experiments.importance import global_importance
from tangermeme_gia.structure.pairing import forms_pairs, impose_pairs
from tangermeme_gia.structure.pairs import Hairpin

LENGTH = 41
PLACES = ["loop", "left arm", "right arm"]


class Stem(torch.nn.Module):
    """How many pairs of the paper's stem form, and the As before and in the stem."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        left, right = torch.from_numpy(Hairpin.paper().pairs).T
        formed = (X[:, :, left] * X[:, :, right].flip(1)).sum(dim=(1, 2))
        counts = [formed, X[:, 0, :5].sum(1), X[:, 0, 5:33].sum(1)]
        return self.scale * torch.stack(counts, dim=1)


def relative_to_stem(result: GIAResult) -> GIAResult:
    """Motifs in the hairpin against the empty hairpin."""
    hairpins = result.select(structure="hairpin")
    return hairpins.relative_to(place="none", control="none")


class Sequences(torch.nn.Module):
    """The sequences themselves, so that a test can read them."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X


@pytest.fixture
def X() -> torch.Tensor:
    X = random_one_hot((6, 4, LENGTH), random_state=0)
    X[:, :, 37:] = 0
    return X


def rows(result, **wanted):
    table = result.conditions
    kept = [
        all(table[name].iloc[i] == value for name, value in wanted.items())
        for i in range(len(table))
    ]
    return [i for i, keep in enumerate(kept) if keep]


def test_the_table_names_the_empty_hairpin_and_both_backgrounds_of_every_place(X):
    table = hairpin_importance(Stem(), X, "GCTGGC").conditions
    assert table["place"].tolist() == ["none", *[p for p in PLACES for _ in range(2)]]
    assert table["structure"].tolist() == ["hairpin", *["hairpin", "unstructured"] * 3]
    assert table["start"].isna().tolist() == [True] + 6 * [False]
    assert table["start"][1:].tolist() == [16, 16, 7, 7, 24, 24]
    assert table["motif"].tolist() == ["", *["GCTGGC"] * 6]


def test_a_model_that_counts_pairs_sees_the_stem_and_no_motif_in_it(X):
    model = Stem()
    result = hairpin_importance(model, X, "GCTGGC")
    # Eleven pairs form whatever is placed, for partners change with the motif.
    formed = result.y_afters[:, rows(result, structure="hairpin"), 0]
    assert torch.equal(formed, torch.full_like(formed, 11))
    stem = result.local_importance[:, 0, 0]
    assert torch.equal(stem, 11 - result.y_before[:, 0])
    relative = relative_to_stem(result)
    assert torch.equal(relative.global_importance[:, 0], torch.zeros(3))
    # Nothing outside the stem changes.
    assert torch.equal(relative.local_importance[..., 1], torch.zeros(6, 3))


def test_the_motif_within_the_hairpin_is_compared_with_the_empty_hairpin(X):
    result = hairpin_importance(Stem(), X, "AAAAAA", starts=[16, 24])
    relative = relative_to_stem(result)
    assert torch.equal(relative.y_before, result.y_afters[:, 0])
    assert torch.equal(relative.y_afters, result.y_afters[:, [1, 3]])
    assert relative.conditions["place"].tolist() == ["loop", "right arm"]
    assert relative.to_frame()["n"].tolist() == [6] * 6
    folded = impose_pairs(X, Hairpin.paper().pairs)
    # In the loop the model counts the As that were not there; in an arm the partners
    # of the motif turn into T, so that As may also be lost.
    gained = 6 - folded[:, 0, 16:22].sum(1)
    assert torch.equal(relative.local_importance[:, 0, 2], gained.float())
    partners = slice(8, 14)
    gained = 6 - folded[:, 0, 24:30].sum(1) - folded[:, 0, partners].sum(1)
    assert torch.equal(relative.local_importance[:, 1, 2], gained.float())


@pytest.mark.parametrize("motif", ["GCTGGC", "GCNNGC"])
def test_the_motif_stays_in_every_place_and_the_stem_stays_folded(X, motif):
    result = hairpin_importance(Sequences(), X, motif)
    folded = impose_pairs(X, Hairpin.paper().pairs)
    assert torch.equal(result.y_afters[:, 0], folded.float())
    for i, row in result.conditions.iloc[1:].iterrows():
        Y = result.y_afters[:, i].to(torch.int8)
        in_hairpin = row["structure"] == "hairpin"
        before = folded if in_hairpin else X
        if in_hairpin:
            assert forms_pairs(Y, Hairpin.paper().pairs).all()
        for y, x in zip(Y, before, strict=True):
            placed = characters(y, allow_N=True)[row["start"] : row["start"] + 6]
            kept = characters(x, allow_N=True)[row["start"] : row["start"] + 6]
            expected = [k if m == "N" else m for m, k in zip(motif, kept, strict=True)]
            assert placed == "".join(expected)
        # Only the motif and, in a stem, its partners differ from the background.
        changed = (before != Y).any(dim=1).any(dim=0).nonzero().ravel().tolist()
        allowed = set(range(row["start"], row["start"] + 6))
        if in_hairpin:
            partner = {
                i: j for p in Hairpin.paper().pairs.tolist() for i, j in (p, p[::-1])
            }
            allowed |= {partner[i] for i in allowed if i in partner}
        assert set(changed) <= allowed
        assert set(changed)


def test_the_unstructured_rows_equal_global_importance(X):
    model = Stem()
    result = hairpin_importance(model, X, "GCTGGC")
    expected = global_importance(model, X, [[("GCTGGC", s)] for s in (16, 7, 24)])
    unstructured = rows(result, structure="unstructured")
    assert torch.equal(result.y_afters[:, unstructured], expected.y_afters)
    assert torch.equal(result.y_before, expected.y_before)


def test_wobble_pairs_of_the_background_stay_if_allowed():
    X = torch.zeros(1, 4, 9, dtype=torch.int8)
    X[:, 0] = 1
    X[0, :, 1], X[0, :, 7] = torch.eye(4)[2], torch.eye(4)[3]  # G with U
    structure = ".((...))."
    options = {"structure": structure, "starts": [3], "alphabet": RNA}
    kept = hairpin_importance(Sequences(), X, "CCC", wobble=True, **options)
    paired = hairpin_importance(Sequences(), X, "CCC", **options)
    assert characters(kept.y_afters[0, 1], alphabet=RNA) == "AGACCCUUA"
    assert characters(paired.y_afters[0, 1], alphabet=RNA) == "AGACCCUCA"


def test_a_dot_bracket_string_says_the_same_as_its_geometry(X):
    by_geometry = hairpin_importance(Stem(), X, "GCTGGC")
    text = Hairpin.paper().dot_bracket(LENGTH)
    by_string = hairpin_importance(Stem(), X, "GCTGGC", text)
    assert torch.equal(by_string.y_afters, by_geometry.y_afters)
    assert by_string.conditions.equals(by_geometry.conditions)


@pytest.mark.parametrize(
    ("name", "geometry", "starts"),
    [("paper", (5, 11, 6), [16, 7, 24]), ("released", (7, 9, 7), [16, 8, 24])],
)
def test_a_named_layout_is_its_geometry(X, name, geometry, starts):
    named = hairpin_importance(Sequences(), X, "GCTGGC", name)
    given = hairpin_importance(Sequences(), X, "GCTGGC", Hairpin(*geometry))
    assert torch.equal(named.y_afters, given.y_afters)
    assert named.conditions.equals(given.conditions)
    assert named.conditions["start"][1::2].tolist() == starts


def test_two_stems_need_starts_and_get_their_places(X):
    structure = "((..)(..))" + "." * 31
    with pytest.raises(ValueError, match=r"without `starts`: .*not one perfect"):
        hairpin_importance(Stem(), X, "GC", structure)
    starts = [0, 2, 6, 8, 20]
    result = hairpin_importance(Sequences(), X, "GC", structure, starts=starts)
    places = ["left arm", "loop", "loop", "right arm", "outside"]
    assert result.conditions["place"][1::2].tolist() == places


def test_a_ppm_is_drawn_once_for_all_places_and_seeds_repeat_it(X):
    ppm = torch.full((4, 6), 0.25)
    result = hairpin_importance(Sequences(), X, ppm, random_state=1)
    drawn = [
        result.y_afters[:, i, :, s : s + 6]
        for i, s in enumerate(result.conditions["start"])
        if i > 0
    ]
    assert all(torch.equal(drawn[0], other) for other in drawn)
    assert len({characters(x) for x in drawn[0]}) > 1
    again = hairpin_importance(Sequences(), X, ppm, random_state=1, batch_size=2)
    assert torch.equal(again.y_afters, result.y_afters)


def test_no_batch_size_or_memory_limit_changes_the_outputs(X):
    result = hairpin_importance(Stem(), X, "GCTGGC")
    for options in [{"batch_size": 4}, {"max_memory": 400}]:
        parts = hairpin_importance(Stem(), X, "GCTGGC", **options)
        assert torch.equal(parts.y_afters, result.y_afters)


def test_controls_stand_in_the_same_places(X):
    plain = hairpin_importance(Sequences(), X, "GCTGGC")
    result = hairpin_importance(Sequences(), X, "GCTGGC", n_controls=1, random_state=0)
    table = result.conditions
    names = [name for name in ("none", "random 1", "shuffled 1") for _ in range(7)]
    assert table["control"].tolist() == names
    for part in range(3):
        rows_ = table.iloc[7 * part : 7 * part + 7]
        rows_ = rows_.drop(columns=["control", "control_letters"])
        expected = plain.conditions.drop(columns="control")
        assert rows_.reset_index(drop=True).equals(expected)
    assert torch.equal(result.y_afters[:, :7], plain.y_afters)
    for i in range(15, 21):
        start = table["start"][i]
        placed = characters(result.y_afters[0, i, :, start : start + 6])
        assert sorted(placed) == sorted("GCTGGC")
        assert placed != "GCTGGC"
    # Three places each, and the empty hairpins of both controls.
    relative = relative_to_stem(result)
    assert relative.conditions["place"].tolist() == [*PLACES, *2 * ["none", *PLACES]]
    assert not relative.select(place="none").local_importance.any()


def test_nothing_given_is_changed_and_packed_backgrounds_give_the_same(X):
    X = X[:, :, :37]
    X_before, model = X.clone(), Stem().train()
    result = hairpin_importance(model, X, "GCTGGC")
    assert torch.equal(X, X_before)
    assert model.training
    packed = hairpin_importance(model, PackedSequence.from_one_hot(X), "GCTGGC")
    assert torch.equal(packed.y_afters, result.y_afters)


def test_several_output_tensors_stay_apart(X):
    class Heads(Stem):
        def forward(self, X):
            y = super().forward(X)
            return y[:, :1], y[:, 1:]

    relative = relative_to_stem(hairpin_importance(Heads(), X, "AAAAAA"))
    expected = relative_to_stem(hairpin_importance(Stem(), X, "AAAAAA"))
    parts = relative.local_importance
    assert torch.equal(torch.cat(parts, dim=2), expected.local_importance)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"motif": "GCTGGCA"}, ValueError, "does not fit the loop"),
        (
            {"motif": "GCTGG", "structure": Hairpin(5, 4, 6)},
            ValueError,
            "does not fit the left arm of the structure, which has 4",
        ),
        (
            {"starts": [12]},
            ValueError,
            "`starts` holds 12, where the 6-mer covers left",
        ),
        ({"starts": [36]}, ValueError, "`starts` holds 36; a 6-mer"),
        ({"starts": [-1]}, ValueError, "`starts` holds -1"),
        ({"starts": [16.0]}, TypeError, "`starts` holds 16.0"),
        ({"starts": []}, ValueError, "`starts` is empty"),
        ({"n_controls": -1}, ValueError, "`n_controls`=-1"),
        ({"structure": Hairpin(12, 11, 6)}, ValueError, "padding (a zero column) in"),
        ({"structure": Hairpin(20, 11, 6)}, ValueError, "runs past a sequence"),
        ({"structure": "(..)"}, ValueError, "`structure` has 4 characters"),
        ({"motif": "GCXGGC"}, ValueError, "which is not in `alphabet`"),
        ({"alphabet": "ACGB"}, ValueError, "no complementary bases"),
    ],
)
def test_what_does_not_fit_is_an_error(X, options, error, text):
    options = {"motif": "GCTGGC", **options}
    with pytest.raises(error, match=re.escape(text)):
        hairpin_importance(Stem(), X, **options)


def test_padding_is_named_by_its_sequence_in_all_of_the_backgrounds():
    X = random_one_hot((5, 4, LENGTH), random_state=0)
    X[3, :, 30] = 0
    with pytest.raises(ValueError, match="in sequence 3 at position 30"):
        hairpin_importance(Stem(), X, "GCTGGC", max_memory=400)


def test_a_partner_in_the_stem_changes_only_if_it_does_not_pair():
    # The fold pairs A with U; a G in place of the A pairs with that U, too.
    X = torch.zeros(1, 4, 7, dtype=torch.int8)
    X[:, 0] = 1
    options = {"structure": "((...))", "starts": [0], "alphabet": RNA}
    for wobble, expected in [(True, "GAAAAUU"), (False, "GAAAAUC")]:
        result = hairpin_importance(Sequences(), X, "G", wobble=wobble, **options)
        assert characters(result.y_afters[0, 1], alphabet=RNA) == expected
