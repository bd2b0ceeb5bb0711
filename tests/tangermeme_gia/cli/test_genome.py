"""Regions of a genome: held-out chromosomes, coordinates, backgrounds and tracks."""

import gzip
import re
import shlex
from pathlib import Path

import figwig
import numpy as np
import pandas as pd
import pytest
import torch
from tangermeme.utils import characters, one_hot_encode

import tangermeme_gia as gia
from tangermeme_gia.cli import main
from tangermeme_gia.cli.commands import COMMANDS as ALL
from tangermeme_gia.cli.sequences import read_sequences
from tangermeme_gia.models.loading import load_model
from tangermeme_gia.report import load_results

from .conftest import filled_commands, overridden

LENGTH = 41
SIZES = {"chr1": 4000, "chr8": 3000, "chr9": 2500}
PLACE = ["chrom", "chrom_start", "chrom_end", "name", "strand"]
# Commands whose tables may have a row for each sequence.
WITH_ROWS = [
    name for name, p in filled_commands().items() if "--local" in p.format_help()
]
EXAMPLES = {command.name: shlex.split(command.example) for command in ALL}


@pytest.fixture
def genome(here):
    rng = np.random.default_rng(0)
    letters = {c: "".join(rng.choice([*"ACGT"], size=n)) for c, n in SIZES.items()}
    text = "".join(f">{name}\n{x}\n" for name, x in letters.items())
    (here / "g.fa").write_text(text)
    (here / "g.fa.gz").write_bytes(gzip.compress(text.encode()))
    rows = [
        (chrom, 40 + 60 * i, 80 + 60 * i, f"peak{i}", 0, "+-."[i % 3])
        for chrom in ("chr9", "chr1", "chr8")
        for i in range(8)
    ]
    lines = ["\t".join(map(str, row)) for row in rows]
    (here / "peaks.bed").write_text("\n".join(lines) + "\n")
    return letters


@pytest.fixture
def words(toys):
    model = ["--model", f"{toys}:Additive", "--length", str(LENGTH)]
    return [*model, "--sequences", "peaks.bed", "--genome", "g.fa"]


def letters_at(genome, row):
    """The bases of a table's row on their strand."""
    bases = genome[row["chrom"]][row["chrom_start"] : row["chrom_end"]]
    turned = bases[::-1].translate(str.maketrans("ACGT", "TGCA"))
    return turned if row["strand"] == "-" else bases


def as_table(path):
    return pd.read_csv(path, sep="\t")


def read_peaks(**options):
    return read_sequences(
        Path("peaks.bed"), length=LENGTH, genome=Path("g.fa"), **options
    )


def predicted(words, bases):
    model = load_model(words[1]).model
    X = torch.stack([one_hot_encode(text) for text in bases])
    return model(X.float())[:, 0].detach().numpy()


def run(capsys, *words):
    code = main([str(word) for word in words])
    assert code == 0, capsys.readouterr().err
    return capsys.readouterr()


def test_commands_with_a_row_for_each_sequence_are_known():
    """What is not here has rows for conditions, k-mers, motifs or patterns only."""
    without = {
        "report",
        "sweep",
        "grammar",
        "kmer-scan",
        "best-kmers",
        "motif-scan",
        "discover-motifs",
        "align-kmers",
        "compare-motifs",
        "expected",
        "junction-effects",
    }
    assert {*WITH_ROWS} == {*EXAMPLES} - without


@pytest.mark.parametrize("background", ["observed", "genomic"])
@pytest.mark.parametrize("name", WITH_ROWS)
def test_a_row_of_a_sequence_says_where_it_is(
    name, background, words, genome, here, capsys
):
    """What the model says of the bases there is what the row shows."""
    given = [*words, "--background", background, "--n", "9", "--local", "local.tsv"]
    command = overridden([name, *EXAMPLES[name], "--plot"], [*given, "--plot", "x.png"])
    run(capsys, *command)
    table = as_table(here / "local.tsv").drop_duplicates("sequence")
    bases = [letters_at(genome, row) for _, row in table.iterrows()]
    assert table["chrom"].nunique() > 1
    if name == "occlusion" or background == "observed":
        assert {*bases} <= {characters(x) for x in read_peaks().X}
    if name != "hairpin-importance":  # whose backgrounds get a stem
        np.testing.assert_allclose(
            table["y_before"], predicted(words, bases), rtol=1e-5
        )


