"""The header: tabs, how the fleet is, how fresh that is, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from observatory.config import Settings
from observatory.model import IMPORTED, Band, Failure
from observatory.runtime.reader import Reader
from observatory.views import VIEWS, view_names
from observatory.views.components.base import Component, module
from observatory.views.components.words import plural
from observatory.views.session.state import State

PRODUCT = "CloudWatch Observatory"


class Header(Component):
    """Product, tabs, counts, freshness, refresh and theme; under it the banner of failures."""

    _esm = module("header.js")
    _sheets = ("header.css",)


def header(state: State, runtime: Reader, polls: int = 0) -> dict[str, Any]:
    """What the header draws; ages are counted on in the browser. `polls` grows with each news from the server."""
    settings, now = runtime.settings, runtime.clock()
    overview = state.overview
    updated = overview.updated_at if overview else None
    return {
        "product": PRODUCT,
        "view": state.view,
        "theme": state.theme,
        "dark": state.dark,
        "tabs": [{"view": name, "title": VIEWS.get(name).title} for name in view_names()],
        "services": len(overview.services) if overview else None,
        "bands": [
            {"band": str(band), "count": overview.counts[band] if overview else 0, "show": state.show == band}
            for band in (Band.CRITICAL, Band.POOR, Band.DEGRADED, Band.HEALTHY, Band.UNKNOWN)
        ],
        "open": overview.open_anomalies if overview else 0,
        "silenced": sum(bool(status.silences) for status in overview.services) if overview else 0,
        "updated": f"{updated:%H:%M:%S}" if updated else None,
        "updated_on": f"{updated:%Y-%m-%d %H:%M:%S} UTC" if updated else "",
        "age": max(0.0, (now - updated).total_seconds()) if updated else None,
        "polls": polls,
        "interval": settings.interval,
        "refresh": settings.refresh,
        "source": source(settings, overview.source if overview else settings.source_name),
        "problems": problems(state, runtime.failures, runtime.worker.error),
    }


def source(settings: Settings, name: str) -> dict[str, str]:
    """Where the samples come from, without what an address may hold in secrets.

    `name` is what the store says; a reader's settings need not know the source that fills it.
    """
    if name == "demo":
        return {"kind": "demo", "name": "demo shop"}
    sources = settings.prometheus_servers
    if name != "prometheus" or not sources:
        return {"kind": name, "name": "imported files" if name == IMPORTED else ""}
    if len(sources) > 1:
        return {"kind": "prometheus", "name": ", ".join(sources)}
    url = next(iter(sources.values())).url
    return {"kind": "prometheus", "name": f"{url.host}:{url.port}" if url.port else str(url.host)}


def problems(state: State, failures: Sequence[Failure] = (), worker_error: str | None = None) -> dict[str, Any] | None:
    """What failed when data was last read, collected or judged; None when nothing did."""
    lines: list[dict[str, str]] = []
    if state.error:
        lines.append({"what": "reading the store", "error": state.error})
    lines += [{"what": failure.what, "error": failure.error} for failure in failures]
    if worker_error:
        lines.append({"what": "background worker", "error": worker_error})
    cycle = state.overview.last_cycle if state.overview else None
    if cycle is not None:
        lines += [{"what": failure.what, "error": failure.error} for failure in cycle.failures]
    warnings = list(cycle.warnings) if cycle else []
    if not lines and not warnings:
        return None
    count = plural(len(lines), "problem") if lines else plural(len(warnings), "warning")
    when = f" in the cycle of {cycle.started_at:%H:%M:%S} UTC" if cycle and len(lines) <= len(cycle.failures) else ""
    lines += [{"what": "warning", "error": warning} for warning in warnings]
    return {"title": f"{count}{when}", "lines": lines, "failed": len(lines) > len(warnings)}
