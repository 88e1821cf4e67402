"""What a store does by itself as time goes on, and how long it keeps what."""

from __future__ import annotations

from datetime import datetime, timedelta

from observatory.store.engine.database import Database, Statement
from observatory.store.options import Retention
from observatory.store.sql import samples, tables
from observatory.store.tables.alerts import AlertTable
from observatory.store.tables.calls import CallTable
from observatory.store.tables.changes import ChangeTable
from observatory.store.tables.incidents import Incidents
from observatory.store.tables.notifications import Notifications
from observatory.store.tables.rollups import ROLLUPS
from observatory.store.tables.samples import floor_hour
from observatory.store.tables.silences import SilenceTable
from observatory.store.tables.watermarks import WatermarkTable
from observatory.store.upkeep.archive import Archive
from observatory.store.upkeep.rollups import roll_up, tidy


def maintain(database: Database, archive: Archive, now: datetime, retention: Retention | None = None) -> None:
    """Do what is due: roll-ups and the order of rows; every hour what the home asks for; once a day `retention`.

    Raises
    ------
    StoreError
        What is done stays done; the rest is tried again at the next call.
    """
    roll_up(database, now)
    tidy(database, now)
    hour, today = floor_hour(now), now.replace(hour=0, minute=0, second=0, microsecond=0)
    if database.home.upkeep and _is_due(database, "home", hour):
        for statement in database.home.upkeep:
            database.run(statement)
        database.write(WatermarkTable.moving("home", hour), content=False)
    if retention is not None and _is_due(database, "retention", today):
        _retain(database, archive, today, retention)


def _retain(database: Database, archive: Archive, today: datetime, retention: Retention) -> None:
    ages = [age for age in (retention.archive, retention.raw) if age is not None]
    archives = archive.folder is not None and retention.archive is not None
    if archives:
        archive.move(today - timedelta(days=min(ages)))  # what is removed early is archived early
    if retention.raw is not None:
        _remove(database, archive, today - timedelta(days=retention.raw), archives=archives)
    statements = WatermarkTable.moving("retention", today)
    if retention.rollups is not None:
        before = today - timedelta(days=retention.rollups)
        statements += [table.pruning(before) for table in ROLLUPS]
    if retention.anomalies is not None:
        before = today - timedelta(days=retention.anomalies)
        statements += [Statement(tables.PRUNE_ANOMALIES, [before]), ChangeTable.pruning(before)]
        statements += [SilenceTable.pruning(before), AlertTable.pruning(before)]
        statements += Incidents(database).forgetting(before)
    if retention.calls is not None:
        statements.append(CallTable.pruning(today, retention.calls))
    if retention.deliveries is not None:
        statements += Notifications(database).forgetting(today - timedelta(days=retention.deliveries))
    database.write(statements)


def _remove(database: Database, archive: Archive, before: datetime, *, archives: bool) -> None:
    """Remove archived months that ended before a time, and without an archive the samples that are rolled up."""
    months = archive.older_than(before)
    archive.forget(months)
    until = max((archive.end(month) for month in months), default=None)
    rolled_up = WatermarkTable(database).get("rollup")
    if not archives and rolled_up is not None:
        until = floor_hour(min(before, rolled_up))
        database.write([Statement(samples.DELETE_BEFORE, [until])])
    if until is not None:
        database.write(WatermarkTable.moving("removal", until), content=False)


def _is_due(database: Database, task: str, time: datetime) -> bool:
    done = WatermarkTable(database).get(task)
    return done is None or done < time
