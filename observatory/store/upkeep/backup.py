"""Backups: a folder that holds a store of its own, its archive, and a manifest to hold it against."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from observatory.errors import StoreCorruptError, StoreError, StoreInUseError
from observatory.private import make_new_files_private, make_private
from observatory.store.engine.database import Database
from observatory.store.engine.homes import home_opener
from observatory.store.engine.homes.base import Session
from observatory.store.engine.homes.file import OwnedFile
from observatory.store.engine.homes.local import plain_rows
from observatory.store.engine.migrate import open_database
from observatory.store.options import StoreOptions
from observatory.store.sql import builders, schema
from observatory.store.sql.literals import literal
from observatory.store.tables.every import TABLES
from observatory.store.upkeep.archive import Archive

STORE = "store.duckdb"
MANIFEST = "manifest.json"
Facts = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Backup:
    """What was saved, or brought back.

    `rows` is the number of rows by table; `files` the number of archived months.
    """

    folder: Path
    rows: Mapping[str, int]
    files: int


def backup(database: Database, archive: Archive, folder: Path) -> Backup:
    """Save a store as it is at this moment, while others go on writing.

    Raises
    ------
    StoreError
        The folder is there already, or cannot be written; the store is on another machine. Nothing is left behind.
    """
    if folder.exists():
        raise StoreError(f"backup {folder} is there already: name a new folder")
    if database.home.path is None and archive.months():
        raise StoreError(f"store {database.name} is backed up on its own machine")
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        draft.mkdir(parents=True)
        rows = _copy_tables(database, draft / STORE)
        files = archive.paths()
        for path in map(Path, files):
            place = draft / f"{STORE}.archive" / path.relative_to(archive.folder or path.parent)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)
        facts = _facts(draft / STORE)
        if {name: fact["row_count"] for name, fact in facts.items() if name in rows} != rows:
            raise StoreError(f"backup {folder} does not hold all rows of {database.name}: try again")
        manifest = {"of": database.name, "made_at": datetime.now(UTC).isoformat(), "tables": facts}
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1))
        make_private(draft)
        draft.rename(folder)
    except OSError as error:
        raise StoreError(f"backup {folder} cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Backup(folder, rows, len(files))


def restore(folder: Path, url: str, options: StoreOptions, *, force: bool = False) -> Backup:
    """Put a backup in the place of the store at `url`, once it was read back; `force` moves aside what is there.

    Raises
    ------
    StoreCorruptError
        The backup is incomplete or damaged; the store is left as it is.
    StoreInUseError, StoreError
        The store is open in some process; it is there already; it is not a file.
    """
    facts = _verify(folder)
    if "://" in url or url.startswith(("ducklake:", "quack:", ":")):
        raise StoreError(f"store {url} is no file: a backup is restored to a path, set OBSERVATORY_STORE")
    path = Path(url).resolve()
    if path.exists() and not force:
        raise StoreError(f"store {url} is there already: --force keeps it aside and restores {folder} in its place")
    make_new_files_private()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    months, saved = _archive_of(draft), folder / f"{STORE}.archive"
    try:
        shutil.copy2(folder / STORE, draft)  # all that takes space and time comes before what is there is touched
        if saved.is_dir():
            shutil.copytree(saved, months)
        make_private(draft, months)
        if path.exists():
            _set_aside(url, path, options)
        if saved.is_dir():
            shutil.copytree(months, options.archive or _archive_of(path), dirs_exist_ok=True, copy_function=os.replace)
        draft.replace(path)
    except OSError as error:
        raise StoreError(f"store {url} cannot be restored: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)
        shutil.rmtree(months, ignore_errors=True)
    rows = {name: int(fact["row_count"]) for name, fact in facts.items()}
    return Backup(folder, rows, sum(1 for _ in saved.rglob("*.parquet")))


def _copy_tables(database: Database, path: Path) -> dict[str, int]:
    """All rows, as one transaction sees them, into a new store at `path`; returns their number by table."""
    tables = sorted(table.name for table in TABLES)
    columns = {name: database.numbers(name) for name in tables}
    open_database(home_opener(str(path), StoreOptions()), columns).close()
    alias = f"backup_{secrets.token_hex(4)}"

    def work(session: Session) -> dict[str, int]:
        rows = {}
        for name in tables:
            session.execute(builders.copy_rows(name, f"{alias}.{name}"))
            rows[name] = session.rows(builders.count_rows(name))[0]["row_count"]
        return rows

    database.run(f"ATTACH {literal(str(path))} AS {alias}")
    try:
        return database.transaction(work, content=False, lock=False)  # a transaction writes one file
    finally:
        database.run(f"DETACH {alias}")


def _facts(path: Path) -> Facts:
    """Rows and checksum of each table of a store that nobody has open."""
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            names = [row[0] for row in connection.execute(schema.TABLES).fetchall()]
            return {name: plain_rows(connection.execute(builders.table_facts(name)))[0] for name in sorted(names)}
    except duckdb.Error as error:
        raise StoreCorruptError(f"backup {path} cannot be read: {error}") from None


def _verify(folder: Path) -> Facts:
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise StoreCorruptError(f"{folder} is no backup: its {MANIFEST} cannot be read ({error})") from None
    facts = _facts(folder / STORE)
    wrong = [name for name, fact in manifest["tables"].items() if facts.get(name) != fact]
    if wrong:
        raise StoreCorruptError(f"backup {folder} is damaged: {', '.join(wrong)} differ from its manifest")
    files = {path.name for path in folder.rglob("*.parquet")}
    with duckdb.connect(str(folder / STORE), read_only=True) as connection:
        named = {Path(row[0]).name for row in connection.execute("SELECT file FROM archive_files").fetchall()}
    if named - files:
        raise StoreCorruptError(f"backup {folder} is incomplete: {', '.join(sorted(named - files))} are missing")
    return facts


def _set_aside(url: str, path: Path, options: StoreOptions) -> None:
    """Move a store that nobody has open out of the way, with its archive."""
    if not _is_free(url, options):
        raise StoreInUseError(f"store {url} is open in a process: end the dashboard and notebooks first")
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for place in (path, path.with_name(path.name + ".wal"), _archive_of(path)):
        if place.exists():
            os.replace(place, place.with_name(place.name.replace(path.name, f"{path.name}.before-{stamp}", 1)))


def _is_free(url: str, options: StoreOptions) -> bool:
    try:
        home = home_opener(url, options)()
    except StoreCorruptError:
        return True  # a damaged store is what a backup is for
    alone = isinstance(home, OwnedFile) and home.users == 1
    home.close()
    return alone


def _archive_of(path: Path) -> Path:
    return path.with_name(path.name + ".archive")
