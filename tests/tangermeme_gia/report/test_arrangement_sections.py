"""What a report says of copies, spacing and position, where the answer is known."""

import numpy as np
import pytest
import torch

from tangermeme_gia.report import ReportOptions
from tangermeme_gia.report.arrangement_sections import position, sites, spacing
from tangermeme_gia.report.parts import PARTS
from tangermeme_gia.report.store import Store
from tangermeme_gia.report.study import Study
from tangermeme_gia.statistics.additivity import additivity_fit

from .conftest import Sites, inputs_of

OPTIONS = ReportOptions(motif="GAC", n=24, n_scan=2)


def results_of(part, model, folder, options=OPTIONS):
    study = Study(inputs_of(model), options)
    return study, PARTS[part].compute(study, Store(folder))


class Thirds(Sites):
    """A model whose contrasts are rounded."""

    def forward(self, X):
        return super().forward(X) / 3


def test_sites_of_an_additive_model_add_up(tmp_path):
    study, results = results_of("sites", Sites(), tmp_path)
    section = sites(study, results)
    assert section.headline["per_site"] == pytest.approx(1.9375, abs=0.1)
    assert section.headline["r2"] > 0.99
    assert section.headline["deviation"] == 0
    assert "3 sites have the effect of the sum of their single" in section.sentence
    assert "at positions 11, 15 and 19, one after the other" in section.method


def test_rounding_is_no_deviation(tmp_path):
    study, results = results_of("sites", Thirds(), tmp_path)
    section = sites(study, results)
    assert 0 < abs(section.headline["deviation"]) < 1e-6
    assert "3 sites have the effect of the sum" in section.sentence


def test_the_slope_is_the_librarys(tmp_path):
    study, results = results_of("sites", Sites(), tmp_path)
    local, single = (
        results[name].local_importance[..., 0].double().numpy()
        for name in ("sites", "alone")
    )
    fit = additivity_fit(local, [1, 2, 3], single_sites=single)
    section = sites(study, results)
    assert section.headline["per_site"] == float(fit.slope.effect)
    slope = f"[{float(fit.slope.low):.2f}, {float(fit.slope.high):.2f}]"
    assert f"Each further site adds {float(fit.slope.effect):.2f} {slope}" in (
        section.sentence
    )


@pytest.mark.parametrize("weight", [2.0, -2.0])
def test_saturation_has_less_effect_than_the_sum(tmp_path, weight):
    study, results = results_of("sites", Sites(weight=weight, most=1), tmp_path)
    section = sites(study, results)
    assert "3 sites have less effect than the sum of their single" in section.sentence
    deviation = section.headline["deviation"]
    assert deviation == pytest.approx(-2 * weight)
    assert section.headline["deviation_low"] <= deviation


def test_synergy_has_more_effect_than_the_sum(tmp_path):
    class Squared(Sites):
        def forward(self, X):
            y = super().forward(X)
            return torch.where(y > 10, y + 10, y)

    study, results = results_of("sites", Squared(weight=3.0), tmp_path)
    assert "more effect than the sum" in sites(study, results).sentence


def test_doubt_is_neither_more_nor_less(tmp_path):
    study, results = results_of("sites", Sites(), tmp_path)
    noise = torch.randn(24, generator=torch.Generator().manual_seed(0))
    after = results["sites"].y_afters.clone()
    after[:, 2, 0] += noise - noise.mean()
    results["sites"] = results["sites"]._replace(y_afters=after)
    sentence = sites(study, results).sentence
    assert "3 sites have no clearly other effect than the sum" in sentence
    assert "(deviation 0.0" in sentence


def test_two_sites_have_no_r2(tmp_path):
    options = ReportOptions(motif="GAC", n=24, n_scan=2, start=5)
    study, results = results_of("sites", Sites(), tmp_path, options)
    section = sites(study, results)
    assert np.isnan(section.headline["r2"])
    assert "R²" not in section.figures[0].reading
    assert "2 sites have" in section.sentence


# Spacing


def test_an_additive_model_has_no_interaction(tmp_path):
    for model in (Sites(), Thirds()):
        study, results = results_of("spacing", model, tmp_path)
        section = spacing(study, results)
        assert section.sentence == (
            "The interaction of two sites is without clear dependence on the spacing: "
            "0 on average; none of 21 spacings differs from additivity at a false "
            "discovery rate of 5 %."
        )
        assert section.headline == {"interaction_low": 0, "interaction_high": 0}
        table = section.tables["spacing_interaction"]
        assert table["spacing"].tolist() == list(range(21))
        assert not table["significant"].any()


def test_two_sites_too_close_are_found(tmp_path):
    class Close(Sites):
        """Two GAC with one base between them lose 3."""

        def __init__(self):
            super().__init__()
            pair = torch.zeros(1, 4, 7)
            pair[0, :, :3] = pair[0, :, 4:] = self.conv.weight[0]
            self.register_buffer("pair", pair)

        def forward(self, X):
            pairs = torch.relu(torch.nn.functional.conv1d(X, self.pair) - 5)
            return super().forward(X) - 3 * pairs.sum(dim=(1, 2))[:, None]

    study, results = results_of("spacing", Close(), tmp_path)
    section = spacing(study, results)
    assert "lowest at a spacing of 1 base, −3, and highest at " in section.sentence
    assert "1 of 21 spacings differs from additivity" in section.sentence
    assert section.headline["interaction_low"] == -3
    assert section.tables["spacing_interaction"]["significant"].tolist() == [
        i == 1 for i in range(21)
    ]


def test_an_interaction_that_no_spacing_alters_is_an_average(tmp_path):
    study, results = results_of("spacing", Sites(most=1), tmp_path)
    section = spacing(study, results)
    assert "without clear dependence on the spacing: −2 on average" in section.sentence
    assert "21 of 21 spacings differ from additivity" in section.sentence


def test_the_spacing_axis_is_in_the_units_of_the_sequences(tmp_path):
    from matplotlib import pyplot

    study, results = results_of("spacing", Sites(), tmp_path)
    figures = spacing(study, results).figures
    ax = figures[1].draw()
    assert ax.get_xlabel() == "Spacing between motifs (bases)"
    assert ax.get_ylabel() == "Interaction"
    pyplot.close("all")


# Position


def test_a_flat_model_has_no_clear_position(tmp_path):
    study, results = results_of("position", Sites(base=0.0), tmp_path)
    section = position(study, results)
    assert section.sentence.startswith(
        "By position, the effect has no clear dependence, 2 on average; the starts"
    )
    assert section.headline["position_low"] == section.headline["position_high"] == 2
    assert "at 39 starts of the same backgrounds" in section.method


def test_a_preferred_position_is_found(tmp_path):
    class AtFive(Sites):
        def forward(self, X):
            bonus = torch.relu((X[:, :, 5:8] * self.conv.weight[0]).sum(dim=(1, 2)) - 2)
            return super().forward(X) + 4 * bonus[:, None]

    study, results = results_of("position", AtFive(), tmp_path)
    section = position(study, results)
    assert "and highest at position 5, 6." in section.sentence
    assert section.headline["position_high"] == pytest.approx(5.9375, abs=0.15)
    assert "difference 4." in section.summary[0][1]


def test_a_step_between_starts_is_said(tmp_path):
    profile = torch.full((4, 300), 0.25)
    study = Study(inputs_of(Sites(base=0.0), profile=profile), OPTIONS)
    results = PARTS["position"].compute(study, Store(tmp_path))
    method = position(study, results).method
    assert method == "GAC at 100 starts, every 3 bases, of the same backgrounds."
