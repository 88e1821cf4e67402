"""Leases: of the processes that share a store, one at a time may do some work."""

from __future__ import annotations

from datetime import datetime, timedelta

from observatory.store.engine.database import Statement
from observatory.store.engine.homes.base import Session
from observatory.store.sql import access
from observatory.store.tables.base import Table


class LeaseTable(Table):
    """Who holds what until when."""

    name = "leases"
    keys = ("name",)
    content = False

    def take(self, name: str, holder: str, now: datetime, length: timedelta) -> bool:
        """Take or renew a lease until `now` + `length`; False while another holder's has not run out."""
        values = {"name": name, "holder": holder, "until": now + length}

        def work(session: Session) -> bool:
            session.execute(access.TAKE_LEASE, {**values, "now": now})
            session.execute(access.MAKE_LEASE, values)
            return bool(session.read(access.LEASE_HOLDER, [name]).iat[0, 0] == holder)

        return self._database.transaction(work, content=self.content)

    def end(self, name: str, holder: str) -> None:
        """Give a lease back, so that the next need not wait."""
        self._database.write([Statement(access.END_LEASE, [name, holder])], content=self.content)
