"""What the settings name: the sources, and the scorer of the detector."""

from __future__ import annotations

from datetime import datetime

from observatory.config import Settings
from observatory.detection.fitted import Fitted
from observatory.detection.scoring import Judge, detector_of
from observatory.detection.streaming import Streamed
from observatory.detectors.base import StreamingDetector
from observatory.errors import ConfigError
from observatory.model import IMPORTED
from observatory.sources import Source
from observatory.sources.demo.shop import DemoSource
from observatory.store import Store
from observatory.times import floor_to


def make_sources(settings: Settings, store: Store, now: datetime) -> list[Source]:
    """The sources the settings name, checked against what the store holds already.

    Raises
    ------
    ConfigError
        The store holds samples of another source, or of a demo with another seed.
    """
    identity = settings.source_name if settings.prometheus_servers else f"demo seed {settings.demo_seed}"
    held = store.note("source")
    if held == IMPORTED and not settings.prometheus_servers:
        return []  # nothing but what files brought
    if held in (None, IMPORTED):
        store.write_note("source", identity)
    elif held != identity:
        raise ConfigError(
            f"store {store.url} holds samples of {held!r}, not of {identity!r}: "
            "name another file with OBSERVATORY_STORE"
        )
    if settings.prometheus_servers:
        from observatory.sources.prometheus.source import PrometheusSource

        return [PrometheusSource.from_settings(settings, name) for name in settings.prometheus_servers]
    anchor = store.note("demo.anchor")
    if anchor is None:
        anchor = floor_to(now, settings.interval).isoformat()
        store.write_note("demo.anchor", anchor)
    demo = DemoSource(
        settings.demo_seed,
        datetime.fromisoformat(anchor),
        live_since=now,
        live_fault_after=settings.demo_live_fault,
        days=settings.demo_days,
        step=settings.interval,
    )
    return [demo]


def judge_of(store: Store, settings: Settings) -> Judge:
    """The judge for the detector that the settings name."""
    detector = detector_of(settings)
    if isinstance(detector, StreamingDetector):
        return Streamed(store, settings, detector)
    return Fitted(store, settings)
