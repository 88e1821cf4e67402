"""What ``/metrics`` has of the workbench itself, for those who may see every service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from observatory import __version__
from observatory.api.middleware.metrics import NAME
from observatory.runtime.condition import Condition
from observatory.store.tables.notifications import Notifications


class ConditionMetrics(Collector):
    """Sources, what was learned, room: as of the overview. `skipped` is how many cycles of this process were."""

    def __init__(self, condition: Condition, skipped: int) -> None:
        self._condition = condition
        self._skipped = skipped

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        found = self._condition
        yield InfoMetricFamily(f"{NAME}_build", "Version of the workbench.", {"version": __version__})
        up = GaugeMetricFamily(f"{NAME}_source_up", "Whether the source answered in the last cycle.", labels=["source"])
        for name, answers in found.sources.items():
            up.add_metric([name], answers)
        yield up
        yield CounterMetricFamily(
            f"{NAME}_cycles_skipped", "Cycles of this process that did not run: another took too long.", self._skipped
        )
        if found.oldest_state is not None:
            yield GaugeMetricFamily(
                f"{NAME}_detector_state_timestamp_seconds",
                "When the oldest of the detector's states was kept, of services that report.",
                found.oldest_state.timestamp(),
            )
        if found.space is not None:
            for name, text, value in (
                ("store_size_bytes", "Size of the store's file and its log.", found.space.size),
                ("store_available_bytes", "Room left where the store is.", found.space.available),
                ("store_filesystem_bytes", "Size of the file system where the store is.", found.space.filesystem),
            ):
                yield GaugeMetricFamily(f"{NAME}_{name}", text, value)


class NotificationMetrics(Collector):
    """Who was told, and what waits: an alert on it needs another way than the one that fails."""

    def __init__(self, notifications: Notifications, now: datetime) -> None:
        self._notifications = notifications
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """See `Collector.collect`."""
        deliveries = GaugeMetricFamily(
            f"{NAME}_deliveries", "Messages about incidents by destination and state.", labels=["destination", "state"]
        )
        for count in self._notifications.counts():
            deliveries.add_metric([count.destination, str(count.state)], count.deliveries)
        yield deliveries
        oldest = self._notifications.oldest_overdue(self._now)
        if oldest is not None:
            yield GaugeMetricFamily(
                f"{NAME}_oldest_untold_timestamp_seconds",
                "When the oldest happened that somebody should have been told of.",
                oldest.timestamp(),
            )
