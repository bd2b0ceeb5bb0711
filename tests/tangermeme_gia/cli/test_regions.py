import gzip
import os

import pytest
import torch
from tangermeme.io import extract_loci
from tangermeme.utils import characters

from tangermeme_gia.cli.sequences import read_sequences

RNA = ("A", "C", "G", "U")
BASES = "AACCGGTTNNACGTRAtgca"


def letters(X, alphabet=("A", "C", "G", "T")):
    return [characters(x, list(alphabet), allow_N=True) for x in X]


@pytest.fixture
def genome(here):
    path = here / "genome.fa"
    path.write_text(f">chr1 first\n{BASES}\n>chr2\nAAAAAACCCCCC\n")
    return path


def peaks(here, *rows, name="peaks.bed"):
    path = here / name
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if "gz" in name else text.encode())
    return path


def peak(start, end, summit, chromosome="chr2"):
    """A line as MACS2 writes it."""
    return (chromosome, start, end, "p", 103, ".", 3.4, "10.3", 8.5, summit)


@pytest.mark.filterwarnings("ignore:1 letters")
def test_regions_are_read_from_the_genome_on_their_strand(here, genome):
    path = here / "peaks.bed"
    path.write_text(
        "\ufefftrack name=peaks\n# comment\nchr1\t0\t4\nchr1\t2\t6\tx\t0\t-\n"
        "chr1\t8\t12\tx\t0\t+\r\nchr1\t13\t17\tx\t0\t-\r\n"
    )
    # 2 to 6 is CCGG, its own reverse complement; 13 to 17 is TRAT.
    expected = ["AACC", "CCGG", "NNAC", "ATNA"]
    observed = read_sequences(path, genome=genome)
    assert letters(observed.X) == expected
    assert observed.origin == "4 regions of peaks.bed in genome.fa"
    as_rna = read_sequences(path, RNA, genome=genome)
    assert torch.equal(as_rna.X, observed.X)
    swapped = read_sequences(path, ("T", "G", "C", "A"), genome=genome)
    assert letters(swapped.X, "TGCA") == expected


def test_letters_of_several_bases_are_counted(here, genome):
    path = peaks(here, ("chr1", 13, 17))
    with pytest.warns(UserWarning, match=r"^1 letters of .*genome\.fa .*\(R\)"):
        read_sequences(path, genome=genome)


@pytest.mark.parametrize("name", ["peaks.bed", "peaks.bed.gz", "peaks.broadPeak"])
def test_windows_are_centred_and_what_does_not_fit_is_said(here, genome, caplog, name):
    rows = [("chr1", 0, 2, "x", 0, "-"), ("chr2", 5, 8, "x", 0, "-"), ("chr2", 4, 8)]
    path = peaks(here, *rows, name=name)
    caplog.set_level("INFO", "tangermeme_gia")
    observed = read_sequences(path, genome=genome, length=6)
    assert letters(observed.X) == ["GGGTTT", "AAACCC"]
    assert observed.origin.endswith(
        "(1 that reach past a chromosome's end are left out)"
    )
    assert observed.origin in caplog.text


@pytest.mark.parametrize("name", ["p.narrowPeak", "p.narrowPeak.gz", "p.bed"])
def test_windows_are_around_summits(here, genome, name):
    """Of AAAAAACCCCCC: start + summit is 4 and 7, of windows of 4 the third base."""
    path = peaks(here, peak(1, 9, 3), peak(1, 9, 6), name=name)
    observed = read_sequences(path, genome=genome, length=4)
    assert letters(observed.X) == ["AAAA", "ACCC"]
    assert observed.origin.endswith("(around summits)")
    whole = read_sequences(path, genome=genome, keep_copies=True)
    assert letters(whole.X) == ["AAAAACCC"] * 2
    assert "`--length` takes windows around their summits" in whole.origin


def test_a_peak_without_summit_is_read_around_its_middle(here, genome):
    path = peaks(here, peak(1, 9, -1), peak(0, 6, 2), name="p.narrowPeak")
    observed = read_sequences(path, genome=genome, length=4)
    assert letters(observed.X) == ["AAAC", "AAAA"]  # 3 to 7, 0 to 4
    assert "around summits, 1 without one around their middle" in observed.origin


