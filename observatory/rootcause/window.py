"""One service before and in the incident, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.errors import InvalidInputError
from observatory.rootcause.options import LOOKBACK_DAYS, MOST_ROWS

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

HUGE = 1e100
"""Values are cut here, so that squares of them are still numbers."""
TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of one service.

    Attributes
    ----------
    metrics
        Names, in the order of the frame.
    times
        UTC times of history and incident, increasing, shape (rows + incident rows,).
    history, incident
        Values in base units, NaN where there is none, shapes (metrics, rows) and (metrics, incident rows).
    """

    service: str
    metrics: tuple[str, ...]
    times: pd.DatetimeIndex
    history: FloatArray
    incident: FloatArray

    @property
    def step(self) -> pd.Timedelta:
        """Mean time between two rows."""
        if len(self.times) < 2:
            return pd.Timedelta(0)
        return pd.Timedelta((self.times[-1] - self.times[0]) / (len(self.times) - 1))


def span(start: object, end: object) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The incident in UTC; times without a zone are UTC.

    Raises
    ------
    InvalidInputError
        One of them is no time, or the incident ends before it starts.
    """
    first, last = _time("start", start), _time("end", end)
    if last < first:
        raise InvalidInputError(f"the incident ends at {last} before it starts at {first}: exchange start and end")
    return first, last


def window(service: str, frame: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> Window:
    """Rows of the day before `start`, and rows from `start` to `end`; nothing later is read.

    Rows may be in any order; of rows with the same time the last counts. What is not numeric is left out, and
    infinities are missing values.

    Raises
    ------
    InvalidInputError
        The frame has rows and no times.
    """
    times, values = _timed(service, frame)
    if not (times.is_monotonic_increasing and times.is_unique):
        times, values = _ordered(times, values)
    first = int(times.searchsorted(start - pd.Timedelta(days=LOOKBACK_DAYS)))
    middle, last = int(times.searchsorted(start)), int(times.searchsorted(end, side="right"))
    first = max(first, middle - MOST_ROWS)
    numeric = [position for position, kind in enumerate(values.dtypes) if kind.kind in "fiub"]
    columns = values.iloc[first:last, numeric]
    array = np.array(columns.to_numpy(dtype=float, na_value=np.nan).T, order="C").reshape(len(numeric), last - first)
    array[~np.isfinite(array)] = np.nan
    np.clip(array, -HUGE, HUGE, out=array)
    metrics = tuple(str(name) for name in columns.columns)
    rows = middle - first
    return Window(service, metrics, times[first:last], array[:, :rows], array[:, rows:])


def _ordered(times: pd.DatetimeIndex, values: pd.DataFrame) -> tuple[pd.DatetimeIndex, pd.DataFrame]:
    """Rows by time, the last of those with the same time; rows without a time are left out."""
    order = np.argsort(times.asi8, kind="stable")
    order = order[~np.asarray(times.isna())[order]]
    order = order[~times[order].duplicated(keep="last")]
    return times[order], values.iloc[order]


def _time(name: str, value: object) -> pd.Timestamp:
    try:
        time = pd.Timestamp(value)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"{name} = {value!r} is no time: {error}") from error
    if pd.isna(time):
        raise InvalidInputError(f"{name} = {value!r} is no time: give one, such as 2026-03-01T12:00:00Z")
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _timed(service: str, frame: pd.DataFrame) -> tuple[pd.DatetimeIndex, pd.DataFrame]:
    """UTC times and the columns beside them."""
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) and TIMESTAMP in frame:
        index = pd.DatetimeIndex(pd.to_datetime(frame[TIMESTAMP], utc=True))
        frame = frame.drop(columns=TIMESTAMP)
    if not isinstance(index, pd.DatetimeIndex):
        if len(frame):
            raise InvalidInputError(
                f"the frame of {service!r} has no times: give it a DatetimeIndex or a column {TIMESTAMP}"
            )
        index = pd.DatetimeIndex([], tz="UTC")
    return (index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")), frame
