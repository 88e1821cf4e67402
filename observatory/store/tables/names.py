"""Rules about names of services, and the names by which archived months are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from observatory.model import SERVICE, NameRule, NameRules, RuleKind
from observatory.store.engine.database import Statement
from observatory.store.engine.homes.base import Session
from observatory.store.sql import names
from observatory.store.tables.base import Column, Table, ValueTable


class NameRuleTable(ValueTable[NameRule]):
    """The rules, in the order in which they were made."""

    name = "name_rules"
    keys = ("kind", "pattern")
    value = NameRule
    columns = (
        Column("kind", dump=str, load=RuleKind),
        Column("pattern"),
        Column("becomes"),
        Column("made_at"),
    )

    def all(self) -> NameRules:
        """All rules."""
        return NameRules(tuple(self.find(names.RULES)))

    def read(self, session: Session) -> NameRules:
        """What `all` gives, as the transaction of a session sees it."""
        return NameRules(tuple(self.from_row(row) for row in session.rows(names.RULES)))

    def replace(self, session: Session, rules: Sequence[NameRule]) -> None:
        """Have these rules and no others."""
        rows = [self.to_row(rule) for rule in rules]
        session.execute(names.FORGET_RULES)
        if rows:
            columns: Mapping[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
            session.execute(names.ADD_RULES, columns)


class ArchivedNameTable(Table):
    """By month the new name of each service that was renamed since, or none where it is gone."""

    name = "archived_names"
    keys = ("month", SERVICE)

    @staticmethod
    def forgetting(month: datetime) -> Statement:
        """For a month that is written anew or removed."""
        return Statement(names.FORGET_ARCHIVED, [month])

    @staticmethod
    def renaming(batch: str) -> list[str]:
        """SQL after which archived months are read by the names of a batch; see `observatory.store.sql.names`."""
        return [names.follow_archived(batch), names.add_archived(batch)]
