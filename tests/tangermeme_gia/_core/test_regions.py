import numpy as np
import pandas as pd
import pytest
import torch

import tangermeme_gia as gia
from tangermeme_gia._core.regions import as_regions, beside_rows, parts_of

LOCI = pd.DataFrame(
    {
        "chrom": ["chr1", "chr1", "chr2"],
        "start": [100, 100, 7],
        "end": [110, 110, 17],
        "name": ["a", None, "c"],
        "strand": ["+", "-", "."],
        "score": 1,
    }
)


def result():
    y = torch.arange(3.0)[:, None]
    y_afters = y[:, None] + torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    table = pd.DataFrame({"arm": ["A", "B"]})
    return gia.GIAResult(y.expand(3, 2), y_afters, table)


def test_a_table_of_regions_has_five_columns():
    table = as_regions(LOCI, 3)
    assert table.columns.tolist() == ["chrom", "start", "end", "name", "strand"]
    assert table["name"].tolist() == ["a", ".", "c"]
    assert as_regions(LOCI.assign(name=""))["name"].tolist() == [".", ".", "."]
    bare = as_regions(pd.DataFrame({"chrom": [8], "start": [0], "end": [1]}))
    assert bare.iloc[0].tolist() == ["8", 0, 1, ".", "."]


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ([("chr1", 0, 4)], "is of type list; it must be a pandas DataFrame"),
        (LOCI[["chrom", "start"]], r"\['chrom', 'start'\]; it must have chrom, start"),
        (LOCI.assign(start=0.0), "`start` is of float64; it must be whole numbers"),
        (LOCI.assign(start=-1), "row 0, is .*; a region starts at 0 or later"),
        (LOCI.assign(end=[110, 100, 17]), "row 1, is .*ends after its start"),
        (LOCI.assign(name="a\tb"), "row 0, is .*a region has names of one line"),
        (LOCI.assign(strand="plus"), "row 0, is .*has the strand"),
        (LOCI[:2], "`regions` has 2 rows for 3 sequences"),
    ],
)
def test_what_is_no_table_of_regions_is_named(regions, message):
    with pytest.raises((TypeError, ValueError), match=message):
        as_regions(regions, 3)


def test_parts_are_counted_from_the_end_on_the_other_strand():
    """Of ten bases, the first three: 100 to 102, or the last, 107 to 109."""
    starts, ends = np.array([0, 0, 4]), np.array([3, 3, 10])
    parts = parts_of(as_regions(LOCI), [0, 1, 2], starts, ends)
    assert parts["start"].tolist() == [100, 107, 11]
    assert parts["end"].tolist() == [103, 110, 17]
    with pytest.raises(ValueError, match="bases 4 to 11 of sequence 1 are asked for"):
        parts_of(as_regions(LOCI), [1], np.array([4]), np.array([11]))


def test_places_stand_beside_rows_under_names_of_their_own():
    table = beside_rows(as_regions(LOCI), [2, 0])
    names = ["chrom", "chrom_start", "chrom_end", "name", "strand"]
    assert table.columns.tolist() == names
    assert table.values.tolist() == [
        ["chr2", 7, 17, "c", "."],
        ["chr1", 100, 110, "a", "+"],
    ]


def test_a_result_carries_them_wherever_its_rows_go(tmp_path):
    whole = result().with_regions(LOCI)
    assert result().regions is None
    assert whole.with_regions(None).regions is None
    kept = (
        whole.select(rows=[2, 0]),
        whole.select(arm="B", rows=[2, 0]).output(1),
        whole.select(rows=[2, 0]).heads[0],
        whole.select(rows=[2, 0]).average("arm"),
        whole.select(rows=[2, 0]).relative_to(arm="A"),
    )
    for one in kept:
        assert one.regions["chrom"].tolist() == ["chr2", "chr1"]
        one.save(tmp_path / "x.gia")
        pd.testing.assert_frame_equal(gia.load(tmp_path / "x.gia").regions, one.regions)
    with pytest.raises(ValueError, match="`regions` has 2 rows for 3 sequences"):
        whole.with_regions(LOCI[:2])
    assert len(whole._fields) == 3


def test_what_a_result_gives_cannot_change_it():
    whole = result().with_regions(LOCI)
    given = whole.regions
    given.loc[0, "start"] = 5
    assert whole.regions["start"].tolist() == [100, 100, 7]
