"""The command `grammar`: tables and pictures of pairs of motifs."""

import pandas as pd
import pytest

import tangermeme_gia as gia

WORDS = ["grammar", "--motifs", "UAAUUA", "GCAUG", "--spacings", "0:3", "--n", "16"]


@pytest.mark.filterwarnings("ignore::tangermeme_gia.statistics.FewEffectsWarning")
def test_tables_and_the_picture_are_written(here, table):
    files = ["--pairs", "p.tsv", "--profiles", "q.tsv", "--triples", "t.tsv"]
    files += ["--plot", "g.svg", "--save", "g.gia"]
    frame = table(*WORDS, *files)
    assert {"a", "b", "order", "spacing", "effect", "low", "high", "q"} <= set(frame)
    pairs = pd.read_csv("p.tsv", sep="\t")
    assert pairs["a"].tolist() == ["UAAUUA", "UAAUUA", "GCAUG"]
    assert pairs["b"].tolist() == ["UAAUUA", "GCAUG", "GCAUG"]
    assert set(pairs["class"]) <= {"none", "soft", "hard", "helical"}
    assert {"class", "peak", "period"} <= set(pd.read_csv("q.tsv", sep="\t"))
    assert {"a", "b", "c", "effect"} <= set(pd.read_csv("t.tsv", sep="\t"))
    assert (here / "g.svg").read_text().startswith("<?xml")
    kept = gia.load("g.gia")
    assert isinstance(kept, gia.statistics.Grammar)
    pd.testing.assert_frame_equal(kept.pairs[["a", "b"]], pairs[["a", "b"]])
    assert len(kept.to_frame()) == len(frame)
    assert [*kept.motifs] == ["UAAUUA", "GCAUG"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--start 30", "`X` has length 41"),
        ("--orders 1,1", "`orders` holds"),
        ("--alpha 2", "`alpha`=2"),
        ("--pairs a --profiles a", "`--pairs` and `--profiles` are the same"),
    ],
)
def test_what_cannot_be_asked_is_one_line(here, failure, words, message):
    assert message in failure(*WORDS, *words.split())
    assert not list(here.iterdir())


@pytest.mark.filterwarnings("ignore::tangermeme_gia.statistics.FewEffectsWarning")
def test_verdicts_on_confirmed_pairs_are_those_of_the_confirming_half(here, table):
    words = [*WORDS[:-2], "--n", "60", "--saturation", "s.tsv", "--save", "g.gia"]
    table(*words)
    shown = pd.read_csv("s.tsv", sep="\t")
    grammar = gia.load("g.gia")
    assert len(shown) == len(grammar.confirmed) > 0
    model, profile = gia_model()
    X = gia.backgrounds.profile_background(profile, 60, 0)
    rows = gia.confirming_rows(60, random_state=0)
    expected = gia.latent_pairs(model, X[rows], grammar, random_state=0)
    pd.testing.assert_frame_equal(shown, expected, check_dtype=False, atol=1e-3)


def gia_model():
    """The model and the profile that commands take by default."""
    from residualbind import load_pretrained, load_profile

    return load_pretrained("A1CF"), load_profile("A1CF")
