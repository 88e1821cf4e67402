"""DuckDB's extensions, from the packages that were installed: nothing is downloaded."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import duckdb

from observatory.errors import StoreExtensionError
from observatory.store.literals import literal

WHY = {
    "quack": "share a store between processes",
    "httpfs": "share a store between processes, and reach S3",
    "ducklake": "keep a store in a lake",
    "postgres_scanner": "keep a lake's catalogue in PostgreSQL",
}
EXTRA = {"ducklake": "cloudwatch-observatory[lake]", "postgres_scanner": "cloudwatch-observatory[lake]"}


def load(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Load extensions into a connection.

    Raises
    ------
    StoreExtensionError
        One is not installed for this version of DuckDB; says what to install.
    """
    for name in names:
        connection.execute(f"LOAD {literal(str(_file(name)))}")


def _file(name: str) -> Path:
    package = f"duckdb_extension_{name}"
    found = importlib.util.find_spec(package)
    if found is not None and found.origin is not None:
        path = Path(found.origin).parent / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if path.is_file():
            return path
    wanted = EXTRA.get(name, f"{package.replace('_', '-')}=={duckdb.__version__}")
    raise StoreExtensionError(
        f"DuckDB's extension {name!r} is needed to {WHY[name]}, and is not installed for DuckDB "
        f"{duckdb.__version__}: pip install '{wanted}'"
    )
