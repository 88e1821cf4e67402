"""Addresses at which other programs show more of a service: its logs, traces and dashboards at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from observatory.config.links import OF_TRACES, PLACES, LinkSettings
from observatory.model import Incident, Link, covers
from observatory.times import rfc3339

AROUND = timedelta(minutes=10)
"""Shown before and after what a link is about."""
QUERIES = {
    "grafana_loki": '{service_name="{name}"}',
    "grafana_tempo": '{resource.service.name="{name}"}',
    "kibana": 'service.name:"{name}"',
    "datadog": "service:{name}",
}
"""What presets look for."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def links_of(settings: Mapping[str, LinkSettings], service: str, start: datetime, end: datetime) -> list[Link]:
    """The links of a service from one time to another; those that need a trace are left out.

    >>> template = LinkSettings(url="https://logs.example/?q={name}&from={start_s}")
    >>> [found] = links_of({"logs": template}, "shop/my cart", _EPOCH, _EPOCH)
    >>> found.url
    'https://logs.example/?q=my%20cart&from=0'
    """
    values = _values(service, start, end)
    return [
        Link(_title(name, one), _address(one, values))
        for name, one in settings.items()
        if _is_for(one, service) and "{trace_id}" not in one.url
    ]


def trace_links(settings: Mapping[str, LinkSettings], service: str, trace_id: str, at: datetime) -> list[Link]:
    """The links to one trace of a service that was made about a time."""
    values = _values(service, at - AROUND, at + AROUND) | {"trace_id": trace_id}
    return [
        Link(_title(name, one), _address(one, values))
        for name, one in settings.items()
        if _is_for(one, service) and (one.preset in OF_TRACES or "{trace_id}" in one.url)
    ]


def incident_links(settings: Mapping[str, LinkSettings], incident: Incident, now: datetime) -> list[Link]:
    """The links of the service that people should look at first, over the time of an incident."""
    if not settings or not incident.services:
        return []
    return links_of(settings, incident.origin, *around(incident.started_at, incident.ended_at, now))


def around(start: datetime, end: datetime, now: datetime) -> tuple[datetime, datetime]:
    """The time that links of something show: a while before and after it, as far as that has been."""
    return start - AROUND, min(end + AROUND, now)


def _is_for(one: LinkSettings, service: str) -> bool:
    return not one.services or any(covers(pattern, service) for pattern in one.services)


def _title(name: str, one: LinkSettings) -> str:
    return one.title or name.replace("_", " ").capitalize()


def _values(service: str, start: datetime, end: datetime) -> dict[str, str]:
    """What is put in place of each placeholder."""
    namespace, _, name = service.rpartition("/")
    values = {"service": service, "namespace": namespace, "name": name}
    for key, at in (("start", start), ("end", end)):
        values[key] = rfc3339(at)
        microseconds = (at - _EPOCH) // timedelta(microseconds=1)
        values |= {f"{key}_{unit}": str(microseconds * per // 10**6) for unit, per in _UNITS.items()}
    return values


def _address(one: LinkSettings, values: Mapping[str, str]) -> str:
    base = one.url.rstrip("/")
    if one.preset == "jaeger":
        if "trace_id" in values:
            return _filled(f"{base}/trace/{{trace_id}}", values, _quoted)
        return _filled(f"{base}/search?service={{name}}&start={{start_us}}&end={{end_us}}&limit=20", values, _quoted)
    if one.preset in ("grafana_loki", "grafana_tempo"):
        return f"{base}/explore?schemaVersion=1&orgId=1&panes={_quoted(_panes(one, values))}"
    if one.preset == "kibana":
        query = _filled(one.query or QUERIES["kibana"], values, _in_string)
        span = _filled("(time:(from:'{start}',to:'{end}'))", values, _in_rison)
        return f"{base}/app/discover#/?_g={_quoted(span)}&_a={_quoted(_rison_query(query))}"
    if one.preset == "datadog":
        query = _filled(one.query or QUERIES["datadog"], values, _in_search)
        return _filled(f"{base}/logs?query={_quoted(query)}&from_ts={{start_ms}}&to_ts={{end_ms}}", values, _quoted)
    return _filled(one.url, values, _quoted)


def _panes(one: LinkSettings, values: Mapping[str, str]) -> str:
    """Grafana's Explore with one pane, as its addresses have it since version 10."""
    kind = one.preset.removeprefix("grafana_")
    query = _filled(one.query or QUERIES[one.preset], values, _in_string)
    target: dict[str, object] = {"refId": "A", "datasource": {"type": kind, "uid": one.datasource}}
    if kind == "loki":
        target |= {"expr": query, "queryType": "range"}
    else:
        target |= {"queryType": "traceql", "query": values.get("trace_id", query)}
    pane = {
        "datasource": one.datasource,
        "queries": [target],
        "range": {"from": values["start_ms"], "to": values["end_ms"]},
    }
    return json.dumps({"observatory": pane}, separators=(",", ":"))


def _rison_query(query: str) -> str:
    return f"(query:(language:kuery,query:'{_in_rison(query)}'))"


def _filled(template: str, values: Mapping[str, str], as_part: Callable[[str], str]) -> str:
    return PLACES.sub(lambda found: as_part(values.get(found[1], "")), template)


def _quoted(text: str) -> str:
    """As a part of an address."""
    return quote(text, safe="")


def _in_string(text: str) -> str:
    """Within the double quotes of a query."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _in_rison(text: str) -> str:
    """Within the quotes of rison, Kibana's way to write JSON in addresses."""
    return text.replace("!", "!!").replace("'", "!'")


def _in_search(text: str) -> str:
    """A term of Datadog's search, where signs with a meaning are escaped."""
    return re.sub(r'([\s+\-=&|><!(){}\[\]^"~*?:\\])', r"\\\1", text)
