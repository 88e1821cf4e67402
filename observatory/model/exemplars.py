"""Exemplars: single requests that metrics remember, with the trace of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A request that was counted: when, how long it took [s], and its trace."""

    at: datetime
    seconds: float
    trace_id: str