def test_a_peak_file_without_summits_says_so(here, genome):
    path = peaks(here, peak(1, 9, -1), name="p.narrowPeak")
    observed = read_sequences(path, genome=genome, length=4)
    assert observed.origin.endswith("(around the middle, as no summit is given)")


def test_strands_may_be_open_and_lines_of_any_width(here, genome):
    rows = [("chr2", 0, 8), ("chr2", 1, 9, "x", 0, "."), ("chr2", 2, 10, "x", 0, "*")]
    blocks = ("chr2", 3, 11, "x", 0, "-", 3, 11, "0,0,0", 2, "2,2", "0,6")
    observed = read_sequences(peaks(here, *rows, blocks), genome=genome)
    assert letters(observed.X) == ["AAAAAACC", "AAAAACCC", "AAAACCCC", "GGGGGTTT"]


@pytest.mark.parametrize("length", [4, 5])
def test_windows_are_those_of_tangermeme(here, genome, length):
    rows = [peak(start, start + 5, start % 4) for start in range(2, 8)]
    path = peaks(here, *rows, name="p.narrowPeak")
    for summits in (True, False):
        given = path if summits else peaks(here, *(row[:6] for row in rows))
        expected = extract_loci(
            str(given), str(genome), in_window=length, summits=summits
        )
        found = read_sequences(given, genome=genome, length=length, keep_copies=True)
        assert torch.equal(found.X, expected)


def test_copies_count_once(here, genome):
    rows = [("chr2", 0, 4), ("chr2", 4, 8), ("chr2", 0, 4, "x", 0, "-"), ("chr2", 0, 4)]
    path = peaks(here, *rows)
    observed = read_sequences(path, genome=genome)
    assert letters(observed.X) == ["AAAA", "AACC", "TTTT"]
    assert "(1 copies of others are left out; see --keep-copies)" in observed.origin
    kept = read_sequences(path, genome=genome, keep_copies=True)
    assert letters(kept.X) == ["AAAA", "AACC", "TTTT", "AAAA"]


def test_regions_that_are_asked_for_by_number_must_all_be_there(here, genome):
    path = peaks(here, ("chrUn", 0, 4), ("chr2", 0, 4))
    with pytest.raises(ValueError, match=r"1 on contigs .* numbers of the others"):
        read_sequences(path, genome=genome, numbered=True)


def test_contigs_that_the_genome_lacks_are_left_out_and_counted(here, genome):
    path = peaks(here, ("chrUn", 0, 4), ("chr2", 0, 4), ("chrUn", 1, 5), ("M", 1, 5))
    observed = read_sequences(path, genome=genome)
    assert letters(observed.X) == ["AAAA"]
    assert (
        "3 on contigs that genome.fa lacks are left out: 'chrUn', 'M', where it has "
        "'chr1', 'chr2'" in observed.origin
    )


@pytest.mark.parametrize(
    "text",
    [
        ">chr1\nAC\nGTAC\nG\n\n\n>chr2\nTTTT\n",  # lines of any length
        ">chr1\nACGTACG\n>other\nA\n>other\nC\n",  # names that nobody asks for
        "\ufeff>chr1\r\nACGTACG\r\n",
    ],
)
@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
def test_genomes_as_people_have_them(here, text, name):
    data = text.encode()
    (here / name).write_bytes(gzip.compress(data) if "gz" in name else data)
    path = peaks(here, ("chr1", 1, 5))
    assert letters(read_sequences(path, genome=here / name).X) == ["CGTA"]
    assert sorted(os.listdir(here)) == sorted([name, "peaks.bed"])  # no index


