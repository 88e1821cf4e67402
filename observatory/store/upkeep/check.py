"""Whether a store is whole: every table read to the end, every key unique, every archived month read back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from observatory.errors import StoreCorruptError, StoreError
from observatory.store.engine.database import Database
from observatory.store.sql import builders, rollups, schema
from observatory.store.tables.every import TABLES
from observatory.store.upkeep.archive import Archive

DAMAGED = "restore a backup (`observatory store restore`), or move the file away and fetch the past with `backfill`"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is, whether it is well, and what to do if not."""

    what: str
    ok: bool
    detail: str


def check_apart(url: str) -> Iterator[Finding]:
    """`check` in a process of its own: some damage makes DuckDB end the process that reads it.

    The process reads the settings anew; `url` is the store.
    """
    command = [sys.executable, "-m", "observatory.store", url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:  # noqa: S603 - ourselves
        assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018 - they are pipes
        last = "the beginning"
        for line in process.stdout:
            finding = Finding(**json.loads(line))
            last = finding.what
            yield finding
        said = process.stderr.read().strip()
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        yield Finding("store", False, f"reading it after {last} ended the program ({name}): {DAMAGED}")
    elif process.returncode:
        yield Finding("store", False, said.splitlines()[-1] if said else "the check failed without a word")


def check(database: Database, archive: Archive) -> Iterator[Finding]:
    """Look at everything, one finding at a time; nothing is changed."""
    keys = {table.name: table.keys for table in TABLES} | dict.fromkeys(schema.ITS_OWN, ())
    for name in sorted(keys):
        yield _table(database, name, keys[name])
    months = archive.months()
    for month in months if archive.folder is not None else []:
        what = f"archive {month.month:%Y-%m}"
        try:
            archive.check(month)
        except StoreCorruptError as error:
            yield Finding(what, False, str(error))
        else:
            yield Finding(what, True, f"{month.row_count} rows")
    for path in archive.unregistered():
        yield Finding(
            "archive", False, f"{path} is not part of the store (a process was ended in the middle?): remove it"
        )
    yield _rollups(database)


def _table(database: Database, table: str, keys: Sequence[str]) -> Finding:
    """Where there are no `keys`, rows may be equal."""
    try:
        facts = database.rows(builders.table_facts(table))[0]
        twice = int(database.value(builders.duplicates(table, keys))) if keys else 0
    except StoreError as error:
        return Finding(table, False, f"cannot be read to its end: {error}: {DAMAGED}")
    if twice:
        return Finding(table, False, f"{twice} keys are there more than once: another program has written to it")
    return Finding(table, True, f"{facts['row_count']} rows")


def _rollups(database: Database) -> Finding:
    try:
        facts = database.rows(rollups.COMPARE)[0]
    except StoreError as error:
        return Finding("roll-ups", False, f"cannot be held against the samples: {error}: {DAMAGED}")
    if facts["rolled_up"] < facts["samples"]:
        return Finding(
            "roll-ups",
            False,
            f"they hold {facts['rolled_up']} of {facts['samples']} samples: `store check --repair` makes them anew",
        )
    return Finding("roll-ups", True, f"{facts['rolled_up']} samples")
