"""Graded sites of models that know which letters count."""

import re

import numpy as np
import pytest
import torch
from tangermeme.utils import one_hot_encode, random_one_hot

from tangermeme_gia.experiments.latent import latent_interaction
from tangermeme_gia.statistics.latent import latent_contrast

LENGTH = 60
A, B, C = ("GATAACCT", 5), ("CACGTGAC", 22), ("TTGCGCAA", 45)
LEVELS = ["level_a", "level_b", "level_c"]


def letters_right(X: torch.Tensor, motif: str, start: int) -> torch.Tensor:
    """Which share of the letters is that of the motif, shape=(n,)."""
    site = X[..., start : start + len(motif)].double()
    return (site * one_hot_encode(motif).double()).sum(dim=(1, 2)) / len(motif)


class Reads(torch.nn.Module):
    """Three sites and letters elsewhere, and AB where both are whole."""

    def __init__(self, readout=torch.nn.functional.softplus, planted=0.0):
        super().__init__()
        self.readout, self.planted = readout, planted
        generator = torch.Generator().manual_seed(0)
        self.weight = 0.3 * torch.randn(4, 5, generator=generator).double()

    def forward(self, X):
        a, b, c = (letters_right(X, *site) for site in (A, B, C))
        both = (a > 0.99) & (b > 0.99)
        rest = (X[..., 15:20].double() * self.weight).sum(dim=(1, 2))
        latent = 2 * a + 2 * b + 3 * c + rest + 2 * self.planted * 0.75 * both
        return self.readout(latent - 3)[:, None]


@pytest.fixture
def X():
    return random_one_hot((60, 4, LENGTH), random_state=0)


def ask(model, X, c=C, **options):
    return latent_interaction(model, X, A, B, c, **{"random_state": 0, **options})


def test_the_grid_has_each_grade_with_each(X):
    table = ask(Reads(), X).conditions
    assert table[LEVELS].to_numpy().tolist() == [list(i) for i in np.ndindex(5, 5, 4)]
    for name, (motif, start) in zip("abc", (A, B, C), strict=True):
        site, level = table[f"site_{name}"], table[f"level_{name}"]
        assert site.groupby(level).nunique().eq(1).all()
        assert site.nunique() == level.nunique()
        assert site[level == level.max()].iloc[0] == motif
        assert table["starts"].map(lambda s, at=start: at in s).all()
    assert (table["control"] == "none").all()
    assert table["patterns"].iloc[-1] == "GATAACCT@5 + CACGTGAC@22 + TTGCGCAA@45"


def test_the_letters_of_each_cell_are_placed(X):
    result = ask(lambda X: X, X[:3], n_levels=(2, 2, 2))
    rows = result.conditions.iterrows()
    for (_, row), cell in zip(rows, result.y_afters.unbind(dim=1), strict=True):
        for name, (_, start) in zip("abc", (A, B, C), strict=True):
            site = one_hot_encode(row[f"site_{name}"])
            assert (cell[:, :, start : start + 8] == site).all()
        assert torch.equal(cell[:, :, 13:22].int(), X[:3, :, 13:22].int())


def test_grades_grow_in_equal_steps_of_the_effect(X):
    """Each right letter is worth the same on a linear readout."""
    table = ask(Reads(lambda x: x), X).conditions
    shares = table.groupby("level_a")["share_a"].first()
    np.testing.assert_allclose(shares, [0, 0.25, 0.5, 0.75, 1], atol=0.11)
    right = [
        float(letters_right(one_hot_encode(site)[None], A[0], 0))
        for site in table.groupby("level_a")["site_a"].first()
    ]
    assert right == sorted(right)
    assert right[-1] == 1


def test_what_lowers_the_output_is_graded_too(X):
    table = ask(Reads(lambda x: -x), X).conditions
    shares = table.groupby("level_b")["share_b"].first()
    np.testing.assert_allclose(shares, [0, 0.25, 0.5, 0.75, 1], atol=0.11)


def test_of_a_model_without_effects_grades_keep_fewer_letters(X):
    result = ask(lambda X: 0 * X.sum(dim=(1, 2))[:, None], X)
    shares = result.conditions.groupby("level_a")["share_a"].first()
    assert shares.is_monotonic_increasing
    found = latent_contrast(result, n_resamples=9)
    assert found.verdict == "not identifiable"


