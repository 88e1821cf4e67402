"""What a user has chosen to look at. Every view follows it; there are no widgets in it.

What is worth sharing has a name in the query of the URL (`QUERY`); what equals its default is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import param

from observatory.catalog import METRICS
from observatory.health.overview import TREND_METRICS, Overview
from observatory.model import Band, Severity

log = logging.getLogger(__name__)

SPANS = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
}
RADAR_SPANS = ("24h", "3d", "7d")
SHOW = ("all", "unhealthy", "anomalous", "critical", "poor", "degraded", "healthy", "unknown")
UNHEALTHY = (Band.DEGRADED, Band.POOR, Band.CRITICAL)

CALLS = {"1": "1 call", "2": "2 calls", "3": "3 calls", "all": "everything"}
"""How far calls are followed from the service that is open, and what that is called."""

QUERY = {
    "view": "view",
    "service": "service",
    "incident": "incident",
    "change": "change",
    "silencing": "silence",
    "span": "range",
    "calls": "calls",
    "search": "q",
    "show": "show",
    "trend": "trend",
    "radar_span": "since",
    "severities": "severity",
    "radar_service": "of",
    "metric": "metric",
    "help_page": "page",
    "help_section": "at",
    "help_search": "find",
}


class State(param.Parameterized):  # type: ignore[misc]
    """One user's choices, and the newest picture of all services."""

    view = param.String("health", doc="Name of the view that is open.")
    service = param.String("", doc="Service whose drill-down is open; empty shows all of them.")
    incident = param.String("", doc="Id of the incident that is open in the strip; empty shows them as lines only.")
    change = param.String("", doc="Id of the change that is compared on the page of its service.")
    silencing = param.String("", doc="Services that the form for silences is filled with.")
    span = param.Selector(default="24h", objects=list(SPANS), doc="How far back the drill-down reaches.")
    window = param.Tuple(None, length=2, allow_None=True, doc="Part of it that is zoomed into: start, end.")

    calls = param.Selector(default="1", objects=list(CALLS), doc="How far calls are followed from the service.")

    search = param.String("", doc="Words that a card must have, in name, team, tier or band.")
    show = param.Selector(default="all", objects=list(SHOW), doc="Which cards are shown.")
    trend = param.Selector(default="latency_p95", objects=list(TREND_METRICS), doc="Metric of the cards' sparklines.")

    radar_span = param.Selector(default="24h", objects=list(RADAR_SPANS), doc="How far back the radar reaches.")
    severities = param.ListSelector(default=[], objects=[str(s) for s in Severity], doc="Severities; empty is all.")
    radar_service = param.String("", doc="Only anomalies of this service.")
    metric = param.Selector(default="", objects=["", *METRICS], doc="Only anomalies that affect this metric.")
    anomaly = param.String("", doc="Key of the anomaly that is marked on the radar.")

    help_page = param.String("index", doc="Page of the guides that is open.")
    help_section = param.String("", doc="Anchor on it; empty is its beginning.")
    help_search = param.String("", doc="What is looked for in the guides; empty shows the page.")

    theme = param.Selector(default="auto", objects=["auto", "dark", "light"], doc="What the user asked for.")
    dark = param.Boolean(True, doc="Whether the page is dark: the theme, or what the system prefers.")

    overview = param.ClassSelector(class_=Overview, default=None, allow_None=True, doc="All services, as last read.")
    error = param.String("", doc="Why reading failed the last time; empty when it did not.")

    @param.depends("service", "span", watch=True)  # type: ignore[untyped-decorator]
    def _unzoom(self) -> None:
        self.window = None

    @property
    def shared(self) -> list[str]:
        """Names of the parameters that are part of the URL."""
        return list(QUERY)

    def accept(self, message: Any, names: Iterable[str]) -> None:
        """Take over from a browser's `message` what is in `names`; anything that does not fit is left out."""
        if not isinstance(message, Mapping):
            return
        values = {name: message[name] for name in names if name in message and self._fits(name, message[name])}
        self.param.update(**values)

    def query(self) -> str:
        """The query of a URL that leads here, without its question mark."""
        pairs = []
        for name, key in QUERY.items():
            value = getattr(self, name)
            if value != self.param[name].default:
                pairs.append((key, ",".join(value) if isinstance(value, list) else value))
        return urlencode(pairs, safe="/,")

    def follow(self, query: str) -> None:
        """Become what `query` says, and the default where it says nothing."""
        given = dict(parse_qsl(query.removeprefix("?")))
        values: dict[str, Any] = {}
        for name, key in QUERY.items():
            default = self.param[name].default
            text = given.get(key)
            value: Any = text.split(",") if text is not None and isinstance(default, list) else text
            values[name] = value if value is not None and self._fits(name, value) else default
        self.param.update(**values)

    def _fits(self, name: str, value: Any) -> bool:
        try:
            type(self)(**{name: value})
        except (ValueError, TypeError) as error:
            log.debug("left out %s = %.80r: %s", name, value, error)
            return False
        return True
