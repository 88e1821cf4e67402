"""Leases: of the processes that share a store, one at a time may do some work."""

from __future__ import annotations

from datetime import datetime, timedelta

from observatory.store.engine.database import Database, Statement
from observatory.store.engine.homes import Session
from observatory.store.sql import access as access_queries


class Leases:
    """The table of leases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, holder: str, now: datetime, length: timedelta) -> bool:
        """Take or renew a lease until `now` + `length`; False while another holder's has not run out."""
        values = {"name": name, "holder": holder, "until": now + length}

        def work(session: Session) -> bool:
            session.execute(access_queries.TAKE_LEASE, {**values, "now": now})
            session.execute(access_queries.MAKE_LEASE, values)
            return bool(session.read(access_queries.LEASE_HOLDER, [name]).iat[0, 0] == holder)

        return self._database.transaction(work, content=False)

    def end(self, name: str, holder: str) -> None:
        """Give a lease back, so that the next need not wait."""
        self._database.write([Statement(access_queries.END_LEASE, [name, holder])], content=False)
