"""One service over a range of time: samples, what was expected of them, anomalies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from observatory.annotations.in_force import under_new_names
from observatory.annotations.masks import learned_history
from observatory.config import Settings
from observatory.detectors.bands import Bands, Expected
from observatory.errors import InvalidInputError, NotEnoughDataError
from observatory.model import Anomaly, Change, Fault, NameRules, Remark, Service, Silence
from observatory.store.reader import StoreReader

POINTS = 720
LONGEST_TRAINING = timedelta(days=7)
"""What was expected in a longer range is learned from its end: samples of all of it would be many."""


@dataclass(frozen=True, slots=True)
class ServiceHistory:
    """What is known about one service from `start` to `end`.

    `samples` is indexed by UTC time, one column a metric; where the range is long they are summarised over
    `step` seconds, and a metric ``m`` also has ``m__min`` and ``m__max``. `expected` holds frames
    ``typical``, ``lower`` and ``upper`` over the same index, or is None while too little is known. `remarks` are what
    its source said about these samples, `changes` what was done to it, `silences` those about it, the oldest first.
    """

    service: Service
    start: datetime
    end: datetime
    step: float
    samples: pd.DataFrame
    expected: Expected | None
    anomalies: tuple[Anomaly, ...]
    faults: tuple[Fault, ...]
    remarks: tuple[Remark, ...] = ()
    changes: tuple[Change, ...] = ()
    silences: tuple[Silence, ...] = ()


def service_history(
    store: StoreReader,
    settings: Settings,
    name: str,
    start: datetime,
    end: datetime,
    points: int = POINTS,
    *,
    step: float | None = None,
    with_expected: bool = True,
    with_episodes: bool = True,
    with_extremes: bool = True,
) -> ServiceHistory:
    """History of the service `name` in at most about `points` points a metric, or one every `step` seconds.

    What was expected is learned from the days before, which takes a while: `with_expected` says whether it is,
    `with_episodes` whether anomalies, faults, changes and silences are read as well, `with_extremes` whether summaries
    have them.

    Raises
    ------
    UnknownServiceError, InvalidInputError
        No such service; `start` is not before `end`.
    """
    if start >= end:
        raise InvalidInputError(f"start = {start.isoformat()} must be before end = {end.isoformat()}")
    service = store.service(name)
    name = service.name  # it may have had another one
    asked = step or (end - start).total_seconds() / points
    wanted = max(settings.interval, _round_up(asked, settings.interval))
    step = store.resolution(start, wanted)
    if step > settings.interval:
        samples = store.buckets(name, start, end, step, extremes=with_extremes)
    else:
        samples = store.history(name, start, end)
    expected = _expected(store, settings, name, start, end, samples) if with_expected and len(samples) else None
    return ServiceHistory(
        service=service,
        start=start,
        end=end,
        step=step,
        samples=samples,
        expected=expected,
        anomalies=tuple(store.anomalies(start=start, end=end, services=[name])) if with_episodes else (),
        faults=tuple(f for f in store.faults(start, end) if f.service_name == name) if with_episodes else (),
        remarks=tuple(store.remarks.about(service.source, start, end)),
        changes=tuple(store.changes.read(start, end, [name])) if with_episodes else (),
        silences=_silences(store, name, start, end) if with_episodes else (),
    )


def _silences(store: StoreReader, name: str, start: datetime, end: datetime) -> tuple[Silence, ...]:
    held = store.silences.read(start, end)
    rules = store.names.rules() if held else NameRules()
    return tuple(one for one in held if under_new_names(one, rules).covers_service(name))


def _expected(
    store: StoreReader, settings: Settings, name: str, start: datetime, end: datetime, samples: pd.DataFrame
) -> Expected | None:
    since = max(start, end - LONGEST_TRAINING) - timedelta(days=settings.training_days)
    training = learned_history(store)(name, since, end)
    try:
        return Bands().fit(training).evaluate(pd.DatetimeIndex(samples.index))
    except NotEnoughDataError:
        return None


def _round_up(value: float, step: float) -> float:
    return -(-value // step) * step
