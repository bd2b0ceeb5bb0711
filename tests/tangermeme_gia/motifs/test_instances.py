import numpy as np
import pytest

from tangermeme_gia.motifs import reverse_complement
from tangermeme_gia.motifs.instances import find_instances


def codes(*words):
    return np.array([["NACGT".index(x) - 1 for x in word] for word in words], np.int8)


def ppm(word):
    return np.eye(4)[:, ["ACGT".index(x) for x in word]]


def places(found):
    columns = ["pattern", "example_idx", "start", "end", "strand"]
    return list(found[columns].itertuples(index=False, name=None))


def test_both_strands_are_read_where_asked():
    word = "GGATTCG"
    X = codes("AAA" + word + "AAAA", "A" + reverse_complement(word) + "A" * 6)
    found = find_instances({"m": ppm(word)}, X, both_strands=True)
    assert places(found) == [("m", 0, 3, 10, "+"), ("m", 1, 1, 8, "-")]
    found = find_instances({"m": ppm(word)}, X, both_strands=False)
    assert places(found) == [("m", 0, 3, 10, "+")]


def test_a_palindrome_is_one_instance():
    found = find_instances(
        {"p": ppm("TGACGTCA")}, codes("AATGACGTCAAA"), both_strands=True
    )
    assert len(found) == 1


def test_instances_of_a_motif_do_not_overlap():
    found = find_instances(
        {"a": ppm("ATATATA")}, codes("GGATATATATAGG"), both_strands=False
    )
    assert places(found) == [("a", 0, 2, 9, "+")]


def test_short_motifs_are_found_where_they_are_exact():
    # 1 of 256 words, which is more than the threshold.
    X = codes("CCCCGATACCCC", "CCCCGATCCCCC")
    found = find_instances({"short": ppm("GATA")}, X, both_strands=False)
    assert places(found) == [("short", 0, 4, 8, "+")]
    two = (ppm("GATA") + ppm("GATC")) / 2
    found = find_instances({"short": two}, X, both_strands=False)
    assert [row[1:3] for row in places(found)] == [(0, 4), (1, 4)]


def test_padding_is_no_instance():
    found = find_instances(
        {"m": ppm("GGATTCG")}, codes("NNGGATTCGN", "NNGGANNCGN"), both_strands=True
    )
    assert places(found) == [("m", 0, 2, 9, "+")]


@pytest.mark.parametrize("word", ["GGATTCG", "GGATTCGGGATTCG"])
def test_none_is_an_empty_table(word):
    found = find_instances({"m": ppm(word)}, codes("ACACACACAC"), both_strands=True)
    assert len(found) == 0
    assert found["start"].dtype == np.int64
