"""One table of each kind for a whole sweep, which other tools open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .ledger import FINISHED

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER, TABLES = "dataset", "tables"


def write_dataset(root: Path, tasks: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """Put the tables of finished tasks together, by their name; the files.

    A row of a table gets its `task`, `group` and labels. A table is as large as all of
    its tasks' together, but no more than one is in memory.

    Parameters
    ----------
    root: Path
        Folder of the sweep; the tables are written to `dataset`.

    tasks: mapping of str to mapping
        Entries of the ledger, by name.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        return []  # the tables of tasks are there; to put them together is an extra
    written = []
    for name, sources in sorted(_sources(root, tasks).items()):
        schema = _schema([table.schema for table in _tables(sources, pa)], pa)
        path = root / FOLDER / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        beside = path.with_name(f".{path.name}.tmp")
        with parquet.ParquetWriter(beside, schema) as writer:
            for table in _tables(sources, pa):
                writer.write_table(_as(table, schema, pa))
        beside.replace(path)
        written.append(path)
    for path in (root / FOLDER).glob("*.parquet"):
        if path not in written:  # of tasks that are not asked for any more
            path.unlink()
    return written


def _sources(
    root: Path, tasks: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[tuple[dict[str, Any], Path]]]:
    """Files of tables by their name, each with what is known of its task."""
    found: dict[str, list[tuple[dict[str, Any], Path]]] = {}
    for task, entry in tasks.items():
        if entry["state"] != FINISHED:
            continue
        folder = root / "tasks" / entry["folder"] / TABLES
        known = {"task": task, "group": entry.get("group", "")}
        known |= entry.get("labels", {})
        for path in sorted(folder.glob("*")):
            if path.suffix in (".tsv", ".parquet"):
                found.setdefault(path.stem, []).append((known, path))
    return found


def _tables(sources: list[tuple[dict[str, Any], Path]], pa: Any) -> Iterator[pa.Table]:
    for known, path in sources:
        read = pd.read_parquet if path.suffix == ".parquet" else _read_tsv
        table = read(path)
        own = {k: v for k, v in known.items() if k not in table}
        for place, (name, value) in enumerate(own.items()):
            table.insert(place, name, value)
        yield pa.Table.from_pandas(table, preserve_index=False)


def _read_tsv(path: Path) -> pd.DataFrame:
    table: pd.DataFrame = pd.read_csv(path, sep="\t")
    return table


def _schema(schemas: list[pa.Schema], pa: Any) -> pa.Schema:
    """All columns; those of kinds that do not go together are text."""
    columns: dict[str, list[pa.Schema]] = {}
    for schema in schemas:
        for field in schema.remove_metadata():
            columns.setdefault(field.name, []).append(pa.schema([field]))
    fields = []
    for name, kinds in columns.items():
        try:
            one = pa.unify_schemas(kinds, promote_options="permissive").field(0)
        except pa.ArrowTypeError:
            one = pa.field(name, pa.string())
        fields.append(one)
    return pa.schema(fields)


def _as(table: pa.Table, schema: pa.Schema, pa: Any) -> pa.Table:
    """A table with all columns of a schema, in its order; what it lacks is missing."""
    columns = [
        table[name].cast(kind)
        if name in table.column_names
        else pa.nulls(len(table), kind)
        for name, kind in zip(schema.names, schema.types, strict=True)
    ]
    return pa.table(columns, schema=schema)
