"""Samples by the batch and by the file: what may come in, and all of a file in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from observatory.errors import StoreError
from observatory.model import SERVICE, TIMESTAMP, Service
from observatory.store.engine.database import Database, batch_name
from observatory.store.engine.homes import Session
from observatory.store.sql import tables as queries
from observatory.store.upkeep.archive import Archive
from observatory.store.upkeep.rollups import refresh_late


def checked(frame: pd.DataFrame, catalog: Collection[str]) -> pd.DataFrame:
    """`frame` with metrics as numbers and infinite ones missing; not copied where it is so already.

    Raises
    ------
    StoreError
        Columns are unknown or missing, or times have no zone.
    """
    unknown = [c for c in frame.columns if c not in catalog and c not in (SERVICE, TIMESTAMP)]
    missing = [c for c in (SERVICE, TIMESTAMP) if c not in frame.columns]
    if unknown or missing:
        raise StoreError(f"samples cannot be stored: unknown columns {unknown}, missing columns {missing}")
    if frame.empty:
        return frame
    if getattr(frame[TIMESTAMP].dtype, "tz", None) is None:
        raise StoreError("samples cannot be stored: their timestamps have no time zone, give UTC")
    metrics = [column for column in frame.columns if column in catalog]
    values = frame[metrics].to_numpy(dtype=float)
    if not np.isinf(values).any() and all(frame[name].dtype == float for name in metrics):
        return frame
    batch = frame.copy(deep=False)
    batch[metrics] = np.where(np.isinf(values), np.nan, values)
    return batch


def write_file(
    database: Database,
    archive: Archive,
    file: Path,
    metrics: Sequence[str],
    reach: tuple[datetime, datetime],
    services: Iterable[Service],
) -> None:
    """See `Store.write_file`; `reach` is the first and the last time in it."""
    keys, (oldest, newest) = [SERVICE, TIMESTAMP], reach
    new = pd.DataFrame([(service.name, service.source) for service in services], columns=[SERVICE, "source"])
    samples, known = batch_name(), batch_name()

    def work(session: Session) -> None:
        archive.bring_back(session, samples, oldest)
        if len(new):
            session.execute(queries.merge("services", known, [SERVICE], ["source"]))
        session.execute(queries.merge("service_metrics", samples, keys, list(metrics), keep_known=True))
        refresh_late(session, samples, oldest, newest)

    database.transaction(work, {samples: file} | ({known: new} if len(new) else {}))
