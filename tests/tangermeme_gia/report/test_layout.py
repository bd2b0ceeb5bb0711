"""Where the patterns of several experiments stand."""

import pytest

from tangermeme_gia.report.layout import flank_starts, site_starts

from .conftest import linear_study


def test_a_probe_has_the_papers_layout():
    study = linear_study()
    assert site_starts(study) == [3, 10, 17]
    assert flank_starts(study) == (0, 35)


@pytest.mark.parametrize("length", [41, 60, 500])
@pytest.mark.parametrize("motif", ["GAC", "UGCAUG", "UGCAUGUGCA"])
def test_flanks_hold_in_longer_sequences(length, motif):
    study = linear_study(motif, length)
    left, right = flank_starts(study)
    end = study.start + len(motif)
    assert 0 <= left <= study.start - 6
    assert end <= right <= length - 6
    assert abs((study.start - left - 6) - (right - end)) <= 6


def test_sites_end_at_the_first_base():
    assert site_starts(linear_study(start=8)) == [1, 8]
    assert site_starts(linear_study(start=0)) == [0]
