import pandas as pd
import pytest

from tangermeme_gia.sweep.dataset import write_dataset

pytest.importorskip("pyarrow")


@pytest.fixture
def written(tmp_path):
    """The tables of tasks as files, and what is put together of them."""

    def write(tables, ending=".parquet", **entries):
        tasks = {}
        for task, own in tables.items():
            tasks[task] = {"state": "finished", "folder": task, "group": "g"}
            tasks[task] |= entries.get(task, {})
            folder = tmp_path / "tasks" / task / "tables"
            folder.mkdir(parents=True)
            for name, table in own.items():
                if ending == ".parquet":
                    table.to_parquet(folder / f"{name}.parquet")
                else:
                    table.to_csv(folder / f"{name}.tsv", sep="\t", index=False)
        paths = write_dataset(tmp_path, tasks)
        return {path.stem: pd.read_parquet(path) for path in paths}

    return write


@pytest.mark.parametrize("ending", [".parquet", ".tsv"])
def test_tables_of_one_name_are_one_with_what_is_known_of_the_task(written, ending):
    sites = pd.DataFrame({"n_sites": [1, 2], "effect": [0.5, 0.25]})
    found = written(
        {"a": {"sites": sites}, "b": {"sites": sites * 2, "gc": sites}},
        ending,
        b={"labels": {"protein": "P"}},
    )
    assert list(found) == ["gc", "sites"]
    table = found["sites"]
    assert table["task"].tolist() == ["a", "a", "b", "b"]
    assert table["effect"].tolist() == [0.5, 0.25, 1.0, 0.5]
    assert table["n_sites"].tolist() == [1, 2, 2, 4]
    assert table["protein"].isna().tolist() == [True, True, False, False]


def test_columns_that_some_lack_are_missing_there(written):
    one, two = pd.DataFrame({"a": [1]}), pd.DataFrame({"b": ["x"], "a": [0.5]})
    table = written({"t": {"x": one}, "u": {"x": two}})["x"]
    assert table["a"].tolist() == [1.0, 0.5]
    assert table["b"].isna().tolist() == [True, False]


def test_kinds_that_do_not_go_together_are_text(written):
    one, two = pd.DataFrame({"start": [1]}), pd.DataFrame({"start": ["random"]})
    table = written({"t": {"x": one}, "u": {"x": two}})["x"]
    assert table["start"].tolist() == ["1", "random"]


def test_what_has_failed_or_is_dropped_is_not_there(written):
    table = pd.DataFrame({"effect": [1.0]})
    tables = {name: {"x": table} for name in ("a", "b", "c")}
    found = written(tables, b={"state": "failed"}, c={"state": "dropped"})
    assert found["x"]["task"].tolist() == ["a"]


def test_tables_of_an_earlier_sweep_go(tmp_path, written):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "old.parquet").write_bytes(b"")
    written({"a": {"x": pd.DataFrame({"effect": [1.0]})}})
    assert [p.name for p in (tmp_path / "dataset").iterdir()] == ["x.parquet"]
