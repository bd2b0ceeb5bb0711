"""Tracks, read back by the package that wrote them and by another one."""

import figwig
import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia.genome import annotated_regions, track, write_bed, write_bigwig

LENGTH = 8
LOCI = pd.DataFrame(
    {
        "chrom": ["chr2", "chr1", "chr1"],
        "start": [0, 12, 4],
        "end": [8, 20, 12],
        "name": ["x", "y", "z"],
        "strand": ["+", "-", "."],
    }
)
SIZES = {"chr1": 20, "chr2": 9, "chr3": 5}


class Position(torch.nn.Module):
    """Twice the A's of each place, times the number of the place."""

    def forward(self, X):
        return 2 * (X[:, :1] * torch.arange(X.shape[-1])).sum(dim=-1)


def occluded(windows=((0, 3), (5, 8))):
    X = torch.zeros(3, 4, LENGTH)
    X[:, 0] = 1
    background = torch.zeros(5, 4, LENGTH)
    background[:, 1] = 1  # so that what goes is what the A's of a window count
    windows = [list(w) for w in windows]
    return gia.occlusion(Position(), X, windows, background=background, n=2)


def per_base(path, chrom, size):
    return figwig.read_bigwig(str(path), chrom, [0], size, missing=np.nan)[0]


def test_windows_of_a_result_are_where_they_are_on_the_forward_strand():
    found = track(occluded().with_regions(LOCI))
    columns = ["chrom", "start", "end", "name", "strand", "value"]
    assert found.columns.tolist() == columns
    # Places 0 to 2 count 0 + 1 + 2, places 5 to 7 count 18, each twice.
    assert found.values.tolist() == [
        ["chr2", 0, 3, "x", "+", -6.0],
        ["chr2", 5, 8, "x", "+", -36.0],
        ["chr1", 17, 20, "y", "-", -6.0],
        ["chr1", 12, 15, "y", "-", -36.0],
        ["chr1", 4, 7, "z", ".", -6.0],
        ["chr1", 9, 12, "z", ".", -36.0],
    ]
    pd.testing.assert_frame_equal(track(occluded(), LOCI), found)
    averaged = occluded().average("draw").with_regions(LOCI)
    pd.testing.assert_frame_equal(track(averaged), found)


def test_annotations_are_each_where_it_is():
    annotations = [[1, 0, 3], [0, 5, 8]]
    X = random_one_hot((3, 4, LENGTH), random_state=0).float()
    result = gia.occlusion_annotations(Position(), X, annotations, n=2)
    places = annotated_regions(LOCI, annotations)
    assert places[["chrom", "start", "end", "strand"]].values.tolist() == [
        ["chr1", 17, 20, "-"],
        ["chr2", 5, 8, "+"],
    ]
    found = track(result.with_regions(places))
    assert found["start"].tolist() == [17, 5]
    effects = result.average("draw").local_importance.flatten()
    assert found["value"].tolist() == pytest.approx(effects.tolist())


def test_a_value_for_each_base_is_turned_with_its_strand():
    """As the attributions of tangermeme."""
    values = torch.arange(24.0).reshape(3, 8)
    found = track(values, LOCI)
    assert len(found) == 24
    placed = {
        (chrom, start): value
        for chrom, start, value in found[["chrom", "start", "value"]].values.tolist()
    }
    assert [placed["chr2", i] for i in range(8)] == [*range(8)]
    assert [placed["chr1", i] for i in range(12, 20)] == [*range(15, 7, -1)]
    assert [placed["chr1", i] for i in range(4, 12)] == [*range(16, 24)]
    assert (found["end"] - found["start"] == 1).all()


def test_bed_is_sorted_half_open_and_has_its_seven_columns(tmp_path):
    write_bed(tmp_path / "x.bed", track(occluded().with_regions(LOCI)))
    rows = (tmp_path / "x.bed").read_text().splitlines()
    assert [row.split("\t") for row in rows] == [
        ["chr1", "4", "7", "z", "167", ".", "-6"],
        ["chr1", "9", "12", "z", "1000", ".", "-36"],
        ["chr1", "12", "15", "y", "1000", "-", "-36"],
        ["chr1", "17", "20", "y", "167", "-", "-6"],
        ["chr2", "0", "3", "x", "167", "+", "-6"],
        ["chr2", "5", "8", "x", "1000", "+", "-36"],
    ]
    write_bed(tmp_path / "x.bed", LOCI.assign(value=0.0, name='5" end, 1'))
    rows = (tmp_path / "x.bed").read_text().splitlines()
    assert [row.split("\t")[3:5] for row in rows] == [['5" end, 1', "0"]] * 3


