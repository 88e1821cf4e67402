"""Changes of services as tables."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from observatory.frames import ReadableFrame
from observatory.model import Change
from observatory.times import TIME


def change_table(changes: Iterable[Change]) -> pd.DataFrame:
    """A row a change: when, which service, what was done, and who tells of it."""
    rows = [
        {
            "id": change.id,
            "at": change.at.strftime(TIME),
            "service": change.service_name,
            "kind": str(change.kind),
            "version": change.version,
            "summary": change.summary,
            "source": change.source,
        }
        for change in changes
    ]
    columns = ["id", "at", "service", "kind", "version", "summary", "source"]
    return ReadableFrame(rows, columns=columns, nothing="no changes")
