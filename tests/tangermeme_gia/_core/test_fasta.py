import gzip

import pytest

from tangermeme_gia._core import text as text_module
from tangermeme_gia._core.fasta import fasta_records, read_fasta_sequences


@pytest.mark.parametrize("name", ["probes.fa", "probes.fa.gz"])
def test_sequences_are_read_as_they_stand(write, name):
    path = write("\ufeff>a x\r\nAGn\r\nAGn\r\nU\r\n>b\r\nTT\r\n\r\n", name)
    assert read_fasta_sequences(path) == (["a", "b"], ["AGnAGnU", "TT"])
    assert [p.name for p in path.parent.iterdir()] == [name]  # no index


@pytest.mark.parametrize("block", [1, 2, 3, 5, 1 << 24])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("text", "sequences"),
    [
        (">a\nAG\nAGGA\n>b\nCC\n", ["AGAGGA", "CC"]),  # a longer second line
        (">a\nAG\nA\nAGG\n>a\nCC\n", ["AGAAGG", "CC"]),  # unequal lines, one name
        ("\n>a\nAG\n\n\n>b\n\nCC\n\n\nC", ["AG", "CCC"]),  # blank lines
        (">a > b\nAG \n>\nCC\n", ["AG", "CC"]),  # ">" in a title, no title
    ],
)
def test_lines_may_be_of_any_length(write, monkeypatch, block, end, text, sequences):
    monkeypatch.setattr(text_module, "_BLOCK", block)
    path = write(text.replace("\n", end), "probes.fa")
    assert read_fasta_sequences(path)[1] == sequences


def test_a_bgzipped_genome_is_many_gzip_files_in_one(write):
    parts = [gzip.compress(part) for part in (b">chr1\nAC", b"GT\n>chr2\nGG\n", b"")]
    path = write(b"".join(parts), "genome.fa.bgz")
    assert [(r.name, r.letters) for r in fasta_records(path)] == [
        ("chr1", b"ACGT"),
        ("chr2", b"GG"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AG\n", r"probes\.fa, line 1: a FASTA file starts with '>'"),
        ("\n\nAG\n>a\nAG\n", r"probes\.fa, line 3: a FASTA file starts with '>'"),
        (">a\nAG\n>b\nAG\nA>c\nGG\n", r"probes\.fa, line 5: '>' in a sequence"),
        (">a\n\n1 AG\n", r"probes\.fa, line 3: '1' in a sequence"),
        (">a\nAG\n\n>b x\n\n>c\nA\n", r"probes\.fa, line 4: 'b x' has no sequence"),
        ("", r"probes\.fa is empty"),
        ("\n \n", r"probes\.fa is empty"),
        (b">a\nA\xff\n", r"probes\.fa, line 2: 'a byte that is no letter'"),
        (b">a\nA\n>\xff\nA", r"probes\.fa, line 3: not UTF-8"),
    ],
)
def test_what_is_no_fasta_is_refused(write, text, message):
    with pytest.raises(ValueError, match=message):
        read_fasta_sequences(write(text, "probes.fa"))


def test_gzip_that_grows_beyond_all_text_is_refused(write, monkeypatch):
    monkeypatch.setattr(text_module, "_BLOCK", 1 << 12)
    monkeypatch.setattr(text_module, "_MOST_BYTES", 1 << 16)
    path = write(b">a\n" + b"A" * (1 << 18), "bomb.fa.gz")
    with pytest.raises(ValueError, match=r"bomb\.fa\.gz: .* unpack it with gunzip"):
        read_fasta_sequences(path)
    monkeypatch.setattr(text_module, "_MOST_BYTES", 1 << 20)
    assert len(read_fasta_sequences(path)[1][0]) == 1 << 18
