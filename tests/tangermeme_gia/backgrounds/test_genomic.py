"""Windows of the genome with the GC content of given regions."""

import gzip

import numpy as np
import pandas as pd
import pytest
from tangermeme.match import extract_matching_loci
from tangermeme.utils import characters

from tangermeme_gia.backgrounds import genomic_background

LENGTH = 20
CHROMS = {"chr1": 3000, "chr2": 2000, "chr3": 1400}


def random_letters(rng, n):
    """GC content between a fifth and four fifths, that changes along the chromosome."""
    gc = 0.5 + 0.3 * np.sin(np.arange(n) / 90 + rng.random())
    u = rng.random(n)
    codes = np.select([u < gc / 2, u < gc, u < (1 + gc) / 2], [0, 1, 2], 3)
    return "".join(np.array([*"GCAT"])[codes])


@pytest.fixture
def letters():
    rng = np.random.default_rng(0)
    found = {name: random_letters(rng, n) for name, n in CHROMS.items()}
    found["chr1"] = found["chr1"][:200] + 40 * "N" + found["chr1"][240:].lower()
    found["chr2"] = found["chr2"][:205] + "R" + found["chr2"][206:]
    return found


@pytest.fixture
def write(tmp_path):
    def to(name, chroms):
        text = "".join(
            f">{name}\n" + "\n".join(x[i : i + 50] for i in range(0, len(x), 50)) + "\n"
            for name, x in chroms.items()
        )
        data = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return to


@pytest.fixture
def genome(write, letters):
    return write("genome.fa", letters)


@pytest.fixture
def loci():
    rng = np.random.default_rng(1)
    chrom = np.array(["chr1", "chr2"])[rng.integers(2, size=25)]
    start = rng.integers(300, 1900, size=25)
    return pd.DataFrame({"chrom": chrom, "start": start, "end": start + LENGTH})


def gc(text):
    return (text.count("G") + text.count("C")) / len(text)


def bins(values):
    return ((np.array(values) + 0.01) // 0.02).astype(int)


def overlap(regions, others):
    return [
        (r.chrom, r.start)
        for r in regions.itertuples()
        for o in others.itertuples()
        if r.chrom == o.chrom and r.start < o.end and o.start < r.end
    ]


@pytest.mark.filterwarnings("ignore:.* differ from the regions")
def test_windows_are_of_the_genome_and_none_is_a_region(genome, letters, loci):
    X, regions = genomic_background(
        loci, genome, 80, random_state=0, return_regions=True
    )
    assert X.shape == (80, 4, LENGTH)
    columns = ["chrom", "start", "end", "name", "strand"]
    assert regions.columns.tolist() == columns
    assert regions[["chrom", "start"]].drop_duplicates().shape[0] == 80
    assert not overlap(regions, loci)
    for x, (chrom, start, end, _, strand) in zip(X, regions.values, strict=True):
        assert characters(x) == letters[chrom][start:end].upper()
        assert strand == "+"


def test_no_window_holds_an_n_or_another_letter_of_several_bases(genome, loci):
    """All that are left: 150 + 100 windows, less those of regions and unknown ones."""
    with pytest.raises(ValueError, match=r"has (\d+) windows") as error:
        genomic_background(loci, genome, 1000)
    n = int(str(error.value).split(" has ")[1].split()[0])
    with pytest.warns(UserWarning, match="differ from the regions"):
        _, regions = genomic_background(
            loci, genome, n, random_state=0, return_regions=True
        )
    unknown = pd.DataFrame(
        {"chrom": ["chr1", "chr2"], "start": [200, 205], "end": [240, 206]}
    )
    assert not overlap(regions, unknown)
    taken = {
        (row.chrom, tile)
        for row in pd.concat([loci, unknown]).itertuples()
        for tile in range(row.start // LENGTH, (row.end - 1) // LENGTH + 1)
    }
    assert n == 150 + 100 - len(taken)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore:.* differ from the regions")
def test_as_many_of_each_gc_content_as_tangermeme_gives(write, letters, seed):
    """One for each region, with bins that have too few; of a genome without N."""
    rng = np.random.default_rng(seed)
    known = {name: x.replace("N", "A").replace("R", "A") for name, x in letters.items()}
    genome = write("known.fa", known)
    start = rng.choice(np.arange(0, 1380, LENGTH), size=60, replace=False)
    chrom = np.array([*CHROMS])[rng.integers(3, size=60)]
    loci = pd.DataFrame({"chrom": chrom, "start": start, "end": start + LENGTH})
    expected = extract_matching_loci(
        loci,
        str(genome),
        in_window=LENGTH,
        out_window=LENGTH,
        random_state=seed,
    )
    assert len(expected) == 60
    # There a region also takes the window that begins where it ends.
    beside = loci.assign(start=loci["end"], end=loci["end"] + 1)
    _, found = genomic_background(
        loci, genome, 60, exclude=beside, random_state=seed, return_regions=True
    )
    contents = [
        sorted(bins([gc(known[c][s:e].upper()) for c, s, e in t.values[:, :3]]))
        for t in (expected, found)
    ]
    assert contents[0] == contents[1]


def test_each_region_counts_alike_up_to_one(write):
    """Of GC contents 0 and 1, with plenty of both."""
    tiles = ["A" * 4, "G" * 4]
    genome = write("two.fa", {"c": "".join(tiles * 50)})
    loci = pd.DataFrame({"chrom": "c", "start": [0, 4, 8], "end": [4, 8, 12]})
    for n, least, most in ((3, 1, 1), (30, 10, 10), (31, 10, 11)):
        X = genomic_background(loci, genome, n, random_state=0)
        assert least <= X[:, 2, 0].sum() <= most  # G: a third


def test_what_cannot_be_matched_is_the_nearest_and_said(write):
    tiles = ["AAAA", *["GAAA"] * 3, *["GGAA"] * 3, *["GGGG"] * 9]
    genome = write("few.fa", {"c": "".join(tiles)})
    loci = pd.DataFrame({"chrom": ["c"], "start": [0], "end": [4]})
    with pytest.warns(UserWarning, match="5 of 5 windows .* by up to 0.50"):
        X = genomic_background(loci, genome, 5, random_state=0)
    assert sorted(X[:, 2].sum(dim=-1).tolist()) == [1, 1, 1, 2, 2]


@pytest.mark.filterwarnings("ignore:.* differ from the regions")
def test_a_seed_gives_the_same_of_any_file(write, letters, genome, loci):
    """Gzipped, and with the chromosomes in another order."""
    X, regions = genomic_background(
        loci, genome, 40, random_state=3, return_regions=True
    )
    turned = dict(reversed(letters.items()))
    for other in (write("x.fa.gz", letters), write("turned.fa", turned)):
        Y, places = genomic_background(
            loci, other, 40, random_state=3, return_regions=True
        )
        assert (X == Y).all()
        pd.testing.assert_frame_equal(regions, places)
    mixed = loci.sample(frac=1, random_state=0)
    assert (X.shape) == genomic_background(mixed, genome, 40, random_state=3).shape
    again = genomic_background(loci, genome, 40, random_state=4)
    assert (again != X).any()


@pytest.mark.filterwarnings("ignore:.* differ from the regions")
def test_rows_are_in_random_order(genome, loci):
    """So that halves are alike: not by chromosome, place or GC content."""
    X, regions = genomic_background(
        loci, genome, 120, random_state=0, return_regions=True
    )
    assert set(regions["chrom"][:30]) == set(regions["chrom"][90:])
    share = X[:, 1:3].float().mean(dim=(1, 2))
    difference = share[:60].mean() - share[60:].mean()
    assert abs(difference) < 4 * share.std() * (2 / 60) ** 0.5


@pytest.mark.filterwarnings("ignore:.* differ from the regions")
def test_windows_may_be_of_other_chromosomes_than_the_regions(genome, loci):
    """tangermeme leaves out regions on others."""
    _, regions = genomic_background(
        loci, genome, 30, chroms=["chr3"], random_state=0, return_regions=True
    )
    assert set(regions["chrom"]) == {"chr3"}


@pytest.mark.filterwarnings("ignore:.* differ from the regions")
def test_more_can_be_excluded(genome, loci):
    whole = pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [2990]})
    _, regions = genomic_background(
        loci, genome, 10, exclude=whole, random_state=0, return_regions=True
    )
    assert set(regions["chrom"]) == {"chr2"}