@pytest.mark.parametrize(
    "readout", [torch.sigmoid, torch.nn.functional.softplus, torch.exp]
)
def test_of_a_model_the_interaction_is_that_planted(X, readout):
    """In units of A: from the word for nothing to full strength it gains 6 letters."""
    for planted in (0.0, -0.5):
        result = ask(Reads(readout, planted), X)
        nothing = result.conditions["site_a"].iloc[0]
        kept = float(letters_right(one_hot_encode(nothing)[None], A[0], 0))
        found = latent_contrast(result, n_resamples=49)
        truth = planted * 0.75 / (1 - kept)
        assert found.latent.low <= truth <= found.latent.high
        assert (found.verdict == "survives") == (planted != 0)
        assert found.latent.effect == pytest.approx(truth, abs=0.08)


def test_without_a_third_element_a_stands_again_where_there_is_room(X):
    table = ask(Reads(), X, c=None).conditions
    assert table["site_c"].iloc[-1] == A[0]
    assert table["starts"].iloc[0] == (5, 22, 52)
    with pytest.raises(
        ValueError, match="`c`: `X` of length 24 has no room for the first"
    ):
        latent_interaction(lambda X: X, X[..., :24], A, (B[0], 15))


def test_a_ppm_is_graded_from_its_consensus(X):
    ppm = 0.6 * one_hot_encode(A[0]).double() + 0.1
    table = latent_interaction(Reads(), X, (ppm, 5), B, C, random_state=0).conditions
    assert table["site_a"].iloc[-1] == A[0]


def test_gaps_keep_the_background(X):
    gapped = ("GATNNCCT", 5)
    table = latent_interaction(Reads(), X, gapped, B, C, random_state=0).conditions
    assert table["site_a"].str[3:5].eq("NN").all()


def test_several_outputs_are_graded_along_the_whole_effect(X):
    def two(X):
        y = Reads(lambda x: x)(X)
        return torch.cat([y, 0 * y], dim=1)

    result = ask(two, X)
    assert result.y_afters.shape == (60, 100, 2)
    one = ask(Reads(lambda x: x), X)
    assert result.conditions.equals(one.conditions)
    assert latent_contrast(result.output(0), n_resamples=9).verdict == "adds up"


def test_the_words_of_an_earlier_result_are_placed_again(X):
    first = ask(Reads(), X)
    other = ask(Reads(torch.sigmoid, 0.5), X, like=first, random_state=9)
    assert other.conditions.equals(first.conditions)
    again = ask(Reads(), X, like=first)
    torch.testing.assert_close(again.y_afters, first.y_afters)
    with pytest.raises(ValueError, match="'GATAACCT' for A, and it is 'GATAACCA'"):
        latent_interaction(Reads(), X, ("GATAACCA", 5), B, C, like=first)
    plain = first._replace(conditions=first.conditions[["starts"]])
    with pytest.raises(ValueError, match="`like` has no column 'level_a'"):
        ask(Reads(), X, like=plain)


def test_side_inputs_follow_the_backgrounds_that_words_are_tried_on():
    X = random_one_hot((130, 4, LENGTH), random_state=0)

    class Shifted(Reads):
        def forward(self, X, shift):
            assert torch.allclose(shift[:, 0], X[:, 0, 0].float())
            return super().forward(X) + shift

    shift = X[:, [0], 0].float()
    shifted = ask(Shifted(), X, args=[shift], n_levels=(2, 2, 2))
    plain = ask(Reads(), X, n_levels=(2, 2, 2))
    torch.testing.assert_close(shifted.y_afters, plain.y_afters + shift[:, None])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"n_levels": (5, 5)},
            "`n_levels`=(5, 5) must be 3 numbers, those of A, B and C",
        ),
        ({"n_levels": 5}, "`n_levels`=5 must be 3 numbers, those of A, B and C"),
        ({"n_levels": (1, 5, 4)}, "`n_levels`=1"),
        ({"c": ("TT", 6)}, "overlap at position 6"),
        ({"c": ("TT", 59)}, "`c`: `start`=59"),
        ({"c": ("TXT", 45)}, "`c`: "),
        ({"c": ("G", 45)}, "`c` 'G' has 4 words with itself; `n_levels` asks for 5"),
        ({"n_words": 0}, "`n_words`=0"),
    ],
)
def test_what_makes_no_grid_is_named(X, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ask(Reads(), X, **{"n_levels": (5, 5, 5), **options})
