"""The archive: old samples as Parquet, a folder a month, readable by any tool and still part of every answer.

A file counts once it is registered in the store, in the transaction that removes its rows from there, and only
after it was read back: same number of rows, same checksum. Whatever happens before that leaves the store as it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from observatory.errors import StoreCorruptError, StoreError
from observatory.store.engine.database import Database, Statement
from observatory.store.engine.homes.base import Session
from observatory.store.sql import archive, samples, schema
from observatory.store.tables.archive_files import ArchivedMonth, ArchiveFileTable
from observatory.store.tables.names import ArchivedNameTable
from observatory.store.tables.notes import NoteTable
from observatory.store.tables.samples import SampleTable
from observatory.store.tables.watermarks import WatermarkTable
from observatory.store.upkeep.rollups import oldest_live

VIEW_NOTE = "samples view"
"""Under which the fingerprint of the views is kept."""
FILES = "month=*/samples-*.parquet"
DRAFTS = "month=*/samples-*.part"


class Archive:
    """The archived samples of a store.

    Parameters
    ----------
    database
        Of the store.
    folder
        Where the files are, on the machine of the store; None where the home has no place for them.
    """

    def __init__(self, database: Database, folder: Path | None) -> None:
        self._database = database
        self._files = ArchiveFileTable(database)
        self.folder = folder

    def months(self) -> list[ArchivedMonth]:
        """What is archived, the oldest first."""
        return self._files.all()

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
        self._sweep(folder)
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

        def work(session: Session) -> None:
            kept = [month for month in self._files.read(session) if month.file not in gone]
            names = [ArchivedNameTable.forgetting(month.month) for month in months]
            _run(session, [*map(self._files.removing, months), *names, *self._views(session, kept)])

        self._database.transaction(work)
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
            columns = self._database.read(f"DESCRIBE FROM {archive.parquet([path])}")["column_name"].iloc[2:]
            found = self._database.rows(archive.checksum(f"FROM {archive.parquet([path])}", list(columns)))
        except StoreError as error:
            raise StoreCorruptError(f"archived month {month.month:%Y-%m} cannot be read ({path}): {error}") from None
        if tuple(found[0].values()) != (month.row_count, month.checksum):
            raise StoreCorruptError(
                f"archived month {month.month:%Y-%m} does not hold what was written: restore {path} from a backup"
            )

    def older_than(self, time: datetime) -> list[ArchivedMonth]:
        """Months that ended before a time."""
        return [month for month in self.months() if self.end(month) <= time]

    @staticmethod
    def end(month: ArchivedMonth) -> datetime:
        """The beginning of the next month."""
        return _next(month.month)

    def refresh_views(self) -> None:
        """Make the views over live and archived samples fit the columns there are and the place of the files."""
        if self.months() and self.folder is None:
            return  # only its own machine knows where the files are

        def work(session: Session) -> None:
            _run(session, self._views(session, self._files.read(session)))

        columns = self._database.numbers(SampleTable.name)
        texts = archive.sample_views(columns, self.paths(), _end(self.months()))
        if self._database.value(archive.VIEW_FINGERPRINT, [VIEW_NOTE]) != _digest(texts):
            self._database.transaction(work, content=False)

    def _views(self, session: Session, months: Sequence[ArchivedMonth]) -> list[Statement]:
        columns = list(session.read(schema.NUMBERS, [SampleTable.name])["column_name"])
        texts = archive.sample_views(columns, self.paths(months), _end(months))
        return [
            *map(Statement, texts),
            *NoteTable.replacing(VIEW_NOTE, _digest(texts)),
        ]

    def _move_month(self, folder: Path, first: datetime, last: datetime) -> ArchivedMonth:
        place = folder / f"month={first:%Y-%m}"
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"archive {place} cannot be made ({error.strerror}): nothing was moved") from None

        def work(session: Session) -> tuple[ArchivedMonth, list[ArchivedMonth]]:
            """Looks at the store anew each time: what failed may have been done, or somebody else may have done it."""
            path = place / f"samples-{secrets.token_hex(6)}.parquet"
            draft = path.with_suffix(".part")
            months = self._files.read(session)
            old = [month for month in months if month.month == first]
            columns = list(session.read(schema.NUMBERS, [SampleTable.name])["column_name"])
            source = archive.month_rows(columns, self.paths(old), first, last)
            try:
                session.execute(archive.write_parquet(source, str(draft)))
                _flush(draft)
                meant = session.rows(archive.checksum(source, columns))
                found = session.rows(archive.checksum(f"FROM {archive.parquet([str(draft)])}", columns))
                if meant != found:
                    raise StoreError(f"archive {path} does not hold what was written to it: nothing was moved")
                draft.rename(path)
                _flush(path)
                new = ArchivedMonth(first, str(path.relative_to(folder)), **found[0])
                kept = sorted([*(month for month in months if month not in old), new], key=lambda month: month.month)
                done = WatermarkTable.read(session, "archive")
                _run(
                    session,
                    [
                        Statement(samples.DELETE_BETWEEN, [first, last]),
                        *map(self._files.removing, old),
                        self._files.adding(new),
                        ArchivedNameTable.forgetting(first),
                        *self._views(session, kept),
                        *WatermarkTable.moving("archive", last if done is None else max(last, done)),
                    ],
                )
            except BaseException:
                for left in (draft, path):  # nothing is committed yet
                    left.unlink(missing_ok=True)
                raise
            return new, old

        new, old = self._database.transaction(work)
        self._remove(old)
        return new

    def unregistered(self) -> list[Path]:
        """Files in the folder that are no part of the store."""
        known = {month.file for month in self.months()}
        return (
            []
            if self.folder is None
            else sorted(path for path in self.folder.glob(FILES) if str(path.relative_to(self.folder)) not in known)
        )

    def _sweep(self, folder: Path) -> None:
        """Remove drafts of processes that were ended in the middle; nobody else writes meanwhile."""

        def work(session: Session) -> None:
            for path in folder.glob(DRAFTS):
                path.unlink(missing_ok=True)

        if any(folder.glob(DRAFTS)):
            self._database.transaction(work, content=False)

    def _remove(self, months: Sequence[ArchivedMonth]) -> None:
        for path in map(Path, self.paths(months)):
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()  # the last one was in it

    def _require_folder(self) -> Path:
        if self.folder is None:
            raise StoreError(
                f"store {self._database.name} has no archive here: a lake keeps its samples as Parquet already, and a "
                "store behind quack:// is archived on its own machine"
            )
        return self.folder


def _end(months: Sequence[ArchivedMonth]) -> datetime | None:
    return _next(months[-1].month) if months else None


def _run(session: Session, statements: Iterable[Statement]) -> None:
    for statement in statements:
        session.execute(statement.sql, statement.parameters)


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()


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
