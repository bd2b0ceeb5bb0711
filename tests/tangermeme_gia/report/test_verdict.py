"""What stands first on a page."""

from tangermeme_gia.report.section import Line, Section
from tangermeme_gia.report.verdict import cautions, spread, summary, verdict


def section(name, caution="", **more):
    return Section(name, "?", "", sentence=f"{name}.", caution=caution, **more)


def test_three_or_four_sentences_in_the_order_of_the_page():
    names = ["motif", "alignment", "sites", "spacing", "position", "gc", "robustness"]
    whole = [section(name) for name in names]
    assert verdict(whole) == ["motif.", "spacing.", "gc.", "robustness."]
    assert verdict(whole[:3]) == ["motif.", "sites."]
    fewer = [section(n) for n in ("motif", "position", "robustness")]
    assert verdict(fewer) == ["motif.", "position.", "robustness."]
    assert verdict([section("alignment")]) == []


def test_cautions_of_all_sections_come_first():
    assert cautions([section("a", "x"), section("b"), section("c", "y")]) == ["x", "y"]


def test_effects_are_in_standard_deviations_too():
    lines = [Line("of", "3 [2, 4]", 3.0), Line("share", "0.5"), Line("none", "", None)]
    rows = summary([section("a", summary=lines)], {"output_sd": 1.5})
    assert [row.in_spreads for row in rows] == ["2.00", "", ""]
    assert rows[0][:2] == ("of", "3 [2, 4]")


def test_a_spread_that_is_not_there_divides_nothing():
    lines = [Line("of", "3 [2, 4]", 3.0)]
    for headline in ({}, {"output_sd": float("nan")}, {"output_sd": 0.0}):
        assert spread(headline) == 0
        assert summary([section("a", summary=lines)], headline)[0].in_spreads == ""
