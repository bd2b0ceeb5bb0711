import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia.cli.backgrounds import NAMES, Backgrounds
from tangermeme_gia.report import OneOutput, ReportInputs

PROFILE = torch.tensor([0.7, 0.1, 0.1, 0.1])[:, None].repeat(1, 12)
X = random_one_hot((20, 4, 12), random_state=0)


class CountsA(torch.nn.Module):
    def forward(self, X):
        return X[:, 0].sum(dim=1)


MODEL = OneOutput(CountsA())


def draw_background(name, inputs, n=None, seed=0, **design):
    return Backgrounds(name, n, **design).draw(inputs, seed)[name].X


def test_the_names_are_those_of_the_paper_and_three_more():
    others = ("observed", "genomic", "structured")
    assert (*gia.backgrounds.background_names(), *others) == NAMES


def test_a_design_is_folded_from_sequences_or_else_from_the_profile():
    design = "((((....))))"
    for inputs, source in (
        (ReportInputs("model", MODEL, X=X), X),
        (ReportInputs("model", MODEL, profile=PROFILE), PROFILE),
    ):
        for check in (False, True) if source is X else (False,):
            expected = gia.backgrounds.structured_background(
                source, design, 15, fold_check=check, random_state=3
            )
            drawn = draw_background(
                "structured", inputs, 15, 3, dot_bracket=design, fold_check=check
            )
            assert torch.equal(drawn, expected)
    assert len(draw_background("structured", inputs, dot_bracket=design)) == 1000
    with pytest.raises(ValueError, match="'structured' needs `--dot-bracket`"):
        draw_background("structured", inputs, 5)


def test_a_profile_is_drawn_from():
    inputs = ReportInputs("model", MODEL, profile=PROFILE)
    expected = gia.backgrounds.profile_background(PROFILE, 1000, 4)
    assert torch.equal(draw_background("profile", inputs, seed=4), expected)


def test_what_needs_sequences_takes_draws_from_the_profile_instead():
    inputs = ReportInputs("model", MODEL, profile=PROFILE)
    stand_ins = gia.backgrounds.profile_background(PROFILE, 400, 1)
    shuffled = gia.backgrounds.shuffled_background(stand_ins, 100, 0)
    assert torch.equal(draw_background("shuffle", inputs, 100), shuffled)
    counts = {
        name: draw_background(name, inputs, 100)[:, 0].sum(dim=1)
        for name in ("quartile1", "quartile4")
    }
    assert len(counts["quartile1"]) == 100
    assert counts["quartile1"].max() <= counts["quartile4"].min()


def test_sequences_come_before_profiles_and_scores_before_predictions():
    scores = torch.arange(20.0)
    inputs = ReportInputs("model", MODEL, X=X, scores=scores)
    low = draw_background("quartile1", inputs, 5)
    assert torch.equal(
        low,
        gia.backgrounds.quantile_background(X, scores, 5, quartile=1, random_state=0),
    )
    assert {tuple(x.flatten().tolist()) for x in low} == {
        tuple(x.flatten().tolist()) for x in X[:5]
    }
    predicted = ReportInputs("model", MODEL, X=X)
    counts = MODEL(X)[:, 0]
    expected = gia.backgrounds.quantile_background(
        X, counts, 5, quartile=1, random_state=0
    )
    assert torch.equal(draw_background("quartile1", predicted, 5), expected)


def test_observed_sequences_are_all_or_different_ones():
    inputs = ReportInputs("model", MODEL, X=X)
    assert torch.equal(draw_background("observed", inputs), X)
    some = draw_background("observed", inputs, 7, seed=3)
    rows = {tuple(x.flatten().tolist()) for x in some}
    assert len(rows) == 7
    assert rows <= {tuple(x.flatten().tolist()) for x in X}
    with pytest.raises(ValueError, match="`--n`=21, but there are 20 observed"):
        draw_background("observed", inputs, 21)
    with pytest.raises(ValueError, match="'observed' needs `--sequences`"):
        draw_background("observed", ReportInputs("model", MODEL, profile=PROFILE))


def test_several_are_drawn_by_name():
    inputs = ReportInputs("model", MODEL, X=X)
    chosen = Backgrounds("profile", None, None, False, ["shuffle", "observed"])
    drawn = chosen.draw(inputs, 2)
    assert list(drawn) == ["shuffle", "observed"]
    shuffled, templates = gia.backgrounds.shuffled_background(
        X, 1000, 2, return_templates=True
    )
    assert torch.equal(drawn["shuffle"].X, shuffled)
    assert drawn["shuffle"].clusters.tolist() == templates.tolist()
    assert torch.equal(drawn["observed"].X, X)
    assert drawn["observed"].clusters is None
    assert list(Backgrounds("shuffle", 5, None, False).draw(inputs, 2)) == ["shuffle"]
    with pytest.raises(ValueError, match="`--backgrounds` shuffle shuffle names one"):
        Backgrounds("profile", 5, None, False, ["shuffle", "shuffle"])
    with pytest.raises(ValueError, match="`--n`=0 must be at least 1"):
        Backgrounds("shuffle", 0, None, False).draw(inputs, 0)
    with pytest.raises(ValueError, match="go with the background 'structured'"):
        Backgrounds("shuffle", 5, None, True)
