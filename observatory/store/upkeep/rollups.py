"""What keeps a store fast as it grows: roll-ups for long ranges, and the order of its rows.

Each task remembers how far it has come and goes on from there; running one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from observatory.store.engine.database import Database, Statement, batch_name
from observatory.store.engine.homes import Session
from observatory.store.sql import rollups as sql
from observatory.store.sql import tables as queries

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FEW = 50_000
"""Rows that are not worth sorting: DuckDB reads them in a blink."""


def roll_up(database: Database, now: datetime) -> int:
    """Summarise the samples of every whole five minutes before `now`; returns the number of hours looked at."""
    finest = min(sql.ROLLUPS.values())
    last = datetime.fromtimestamp(now.timestamp() // finest * finest, UTC)
    done = done_until(database, "rollup")
    if done is not None and done >= last:
        return 0
    begin = done or database.value(sql.OLDEST)
    first = None if begin is None else floor_hour(begin)
    metrics = database.numbers(queries.SAMPLES)
    hours = 0
    for start, end in _ranges(first, last, DAY):
        span: list[datetime] = [start, end]
        database.write(
            [
                *(
                    statement
                    for table in sql.ROLLUPS
                    for statement in (
                        Statement(sql.forget_rollup(table), span),
                        Statement(sql.roll_up(table, metrics), span),
                    )
                ),
                *progress("rollup", end),
            ],
            content=False,
        )
        hours += -(-int((end - start).total_seconds()) // 3600)
    return hours


def refresh_late(session: Session, batch: str, oldest: datetime, newest: datetime) -> None:
    """Summarise again what the late samples of a batch are part of, in the transaction that writes them."""
    done = [row["done_until"] for row in session.rows(sql.DONE, ["rollup"])]
    if not done or oldest >= done[0]:
        return
    span: list[datetime] = [floor_hour(oldest), min(done[0], floor_hour(newest) + HOUR)]
    metrics = list(session.read(queries.NUMBERS, [queries.SAMPLES])["column_name"])
    for table in sql.ROLLUPS:
        for statement in sql.refresh(table, metrics, batch):
            session.execute(statement, span)


def tidy(database: Database, now: datetime) -> int:
    """Write the rows of closed hours again, each service's together; returns the number of rows.

    Samples arrive a minute of all services at a time. A service's day is then spread over everything written
    that day; sorted, it is read from a few places.
    """
    if not database.home.tidies:
        return 0
    last = floor_hour(now) - HOUR
    begin = done_until(database, "tidy") or oldest_live(database)
    first = None if begin is None else floor_hour(begin)
    moved = 0
    for start, end in _ranges(first, last, DAY):
        span: list[datetime] = [start, end]
        rows = int(database.value(sql.ROWS_BETWEEN, span))
        if rows < FEW and end == last:
            break  # wait until there is more
        statements = progress("tidy", end)
        if rows >= FEW:
            copy = batch_name()
            again = [Statement(text, span if "?" in text else ()) for text in sql.reorder(copy)]
            statements = [*again, *statements]
            moved += rows
        database.write(statements, content=False)
    return moved


def done_until(database: Database, task: str) -> datetime | None:
    """How far a task has come."""
    done: datetime | None = database.value(sql.DONE, [task])
    return done


def progress(task: str, until: datetime) -> list[Statement]:
    """Statements that remember how far a task has come."""
    return [Statement(sql.FORGET, [task]), Statement(sql.REMEMBER, [task, until])]


def oldest_live(database: Database) -> datetime | None:
    """Time of the oldest sample that is not archived."""
    oldest: datetime | None = database.value(sql.OLDEST_LIVE)
    return oldest


def as_time(value: Any) -> datetime | None:
    """A time out of a frame; None where there is none."""
    return None if pd.isna(value) else value.to_pydatetime()


def _ranges(first: datetime | None, last: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """From `first` to `last` in steps that end on whole days, so that each is one transaction of bounded size."""
    while first is not None and first < last:
        day = first.replace(hour=0, minute=0, second=0, microsecond=0)
        end = min(day + step, last)
        yield first, end
        first = end


def floor_hour(time: datetime) -> datetime:
    """The beginning of the hour."""
    return time.replace(minute=0, second=0, microsecond=0)
