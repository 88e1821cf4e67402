"""Frames of samples: their columns, and the answer of a source.

A frame of samples is wide: one column a metric, missing values NaN. Of one service it has a UTC
``DatetimeIndex``; of many it has the columns ``service_name`` and ``timestamp`` instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from observatory.model.cycles import Failure

SERVICE = "service_name"
TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Collected:
    """An answer of a source: samples, and what could not be had.

    `frame` has the columns ``service_name``, ``timestamp`` (UTC) and one a metric that answered.
    """

    frame: pd.DataFrame
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    queries: int = 0


def empty_samples(metrics: Sequence[str] = ()) -> pd.DataFrame:
    """A frame of samples of many services without a row."""
    columns: dict[str, pd.Series] = {
        SERVICE: pd.Series(dtype="object"),
        TIMESTAMP: pd.Series(dtype="datetime64[us, UTC]"),
    }
    return pd.DataFrame(columns | {name: pd.Series(dtype=float) for name in metrics})
