import gzip

import pytest

from tangermeme_gia.genome.windows import Window, letters_of


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
def test_letters_stand_under_their_windows(tmp_path, name):
    data = b">chr2\nacgt\nNN\n>chr1 first\nGGGC\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if "gz" in name else data)
    windows = [
        Window("chr1", 2, 4),
        Window("chr2", 0, 6),
        Window("chr1", 0, 5),
        Window("chr3", 0, 1),
    ]
    found, sizes = letters_of(windows, path)
    assert found == {0: "GC", 1: "acgtNN"}
    assert sizes == {"chr2": 6, "chr1": 4}
    assert [*sizes] == ["chr2", "chr1"]  # the file's order
    assert [file.name for file in tmp_path.iterdir()] == [name]  # no index


def test_a_chromosome_that_is_there_twice_is_refused_if_it_is_wanted(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_text(">a\nAC\n>a\nAC\n>b\nGT\n")
    assert letters_of([Window("b", 0, 2)], path)[0] == {0: "GT"}
    with pytest.raises(ValueError, match="has 'a' more than once"):
        letters_of([Window("a", 0, 2)], path)
