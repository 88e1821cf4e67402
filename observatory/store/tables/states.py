"""What streaming detectors have learned of each service, kept over a restart."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from observatory.model import SERVICE
from observatory.store.engine.database import Statement
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable

AT_ONCE = 500
"""States written in one transaction: some 10 MB."""


@dataclass(frozen=True, slots=True)
class KeptState:
    """What `detector` knew of a service once it had seen the row at `learned_until`.

    `fingerprint` must be equal for a state to be of use: version, metrics and parameters.
    """

    service_name: str
    detector: str
    fingerprint: str
    learned_until: datetime
    kept_at: datetime
    state: bytes


class StateTable(ValueTable[KeptState]):
    """One state a service and detector; a later one replaces the earlier one. What is stored means the same after."""

    name = "detector_states"
    keys = (SERVICE, "detector")
    service_columns = (SERVICE,)
    content = False
    value = KeptState
    columns = (
        Column(SERVICE),
        Column("detector"),
        Column("made_as", "fingerprint"),
        Column("learned_until"),
        Column("kept_at"),
        Column("state", load=bytes),
    )

    def write(self, values: Iterable[KeptState]) -> int:
        """Keep states; returns how many."""
        states = list(values)
        return sum(super(StateTable, self).write(states[i : i + AT_ONCE]) for i in range(0, len(states), AT_ONCE))

    def read(self, detector: str) -> list[KeptState]:
        """All states of a detector, by service."""
        return self.find(tables.DETECTOR_STATES, [detector])

    def kept_at(self, detector: str) -> dict[str, datetime]:
        """By service, when the state of a detector was kept."""
        return {row[SERVICE]: row["kept_at"] for row in self._database.rows(tables.STATES_KEPT_AT, [detector])}

    def forget_services(self, detector: str, services: Collection[str]) -> None:
        """Remove what a detector has learned of services."""
        if services:
            values = {"detector": detector, "services": sorted(services)}
            self._database.write([Statement(tables.FORGET_STATES_OF, values)], content=False)

    def forget(self, before: datetime) -> None:
        """Remove the states of services of which nothing was learned since `before`."""
        if self._database.value(tables.OLD_STATES, [before]):
            self._database.write([Statement(tables.FORGET_STATES, [before])], content=False)
