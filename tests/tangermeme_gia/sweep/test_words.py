import pytest

from tangermeme_gia._core.command_line import Parser
from tangermeme_gia.sweep.words import check, given_by, joined, options_of, split


@pytest.fixture
def parser():
    parser = Parser(prog="toy")
    parser.add_argument("--n", type=int)
    parser.add_argument("--starts", nargs="+", type=int)
    parser.add_argument("--patterns", nargs="+", action="append")
    parser.add_argument("--no-reuse", action="store_true")
    parser.add_argument("--model", required=True)
    parser.add_argument("--out")
    return parser


def test_words_are_taken_apart_and_put_together_again(parser):
    words = ["--n", "-3", "--patterns", "A@1", "C@2", "--patterns", "G", "--no-reuse"]
    assert joined(split(words, parser)) == words
    assert split(["--n=5", "--start", "1", "2"], parser) == {
        "n": [["5"]],
        "starts": [["1", "2"]],
    }


def test_a_word_of_no_option_is_refused(parser):
    with pytest.raises(ValueError, match="'5' belongs to no option"):
        split(["5"], parser)


@pytest.mark.parametrize(
    ("name", "cell", "times"),
    [
        ("n", "5", [["5"]]),
        ("model", "my file.py:net", [["my file.py:net"]]),
        ("starts", "3 10 17", [["3", "10", "17"]]),
        ("patterns", "A@1 C@2; G", [["A@1", "C@2"], ["G"]]),
        ("no-reuse", "yes", [[]]),
        ("no-reuse", "No", []),
    ],
)
def test_a_cell_gives_what_the_option_takes(parser, name, cell, times):
    assert given_by(name, cell, options_of(parser)[name]) == {name: times}


def test_a_switch_is_yes_or_no(parser):
    with pytest.raises(ValueError, match="`no-reuse`='maybe' must be yes or no"):
        given_by("no-reuse", "maybe", options_of(parser)["no-reuse"])


def test_an_open_quote_is_refused(parser):
    with pytest.raises(ValueError, match="cannot be read"):
        given_by("starts", "'3 4", options_of(parser)["starts"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--n", "x", "--model", "m"], "argument --n: invalid int value: 'x'"),
        (["--n", "5"], "required: --model"),
        (["--model", "m", "--nn", "5"], "there is no option --nn"),
        (["stray", "--model", "m"], "unrecognized arguments: stray"),
    ],
)
def test_what_a_command_would_not_take_is_said_before(parser, words, message):
    with pytest.raises(ValueError, match=message):
        check(parser, words, ("out",))
