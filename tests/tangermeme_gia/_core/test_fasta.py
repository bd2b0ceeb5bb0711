import pytest

from tangermeme_gia._core.fasta import read_fasta_sequences


@pytest.mark.parametrize("name", ["probes.fa", "probes.fa.gz"])
def test_sequences_are_read_as_they_stand(write, name):
    path = write("\ufeff>a x\r\nAGn\r\nAGn\r\nU\r\n>b\r\nTT\r\n\r\n", name)
    assert read_fasta_sequences(path) == (["a", "b"], ["AGnAGnU", "TT"])
    assert [p.name for p in path.parent.iterdir()] == [name]  # no index


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AG\n", r"probes\.fa, line 1: a FASTA file starts with '>'"),
        (">a\nAG\n>a\nGG\n", r"probes\.fa is not a valid FASTA file: Dup.*\"a\""),
        (">a\nAG\nA\nAG\n", r"probes\.fa is not a valid FASTA file: Line len"),
        ("", r"probes\.fa is empty"),
        (b">a\nA\xff\n", r"probes\.fa, line 2: not UTF-8"),
    ],
)
def test_what_is_no_fasta_is_refused(write, text, message):
    with pytest.raises(ValueError, match=message):
        read_fasta_sequences(write(text, "probes.fa"))
