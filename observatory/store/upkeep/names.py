"""Services that get another name, are joined with others, or are removed: in every table at once, or in none.

Files of the archive stay as they are; months that are archived are read by the names that services have now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from observatory.catalog import Metric
from observatory.errors import ConflictError, InvalidInputError, UnknownServiceError
from observatory.model import LONGEST_NAME, SERVICE, NameRules, Overlap, Renames, is_usable_name
from observatory.store.engine.database import Database, batch_name
from observatory.store.engine.homes.base import Session
from observatory.store.sql import rollups, tables
from observatory.store.tables.names import NameRuleTable
from observatory.store.upkeep.joining import batch_of, join_services, remove_services

Check = Callable[[Session, NameRules], NameRules]
"""Refuses, or gives the rules of after from those of before."""


class ServiceNames:
    """Changes of the names of a store's services.

    Parameters
    ----------
    database
        Of the store.
    catalog
        Tells how samples of two services are combined.
    """

    def __init__(self, database: Database, catalog: Mapping[str, Metric]) -> None:
        self._database = database
        self._catalog = catalog
        self._rules = NameRuleTable(database)

    def rules(self) -> NameRules:
        """All rules about names."""
        return self._rules.all()

    def rename(self, old: str, new: str, at: datetime) -> None:
        """Call the service `old` `new` from now on, also what its source has of it later.

        Raises
        ------
        UnknownServiceError, ConflictError, InvalidInputError
            There is no `old`; `new` is taken or excluded; they are the same, or `new` cannot be a name.
        """
        if not is_usable_name(new):
            raise InvalidInputError(
                f"service name {new[:LONGEST_NAME]!r}: give 1 to {LONGEST_NAME} printable characters, no blank at the "
                "ends"
            )

        def check(session: Session, rules: NameRules) -> NameRules:
            known = _known(session)
            _require(old, known)
            changed = _renaming(rules, [old], new, at)
            if new in known:
                raise ConflictError(f"there is a service {new!r} already: to join them, merge {old!r} into it")
            return changed

        self._join({new: [old]}, Overlap.REFUSE, check)

    def merge(self, others: Sequence[str], into: str, at: datetime, overlap: Overlap = Overlap.REFUSE) -> None:
        """Make services part of the service `into`, also what their sources have of them later.

        Of facts, verdicts and anomalies those of `into` stay where both have the same; what was learned is taken from
        the service with the most samples.

        Raises
        ------
        UnknownServiceError, ConflictError, InvalidInputError
            A service is not there; samples overlap and `overlap` refuses that; one would join itself.
        """

        def check(session: Session, rules: NameRules) -> NameRules:
            known = _known(session)
            for name in (into, *others):
                _require(name, known)
            return _renaming(rules, others, into, at)

        self._join({into: list(dict.fromkeys(others))}, overlap, check)

    def remove(self, services: Sequence[str], at: datetime, exclude: Iterable[str] = ()) -> None:
        """Remove all there is of services; those that the patterns `exclude` cover do not come back.

        Raises
        ------
        UnknownServiceError
            A service is not there; nothing is removed then.
        """
        gone, batch = list(dict.fromkeys(services)), batch_name()

        def work(session: Session) -> None:
            known = _known(session)
            for name in gone:
                _require(name, known)
            if gone:
                remove_services(session, batch, gone)
            self._rules.replace(session, self._rules.read(session).excluding_also(exclude, at).rules)

        self._database.transaction(work, {batch: batch_of(dict.fromkeys(gone), {})} if gone else {})

    def allow(self, name: str) -> None:
        """Let the service `name` be watched: it is excluded no longer, where only its own name excluded it.

        Raises
        ------
        ConflictError
            A pattern excludes it, or it goes by another name.
        """
        rules = self.rules()
        current, pattern = rules.name_of(name), rules.excluding(name)
        if current != name:
            raise ConflictError(f"{name!r} is {current!r} here: `observatory services restore` gives it its own name")
        if pattern == name:
            self.restore(name)
        elif pattern is not None:
            raise ConflictError(
                f"{name!r} is excluded by {pattern!r}: restore that first (`observatory services restore`)"
            )

    def restore(self, name: str) -> None:
        """Take back what was said of a name or pattern: it is watched again, under its own name.

        Deploys that were recognised as the service `name` stay apart from then on.

        Raises
        ------
        InvalidInputError
            Nothing was said of it.
        """

        def work(session: Session) -> None:
            rules = self._rules.read(session)
            left = rules.restoring(name)
            if left == rules:
                raise InvalidInputError(_nothing_said(name, rules))
            self._rules.replace(session, left.rules)

        self._database.transaction(work)

    def settle(self, at: datetime, deploys: Renames = ()) -> list[str]:
        """Add rules of `deploys`, and have services follow all rules: they may have come back under a name of before.

        Samples that overlap are combined. Returns the names that are gone.
        """
        before = self.rules()
        rules = before.recognising(deploys, at)
        known = _names(self._database.rows(tables.SERVICE_NAMES))
        moving = {name: new for name in known if (new := rules.name_of(name)) != name}
        joined: dict[str, list[str]] = {}
        for old, new in moving.items():
            joined.setdefault(new, []).append(old)
        if joined or rules != before:
            self._join(joined, Overlap.COMBINE, lambda _, held: held.recognising(deploys, at))
        excluded = [name for name in {*known, *joined} - moving.keys() if rules.excluding(name)]
        if excluded:
            self.remove(excluded, at)
        return sorted([*moving, *excluded])

    def _join(self, joined: Mapping[str, Sequence[str]], overlap: Overlap, check: Check) -> None:
        """Make services part of others, by the name of these, in one transaction."""
        counts = {str(row[SERVICE]): row for row in self._database.rows(rollups.COUNTS)}
        frame = batch_of({name: into for into, others in joined.items() for name in (into, *others)}, counts)
        batch = batch_name()

        def work(session: Session) -> None:
            rules = check(session, self._rules.read(session))
            if len(frame):
                join_services(session, batch, overlap, self._catalog)
            self._rules.replace(session, rules.rules)

        self._database.transaction(work, {batch: frame} if len(frame) else {})


def _known(session: Session) -> list[str]:
    return _names(session.rows(tables.SERVICE_NAMES))


def _names(rows: Iterable[Mapping[str, object]]) -> list[str]:
    return [str(row[SERVICE]) for row in rows]


def _require(name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UnknownServiceError(name, list(known))


def _renaming(rules: NameRules, others: Sequence[str], into: str, at: datetime) -> NameRules:
    for name in others:
        if name == into:
            raise InvalidInputError(f"service {name!r} cannot become itself: name another")
        rules = rules.renaming(name, into, at)
    excluded = rules.excluding(into)
    if excluded is not None:
        raise ConflictError(
            f"{into!r} is excluded by {excluded!r}: restore that first (`observatory services restore`)"
        )
    if rules.name_of(into) != into:
        raise ConflictError(f"{into!r} is a name of deploys of {rules.name_of(into)!r}: choose another")
    return rules


def _nothing_said(name: str, rules: NameRules) -> str:
    excluded = rules.excluding(name)
    if excluded is not None:
        return f"{name!r} is excluded by {excluded!r}: restore that"
    return f"{name!r} is neither excluded nor renamed: `observatory services list --excluded` shows what is"