@pytest.mark.parametrize("background", ["shuffle", "dinucleotide", "quartile1"])
def test_what_is_made_of_a_region_says_of_which(
    background, words, genome, here, capsys
):
    given = ["--background", background, "--n", "6", "--local", "local.tsv"]
    run(capsys, "multi-site", *words, "--motif", "GATA", "--starts", 3, *given)
    table, regions = as_table(here / "local.tsv"), read_peaks().loci.regions
    named = regions.iloc[table["cluster"]]
    assert table["chrom_start"].tolist() == named["start"].tolist()
    assert table["name"].tolist() == named["name"].tolist()


@pytest.mark.usefixtures("genome")
def test_sequences_that_are_no_regions_have_no_places(toys, here, capsys):
    (here / "x.fa").write_text(f">1\n{'GATTA' * 5}\n>2\n{'CATTA' * 5}\n")
    given = ["--sequences", "x.fa", "--background", "observed", "--local", "l.tsv"]
    command = ["multi-site", "--model", f"{toys}:Additive", "--motif", "GATA"]
    run(capsys, *command, "--starts", 3, *given)
    assert not {*PLACE} & {*as_table(here / "l.tsv").columns}


@pytest.mark.usefixtures("genome")
def test_a_saved_result_knows_its_places(words, here, capsys):
    command = [
        "multi-site",
        *words,
        "--motif",
        "GATA",
        "--starts",
        3,
        "--save",
        "x.gia",
    ]
    run(capsys, *command, "--background", "observed")
    assert gia.load("x.gia").regions["name"].tolist()[:2] == ["peak0", "peak1"]
    run(capsys, *command[:-2], "--save-to", "raw", "--background", "observed")
    assert gia.load("raw").regions.equals(gia.load("x.gia").regions)
    several = ["--backgrounds", "profile", "genomic", "observed", "--n", 9]
    run(capsys, *command, *several)
    results = gia.load("x.gia").results
    assert results["profile"].regions is None
    assert results["genomic"].regions["name"].tolist() == ["."] * 9
    assert len(results["observed"].regions) == 9


@pytest.mark.usefixtures("genome")
def test_chromosomes_are_chosen(words, here, capsys, caplog):
    caplog.set_level("INFO", "tangermeme_gia")
    command = ["multi-site", *words, "--motif", "GATA", "--starts", 3, "--n", 8]
    command += ["--local", "l.tsv", "--chroms", "chr8"]
    run(capsys, *command, "--background", "observed")
    assert "on chr8; 16 on others are not used" in caplog.text
    assert set(as_table(here / "l.tsv")["chrom"]) == {"chr8"}
    run(capsys, *command, "--background", "genomic")
    said = r"8 of the \d+ windows of g.fa that hold no N .* GC content 0\.\d{3}"
    assert re.search(said, caplog.text)
    table = as_table(here / "l.tsv")
    assert set(table["chrom"]) == {"chr8"}
    taken = read_peaks().loci.taken
    for start, end in taken.loc[taken["chrom"] == "chr8", ["start", "end"]].values:
        assert not ((table["chrom_start"] < end) & (start < table["chrom_end"])).any()


@pytest.mark.usefixtures("genome")
def test_numbers_count_the_regions_that_are_chosen(words, here, capsys):
    given = ["--annotations", "1:0:5", "--chroms", "chr8", "--local", "l.tsv"]
    run(capsys, "occlusion", *words, *given)
    assert as_table(here / "l.tsv")["chrom_start"].tolist() == [
        read_peaks(chroms=["chr8"]).loci.regions["end"][1] - 5
    ]


