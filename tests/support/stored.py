"""Samples of several services as a store holds them, and what answers a scorer's questions from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import pandas as pd

from observatory.detection import HistoryRequest, Scorer
from observatory.model import SERVICE, TIMESTAMP

S = TypeVar("S")


def stored(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Frames by service in the shape of `Store.history_of_all`."""
    parts = [frame.rename_axis(TIMESTAMP).reset_index().assign(**{SERVICE: name}) for name, frame in frames.items()]
    return pd.concat(parts, ignore_index=True).sort_values([SERVICE, TIMESTAMP], ignore_index=True)


def between(rows: pd.DataFrame, start: datetime, end: datetime, services: Iterable[str]) -> pd.DataFrame:
    """As `Store.history_of_all`."""
    inside = (rows[TIMESTAMP] >= start) & (rows[TIMESTAMP] <= end) & rows[SERVICE].isin(list(services))
    return rows[inside].reset_index(drop=True)


def answer(rows: pd.DataFrame, request: HistoryRequest) -> pd.DataFrame:
    """What was asked for."""
    first, last = min(request.start.values()), max(request.end.values())
    return request.only(between(rows, first, last, request.services))


def caught_up(scorer: Scorer[S], state: S, rows: pd.DataFrame, since: Mapping[str, datetime], now: datetime) -> S:
    """The state once it has learned all that it asks for and waits for."""
    for request in scorer.missing(state, since, now):
        if not request.in_background:
            state = scorer.learn(state, request, answer(rows, request))
    return state
