import os

import pytest

from tangermeme_gia._core.fasta import read_fasta_sequences
from tangermeme_gia._core.read_once import read_once
from tangermeme_gia._core.readers import open_table


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path):
    path = tmp_path / "a.txt"
    read = []

    @read_once
    def text_of(path, *, upper=False):
        read.append(path)
        text = path.read_text()
        return text.upper() if upper else text

    path.write_text("one")
    assert [text_of(path), text_of(path)] == ["one", "one"]
    assert len(read) == 1
    assert text_of(path, upper=True) == "ONE"
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert text_of(path) == "two"
    assert len(read) == 3


def test_only_the_last_few_files_are_held(tmp_path):
    read = []
    paths = [tmp_path / name for name in "abc"]

    @read_once
    def text_of(path):
        read.append(path.name)
        return path.read_text()

    for path in paths:
        path.write_text(path.name)
        text_of(path)
    text_of(paths[2])
    text_of(paths[0])
    assert read == ["a", "b", "c", "a"]


def test_an_error_is_not_held(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("a\ta\n1\t2\n")
    for _ in range(2):
        with pytest.raises(ValueError, match="is there twice"):
            open_table(path)


def test_readers_give_what_stands_in_the_file_now(tmp_path):
    table, fasta = tmp_path / "a.tsv", tmp_path / "a.fa"
    for letters in ("ACGU", "ACGUA"):
        table.write_text(f"sequence\n{letters}\n")
        fasta.write_text(f">x\n{letters}\n")
        assert open_table(table).read(["sequence"], [])[0] == [[letters]]
        assert read_fasta_sequences(fasta) == (["x"], [letters])
