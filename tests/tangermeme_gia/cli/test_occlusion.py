import pandas as pd
import pytest

import tangermeme_gia as gia


def occlude(model, X, regions, function=gia.occlusion, **keywords):
    result = function(model, X, regions, random_state=0, **keywords)
    return result.average("draw").to_frame()


def test_occlusion_replaces_windows_of_observed_sequences(
    toy, table, observed, model, assert_same
):
    X, _ = observed
    command = ["occlusion", *toy, "--sequences", "observed.npz"]
    shown = table(*command, "--windows", "0:6", "5:24", "--n", "4")
    assert_same(shown, occlude(model, X, [(0, 6), (5, 24)], n=4))
    again = table(*command, "--windows", "0:6", "5:24", "--n", "4", "--save", "x.gia")
    assert again.equals(shown)
    assert_same(shown, gia.load("x.gia").to_frame())
    command += ["--save-to", "raw"]
    assert_same(table(*command, "--windows", "0:6", "5:24", "--n", "4"), shown)
    raw = gia.load("raw")
    assert len(raw.conditions) == 8
    assert_same(shown, raw.average("draw").to_frame())
    command = command[:-2]
    tiles = [(start, start + 7) for start in (0, 7, 14, 17)]
    assert_same(table(*command, "--width", "7"), occlude(model, X, tiles))
    steps = [(start, start + 20) for start in (0, 2, 4)]
    assert_same(table(*command, "--width", 20, "--step", 2), occlude(model, X, steps))
    shown = table(*command, "--windows", "0:24", "--background", "dinucleotide")
    assert_same(shown, occlude(model, X, [(0, 24)], background="dinucleotide"))
    quartile = gia.backgrounds.profile_background(X, 1000, 0)
    shown = table(*command, "--windows", "0:6", "--background", "profile")
    assert_same(shown, occlude(model, X, [(0, 6)], background=quartile))
    shown = table(*command, "--windows", "0:6", "--background", "observed")
    assert_same(shown, occlude(model, X, [(0, 6)], background=X))


def test_occlusion_of_annotations_is_of_single_sequences(
    toy, table, observed, here, model, assert_same
):
    X, _ = observed
    command = ["occlusion", *toy, "--sequences", "observed.npz", "--n", "3"]
    command += ["--annotations", "2:0:6", "0:5:9", "--local", "local.tsv"]
    regions = [[2, 0, 6], [0, 5, 9]]
    expected = occlude(model, X, regions, gia.occlusion_annotations, n=3)
    assert_same(table(*command), expected)
    local = pd.read_csv(here / "local.tsv", sep="\t")
    assert local["annotation"].tolist() == [0, 1]
    assert local["local_importance"].mean() == pytest.approx(
        expected["effect"][0], rel=1e-4
    )


@pytest.mark.parametrize(
    "words", ["--annotations 2:0:6", "--windows 0:6 --local local.tsv"]
)
def test_a_copy_does_not_shift_the_numbers_of_the_others(toy, here, failure, words):
    """With the second left out, number 2 would be another sequence, or none."""
    text = "".join(f">{i}\n{6 * 'ACGT'}\n" for i in range(2))
    (here / "x.fa").write_text(f"{text}>2\n{6 * 'GGCA'}\n")
    message = failure("occlusion", *toy, "--sequences", "x.fa", *words.split())
    assert "1 copies of others are left out; see --keep-copies" in message


@pytest.mark.parametrize(
    "regions", ["--windows 0:6 6:12", "--width 4", "--annotations 0:0:6"]
)
def test_occlusion_is_drawn(toy, table, observed, here, regions):
    command = ["occlusion", *toy, "--sequences", "observed.npz", *regions.split()]
    table(*command, "--plot", "regions.svg")
    assert (here / "regions.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--windows 0:6", "give `--sequences`"),
        ("--sequences observed.npz", "one of the arguments --windows --annotations"),
        ("--sequences observed.npz --windows 1:0:6", "1:0:6; START:END is needed"),
        ("--sequences observed.npz --annotations 0:6", "0:6; SEQ:START:END is"),
        ("--sequences observed.npz --windows 6:3", "the region 6 to 3"),
        ("--sequences observed.npz --windows 0:6 --step 2", "goes with `--width`"),
        ("--sequences observed.npz --width 0", "`--width`=0 must be at least 1"),
        ("--sequences observed.npz --width 25", "but the sequences have 24 bases"),
        ("--sequences observed.npz --width 2 --width 3", "--width is given twice"),
        ("--sequences observed.npz --width 2 --n 0", "`n`=0"),
        (
            "--sequences observed.npz --width 6 --background observed --n 41",
            "has 40 sequences, fewer than the `n`=41",
        ),
    ],
)
def test_bad_regions_are_one_line(toy, observed, failure, words, message):
    assert message in failure("occlusion", *toy, *words.split())
