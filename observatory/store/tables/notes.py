"""Notes: small facts about a store, such as which source fills it."""

from __future__ import annotations

import pandas as pd

from observatory.store.engine.database import Statement
from observatory.store.sql import tables
from observatory.store.tables.base import Table


class NoteTable(Table):
    """Texts by key."""

    name = "meta"
    keys = ("key",)

    def get(self, key: str) -> str | None:
        """What is kept under `key`, or None."""
        value: str | None = self._database.value(tables.NOTE, [key])
        return value

    def write(self, key: str, value: str) -> None:
        """Keep `value` under `key`."""
        self.upsert(pd.DataFrame({"key": [key], "value": [value]}))

    @staticmethod
    def replacing(key: str, value: str) -> list[Statement]:
        """Statements that do what `write` does, for a transaction with others."""
        return [Statement(tables.FORGET_NOTE, [key]), Statement(tables.REMEMBER_NOTE, [key, value])]
