"""Files of the archive that are part of a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from observatory.store.engine.database import Statement
from observatory.store.engine.homes.base import Session
from observatory.store.sql import archive
from observatory.store.tables.base import Column, ValueTable


@dataclass(frozen=True, slots=True)
class ArchivedMonth:
    """One file of the archive.

    `file` is relative to the archive's folder; `checksum` is a sum over the hashes of the rows.
    """

    month: datetime
    file: str
    row_count: int
    checksum: str


class ArchiveFileTable(ValueTable[ArchivedMonth]):
    """The archived months."""

    name = "archive_files"
    keys = ("file",)
    value = ArchivedMonth
    columns = (Column("file"), Column("month"), Column("row_count"), Column("checksum"))

    def all(self) -> list[ArchivedMonth]:
        """What is archived, the oldest first."""
        return self.find(archive.FILES)

    def read(self, session: Session) -> list[ArchivedMonth]:
        """What `all` gives, as the transaction of a session sees it."""
        return [self.from_row(row) for row in session.rows(archive.FILES)]

    @staticmethod
    def adding(month: ArchivedMonth) -> Statement:
        """Make a file part of the store."""
        return Statement(archive.REMEMBER_FILE, [month.file, month.month, month.row_count, month.checksum])

    @staticmethod
    def removing(month: ArchivedMonth) -> Statement:
        """Make a file no part of the store any more."""
        return Statement(archive.FORGET_FILE, [month.file])