def expected(chrom, rows):
    """The mean of the values over each base, base by base."""
    held = [[] for _ in range(SIZES[chrom])]
    for name, start, end, value in rows[["chrom", "start", "end", "value"]].values:
        for base in range(start, end) if name == chrom else ():
            held[base].append(value)
    return [np.mean(values) if values else np.nan for values in held]


@pytest.fixture
def overlapping():
    """Every stretch twice or more, one of the value 0, both ends of a chromosome."""
    rng = np.random.default_rng(0)
    start = np.array([0, 3, 3, 15, 12, 0, 0, 8, 5])
    end = np.array([6, 9, 4, 20, 20, 9, 1, 9, 7])
    chrom = ["chr1"] * 5 + ["chr2"] * 4
    value = rng.normal(size=9)
    value[[5, 6, 7, 8]] = 0, 0, 1, 0
    return pd.DataFrame({"chrom": chrom, "start": start, "end": end, "value": value})


def test_bigwig_has_the_mean_of_what_overlaps(tmp_path, overlapping):
    write_bigwig(tmp_path / "x.bw", overlapping, SIZES)
    assert dict(figwig.BigWigReader(str(tmp_path / "x.bw")).chrom_sizes) == SIZES
    for chrom in ("chr1", "chr2"):
        found = per_base(tmp_path / "x.bw", chrom, SIZES[chrom])
        np.testing.assert_allclose(found, expected(chrom, overlapping), rtol=1e-6)


def test_another_reader_says_the_same(tmp_path, overlapping):
    pybigtools = pytest.importorskip("pybigtools")
    write_bigwig(tmp_path / "x.bw", overlapping, SIZES)
    reader = pybigtools.open(str(tmp_path / "x.bw"))
    assert reader.chroms() == SIZES
    for chrom in ("chr1", "chr2"):
        held = np.full(SIZES[chrom], np.nan)
        for start, end, value in reader.records(chrom):
            held[start:end] = value
        np.testing.assert_allclose(held, expected(chrom, overlapping), rtol=1e-6)


def test_the_sizes_are_those_of_the_genome(tmp_path, overlapping):
    (tmp_path / "g.fa").write_text(f">chr2\n{'A' * 9}\n>chr1\n{'C' * 30}\n")
    write_bigwig(tmp_path / "x.bw", overlapping, tmp_path / "g.fa")
    sizes = dict(figwig.BigWigReader(str(tmp_path / "x.bw")).chrom_sizes)
    assert sizes == {"chr2": 9, "chr1": 30}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.fa", "x.bw"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: track(occluded()), "`regions` is needed"),
        (lambda: track(occluded(), LOCI[:2]), "`regions` has 2 rows for 3 sequences"),
        (
            lambda: track(occluded(), LOCI.assign(end=LOCI["start"] + 7)),
            "of sequences of 8 bases, and `regions` has one of 7",
        ),
        (
            lambda: track(occluded(), LOCI.assign(end=LOCI["end"] + 1)),
            "of sequences of 8 bases, and `regions` has one of 9",
        ),
        (lambda: track(np.zeros((3, 9)), LOCI), "of sequences of 9 bases"),
        (lambda: track(np.zeros(3), LOCI), r"`values` has shape \(3,\)"),
        (lambda: track(np.full((3, 8), np.nan), LOCI), "24 that are NaN or infinite"),
        (
            lambda: track(two_outputs().with_regions(LOCI)),
            "`values` has 2 outputs; choose one by",
        ),
        (
            lambda: track(several().with_regions(LOCI)),
            "2 conditions without `start` and `end`",
        ),
        (
            lambda: track(occluded(((0, 3), (0, 3))), LOCI),
            "several conditions of one window",
        ),
        (lambda: write_bed("x.bed", LOCI), "and the column value, are needed"),
        (
            lambda: write_bigwig("x.bw", LOCI.assign(value=1), {"chr1": 20}),
            "`genome` has no chromosome 'chr2', which `track` has",
        ),
        (
            lambda: write_bigwig("x.bw", LOCI.assign(value=1), {**SIZES, "chr1": 19}),
            "`track` reaches base 20 of chr1, which has 19 in `genome`",
        ),
        (
            lambda: annotated_regions(LOCI, [[3, 0, 1]]),
            r"`annotations` holds \[3, 0, 1\]; there are sequences 0 to 2",
        ),
        (
            lambda: annotated_regions(LOCI, [[0, 1]]),
            r"`annotations` has shape \(1, 2\)",
        ),
    ],
)
def test_what_is_no_track_is_named(call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        call()
    assert not [*tmp_path.iterdir()]


def several():
    table = pd.DataFrame({"arm": ["A", "B"]})
    return gia.GIAResult(torch.zeros(3, 1), torch.zeros(3, 2, 1), table)


def two_outputs():
    table = pd.DataFrame({"start": [0], "end": [2]})
    return gia.GIAResult(torch.zeros(3, 2), torch.zeros(3, 1, 2), table)
