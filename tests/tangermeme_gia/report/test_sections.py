"""Every experiment has something to say, in the report's order."""

from tangermeme_gia.report import EXPERIMENTS
from tangermeme_gia.report.parts import PARTS
from tangermeme_gia.report.sections import SECTIONS


def test_every_experiment_has_a_section_and_nothing_else_has():
    assert tuple(SECTIONS) == EXPERIMENTS


def test_every_part_is_computed_before_its_section_is_written():
    assert [name for name in EXPERIMENTS if name in PARTS] == list(PARTS)
    # The alignment reads the scan.
    assert {*EXPERIMENTS} - {*PARTS} == {"alignment"}
