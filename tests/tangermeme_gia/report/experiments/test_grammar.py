"""A report on several motifs: planted rules come back, and none is invented."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
from tangermeme.utils import one_hot_encode

import tangermeme_gia as gia
from tangermeme_gia.report import ReportOptions, load_results, run_report
from tangermeme_gia.report.experiments.grammar import compute, describe, obstacle
from tangermeme_gia.report.figures import save_figures
from tangermeme_gia.report.foremost import MOST_MOTIFS, foremost_motifs
from tangermeme_gia.report.one_output import OneOutput
from tangermeme_gia.statistics import Grammar

from ..conftest import Counter, inputs_of
from ..conftest import results_of as results_of_part

# Of which no two make a third where they meet.
MOTIFS = {"MA1 first": "CACAG", "MA2 weak": "CCUUC", "MA3 other": "GGUCC"}
OPTIONS = ReportOptions(
    n=60,
    n_scan=40,
    motifs=MOTIFS,
    experiments=("grammar",),
    backgrounds=("profile",),
)


class Paired(torch.nn.Module):
    """2 for each CACAG, 1 for each GGUCC, 4 more for these 2 or 3 bases apart."""

    def __init__(self, bonus=4.0):
        super().__init__()
        words = torch.stack([one_hot_encode(w).float() for w in ("CACAG", "GGTCC")])
        self.words, self.bonus = torch.nn.Parameter(words), bonus

    def forward(self, X):
        hits = torch.nn.functional.conv1d(X.float(), self.words)
        first, other = torch.relu(hits - 4).unbind(dim=1)
        near = sum((first[:, : -5 - s] * other[:, 5 + s :]).sum(1) for s in (2, 3))
        return (2 * first.sum(1) + other.sum(1) + self.bonus * near)[:, None]


class Bent(torch.nn.Module):
    """Letters of both add up, and `bonus` of both near each other, before a readout."""

    def __init__(self, readout=torch.exp, bonus=0.0):
        super().__init__()
        self.paired, self.readout, self.bonus = Paired(bonus=1.0), readout, bonus

    def forward(self, X):
        words = self.paired.words
        hits = torch.nn.functional.conv1d(X.float(), words).relu().pow(2)
        both = self.paired(X)[:, 0] - Paired(bonus=0.0)(X)[:, 0]
        total = hits.sum(dim=(1, 2)) / 16 + self.bonus * both - 6
        return self.readout(total)[:, None]


def sections(model, folder, options=OPTIONS):
    run = run_report(inputs_of(model), folder, options)
    return {section.name: section for section in run}


def study_of(options, model=None, folder=None, **changes):
    """A study whose given motifs are measured."""
    model = model or Paired()
    study, found = results_of_part("motifs", model, folder, options, **changes)
    study.finished["motifs"] = found
    return study


def test_the_planted_rule_is_found_and_said_first(tmp_path, quick):
    section = sections(Paired(), tmp_path)["grammar"]
    table = section.tables["grammar"]
    assert len(table) == 6
    assert table["class"].tolist() == ["hard"] + 5 * ["none"]
    best = table.iloc[0]
    assert (best["a"], best["b"]) == ("MA1 first", "MA3 other")
    assert best["depends_on"] == "order"
    assert best["effect"] == pytest.approx(4)
    assert section.sentence == (
        "MA1 first and MA3 other act together with other 2–3 bases behind first: 4 "
        "more than the sum of each alone, less than half as much at other spacings (a "
        "hard rule). Whether MA1 first and MA3 other interact, or the output only "
        "bends, cannot be told here."
    )
    # Four more is beyond all that a third site adds to either.
    graded = section.figures[-1]
    assert graded.name == "grammar_graded"
    assert "above all other cells: the interaction may be at least" in graded.reading
    assert section.headline["pair_verdict"] == "not identifiable"
    page = (tmp_path / "index.html").read_text()
    verdict = page.split('<p class="verdict">')[1].split("</p>")[0]
    assert section.sentence in verdict
    assert "1 of 6 pairs confirmed (framed): 1 hard" in section.figures[0].reading
    assert section.headline["pair"] == "first and other"
    assert "<polyline" in section.thumbnail
    placements = pd.read_csv(tmp_path / "tables" / "grammar_placements.tsv", sep="\t")
    stands = placements[placements["significant"] & placements["spacing"].notna()]
    assert stands["spacing"].tolist() == [2, 3]
    assert set(stands["order"]) == {"1,2"}


def test_a_pair_that_only_the_readout_joins_is_said_to_be_explained(tmp_path, quick):
    section = sections(Bent(), tmp_path)["grammar"]
    assert section.headline["pair_interaction_low"] > 0
    assert section.headline["pair_verdict"] == "explained by saturation"
    assert section.sentence.endswith(
        " do other than their sum is explained by the output's own bend, such as "
        "saturation: on the scale on which a further site adds up, they do."
    )
    page = (tmp_path / "index.html").read_text()
    assert "beyond the output" in page


def test_a_pair_that_no_bend_explains_is_said_to_interact(tmp_path, quick):
    section = sections(Bent(lambda x: x, bonus=0.7), tmp_path)["grammar"]
    assert section.sentence.endswith(
        " What MA1 first and MA3 other do other than their sum is an interaction: no "
        "saturation of the output explains it."
    )
    assert section.headline["pair_verdict"] == "survives"
    assert section.headline["pair_latent_low"] > 0
    assert len(section.tables["grammar_graded"]) == 100


def test_what_was_asked_and_what_was_not_is_said(tmp_path, quick):
    method = sections(Paired(), tmp_path)["grammar"].method
    assert "All given motifs, every pair of them" in method
    assert "with 0 to 31 bases between them" in method
    assert "Wider spacings than 31 have no room in these sequences." in method
    assert "Up to 30 backgrounds find, 30 others measure" in method
    assert "both strands" not in method  # of RNA
    assert "Left out" not in method


def test_two_that_add_up_say_so(tmp_path, quick):
    section = sections(Paired(bonus=0), tmp_path)["grammar"]
    assert section.sentence == (
        "No two of three motifs were seen to do other than the sum of both, 0 to 31 "
        "bases apart."
    )
    assert section.figures[0].reading.startswith("None of 6 pairs was confirmed")
    assert len(section.figures) == 1
    assert not section.headline


def test_a_grammar_is_kept_and_used_again(tmp_path, quick):
    model = Counter(Paired())
    first = sections(model, tmp_path)["grammar"]
    kept = load_results(tmp_path)["grammar"]["grammar"]
    assert isinstance(kept, Grammar)
    assert [*kept.motifs] == [*MOTIFS]
    assert kept.interactions.local_importance.shape[0] == 30
    assert kept.n_asked < model.seen
    model.reset()
    again = sections(model, tmp_path)["grammar"]
    assert model.seen < 100  # to know the model again
    pd.testing.assert_frame_equal(again.tables["grammar"], first.tables["grammar"])
    kept.save(tmp_path / "alone")
    assert repr(gia.load(tmp_path / "alone")) == repr(kept)


def test_the_output_that_was_chosen_is_named(tmp_path, quick):
    class Two(Paired):
        def forward(self, X):
            y = super().forward(X)
            return torch.cat([0 * y, y], dim=1)

    inputs = replace(inputs_of(Paired()), model=OneOutput(Two(), target=1))
    run_report(inputs, tmp_path, OPTIONS)
    kept = load_results(tmp_path)["grammar"]["grammar"]
    assert kept.interactions.outputs == [1]
    table = pd.read_csv(tmp_path / "tables" / "grammar.tsv", sep="\t")
    assert set(table["output"]) == {1}


def test_pictures_are_drawn_of_the_pairs_that_stand(tmp_path):
    study = study_of(OPTIONS, folder=tmp_path)
    results = compute(study)
    section = describe(study, results)
    names = [figure.name for figure in section.figures]
    assert names == ["grammar_pairs", "grammar_network", "grammar_1", "grammar_graded"]
    save_figures(section, tmp_path / "figures", "score")
    for name in names:
        assert (tmp_path / "figures" / f"{name}.svg").stat().st_size > 1000
    two = replace(OPTIONS, motifs={k: MOTIFS[k] for k in ("MA1 first", "MA3 other")})
    study = study_of(two)
    names = [figure.name for figure in describe(study, compute(study)).figures]
    # Two are no network.
    assert names == ["grammar_pairs", "grammar_1", "grammar_graded"]


class TestManyMotifs:
    """Of more than five, the strongest of those that are not alike."""

    @pytest.fixture
    def motifs(self):
        return {
            "long": "GAC" * 8,
            "none": "AUAU",
            "first": "CACAGACUUAGG",
            "twin": "CACAGACUUAGA",
            "CUC": "CUCUUCCA",
            "UUU": "UUUCAGAU",
            "CGC": "ACGCGUCA",
            "other": "GGUCCUUUUGGA",
        }

    @pytest.fixture
    def study(self, motifs):
        return study_of(replace(OPTIONS, motifs=motifs))

    def test_clear_effects_come_first_and_twins_are_one(self, study, motifs):
        chosen = foremost_motifs(study, 41)
        assert len(chosen.names) == MOST_MOTIFS
        assert {"first", "other"} <= {*chosen.names[:2]} | {"twin"}
        assert len({"first", "twin"} & {*chosen.names}) == 1
        assert chosen.left_out["no room for two"] == ["long"]
        (twin,) = chosen.left_out["similar to one of these"]
        assert twin in {"first", "twin"}
        kept = sum(map(len, chosen.left_out.values())) + len(chosen.names)
        assert kept == len(motifs)

    def test_the_page_says_what_is_left_out(self, study):
        section = describe(study, compute(study))
        assert section.method.startswith("5 of 8 given motifs, every pair")
        assert "long (no room for two)" in section.method
        assert "(similar to one of these)" in section.method
        assert "(smaller effects)" in section.method
        assert "in every order, with 0 to 17 bases between them" in section.method


def test_strides_leave_room_for_as_many_starts():
    class Pooled(Paired):
        def __init__(self):
            super().__init__()
            self.pool = torch.nn.MaxPool1d(10)

    study = study_of(OPTIONS, Pooled())
    assert compute(study)["grammar"].found["spacing"].max() == 31 + 1 - 10


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"motifs": {"one": "GAC"}}, "two given motifs are needed"),
        ({"n": 7}, "8 independent backgrounds are needed"),
        (
            {"motifs": {"a": "GAC" * 7, "b": "GAC"}},
            "given motifs have no room beside each other",
        ),
        ({"start": 36}, "given motifs have no room beside each other"),
    ],
)
def test_why_it_cannot_be_done_is_said(changes, reason):
    assert obstacle(study_of(replace(OPTIONS, **changes))) == reason


def test_one_motif_is_no_pair(tmp_path, quick):
    options = ReportOptions(
        n=4, n_scan=2, motif="GAC", experiments=("grammar",), backgrounds=("profile",)
    )
    assert "grammar" not in sections(Paired(), tmp_path, options)
    assert [*load_results(tmp_path)] == ["motif"]
    assert "two given motifs are needed" in (tmp_path / "index.html").read_text()
