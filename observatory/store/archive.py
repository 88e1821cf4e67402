"""The archive: old samples as Parquet, a folder a month, readable by any tool and still part of every answer.

A file counts once it is registered in the store, in the transaction that removes its rows from there, and only
after it was read back: same number of rows, same checksum. Whatever happens before that leaves the store as it was.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from observatory.errors import StoreCorruptError, StoreError
from observatory.store import queries
from observatory.store import upkeep_queries as sql
from observatory.store.database import Database, Statement, records
from observatory.store.homes import Session
from observatory.store.upkeep import done_until, oldest_live, progress

VIEW_NOTE = "samples view"


@dataclass(frozen=True, slots=True)
class ArchivedMonth:
    """One file of the archive.

    `file` is relative to the archive's folder; `checksum` is a sum over the hashes of the rows.
    """

    month: datetime
    file: str
    row_count: int
    checksum: str


class Archive:
    """The archived samples of a store.

    Parameters
    ----------
    database
        Of the store.
    metrics
        Columns of samples.
    folder
        Where the files are, on the machine of the store; None where the home has no place for them.
    """

    def __init__(self, database: Database, metrics: Sequence[str], folder: Path | None) -> None:
        self._database = database
        self._metrics = list(metrics)
        self.folder = folder

    def months(self) -> list[ArchivedMonth]:
        """What is archived, the oldest first."""
        rows = records(self._database.read(sql.ARCHIVE_FILES))
        return [ArchivedMonth(row["month"], row["file"], row["row_count"], row["checksum"]) for row in rows]

    def paths(self, months: Sequence[ArchivedMonth] | None = None) -> list[str]:
        """Absolute paths of the files."""
        if self.folder is None:
            return []
        return [str(self.folder / month.file) for month in (self.months() if months is None else months)]

    def move(self, before: datetime) -> list[ArchivedMonth]:
        """Move the samples before a time to the archive; returns the months that were written.

        Late samples of a month that is archived already are merged into it.

        Raises
        ------
        StoreError
            The store is on another machine, or in a lake; the folder cannot be written; a file did not hold what
            was written to it. Nothing is removed then.
        """
        folder = self._require_folder()
        written: list[ArchivedMonth] = []
        while True:
            oldest = oldest_live(self._database)
            if oldest is None or oldest >= before:
                return written
            month = oldest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            written.append(self._move_month(folder, month, min(before, _next(month))))

    def forget(self, months: Sequence[ArchivedMonth]) -> None:
        """Take months out of the store, then remove their files where they are still there."""
        if not months:
            return
        gone = {month.file for month in months}
        kept = [month for month in self.months() if month.file not in gone]
        self._database.write([*(Statement(sql.FORGET_FILE, [file]) for file in gone), *self._view(kept)])
        self._remove(months)

    def check(self, month: ArchivedMonth) -> None:
        """Read a month back.

        Raises
        ------
        StoreCorruptError
            Its file is missing, or does not hold what was written.
        """
        (path,) = self.paths([month])
        if not Path(path).is_file():
            raise StoreCorruptError(f"archived month {month.month:%Y-%m} is missing: put {path} back")
        try:
            found = self._database.read(sql.checksum(f"FROM {sql.parquet([path])}", self._columns(path)))
        except StoreError as error:
            raise StoreCorruptError(f"archived month {month.month:%Y-%m} cannot be read ({path}): {error}") from None
        if tuple(records(found)[0].values()) != (month.row_count, month.checksum):
            raise StoreCorruptError(
                f"archived month {month.month:%Y-%m} does not hold what was written: restore {path} from a backup"
            )

    def older_than(self, time: datetime) -> list[ArchivedMonth]:
        """Months that ended before a time."""
        return [month for month in self.months() if _next(month.month) <= time]

    def refresh_view(self) -> None:
        """Make the view over live and archived samples fit the catalogue and the place of the files."""
        months = self.months()
        if months and self.folder is None:
            return  # only its own machine knows where the files are
        create, *remember = self._view(months)
        if self._database.value(queries.VIEW_MADE_AS, [VIEW_NOTE]) != _digest(create.sql):
            self._database.write([create, *remember], content=False)

    def _view(self, months: Sequence[ArchivedMonth]) -> list[Statement]:
        before = _next(months[-1].month) if months else None
        text = sql.samples_view(self._metrics, self.paths(months), before)
        return [
            Statement(text),
            Statement(queries.FORGET_META, [VIEW_NOTE]),
            Statement(queries.REMEMBER_META, [VIEW_NOTE, _digest(text)]),
        ]

    def _move_month(self, folder: Path, first: datetime, last: datetime) -> ArchivedMonth:
        name = f"month={first:%Y-%m}/samples-{secrets.token_hex(6)}.parquet"
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"archive {path.parent} cannot be made ({error.strerror}): nothing was moved") from None
        months, archived = self.months(), done_until(self._database, "archive")
        old = [month for month in months if month.month == first]
        source = sql.month_rows(self._metrics, self.paths(old), first, last)

        def work(session: Session) -> ArchivedMonth:
            session.execute(sql.write_parquet(source, str(path)))
            _flush(path)
            meant = session.read(sql.checksum(source, self._metrics))
            found = session.read(sql.checksum(f"FROM {sql.parquet([str(path)])}", self._metrics))
            if not meant.equals(found):
                raise StoreError(f"archive {path} does not hold what was written to it: nothing was moved")
            new = ArchivedMonth(first, name, **records(found)[0])
            session.execute(sql.DELETE_BETWEEN, [first, last])
            for month in old:
                session.execute(sql.FORGET_FILE, [month.file])
            session.execute(sql.REMEMBER_FILE, [name, first, new.row_count, new.checksum])
            kept = [month for month in months if month not in old]
            view = self._view(sorted([*kept, new], key=lambda month: month.month))
            for statement in [*view, *progress("archive", max(last, archived or last))]:
                session.execute(statement.sql, statement.parameters)
            return new

        try:
            new = self._database.transaction(work)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._remove(old)
        return new

    def _columns(self, path: str) -> list[str]:
        """Metrics a file has: those of the catalogue when it was written."""
        present = set(self._database.read(f"DESCRIBE FROM {sql.parquet([path])}")["column_name"])
        return [name for name in self._metrics if name in present]

    def _remove(self, months: Sequence[ArchivedMonth]) -> None:
        for path in map(Path, self.paths(months)):
            path.unlink(missing_ok=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()

    def _require_folder(self) -> Path:
        if self.folder is None:
            raise StoreError(
                f"store {self._database.name} has no archive here: a lake keeps its samples as Parquet already, and a "
                "store behind quack:// is archived on its own machine"
            )
        return self.folder


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _next(month: datetime) -> datetime:
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)


def _flush(path: Path) -> None:
    """Have a file and its name on disk before rows are removed elsewhere."""
    for place, flags in ((path, os.O_RDWR), (path.parent, os.O_RDONLY)):
        handle = os.open(place, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
