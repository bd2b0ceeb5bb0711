import argparse

import pytest

from tangermeme_gia import Readout
from tangermeme_gia.cli.values import (
    gaps,
    integers,
    order,
    pattern,
    region,
    structure,
    target,
)
from tangermeme_gia.structure import Hairpin


def test_numbers_are_words_lists_and_ranges_without_their_end():
    assert integers("17") == [17]
    assert integers("3,10,0:4,0:9:4") == [3, 10, 0, 1, 2, 3, 0, 4, 8]
    assert integers("-3:0") == [-3, -2, -1]


def test_gaps_are_alike_or_one_by_one():
    assert gaps("0:3") == [0, 1, 2]
    assert gaps("3/5,0/1") == [[3, 5], [0, 1]]


def test_a_pattern_has_a_start_or_is_centred():
    assert pattern("GATA@0") == ("GATA", 0)
    assert pattern("GATA") == ("GATA", None)
    assert pattern("m.meme:Gata1@3") == ("m.meme:Gata1", 3)
    assert pattern("a@b.meme:FOS::JUN") == ("a@b.meme:FOS::JUN", None)


def test_an_output_is_an_index_a_key_or_a_path_of_these():
    assert target("2") == 2
    assert target("2,62") == (2, 62)
    assert target("profile_counts") == "profile_counts"
    assert target("counts,0") == ("counts", 0)


def test_structures_are_hairpins_or_dot_brackets():
    assert structure("1,2,3") == Hairpin(1, 2, 3)
    assert structure(".((...)).") == ".((...))."


def test_orders_count_from_1_and_regions_from_0():
    assert order("3,1,2") == [2, 0, 1]
    assert region("0:6") == [0, 6]
    assert region("2:0:6") == [2, 0, 6]


@pytest.mark.parametrize(
    ("read", "word", "message"),
    [
        (integers, "3;4", "'3;4' must be numbers such as"),
        (integers, "", "'' must be numbers"),
        (integers, "5:5", "its end is not part of it"),
        (integers, "0:5:0", "a step of at least 1"),
        (gaps, "3/x", "must be spacings such as"),
        (pattern, "GATA@x", "must be MOTIF@START"),
        (pattern, "@3", "must be MOTIF@START"),
        (
            structure,
            "5,11",
            "paper, released, dot-bracket, or start,stem,loop such as 5",
        ),
        (structure, "5,0,6", "`stem_length`=0 must be at least 1"),
        (order, "0,1", "numbers of motifs from 1"),
        (target, "-1", "an index from 0"),
        (target, "2,", "an index from 0"),
        (region, "5", "must be start:end"),
        (region, "-1:5", "must be start:end"),
    ],
)
def test_what_is_no_value_is_said_to_be_none(read, word, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message.replace("(", r"\(")):
        read(word)


def test_a_readout_is_named_value_by_value():
    word = "head=profile,track=1,around=0,width=20,axis=1,reduce=mean,log2=0.5"
    expected = Readout("profile", 1, None, None, 0, 20, 1, 1, "mean", 0.5)
    assert target(word) == expected
    assert target("head=1,window=3:9") == Readout(head=1, window=(3, 9))


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("track=1,tracks=2", "but has 'tracks'"),
        ("track=1,track=2", "but names one twice"),
        ("track=one", "track is 'one'"),
        ("window=3-9", "window is '3-9'"),
        ("log2=x", "log2 is 'x'"),
        ("around=0", "`around` and `width` go together"),
    ],
)
def test_a_readout_that_is_none_is_named(word, said):
    with pytest.raises(argparse.ArgumentTypeError, match=said):
        target(word)
