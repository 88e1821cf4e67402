"""What keeps a store fast as it grows: roll-ups for long ranges, and the order of its rows.

Each task remembers how far it has come and goes on from there; running one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from observatory.store.engine.database import Database, Statement, batch_name
from observatory.store.sql import samples
from observatory.store.tables.rollups import ROLLUPS
from observatory.store.tables.samples import HOUR, SampleTable, floor_hour
from observatory.store.tables.watermarks import WatermarkTable

DAY = timedelta(days=1)
FEW = 50_000
"""Rows that are not worth sorting: DuckDB reads them in a blink."""


def roll_up(database: Database, now: datetime) -> int:
    """Summarise the samples of every whole five minutes before `now`; returns the number of hours looked at."""
    finest = ROLLUPS[0].seconds
    last = datetime.fromtimestamp(now.timestamp() // finest * finest, UTC)
    done = WatermarkTable(database).get("rollup")
    if done is not None and done >= last:
        return 0
    begin = done or database.value(samples.OLDEST)
    first = None if begin is None else floor_hour(begin)
    metrics = database.numbers(SampleTable.name)
    hours = 0
    for start, end in _ranges(first, last, DAY):
        span: list[datetime] = [start, end]
        renewing = [statement for table in ROLLUPS for statement in table.renewing(metrics, span)]
        database.write([*renewing, *WatermarkTable.moving("rollup", end)], content=False)
        hours += -(-int((end - start).total_seconds()) // 3600)
    return hours


def tidy(database: Database, now: datetime) -> int:
    """Write the rows of closed hours again, each service's together; returns the number of rows.

    Samples arrive a minute of all services at a time. A service's day is then spread over everything written
    that day; sorted, it is read from a few places.
    """
    if not database.home.tidies:
        return 0
    last = floor_hour(now) - HOUR
    begin = WatermarkTable(database).get("tidy") or oldest_live(database)
    first = None if begin is None else floor_hour(begin)
    moved = 0
    for start, end in _ranges(first, last, DAY):
        span: list[datetime] = [start, end]
        rows = int(database.value(samples.ROWS_BETWEEN, span))
        if rows < FEW and end == last:
            break  # wait until there is more
        statements = WatermarkTable.moving("tidy", end)
        if rows >= FEW:
            copy = batch_name()
            again = [Statement(text, span if "?" in text else ()) for text in samples.reorder(copy)]
            statements = [*again, *statements]
            moved += rows
        database.write(statements, content=False)
    return moved


def oldest_live(database: Database) -> datetime | None:
    """Time of the oldest sample that is not archived."""
    oldest: datetime | None = database.value(samples.OLDEST_LIVE)
    return oldest


def _ranges(first: datetime | None, last: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """From `first` to `last` in steps that end on whole days, so that each is one transaction of bounded size."""
    while first is not None and first < last:
        day = first.replace(hour=0, minute=0, second=0, microsecond=0)
        end = min(day + step, last)
        yield first, end
        first = end
