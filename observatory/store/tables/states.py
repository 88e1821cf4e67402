"""What streaming detectors have learned of each service, kept over a restart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import pandas as pd

from observatory.model import SERVICE
from observatory.store.engine.database import Database, Statement
from observatory.store.sql import tables as queries

KEYS = (SERVICE, "detector")
AT_ONCE = 500
"""States written in one transaction: some 10 MB."""


@dataclass(frozen=True, slots=True)
class KeptState:
    """What `detector` knew of a service once it had seen the row at `learned_until`.

    `made_as` must be equal for a state to be of use: version, metrics and parameters.
    """

    service_name: str
    detector: str
    made_as: str
    learned_until: datetime
    kept_at: datetime
    state: bytes


class StateTable:
    """One state a service and detector; a later one replaces the earlier one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, states: Iterable[KeptState]) -> int:
        """Keep states; returns how many."""
        rows = pd.DataFrame([asdict(state) for state in states])
        pieces = [rows.iloc[first : first + AT_ONCE] for first in range(0, len(rows), AT_ONCE)]
        return sum(
            self._database.upsert("detector_states", piece, list(KEYS), content=False)  # what is stored means the same
            for piece in pieces
        )

    def read(self, detector: str) -> list[KeptState]:
        """All states of a detector, by service."""
        rows = self._database.rows(queries.DETECTOR_STATES, [detector])
        return [KeptState(**row | {"state": bytes(row["state"])}) for row in rows]

    def forget(self, before: datetime) -> None:
        """Remove the states of services of which nothing was learned since `before`."""
        if self._database.value(queries.OLD_STATES, [before]):
            self._database.write([Statement(queries.FORGET_STATES, [before])], content=False)
