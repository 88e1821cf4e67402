"""DuckDB's extensions, from the packages that were installed: nothing is downloaded."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import duckdb

from observatory.errors import StoreExtensionError
from observatory.store.sql.literals import literal

WHY = {
    "quack": "share a store between processes",
    "httpfs": "share a store between processes",
    "ducklake": "keep a store in a lake",
    "postgres_scanner": "keep a lake's catalogue in PostgreSQL",
}
EXTRA = {"ducklake": "cloudwatch-observatory[lake]", "postgres_scanner": "cloudwatch-observatory[lake]"}


def load(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Load extensions into a connection.

    Raises
    ------
    StoreExtensionError
        Some are not installed for this version of DuckDB; says what to install.
    """
    files = {name: _file(name) for name in names}
    missing = [name for name, file in files.items() if file is None]
    if missing:
        wanted = dict.fromkeys(EXTRA.get(name, f"{_package(name, '-')}=={duckdb.__version__}") for name in missing)
        raise StoreExtensionError(
            f"DuckDB {duckdb.__version__} needs extensions that are not installed, to "
            f"{' and to '.join(dict.fromkeys(WHY[name] for name in missing))}: "
            f"pip install {' '.join(repr(package) for package in wanted)}"
        )
    for file in files.values():
        connection.execute(f"LOAD {literal(str(file))}")


def _file(name: str) -> Path | None:
    found = importlib.util.find_spec(_package(name, "_"))
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    return path if path.is_file() else None


def _package(name: str, dash: str) -> str:
    return f"duckdb_extension_{name}".replace("_", dash)