def test_it_prints_nothing_and_leaves_no_index(genome, loci, capsys):
    genomic_background(loci, genome, 5, random_state=0)
    assert capsys.readouterr() == ("", "")
    assert [path.name for path in genome.parent.iterdir()] == ["genome.fa"]


def test_letters_may_be_those_of_rna(genome, loci):
    dna, rna = (
        genomic_background(loci, genome, 9, random_state=0, alphabet=letters)
        for letters in ("ACGT", "ACGU")
    )
    assert (dna == rna).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "`n`=0"),
        ({"n": 500}, r"`n`=500, but .*genome\.fa has \d+ windows .* hold no N"),
        ({"chroms": ["chr3", "chrQ"]}, "has no chromosome 'chrQ'"),
        ({"chroms": "chr1"}, "`chroms`='chr1' must be a list of names"),
        ({"chroms": []}, r"`chroms`=\[\] must be a list of names"),
        ({"alphabet": "ACDE"}, "must be the letters of DNA or RNA"),
        ({"exclude": [("chr1", 0, 5)]}, "`exclude` is of type list"),
    ],
)
def test_what_cannot_be_drawn_is_named(genome, loci, change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        genomic_background(loci, genome, **{"n": 10, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(end=t["end"] + [0, *[1] * 24]), "20 to 21 bases; some of"),
        (lambda t: t[:0], "`loci` has 0 regions"),
        (lambda t: t.assign(chrom="chr9"), "has no chromosome 'chr9'"),
        (
            lambda t: t.assign(start=2990, end=3010),
            "no known base at chr[12]:2990-3010",
        ),
        (lambda t: t.assign(chrom="chr1", start=205, end=225), "no known base at"),
        (lambda t: t.drop(columns="chrom"), "it must have chrom, start, end"),
    ],
)
def test_regions_that_cannot_be_matched_are_named(genome, loci, change, message):
    with pytest.raises(ValueError, match=message):
        genomic_background(change(loci), genome, 5)
