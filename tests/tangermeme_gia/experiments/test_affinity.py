import numpy as np
import pytest
import torch
from tangermeme.utils import one_hot_encode, random_one_hot

from tangermeme_gia.experiments.affinity import affinity_response
from tangermeme_gia.statistics.affinity import affinity_fit

LENGTH, START = 40, 15
# Ten bits at the best site of uniform background, and every position as good.
PPM = 0.6 * one_hot_encode("GATAACCTGA").double() + 0.1
SCORES = torch.log2(PPM / 0.25)


def scored(X: torch.Tensor) -> torch.Tensor:
    """The score of the letters at the site."""
    site = X[..., START : START + 10].double()
    return (site * SCORES).sum(dim=(1, 2))[:, None]


@pytest.fixture
def X() -> torch.Tensor:
    return random_one_hot((60, 4, LENGTH), random_state=0)


def respond(model, X, **options):
    given = {"random_state": 0, **options}
    return affinity_response(model, X, PPM, start=START, **given)


def test_scores_are_log_odds_from_the_background_to_the_best_site(X):
    table = respond(scored, X).conditions
    expected = [
        float((one_hot_encode(site).double() * SCORES).sum()) for site in table["site"]
    ]
    np.testing.assert_allclose(table["score"], expected)
    assert table["site"].iloc[-1] == "GATAACCTGA"
    assert table["site"].is_unique
    assert table.groupby("level").size().max() == 5
    assert table["level"].nunique() == 10
    # Each level's sites are those nearest to it: a letter changes the score by 2.8.
    mean = float(SCORES.mean(dim=0).sum())
    levels = np.linspace(mean, table["score"].max(), 10)
    middle = table.groupby("level")["score"].mean()
    np.testing.assert_allclose(middle, levels, atol=1.5)


def test_effects_are_the_scores_less_the_background(X):
    result = respond(scored, X)
    frame = result.to_frame()
    expected = frame["score"] - float(scored(X).mean())
    np.testing.assert_allclose(frame["effect"], expected, atol=1e-5)
    fit = affinity_fit(result)
    assert fit.spearman.effect == pytest.approx(1, abs=0.03)
    assert not fit.saturates
    np.testing.assert_allclose(fit.curve["fit"].iloc[[0, -1]], expected.iloc[[0, -1]])


def test_a_response_that_levels_off_saturates_where_it_does(X):
    """From 0 bits on, nothing more is gained."""
    fit = affinity_fit(respond(lambda X: scored(X).clamp(max=0), X))
    lowest = float(fit.curve["score"].min())
    # Nine tenths of the way up to 0; levels are two or three bits apart.
    assert fit.saturation == pytest.approx(0.1 * lowest, abs=1.5)
    assert fit.saturates
    assert fit.saturation_low <= fit.saturation <= fit.saturation_high


def test_where_better_sites_do_less_the_fit_falls(X):
    fit = affinity_fit(respond(lambda X: -scored(X), X))
    assert fit.spearman.effect == pytest.approx(-1, abs=0.03)
    assert (np.diff(fit.curve["fit"]) <= 1e-9).all()


def test_without_any_relation_there_is_no_saturation(X):
    def elsewhere(X):
        hidden = (X[..., START : START + 10] * torch.arange(40).reshape(4, 10)).sum(
            dim=(1, 2)
        )
        return torch.sin(3 * hidden)[:, None]

    fit = affinity_fit(respond(elsewhere, X))
    assert fit.spearman.low < 0 < fit.spearman.high
    assert np.isnan(fit.saturation)
    assert not fit.saturates


def test_errors_are_of_clusters(X):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4 * LENGTH, 1))
    labels = np.arange(60) // 30
    whole, few = (respond(model, X, clusters=c) for c in (None, labels))
    widths = [(affinity_fit(r).curve.eval("high - low")).mean() for r in (whole, few)]
    # Two templates say less than sixty backgrounds.
    assert widths[0] != pytest.approx(widths[1])
    assert few.to_frame()["n_clusters"].eq(2).all()


def test_scores_are_against_the_frequencies_given(X):
    frequencies = [0.3, 0.2, 0.2, 0.3]
    table = respond(scored, X, frequencies=frequencies).conditions
    odds = torch.log2(PPM / torch.tensor(frequencies, dtype=torch.double)[:, None])
    expected = [float((one_hot_encode(s).double() * odds).sum()) for s in table["site"]]
    np.testing.assert_allclose(table["score"], expected)


@pytest.mark.parametrize(
    ("motif", "options", "message"),
    [
        ("GATA", {}, "`motif` 'GATA' is letters, all of whose sites are the same"),
        (PPM, {"n_levels": 1}, "`n_levels`=1"),
        (PPM, {"n_sites": 0}, "`n_sites`=0"),
        (PPM, {"start": 35}, "`start`=35 with a 10-mer runs past"),
        (PPM, {"frequencies": [0.5, 0.5, 0, 0]}, "`background`="),
    ],
)
def test_what_has_no_graded_sites_is_named(X, motif, options, message):
    with pytest.raises(ValueError, match=message):
        affinity_response(scored, X, motif, **options)


def test_a_gap_keeps_the_background(X):
    table = affinity_response(scored, X, "GANWTAR", n_levels=4).conditions
    assert table["site"].str.match(r"[ACGT]{2}N[ACGT]{4}$").all()


def test_a_result_of_something_else_has_no_affinity(X):
    result = respond(scored, X)
    with pytest.raises(ValueError, match="no column 'level'"):
        affinity_fit(result._replace(conditions=result.conditions[["score"]]))


def test_few_sites_in_order_are_not_sure_to_be_so(X):
    result = respond(scored, X, n_levels=8, n_sites=1)
    rho = affinity_fit(result, n_resamples=2).spearman
    assert rho.effect == pytest.approx(1)
    assert rho.low < 0.9
    assert rho.high == pytest.approx(1)


def test_three_sites_are_refused(X):
    result = respond(scored, X, n_levels=3, n_sites=1)
    with pytest.raises(ValueError, match="`result` has 3 sites; at least 4 are needed"):
        affinity_fit(result)


def test_where_effects_never_differ_nothing_is_told(X):
    fit = affinity_fit(respond(lambda X: 0 * scored(X), X), n_resamples=2)
    assert np.isnan([fit.spearman.effect, fit.spearman.low, fit.saturation]).all()
    assert not fit.saturates