@pytest.mark.usefixtures("genome")
def test_a_gzipped_genome_gives_the_same(words, here, capsys):
    command = ["multi-site", *words, "--motif", "GATA", "--starts", 3, "--n", 8]
    command += ["--background", "genomic", "--local", "l.tsv"]
    first = run(capsys, *command).out, (here / "l.tsv").read_text()
    zipped = [word if word != "g.fa" else "g.fa.gz" for word in command]
    assert (run(capsys, *zipped).out, (here / "l.tsv").read_text()) == first
    other = run(capsys, *command, "--random-state", 1).out
    assert other != first[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--chroms chr8 chr88", "`--chroms`: g.fa lacks 'chr88'; it has 'chr1',"),
        ("--chroms chr8 --background genomic", "`n`=1000, but g.fa has"),
        ("--sequences x.fa --chroms chr8", "`--genome` goes with regions"),
    ],
)
@pytest.mark.usefixtures("genome")
def test_what_is_not_there_is_one_line(words, here, failure, given, message):
    (here / "x.fa").write_text(f">1\n{'A' * LENGTH}\n")
    command = overridden(["multi-site", *words], given.split())
    assert message in failure(*command, "--motif", "GATA", "--starts", "3")


@pytest.mark.usefixtures("genome")
def test_regions_of_a_genome_are_needed(toys, here, failure):
    model = ["--model", f"{toys}:Additive", "--motif", "GATA", "--starts", "3"]
    with_length = ["multi-site", *model, "--length", "24"]
    said = failure(*with_length, "--background", "genomic")
    assert "needs regions as `--sequences`, and `--genome`" in said
    said = failure(*with_length, "--chroms", "chr8")
    assert "`--chroms` goes with regions given as `--sequences`" in said
    (here / "x.fa").write_text(f">1\n{'A' * 24}\n")
    fasta = ["--model", f"{toys}:Additive", "--sequences", "x.fa"]
    said = failure("multi-site", *fasta, *model[2:], "--chroms", "chr8")
    assert "`--chroms` chooses regions of a `--genome`, not x.fa" in said
    for option in ("--bed", "--bigwig"):
        said = failure("occlusion", *fasta, "--width", "6", option, "x")
        assert "`--bed` and `--bigwig` need places on a genome" in said
    assert not (here / "x").exists()


@pytest.mark.usefixtures("genome")
def test_occlusion_is_a_track(words, here, capsys):
    """Its windows overlap: a base has the mean of the rows of the table over it."""
    command = ["occlusion", *words, "--width", 10, "--step", 5, "--local", "l.tsv"]
    run(capsys, *command, "--bed", "x.bed", "--bigwig", "x.bw", "--save", "x.gia")
    run(capsys, *command, "--save-to", "raw")
    assert gia.load("raw").regions.equals(gia.load("x.gia").regions)
    local = as_table(here / "l.tsv")
    bed = pd.read_csv(here / "x.bed", sep="\t", header=None)
    assert len(bed) == len(local)
    assert bed[2].sub(bed[1]).eq(10).all()
    assert bed[6].sum() == pytest.approx(local["local_importance"].sum(), rel=1e-4)
    backwards = local["strand"] == "-"
    first = local["chrom_start"] + local["start"]
    first[backwards] = local["chrom_end"] - local["end"]
    sums, counts = ({c: np.zeros(n) for c, n in SIZES.items()} for _ in "ab")
    for chrom, start, value in zip(
        local["chrom"], first, local["local_importance"], strict=True
    ):
        sums[chrom][start : start + 10] += value
        counts[chrom][start : start + 10] += 1
    for chrom, n in SIZES.items():
        (found,) = figwig.read_bigwig("x.bw", chrom, [0], n, missing=np.nan)
        assert (np.isnan(found) == (counts[chrom] == 0)).all()
        held = counts[chrom] > 0
        expected = sums[chrom][held] / counts[chrom][held]
        np.testing.assert_allclose(found[held], expected, rtol=1e-4, atol=1e-5)
    table = gia.genome.track(gia.load("x.gia"))
    np.testing.assert_allclose(table["value"], local["local_importance"], rtol=1e-4)


