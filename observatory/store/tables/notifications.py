"""What people are told of incidents: the outbox of transitions, and the deliveries to each destination."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from observatory.model import Delivery, DeliveryState, OutboxEntry
from observatory.store.engine.database import Database, Statement, batch_name
from observatory.store.engine.homes.base import Session
from observatory.store.sql import notifications
from observatory.store.tables.base import Column, ValueTable

OVERDUE = timedelta(minutes=2)
"""What was due so long ago and was not tried waits for a process that sends."""


class OutboxTable(ValueTable[OutboxEntry]):
    """Transitions that no destination was told of yet. They are written with the incident, see `Incidents`."""

    name = "outbox"
    keys = ("incident_id", "number")
    value = OutboxEntry
    columns = (Column("incident_id"), Column("number"), Column("kind"), Column("happened_at"))


class DeliveryTable(ValueTable[Delivery]):
    """What is on its way to a destination, was sent, or could not be. No answer is computed from it."""

    name = "deliveries"
    keys = ("destination", "incident_id", "number")
    content = False
    value = Delivery
    columns = (
        Column("destination"),
        Column("incident_id"),
        Column("number"),
        Column("kind"),
        Column("happened_at"),
        Column("state", dump=str, load=DeliveryState),
        Column("due_at"),
        Column("changed_at"),
        Column("attempts"),
        Column("reason"),
        Column("silenced_by"),
    )


@dataclass(frozen=True, slots=True)
class DeliveryCount:
    """How many deliveries of a destination are in one state, since when, and when the last came there."""

    destination: str
    state: DeliveryState
    deliveries: int
    oldest: datetime
    newest: datetime


class Notifications:
    """The outbox and the deliveries of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outbox = OutboxTable(database)
        self._deliveries = DeliveryTable(database)

    def outbox(self) -> list[OutboxEntry]:
        """Transitions that are not handed out yet, the oldest first."""
        return self._outbox.find(notifications.OUTBOX)

    def hand_out(self, transitions: Sequence[OutboxEntry], deliveries: Iterable[Delivery]) -> None:
        """Take transitions out of the outbox and keep the deliveries they became, in one transaction.

        What another process has handed out meanwhile is left as it is.
        """
        taken = pd.DataFrame([{"incident_id": one.incident_id, "number": one.number} for one in transitions])
        made = pd.DataFrame([self._deliveries.to_row(one) for one in deliveries])
        if taken.empty:
            return
        batches = {batch_name(): taken} | ({} if made.empty else {batch_name(): made})
        names = list(batches)

        def work(session: Session) -> None:
            for batch in names[1:]:
                session.execute(notifications.keep_handed_out(batch, list(made.columns)))
            session.execute(notifications.take_out(names[0]))

        self._database.transaction(work, batches, content=False)

    def due(self, destination: str, now: datetime, limit: int) -> list[Delivery]:
        """What is to be sent to a destination now: of each incident the first that waits."""
        values = {"destination": destination, "now": now, "limit": limit}
        return self._deliveries.find(notifications.DUE, values)

    def waiting(self, destination: str) -> list[Delivery]:
        """All that waits for a destination, the oldest first."""
        return self._deliveries.find(notifications.WAITING, [destination])

    def waiting_of(self, destination: str, incident_id: str) -> list[Delivery]:
        """What waits for a destination of one incident, the first before others."""
        return self._deliveries.find(notifications.WAITING_OF, [destination, incident_id])

    def told(self, destination: str, incident_ids: Sequence[str]) -> set[str]:
        """Those of incidents that a destination has had any message of."""
        values = {"destination": destination, "incidents": list(incident_ids)}
        return {row["incident_id"] for row in self._database.rows(notifications.TOLD, values)}

    def has_work(self) -> bool:
        """Whether anything is to be handed out, or waits."""
        return bool(self._database.value(notifications.HAS_WORK))

    def settle(self, deliveries: Iterable[Delivery]) -> None:
        """Keep deliveries as they are now."""
        self._deliveries.write(deliveries)

    def log(
        self,
        destination: str | None = None,
        states: Sequence[DeliveryState] | None = None,
        incident_id: str | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """Deliveries, the one that changed last first."""
        values = {
            "destination": destination,
            "states": None if states is None else [str(state) for state in states],
            "incident": incident_id,
            "limit": limit,
        }
        return self._deliveries.find(notifications.LOG, values)

    def retry(self, destination: str, now: datetime, incident_id: str | None = None) -> int:
        """Have what was given up sent again; returns how many."""
        failed = self.log(destination, [DeliveryState.FAILED], incident_id, limit=1_000_000)
        statement = Statement(notifications.RETRY, {"destination": destination, "now": now, "incident": incident_id})
        self._database.write([statement], content=False)
        return len(failed)

    def counts(self) -> list[DeliveryCount]:
        """How many deliveries there are, by destination and state."""
        return [
            DeliveryCount(**row | {"state": DeliveryState(row["state"])})
            for row in self._database.rows(notifications.COUNTS)
        ]

    def oldest_overdue(self, now: datetime) -> datetime | None:
        """When the oldest transition happened that somebody should have been told of; None where there is none."""
        oldest: datetime | None = self._database.value(notifications.OLDEST_OVERDUE, {"before": now - OVERDUE})
        return oldest

    def forgetting(self, before: datetime) -> list[Statement]:
        """Statements that remove deliveries that were settled before a time."""
        return [Statement(notifications.FORGET, [before])]
