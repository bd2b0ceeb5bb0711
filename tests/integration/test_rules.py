"""benchmarks/rules: pairs that only the rule tells apart, and decisions that are right.

Models here know a rule exactly, so that a decision that fails is the decision's fault.
"""

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
if not (ROOT / "benchmarks").exists():  # a source distribution carries no benchmarks
    pytest.skip("there are no benchmarks here", allow_module_level=True)

MODULES = ("attributions", "decisions", "grammars", "questions", "sequences")


@pytest.fixture(scope="module")
def rules():
    """The modules of benchmarks/rules by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield SimpleNamespace(
            **{n: importlib.import_module(f"benchmarks.rules.{n}") for n in MODULES}
        )


class Known(torch.nn.Module):
    """Logit of 3 where the rule holds of the words that are there, and else of -3."""

    def __init__(self, rule, *kernels):
        super().__init__()
        self.rule, self.kernels = rule, kernels

    def forward(self, X):
        there = [
            (torch.nn.functional.conv1d(X.float(), k) > 7.5).any(dim=2)
            for k in self.kernels
        ]
        return 6 * self.rule(*there).float() - 3


def known(rules, rule, *motifs):
    codes = [rules.sequences.codes_of(motif) for motif in motifs]
    return Known(rule, *(rules.sequences.one_hot(c[None]) for c in codes))


WORDS = {
    "AND": lambda a, b: a & b,
    "OR": lambda a, b: a | b,
    "NOT": lambda a, b: a & ~b,
    "": lambda a, b: (a.float() + b.float()) / 2,
}


@pytest.mark.parametrize("truth", WORDS)
def test_what_two_words_do_is_told_by_placing_and_by_changing_letters(rules, truth):
    s = rules.sequences
    model, question = known(rules, WORDS[truth], s.A, s.B), rules.questions.Pair()
    X, draws = s.random_codes(60, np.random.default_rng(0)), [slice(0, 60)]
    assert question.answers(model, X, draws) == [truth]
    by_map = rules.attributions.dependency_map(model, question, X)
    assert question.read_map(by_map, draws) == [truth]


@pytest.mark.parametrize("read", ["strand", "cofactor"])
def test_one_word_and_what_it_needs(rules, read):
    s, question = rules.sequences, rules.questions.QUESTIONS[read]
    only, needs = known(rules, lambda a: a, s.A), known(rules, WORDS["AND"], s.A, s.C)
    both = known(rules, WORDS["OR"], s.A, s.minus(s.A))
    X = question.backgrounds(200, 200, np.random.default_rng(0))
    draws = [slice(0, 200)]
    right, wrong = (only, both) if read == "strand" else (needs, only)
    truth = {"strand": "forward", "cofactor": "C"}[read]
    for model, told in ((right, truth), (wrong, "")):
        assert question.answers(model, X, draws) == [told]
        mutated = rules.attributions.mutagenesis(model, question, X)
        assert question.read(mutated, draws) == [told]


def test_both_members_of_a_pair_have_the_label_of_their_side(rules):
    s, n, rng = rules.sequences, 40, np.random.default_rng(0)
    hits = {
        name: [
            [s.codes_of(s.A).tobytes() in x.tobytes() for x in side]
            for side in rule.pairs(n, rng)
        ]
        for name, rule in {r.name: r for r in rules.grammars.RULES}.items()
    }
    for name in ("order", "spacing, hard"):
        assert all(hits[name][0])
        assert all(hits[name][1])
    # Half of the pairs of these ask whether A is needed.
    for name in ("position", "GC context", "hairpin", "cofactor"):
        assert all(hits[name][0])
        assert sum(hits[name][1]) == n // 2
    assert all(hits["strand"][0])
    assert not any(hits["strand"][1])


def test_two_motifs_of_training_stand_in_every_place_where_one_is_asked_for(rules):
    s = rules.sequences
    starts = np.stack(s.two_places(20_000, np.random.default_rng(0)))
    assert set(starts.ravel()) == set(range(8, s.LENGTH - 15))
    assert np.abs(starts[0] - starts[1]).min() == 2 * s.K
    assert abs((starts[0] < starts[1]).mean() - 0.5) < 0.02


def test_pairs_of_the_hairpin_have_the_same_letters_and_one_folds(rules):
    rule = next(r for r in rules.grammars.RULES if r.name == "hairpin")
    sides = [side[::2] for side in rule.pairs(80, np.random.default_rng(0))]
    for folded, loose in zip(*sides, strict=True):
        assert sorted(folded) == sorted(loose)
        width = 2 * rules.grammars.STEM + rules.grammars.LOOP
        stems = [
            (x[i : i + 8] + x[i + width - 8 : i + width][::-1] == 3).all()
            for x in (folded,)
            for i in range(41 - width + 1)
        ]
        assert any(stems)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (lambda g: g == 7, "hard 7"),
        (lambda g: (g >= 4) & (g <= 12), "soft"),
        (lambda g: np.cos(2 * np.pi * (g - 5) / 10.5) > 0, "helical"),
        (lambda g: g < 0, ""),
    ],
)
def test_a_curve_of_one_spacing_for_each_sequence_is_read(rules, shape, told):
    rng = np.random.default_rng(0)
    gap = rng.integers(31, size=1000)
    values = 6.0 * shape(gap) + rng.normal(0, 1, 1000)
    assert rules.questions.read_curve(values, gap) == told


def test_an_answer_is_the_one_of_which_all_claims_hold(rules):
    d = rules.decisions
    sure, nothing = np.linspace(1, 2, 20), np.linspace(-1, 1, 20)
    yes, no = d.Claim(sure), d.Claim(nothing)
    assert d.answer({"a": [yes, yes], "b": [yes, no]}) == "a"
    assert d.answer({"a": [yes], "b": [yes]}) == ""
    assert d.answer({"a": [d.Claim(sure[:2])]}) == ""


@pytest.mark.slow
def test_one_rule_from_training_to_its_figure(rules, tmp_path):
    main = importlib.import_module("benchmarks.rules.__main__").main
    words = ["--rule", "strand", "--quick", "--seeds", "1"]
    table = main([*words, "--cache", str(tmp_path), "--out", str(tmp_path)])
    assert list(table["method"]) == [
        "GIA",
        "DeepLIFT/SHAP, seqlets",
        "in silico mutagenesis",
    ]
    assert (table["draws"] == 8).all()
    assert (tmp_path / "rules.png").stat().st_size > 0
    assert len((tmp_path / "rules.tsv").read_text().splitlines()) == 4
