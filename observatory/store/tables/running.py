"""What was last seen running of each service, so that a change is known for one after a restart, too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from observatory.model import SERVICE
from observatory.model.running import MarkKind, Running
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable
from observatory.store.tables.watermarks import WatermarkTable


def _dump_times(times: Mapping[str, datetime]) -> str:
    return json.dumps({value: at.isoformat() for value, at in sorted(times.items())})


def _load_times(text: str) -> dict[str, datetime]:
    return {value: datetime.fromisoformat(at) for value, at in json.loads(text).items()}


def _load_values(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _dump_values(values: Sequence[str]) -> str:
    return json.dumps(list(values))


class RunningTable(ValueTable[Running]):
    """One row a mark of a service; and until when a source was looked at."""

    name = "running"
    keys = (SERVICE, "source", "kind", "mark")
    service_columns = (SERVICE,)
    content = False
    value = Running
    columns = (
        Column(SERVICE),
        Column("source"),
        Column("kind", dump=str, load=MarkKind),
        Column("mark"),
        Column("target"),
        Column("seen_values", "current", _dump_values, _load_values),
        Column("last_seen", dump=_dump_times, load=_load_times),
        Column("since"),
        Column("lost_at"),
        Column("changed_at"),
    )

    def read(self, source: str) -> list[Running]:
        """All that was seen by a source."""
        return self.find(tables.RUNNING, [source])

    def looked_until(self, source: str) -> datetime | None:
        """Until when a source was looked at for changes; None if never."""
        return WatermarkTable(self._database).get(_task(source))

    def look_from(self, source: str, until: datetime) -> None:
        """Remember until when a source was looked at."""
        self._database.write(WatermarkTable.moving(_task(source), until), content=False)


def _task(source: str) -> str:
    return f"changes of {source}"
