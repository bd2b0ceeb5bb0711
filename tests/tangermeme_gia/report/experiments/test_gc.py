"""What a report says of GC beside a motif, where the answer is known."""

import numpy as np
import pytest

from tangermeme_gia.report.experiments.gc import describe
from tangermeme_gia.report.wording import row_with_interval
from tangermeme_gia.statistics.effects import effect_difference, effect_ratio

from ..conftest import (
    Sites,
    results_of,
)


def local_of(results, name):
    return results[name].local_importance[..., 0].double().numpy()


def test_a_planted_bonus_for_3_prime_gc_is_found():
    # The motif stands at 19, the 3' flank at 19 + 3 + 12 = 34: one base from the end.
    class NearEnd(Sites):
        def forward(self, X):
            return super().forward(X.roll(1, dims=2))

    study, results = results_of("gc", NearEnd(gc_bonus=2.0))
    section = describe(study, results)
    assert section.headline["right_beyond"] == pytest.approx(2.0)
    assert section.headline["left_beyond"] == pytest.approx(0.0)
    assert section.headline["right"] == pytest.approx(2.0, abs=0.3)
    assert section.headline["left"] == pytest.approx(0.8, abs=0.2)
    assert section.sentence == "GC on its 3′ side amplifies its effect 2.0-fold."
    assert section.summary[2].answer == "0 (5′) and 2 (3′)"
    placed = section.tables["gc"]["placed"].tolist()
    assert placed[:4] == ["motif", "GC 5′", "GC 3′", "motif, GC 5′"]
    assert section.method.startswith("GCGCGC at position 2 (5′) and 34 (3′), with and")


def test_gc_ratios_are_fiellers_of_the_library():
    study, results = results_of("gc", Sites())
    local = local_of(results, "gc")
    arms = results["gc"].conditions["arm"].tolist()
    left = effect_ratio(
        local[:, arms.index("motif+left")], local[:, arms.index("motif")]
    )
    section = describe(study, results)
    assert section.headline["left"] == float(left.effect)
    assert f"5′ of it the effect is {row_with_interval(left)} times that of the" in (
        section.figures[0].reading
    )
    difference = effect_difference(
        local[:, arms.index("motif+left")], local[:, arms.index("motif+right")]
    )
    assert section.summary[3].answer == row_with_interval(difference)


def test_a_motif_without_effect_has_no_ratio():
    study, results = results_of("gc", Sites(weight=0.0))
    after = results["gc"].y_afters.clone()
    after[:, 0] -= (after[:, 0] - results["gc"].y_before).mean() - 1e-3
    section = describe(study, {"gc": results["gc"]._replace(y_afters=after)})
    assert section.sentence == "What GC beside GAC does to its effect is not defined."
    said = " ".join(line.answer for line in section.summary)
    assert said.count("not defined, for want of a clear effect of the motif alone") == 2
    assert "∞" not in said + section.figures[0].reading
    assert np.isnan([section.headline["left"], section.headline["right"]]).all()
