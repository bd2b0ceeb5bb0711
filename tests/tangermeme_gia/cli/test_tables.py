import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia import GIAResult
from tangermeme_gia.cli.tables import ratios, with_additivity
from tangermeme_gia.statistics import additivity_fit, effect_ratio


def sites_of(local, controls=("none",)):
    """A result whose local importances are these, of 1, 2, ... sites."""
    after = torch.tensor(local, dtype=torch.float64)
    n_sites = [i + 1 for i in range(after.shape[1] // len(controls))]
    table = pd.DataFrame({"n_sites": n_sites * len(controls)})
    table["control"] = np.repeat(controls, len(n_sites))
    return GIAResult(torch.zeros(len(after)), after, table)


def test_sites_that_add_up_have_no_deviation():
    table = with_additivity(sites_of([[1.0, 2.0, 3.0], [3.0, 6.0, 9.0]]), 0.95)
    assert table["effect"].tolist() == [2, 4, 6]
    assert table["slope"].tolist() == pytest.approx([2, 2, 2])
    assert table["r2"].tolist() == pytest.approx([1, 1, 1])
    assert np.isnan(table["deviation"][0])
    assert table["deviation"][1:].tolist() == pytest.approx([0, 0])


def test_each_control_has_its_own_line():
    local = [[1.0, 2.0, 4.0, 0.5, 0.5, 0.5], [2.0, 5.0, 5.0, 0.5, 0.5, 0.5]]
    result = sites_of(local, ("none", "random 1"))
    table = with_additivity(result, 0.8)
    fit = additivity_fit(result, confidence=0.8)
    own = table[table["control"] == "none"]
    np.testing.assert_allclose(own["slope"], fit.slope.effect)
    np.testing.assert_allclose(own["slope_high"], fit.slope.high)
    np.testing.assert_allclose(own["deviation"], fit.points["deviation"])
    np.testing.assert_allclose(own["deviation_low"], fit.points["deviation_low"])
    control = table[table["control"] == "random 1"]
    np.testing.assert_allclose(control["slope"], 0, atol=1e-9)
    np.testing.assert_allclose(control["deviation"][1:], [-0.5, -1])


def test_intervals_of_the_added_columns_are_of_the_templates():
    # Two templates of two backgrounds each, which agree within.
    result = sites_of([[1.0, 2.0, 3.5]] * 2 + [[2.0, 5.0, 7.0]] * 2)
    clustered = result._replace()
    clustered._set_clusters([0, 0, 1, 1], 4)
    of_templates = with_additivity(sites_of([[1.0, 2.0, 3.5], [2.0, 5.0, 7.0]]), 0.95)
    found = with_additivity(clustered, 0.95)
    for name in ("slope_low", "slope_high", "deviation_low", "deviation_high"):
        np.testing.assert_allclose(found[name], of_templates[name])
    one = result._replace()
    one._set_clusters([0] * 4, 4)
    with pytest.warns(UserWarning, match="all 4 backgrounds are of one cluster"):
        assert with_additivity(one, 0.95)["slope"].isna().all()


@pytest.mark.parametrize("local", [[[1.0], [2.0]], [[1.0, 2.0]]])
def test_what_cannot_be_fitted_is_missing(local):
    table = with_additivity(sites_of(local), 0.95)
    assert table[["slope", "r2", "deviation"]].isna().all(axis=None)
    assert table["effect"].notna().all()


def test_effect_sizes_of_gc_are_ratios_to_the_motif_alone():
    arms = ["motif", "left", "right", "motif+left", "motif+right", "both"]
    table = pd.DataFrame({"arm": arms, "motif": "GA", "left": "C", "right": "G"})
    table["control"] = "none"
    after = torch.tensor(
        [[2.0, 0, 0, 1.0, 3.0, 0], [2.2, 0, 0, 1.1, 4.0, 0], [1.8, 0, 0, 0.9, 3.5, 0]]
    )
    result = GIAResult(torch.zeros(3), after, table)
    twice = GIAResult(
        torch.zeros(6), after.repeat(2, 1), table, clusters=[0, 1, 2, 0, 1, 2]
    )
    columns = ["ratio", "low", "high"]
    np.testing.assert_allclose(
        ratios(twice, 0.9)[columns], ratios(result, 0.9)[columns]
    )
    found = ratios(result, 0.9)
    assert found["end"].tolist() == ["5'", "3'", "5' minus 3'"]
    np.testing.assert_allclose(found["ratio"], [0.5, 1.75, -1.25], rtol=1e-6)
    columns = after.double().numpy()
    expected = effect_ratio(columns[:, 4], columns[:, 0], 0.9)
    assert found["low"][1] == pytest.approx(float(expected.low))
    assert found["high"][1] == pytest.approx(float(expected.high))
    assert found["n"].tolist() == [3, 3, 3]
    # The difference of both ratios is that of the arms, over the motif.
    assert found["ratio"][2] == pytest.approx(found["ratio"][0] - found["ratio"][1])
