"""Sites, alone and together, of models that know what several are worth."""

import re

import numpy as np
import pytest
import torch
from tangermeme.utils import one_hot_encode, random_one_hot

from tangermeme_gia import plot
from tangermeme_gia.experiments.latent_sites import latent_sites
from tangermeme_gia.statistics.latent_sites import latent_additivity

MOTIF, STARTS = "GATAACCT", [4, 20, 36]
C, D = ("CACGTGAC", 52), ("TTGCGCAA", 68)


class Counts(torch.nn.Module):
    """Share of letters at each site; a third one counts for `third` of its effect."""

    def __init__(self, readout=torch.sigmoid, third=1.0):
        super().__init__()
        self.readout, self.third = readout, third

    def forward(self, X):
        *sites, c, d = (
            (X[..., start : start + 8].double() * one_hot_encode(word).double()).sum(
                dim=(1, 2)
            )
            / 8
            for word, start in (*((MOTIF, s) for s in STARTS), C, D)
        )
        # Of the last site, if all are whole, only a part counts.
        whole = torch.stack(sites).min(dim=0).values > 0.99
        last = torch.where(whole, self.third, 1.0) * sites[2]
        rest = X[..., 80:, :][..., :2, :].double().sum(dim=(1, 2)) / 8
        latent = 2 * (sites[0] + sites[1] + last) + 2.5 * (c + d) + rest
        return self.readout(latent - 6)[:, None]


@pytest.fixture
def X():
    return random_one_hot((60, 4, 90), random_state=0)


def ask(model, X, **options):
    given = {"c": C, "d": D, "random_state": 0, **options}
    return latent_sites(model, X, MOTIF, STARTS, **given)


def test_each_set_of_sites_stands_with_each_grade(X):
    table = ask(Counts(), X[:20]).conditions
    sets = table[["level_1", "level_2", "level_3"]].drop_duplicates()
    expected = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1)]
    assert [tuple(row) for row in sets.to_numpy()] == expected
    assert len(table) == 6 * 5 * 4
    assert (
        table["n_sites"].tolist()
        == table.filter(like="level_").iloc[:, :3].sum(axis=1).tolist()
    )
    whole = table.iloc[-1]
    assert whole["patterns"] == (
        "GATAACCT@4 + GATAACCT@20 + GATAACCT@36 + CACGTGAC@52 + TTGCGCAA@68"
    )
    assert set(table["control"]) == {"none"}


def test_the_letters_of_each_cell_are_placed(X):
    result = ask(lambda X: X, X[:3], n_levels=(2, 2))
    rows = result.conditions.iterrows()
    for (_, row), cell in zip(rows, result.y_afters.unbind(dim=1), strict=True):
        for name, start in zip("123cd", (*STARTS, C[1], D[1]), strict=True):
            site = one_hot_encode(row[f"site_{name}"])
            assert (cell[:, :, start : start + 8] == site).all()
            assert (row[f"site_{name}"] == MOTIF) == (
                name in "123" and row[f"level_{name}"] == 1
            )
        assert torch.equal(cell[:, :, 44:52].int(), X[:3, :, 44:52].int())


@pytest.mark.parametrize("readout", [torch.sigmoid, torch.exp])
def test_of_a_model_sites_are_worth_what_it_counts(X, readout):
    add_up = latent_additivity(ask(Counts(readout), X), n_resamples=49)
    assert add_up.verdict == "explained by saturation"
    result = ask(Counts(readout, 0.4), X)
    less = latent_additivity(result, n_resamples=49)
    assert less.verdict == "survives"
    assert less.reason.startswith("3 sites: ")
    # What is written for no site keeps some letters: so much less is one worth.
    nothing = result.conditions.iloc[0]
    kept = [
        sum(a == b for a, b in zip(nothing[f"site_{i}"], MOTIF, strict=True)) / 8
        for i in (1, 2, 3)
    ]
    truth = -0.6 / (1 - np.mean(kept))
    assert less.points["deviation"].iloc[-1] == pytest.approx(truth, abs=0.1)
    assert less.points["verdict"].iloc[1] != "survives"


def test_without_elements_the_motif_stands_again_where_there_is_room(X):
    table = latent_sites(Counts(), X, MOTIF, [4, 20], random_state=0).conditions
    assert table["site_c"].iloc[-1] == table["site_d"].iloc[-1] == MOTIF
    starts = sorted(table["starts"].iloc[0])
    assert starts[:2] == [4, 20]
    assert min(np.diff(starts)) >= 8


def test_elements_stand_where_nothing_is_kept(X):
    keep = slice(60, 90)
    result = latent_sites(Counts(), X, MOTIF, [4, 20], random_state=0, keep=keep)
    starts = result.conditions["starts"].iloc[0]
    assert min(np.diff(sorted(starts))) >= 8
    assert max(starts) <= 52
    with pytest.raises(
        ValueError, match="`d`: `X` of length 90 has no room that is not"
    ):
        latent_sites(Counts(), X, MOTIF, [4, 20], keep=slice(28, 90))


def test_the_words_of_an_earlier_result_are_placed_again(X):
    first = ask(Counts(), X)
    other = ask(Counts(torch.exp), X, like=first, n_levels=(2, 2), random_state=9)
    assert other.conditions.equals(first.conditions)
    plain = first._replace(conditions=first.conditions[["starts"]])
    message = "`like` has no column 'level_1'; it must be the outcome of `latent_sites`"
    with pytest.raises(ValueError, match=message):
        ask(Counts(), X, like=plain)


def test_what_is_not_identifiable_is_not_drawn(X):
    result = ask(Counts(), X)
    fit = latent_additivity(result, n_resamples=19)
    points = fit.points.copy()
    names = ["latent", "deviation", "deviation_low", "deviation_high"]
    points.loc[2, names] = np.nan
    ax = plot.latent_curve(result, fit._replace(points=points))
    output, latent = (
        np.asarray(bar.lines[0].get_ydata(), float) for bar in ax.containers
    )
    assert np.isfinite(output).all()
    assert np.isfinite(latent).tolist() == [True, True, False]
    assert latent[0] == pytest.approx(points["latent"][0])
    # Of the output, in units of the mean of each alone.
    total = points["effect"][2] - points["raw"][2]
    assert output[2] == pytest.approx(3 * points["effect"][2] / total)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starts": [4]}, "`starts`=[4] must be of two sites at least"),
        ({"starts": [4, 6]}, "overlap at position 6"),
        ({"starts": [4, 88]}, "`2`: `start`=88"),
        ({"n_levels": (5, 4, 3)}, "must be 2 numbers, those of C and D"),
        ({"c": ("GG", 5)}, "overlap at position 5"),
        ({"d": ("GXG", 50)}, "`d`: "),
    ],
)
def test_what_makes_no_curve_is_named(X, options, message):
    starts = options.pop("starts", STARTS)
    with pytest.raises(ValueError, match=re.escape(message)):
        latent_sites(Counts(), X, MOTIF, starts, **{"c": C, "d": D, **options})
