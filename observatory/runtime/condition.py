"""How the workbench itself is: its sources, what it has learned, and its store. For those who watch the watcher."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from observatory.config import Settings
from observatory.errors import StoreError
from observatory.health.overview import STALE_INTERVALS, Overview
from observatory.store import Store
from observatory.store.space import Space

log = logging.getLogger(__name__)

COLLECT = "collect"
"""What failed in a cycle in which no source answered."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is not known is missing.

    Attributes
    ----------
    sources
        Whether each answered in the last cycle; empty where there was none for a while.
    oldest_state
        Of the services that report, when the state that is kept longest without a newer one was kept: after a restart
        the detector begins from there.
    space
        Of a store that is a file on this machine.
    """

    sources: Mapping[str, bool]
    oldest_state: datetime | None
    space: Space | None


def condition(store: Store, settings: Settings, overview: Overview, source_names: Iterable[str]) -> Condition:
    """How the workbench is, as of an overview."""
    reporting = {status.name for status in overview.services if status.state in ("learning", "judged")}
    kept = [at for name, at in store.states.kept_at(settings.detector).items() if name in reporting]
    return Condition(
        sources=_sources(settings, overview, source_names),
        oldest_state=min(kept, default=None),
        space=_space(store),
    )


def _space(store: Store) -> Space | None:
    try:
        return store.space()
    except StoreError as error:  # the rest is worth knowing all the more
        log.warning("%s", error)
        return None


def _sources(settings: Settings, overview: Overview, names: Iterable[str]) -> dict[str, bool]:
    cycle = overview.last_cycle
    if cycle is None or overview.at - cycle.started_at > STALE_INTERVALS * timedelta(seconds=settings.interval):
        return {}
    failed = {failure.what for failure in cycle.failures}
    return {name: not {name, COLLECT} & failed for name in names}
