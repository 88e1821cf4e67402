"""The demo shop's labelled past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from observatory.errors import InvalidInputError
from observatory.evaluation.series import LabelledSeries
from observatory.model import SERVICE, TIMESTAMP, Fault
from observatory.sources.demo.shop import DemoSource

DEMO_END = datetime(2026, 3, 1, tzinfo=UTC)
DEMO_DAYS = 7.0
LEARNING_DAYS = 2.0
STEP = 60.0


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo shop's labelled past: frames by service, and the faults after the time for learning."""

    frames: dict[str, pd.DataFrame]
    faults: list[Fault]
    scored_from: datetime
    end: datetime


def labelled_demo(seed: int, days: float | None = None) -> Demo:
    """The demo shop's past with its faults; raises InvalidInputError where there is nothing after learning."""
    length = DEMO_DAYS if days is None else days
    if length <= LEARNING_DAYS:
        raise InvalidInputError(f"days = {length:g}: must be more than the {LEARNING_DAYS:g} days for learning")
    source = DemoSource(seed, DEMO_END, days=length)
    start = DEMO_END - timedelta(days=length)
    scored_from = start + timedelta(days=LEARNING_DAYS)
    faults = [fault for fault in source.faults(start, DEMO_END) if fault.start >= scored_from]
    frame = source.history(start, DEMO_END, STEP).frame
    frames = {str(name): rows.drop(columns=SERVICE).set_index(TIMESTAMP) for name, rows in frame.groupby(SERVICE)}
    return Demo(frames, faults, scored_from, DEMO_END)


def demo_series(seed: int = 7, days: float | None = None) -> list[LabelledSeries]:
    """The demo shop as labelled series, a service each: rows of a fault are those between its start and its end."""
    demo = labelled_demo(seed, days)
    found = []
    for service, frame in demo.frames.items():
        labels = np.zeros(len(frame), dtype=bool)
        for fault in demo.faults:
            if fault.service_name == service:
                labels |= (frame.index >= fault.start) & (frame.index <= fault.end)
        found.append(LabelledSeries("demo", service, frame, labels, int((frame.index < demo.scored_from).sum())))
    return found
