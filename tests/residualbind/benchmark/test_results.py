import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from residualbind.benchmark.figures import draw_methods, draw_pair
from residualbind.benchmark.results import write_results
from residualbind.benchmark.scores import read_published, scores_of, summary_of
from tangermeme_gia.sweep.ledger import Ledger
from tangermeme_gia.sweep.tasks import Task

mpl.use("agg")
METHODS = {"a": 0.6, "b": 0.5}


def write(folder, n=7, methods=METHODS, seeds=(0, 1), failed=()):
    """A sweep of fits whose scores are known."""
    fits = [(i, m, s) for i in range(n) for m in methods for s in seeds]
    tasks = [
        Task(
            f"e{i} / {m} / {s}", "m:f", {"words": [m, s, i]}, f"P{i}", {"row": f"e{i}"}
        )
        for i, m, s in fits
    ]
    with Ledger(folder) as ledger:
        ledger.ask(tasks)
        for task, (i, method, seed) in zip(tasks, fits, strict=True):
            if (i, method) in failed:
                ledger.note(task.name, "failed", error="why")
                continue
            pearson = methods[method] + 0.01 * i + 0.001 * seed
            headline = {"method": method, "random_state": seed, "pearson": pearson}
            headline |= {"epochs": 3, "seconds": 2.0, "trials": 0, "parameters": 10}
            ledger.note(task.name, "finished", headline=headline)
    return folder


def entries(folder):
    with Ledger(folder) as ledger:
        return ledger.tasks


def test_a_row_for_each_fit(tmp_path):
    scores = scores_of(entries(write(tmp_path, failed={(2, "b")})))
    assert len(scores) == 26
    row = scores[(scores["experiment"] == "e3") & (scores["method"] == "b")].iloc[1]
    assert row["seed"] == 1
    assert row["group"] == "P3"
    assert row["pearson"] == pytest.approx(0.531)


def test_the_summary_averages_seeds_and_says_the_budget(tmp_path):
    summary = summary_of(scores_of(entries(write(tmp_path))))
    assert summary["method"].tolist() == ["a", "b"]
    assert summary["median_pearson"].tolist() == pytest.approx([0.6305, 0.5305])
    assert summary["seeds"].tolist() == [2, 2]
    assert summary["n_experiments"].tolist() == [7, 7]


def test_tables_and_figures_are_written(tmp_path):
    section = write_results(write(tmp_path))
    assert {*section.tables} == {"scores", "methods", "comparisons"}
    files = {p.name for p in (tmp_path / "benchmark/figures").iterdir()}
    assert files == {
        f"{n}.{e}" for n in ("methods", "a_against_b") for e in ("png", "svg")
    }
    comparison = pd.read_table(tmp_path / "benchmark/tables/comparisons.tsv").iloc[0]
    assert comparison["a_better"] == 7
    assert comparison["p_holm"] == pytest.approx(2 / 2**7)
    assert "Holm" in section.method


def test_below_six_proteins_there_are_differences_and_no_tests(tmp_path):
    section = write_results(write(tmp_path, n=5))
    comparison = section.tables["comparisons"].iloc[0]
    assert np.isnan(comparison["p"])
    assert comparison["median_difference"] == pytest.approx(0.1)
    assert "no tests: 5 proteins" in section.method


def test_published_scores_stand_beside(tmp_path):
    (tmp_path / "p.tsv").write_text("experiment\tThermoNet\nRNC\t0.7\ne1\t0.65\n")
    section = write_results(write(tmp_path), tmp_path / "p.tsv")
    table = section.tables["published"].set_index("experiment")
    assert table.loc["e1", "published ThermoNet"] == pytest.approx(0.65)
    assert table["published ThermoNet"].isna().sum() == 6
    assert table.loc["e1", "a"] == pytest.approx(0.6105)


def test_published_scores_are_not_rounded_and_none_is_lost_silently(tmp_path, caplog):
    (tmp_path / "p.tsv").write_text("experiment\tThermoNet\ne1\t0.6\nother\t0.7\n")
    write(tmp_path)
    with caplog.at_level("INFO", logger="residualbind"):
        write_results(tmp_path, tmp_path / "p.tsv")
    assert "beside 1 of 7 experiments; 1 of the published are not" in caplog.text
    text = (tmp_path / "benchmark/tables/published.tsv").read_text()
    assert "\t0.6\n" in text


def test_a_published_experiment_has_one_row(tmp_path):
    (tmp_path / "p.tsv").write_text("experiment\tA\ne1\t0.6\ne2\t1\ne1\t0.7\n")
    with pytest.raises(ValueError, match=r"line 4: experiment 'e1' stands in .*line 2"):
        read_published(tmp_path / "p.tsv")


def test_published_scores_need_their_experiments(tmp_path):
    (tmp_path / "p.tsv").write_text("name\tThermoNet\nRNC\t0.7\n")
    with pytest.raises(
        ValueError, match=r"`--published`: .* has no column 'experiment'"
    ):
        read_published(tmp_path / "p.tsv")


def test_nothing_finished_is_nothing_to_say(tmp_path):
    section = write_results(write(tmp_path, n=1, failed={(0, "a"), (0, "b")}))
    assert section.figures == []
    assert section.tables["methods"].empty


def test_figure_1a_has_a_point_for_each_experiment(tmp_path):
    scores = scores_of(entries(write(tmp_path)))
    ax = draw_methods(scores)
    points = np.concatenate([c.get_offsets() for c in ax.collections[1::2]])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b"]
    shown = sorted(
        y
        for c in ax.collections
        if len(c.get_offsets()) == 7
        for _, y in c.get_offsets()
    )
    means = sorted(scores.groupby(["method", "experiment"])["pearson"].mean())
    np.testing.assert_allclose(shown, means)
    assert len(points) >= 7


def test_two_methods_against_each_other(tmp_path):
    scores = scores_of(entries(write(tmp_path)))
    ax = draw_pair(scores, "a", "b")
    x, y = np.asarray(ax.collections[0].get_offsets()).T
    np.testing.assert_allclose(x - y, 0.1)
    with pytest.raises(ValueError, match="share no experiment"):
        draw_pair(scores, "a", "c")
