"""Patterns of seqlets whose letters, contributions and places are known."""

import numpy as np
import pandas as pd
import pytest

from tangermeme_gia._core.letters import DNA, RNA
from tangermeme_gia.motifs import reverse_complement
from tangermeme_gia.motifs.from_seqlets import seqlet_patterns

L = 50
WORD = "TGACTGA"


def planted(*words, starts=None, n=40, contribution=1.0):
    """Random A and C with words in turn, whose letters contribute alike."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, (n, L)).astype(np.int8)
    values = np.zeros((n, L))
    places = []
    for i in range(n):
        word = words[i % len(words)]
        start = rng.integers(12, 30) if starts is None else starts[i]
        codes[i, start : start + len(word)] = ["ACGT".index(x) for x in word]
        values[i, start : start + len(word)] = contribution
        places.append((i, start, start + len(word), np.sign(contribution)))
    columns = ["example_idx", "start", "end", "attribution"]
    return codes, values, pd.DataFrame(places, columns=columns)


def patterns(codes, values, seqlets, **options):
    options = {
        "alphabet": DNA,
        "both_strands": True,
        "min_seqlets": 10,
        "seed": 0,
        **options,
    }
    return seqlet_patterns(codes, values, seqlets, **options)


def word_of(pattern):
    assert (pattern.ppm.max(axis=0) == 1).all()
    return "".join("ACGT"[i] for i in pattern.ppm.argmax(axis=0))


def test_a_planted_word_comes_back_as_most_of_its_seqlets_stand():
    other = reverse_complement(WORD)
    (found,) = patterns(*planted(WORD, WORD, other))
    assert word_of(found) == WORD
    assert found.sites["strand"].value_counts().to_dict() == {"+": 27, "-": 13}
    (turned,) = patterns(*planted(other, other, WORD))
    assert word_of(turned) == other
    np.testing.assert_array_equal(found.cwm, (found.ppm == 1).astype(float))


def test_sites_are_where_the_word_is():
    codes, values, seqlets = planted(WORD, reverse_complement(WORD))
    (found,) = patterns(codes, values, seqlets)
    places = ["example_idx", "start", "end"]
    assert (
        found.sites[places].to_numpy().tolist() == seqlets[places].to_numpy().tolist()
    )


def test_on_one_strand_a_word_and_its_complement_are_two():
    given = planted(WORD, reverse_complement(WORD))
    found = patterns(*given, alphabet=RNA, both_strands=False)
    assert {word_of(p) for p in found} == {WORD, reverse_complement(WORD)}
    assert [len(p.sites) for p in found] == [20, 20]
    assert len(patterns(*given)) == 1


def test_parts_of_one_word_are_one_pattern():
    # Seqlets of the first five letters, and of the last five, of the same word.
    codes, values, seqlets = planted(WORD)
    late = seqlets["example_idx"] % 2 == 1
    seqlets.loc[late, "start"] += 2
    seqlets.loc[~late, "end"] -= 2
    (found,) = patterns(codes, values, seqlets)
    assert word_of(found) == WORD
    assert len(found.sites) == 40


def test_two_words_are_two_patterns():
    found = patterns(*planted(WORD, "GGTTCTTGG"))
    assert len(found) == 2
    assert {word_of(p) for p in found} & {WORD, reverse_complement(WORD)}
    assert [len(p.sites) for p in found] == [20, 20]


def test_what_raises_and_what_lowers_stay_apart():
    codes, values, seqlets = planted(WORD)
    lowers = np.arange(40) % 2 == 0
    values[lowers] *= -1
    seqlets.loc[lowers, "attribution"] *= -1
    found = patterns(codes, values, seqlets)
    assert sorted(p.sign for p in found) == [-1, 1]
    assert {word_of(p) for p in found} == {WORD}
    assert {float(p.cwm.sum()) for p in found} == {-7.0, 7.0}


def test_a_stronger_neighbour_that_does_the_opposite_is_no_part_of_it():
    codes, values, seqlets = planted("GTTGCC" + WORD)
    start = seqlets["start"].to_numpy()
    for i, at in enumerate(start):
        values[i, at : at + 6] = -0.1
    lowers = seqlets.assign(end=start + 6, attribution=-0.6)
    raises = seqlets.assign(start=start + 6)
    both = pd.concat([lowers, raises], ignore_index=True)
    found = {p.sign: word_of(p) for p in patterns(codes, values, both)}
    assert found == {1: WORD, -1: "GTTGCC"}


def test_ends_of_sequences_are_no_letters():
    starts = [0, L - len(WORD)] * 20
    (found,) = patterns(*planted(WORD, starts=starts))
    assert word_of(found) == WORD
    assert len(found.sites) == 40


@pytest.mark.parametrize(("n", "expected"), [(9, 0), (10, 1)])
def test_few_seqlets_are_no_pattern(n, expected):
    assert len(patterns(*planted(WORD, n=n))) == expected


def test_of_too_many_a_part_is_drawn_by_the_seed(monkeypatch):
    monkeypatch.setattr("tangermeme_gia.motifs.from_seqlets.MOST_SEQLETS", 15)
    given = planted(WORD)
    (first,), (again,) = (patterns(*given, seed=3) for _ in range(2))
    assert len(first.sites) == 15
    pd.testing.assert_frame_equal(first.sites, again.sites)
    (other,) = patterns(*given, seed=4)
    assert not other.sites.equals(first.sites)