@pytest.mark.parametrize(
    ("bed", "message"),
    [
        ("chr1\t0\t4\nchr1\t0\t5\n", "regions of 4 to 5 bases; `--length` is needed"),
        ("1\t0\t4\n2\t0\t4\n", r"no region .* lacks are left out: '1', '2', .*'chr1'"),
        ("chr1\t17\t21\n", "no region of .*1 that reach past a chromosome's end"),
        ("chr1\t4\t4\n", "peaks.bed, line 1: .* is no region: chromosome"),
        ("chr1\t0\tx\n", "peaks.bed, line 1: .* is no region: chromosome"),
        ("#\nchr1 0 4\n", "line 2: 'chr1 0 4' is no region: .* between tabs"),
        ("chr1\t0\t4\tp\t1\tminus\n", "line 1: column 6 is 'minus'; the strand is"),
        ("chr2\t-2\t4\n", "line 1: .* is no region"),
        ("chr2\t8\t4\n", "line 1: .* is no region"),
        ("chr2\t0.0\t4.0\n", "line 1: .* is no region"),
        ("chr1\t8\t10\n", "none of the 1 sequences has a known base"),
        ("track\n", "peaks.bed holds no regions"),
        ("chr1\t0\t4\tp\t1\t.\t1\t1\t1\t4\n", "line 1: column 10 is '4'; .* 0 to 3"),
        ("chr1\t0\t4\tp\t1\t.\t1\t1\t1\t1.5\n", "line 1: column 10 is '1.5'"),
    ],
)
def test_regions_that_cannot_be_had_are_explained(here, genome, bed, message):
    (here / "peaks.bed").write_text(bed)
    with pytest.raises(ValueError, match=message):
        read_sequences(here / "peaks.bed", genome=genome)


def test_a_peak_has_ten_columns(here, genome):
    path = peaks(here, peak(1, 5, 1), peak(1, 5, 1)[:9], name="p.narrowPeak")
    with pytest.raises(ValueError, match=r"line 2 has 9 columns; narrowPeak has 10"):
        read_sequences(path, genome=genome)


def test_a_genome_that_cannot_be_had_is_explained(here, genome):
    path = peaks(here, ("chr1", 0, 4))
    (here / "twice.fa").write_text(">chr1\nACGTA\n>chr1\nCCCCC\n")
    with pytest.raises(ValueError, match=r"`--genome`: .*fa has 'chr1' more than once"):
        read_sequences(path, genome=here / "twice.fa")
    with pytest.raises(ValueError, match=r"`--genome`: .*peaks\.bed, line 1: a FASTA"):
        read_sequences(path, genome=path)
    (here / "cut.fa.gz").write_bytes(gzip.compress(genome.read_bytes())[:-9])
    with pytest.raises(ValueError, match=r"`--genome`: .*cut\.fa\.gz: .* cut off"):
        read_sequences(path, genome=here / "cut.fa.gz")
    with pytest.raises(FileNotFoundError, match="`--genome`: there is no file"):
        read_sequences(path, genome=here / "none.fa")
    with pytest.raises(ValueError, match="no complementary bases"):
        read_sequences(path, "ACDEF", genome=genome)
    with pytest.raises(ValueError, match="`--genome` goes with regions"):
        read_sequences(genome, genome=genome)


def test_places_are_those_of_the_sequences_that_are_kept(here, genome):
    rows = [("chrUn", 0, 2), ("chr1", 8, 10), ("chr2", 0, 2, "a"), ("chr2", 1, 3, "b")]
    rows += [("chr2", 9, 11, "c", 0, "-"), ("chr2", 11, 13)]
    observed = read_sequences(peaks(here, *rows), genome=genome)
    assert letters(observed.X) == ["AA", "GG"]
    assert observed.loci.regions.values.tolist() == [
        ["chr2", 0, 2, "a", "."],
        ["chr2", 9, 11, "c", "-"],
    ]
    assert observed.loci.taken.values.tolist() == [list(row[:3]) for row in rows]
    assert observed.loci.sizes == {"chr1": len(BASES), "chr2": 12}


def test_windows_say_where_they_are_and_regions_stay_taken(here, genome):
    path = peaks(here, peak(1, 9, 3), name="p.narrowPeak")
    observed = read_sequences(path, genome=genome, length=4)
    assert observed.loci.regions.values.tolist() == [["chr2", 2, 6, "p", "."]]
    assert observed.loci.taken.values.tolist() == [["chr2", 1, 9]]
