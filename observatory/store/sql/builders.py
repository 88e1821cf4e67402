"""Statements built from names, which come from the catalogue and this package only; values are bound parameters."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from observatory.store.sql.literals import file_literal, literal


def quoted(names: Iterable[str]) -> list[str]:
    """Identifiers in double quotes."""
    return ['"' + name.replace('"', '""') + '"' for name in names]


def add_column(table: str, column: str) -> str:
    """Give a table that is there a column of numbers."""
    return f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {_numbers(table, [column])[0]}"


def with_columns(script: str, columns: Mapping[str, Sequence[str]]) -> str:
    """A script that makes tables, with their columns of numbers where it has ``/* numbers of TABLE */``."""
    for table, names in columns.items():
        wanted = "".join(f",\n    {column}" for column in _numbers(table, names))
        script = script.replace(f" /* numbers of {table} */", wanted)
    return script


def _numbers(table: str, names: Iterable[str]) -> list[str]:
    """Nullable columns; seven digits are enough for a summary, and take half the space."""
    kind = "FLOAT" if table.startswith("rollup_") else "DOUBLE"
    return [f"{name} {kind}" for name in quoted(names)]


def drop_table(name: str) -> str:
    """Forget a batch."""
    return f"DROP TABLE IF EXISTS {quoted([name])[0]}"


def view_of_file(name: str, file: Path) -> str:
    """Read a Parquet file as a table, for this session."""
    return f"CREATE OR REPLACE TEMP VIEW {quoted([name])[0]} AS FROM read_parquet({file_literal(file)})"


def copy_to_file(name: str, file: Path) -> str:
    """A table into a Parquet file that is read soon and once."""
    return f"COPY (FROM {quoted([name])[0]}) TO {literal(str(file))} (FORMAT parquet, COMPRESSION uncompressed)"


def drop_view(name: str) -> str:
    """Forget a file that was a table."""
    return f"DROP VIEW IF EXISTS {quoted([name])[0]}"


def copy_rows(table: str, target: str) -> str:
    """All rows of a table into another of the same columns."""
    return f"INSERT INTO {target} BY NAME SELECT * FROM {table}"


def count_rows(table: str) -> str:
    """Number of rows."""
    return f"SELECT count(*) AS row_count FROM {table}"


def table_facts(table: str) -> str:
    """Number of rows, and a sum over their hashes; every value is read."""
    return f"""
SELECT count(*) AS row_count, CAST(coalesce(sum(CAST(hash(t) AS HUGEINT)), 0) AS VARCHAR) AS checksum FROM {table} AS t
"""


def duplicates(table: str, keys: Iterable[str]) -> str:
    """Number of keys that are there more than once."""
    return f"SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY {', '.join(keys)} HAVING count(*) > 1)"


def merge(
    table: str,
    batch: str,
    keys: Sequence[str],
    values: Sequence[str],
    computed: Mapping[str, str],
    *,
    keep_known: bool = False,
) -> str:
    """Upsert of the rows of `batch` into `table`; `keep_known`: a NULL never replaces a value.

    `computed` are columns of a new row that follow from those of the batch, as expressions of a table ``b``.
    """
    k, v = quoted(keys), quoted(values)
    new = "coalesce(b.{0}, t.{0})" if keep_known else "b.{0}"
    matched = f"WHEN MATCHED THEN UPDATE SET {', '.join(f'{c} = {new.format(c)}' for c in v)}" if v else ""
    columns, expressions = _inserted([*k, *v], computed)
    return f"""
MERGE INTO {table} AS t USING {batch} AS b ON {" AND ".join(f"t.{c} = b.{c}" for c in k)}
{matched}
WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({expressions})
"""


def insert(table: str, batch: str, columns: Sequence[str], computed: Mapping[str, str]) -> str:
    """All rows of `batch` into `table`, which has none of them yet; `computed` as in `merge`."""
    names, expressions = _inserted(quoted(columns), computed)
    return f"INSERT INTO {table} ({names}) SELECT {expressions} FROM {batch} AS b"


def delete_row(table: str, keys: Sequence[str]) -> str:
    """The row with keys that are bound by their names, if there is one."""
    return (
        f"DELETE FROM {table} WHERE {' AND '.join(f'{c} = ${key}' for c, key in zip(quoted(keys), keys, strict=True))}"
    )


def insert_row(table: str, columns: Sequence[str]) -> str:
    """A row whose values are bound by the names of its columns."""
    return f"INSERT INTO {table} ({', '.join(quoted(columns))}) VALUES ({', '.join(f'${name}' for name in columns)})"


def are_new(table: str, batch: str, keys: Sequence[str]) -> str:
    """Whether `table` has no row of `batch`, looking at timestamps from `?` to `?` only."""
    there = (
        f"FROM {table} AS t SEMI JOIN {batch} AS b USING ({', '.join(quoted(keys))}) WHERE timestamp BETWEEN ? AND ?"
    )
    return f"SELECT NOT EXISTS ({there})"


def _inserted(columns: list[str], computed: Mapping[str, str]) -> tuple[str, str]:
    """Columns of a new row, and what they get from a batch ``b``."""
    return ", ".join([*columns, *computed]), ", ".join([*(f"b.{c}" for c in columns), *computed.values()])
