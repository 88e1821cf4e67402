"""Reader: what views, API and notebooks may read. Operator: what somebody may do who also writes.

`Runtime` is both. `observatory.access` has those of somebody who may see some services only. What is not here, they
do not have.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from observatory.analysis.history import POINTS, ServiceHistory
from observatory.collection.collect import CollectReport
from observatory.config import Settings
from observatory.health.overview import Overview
from observatory.model import Exemplar, Failure
from observatory.runtime.feed import Callback
from observatory.runtime.parts import Parts
from observatory.store.reader import OperatorStore, StoreReader


class WorkerState(Protocol):
    """How the background worker is."""

    @property
    def error(self) -> str | None:
        """Why the last cycle failed; None where it did not."""
        ...


class FeedReader(Protocol):
    """Looks and events; see `observatory.runtime.feed.Feed`."""

    def subscribe(self, callback: Callback, every: float | None = None) -> None: ...

    def unsubscribe(self, callback: Callback) -> None: ...

    def refresh(self) -> None: ...


class Reader(Protocol):
    """What may be read; see `observatory.runtime.Runtime` for each."""

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Callable[[], datetime]: ...

    @property
    def is_live(self) -> bool: ...

    @property
    def store(self) -> StoreReader: ...

    @property
    def failures(self) -> tuple[Failure, ...]: ...

    @property
    def worker(self) -> WorkerState: ...

    @property
    def feed(self) -> FeedReader: ...

    @property
    def parts(self) -> Parts: ...

    def overview(self) -> Overview: ...

    def history(
        self, service: str, start: datetime, end: datetime, points: int = POINTS, **options: Any
    ) -> ServiceHistory: ...

    def exemplars(self, service: str, start: datetime, end: datetime, most: int = 10) -> list[Exemplar]: ...


class Operator(Reader, Protocol):
    """What an operator may also do."""

    @property
    def store(self) -> OperatorStore: ...

    @property
    def source_names(self) -> tuple[str, ...]: ...

    def collect(self, service: str | None = None) -> CollectReport: ...