@pytest.mark.usefixtures("genome")
def test_annotations_are_a_track(words, here, capsys):
    given = ["--annotations", "0:0:5", "9:3:8", "--bed", "x.bed"]
    run(capsys, "occlusion", *words, *given)
    bed = pd.read_csv(here / "x.bed", sep="\t", header=None)
    regions = read_peaks().loci.regions
    assert regions["strand"][9] == "-"
    assert bed[[0, 1, 2]].values.tolist() == [
        ["chr1", regions["end"][9] - 8, regions["end"][9] - 3],
        ["chr9", regions["start"][0], regions["start"][0] + 5],
    ]


@pytest.mark.usefixtures("genome")
def test_a_copy_elsewhere_does_not_stop_a_table_that_has_places(words, here, capsys):
    """Sequences are told apart by where they are, not by their number."""
    with open("peaks.bed", "a") as file:
        file.write("chr9\t40\t80\tagain\t0\t+\n")
    run(capsys, "occlusion", *words, "--width", 20, "--local", "l.tsv")
    assert "again" not in as_table(here / "l.tsv")["name"].tolist()


@pytest.mark.usefixtures("genome")
def test_instances_of_patterns_are_where_they_are(words, genome, here, capsys):
    """Each place has the letters of the word, on the strand of pattern and region."""
    motif = {"mine": torch.eye(4)[:, [2, 0, 3]]}  # GAT
    gia.motifs.write_meme(here / "mine.meme", motif)
    options = ["--motifs", "mine.meme", "--save", "x.gia"]
    run(capsys, "discover-motifs", *words, *options)
    found = gia.load("x.gia")
    table = found.instances
    strands = read_peaks().loci.regions["strand"].iloc[table["example_idx"]]
    assert {*strands} == {"+", "-", "."}
    for row, strand in zip(table.itertuples(), strands, strict=True):
        bases = genome[row.chrom][row.chrom_start : row.chrom_end]
        forward = (row.strand == "-") == (strand == "-")
        assert bases == ("GAT" if forward else "ATC")
    gone = table[table["removed"]]
    regions = found.removed.regions
    assert regions["start"].tolist() == gone["chrom_start"].tolist()
    assert len(gia.genome.track(found.removed)) == len(gone) > 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* differ from the regions")
def test_a_report_takes_genomic_backgrounds(words, genome, here, capsys, caplog):
    caplog.set_level("INFO", "tangermeme_gia")
    given = ["--motif", "GATA", "--experiments", "sites", "robustness", "--n", "20"]
    given += ["--chroms", "chr1", "chr8", "--backgrounds", "genomic", "shuffle"]
    command = ["report", *words, *given]
    run(capsys, *command)
    found = load_results("report")
    assert len(found["sites"]["sites"].y_before) == 20
    assert {*found["robustness"]} == {"genomic", "shuffle"}
    page = (here / "report" / "index.html").read_text()
    assert "windows of the genome beside the 16 regions, of their GC content" in page
    assert "Genomic ones are other windows of the genome, without N" in page
    run(capsys, *command)
    assert "sites: as saved" in caplog.text
    # Other letters beside the same regions are other backgrounds.
    turned = {name: x[:600] + x[600:][::-1] for name, x in genome.items()}
    text = "".join(f">{name}\n{x}\n" for name, x in turned.items())
    (here / "g.fa").write_text(text)
    run(capsys, *command)
    assert "sites again, changed: genomic" in caplog.text


def test_a_report_of_no_regions_has_no_genomic_backgrounds(toys, here, capsys):
    given = ["--length", "24", "--motif", "GATA", "--backgrounds", "genomic"]
    assert main(["report", "--model", f"{toys}:Additive", *given]) == 2
    assert "needs regions as `--sequences`, and `--genome`" in capsys.readouterr().err
