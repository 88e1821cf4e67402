"""What people should know of a survey: how services are named, what is not known of some, and what is not read."""

from __future__ import annotations

from collections.abc import Iterator

from observatory.sources.prometheus.merging import coarse_ends
from observatory.sources.prometheus.plan import Asked
from observatory.sources.prometheus.presets import http
from observatory.sources.prometheus.source import PrometheusSource
from observatory.sources.prometheus.survey import Survey
from observatory.units import show

MOST_NAMED = 5
_TOLD_BY_SERVICES = {preset.name for preset in http.PRESETS}
"""Presets of what services count themselves; meshes, proxies and spans see requests of any kind."""


def remarks_on(source: PrometheusSource, found: Survey) -> Iterator[str]:
    """Lines that end what ``observatory services discover`` says of a source."""
    inventory = found.inventory
    for label, values in inventory.clusters.items():
        yield f"names begin with the cluster ({label}: {_some(values)}), unless OBSERVATORY_CLUSTER_NAMES=false"
    for label in inventory.replicas:
        yield f"series that differ only in {label} are of one target, scraped twice: they count once"
    for job, label in sorted(inventory.catch_alls.items()):
        yield f"job {job} scrapes several services: they are named by their label {label}"
    for name in sorted(without_errors(found)):
        families = [one.family for one in found.found if name in one.services and one.series.get("request_rate")]
        yield f"{name}: no error rate, since {families[0]} has no label that says how a request ended"
    for (counted, left), names in sorted(counted_apart(found).items()):
        yield f"{_some(tuple(names))}: requests are those of {counted}; those of {left} are not added to them"
    for remark, names in coarse_remarks(found).items():
        yield f"{_some(tuple(names))}: {remark}"
    for preset in found.found:
        for metric, error in preset.refused.items():
            yield f"failed: preset {preset.preset}, {metric}: {error}"
    if found.unread:
        yield "not read by any preset, the most frequent first; lines of observatory.toml would read the first:"
        for one in found.unread:
            yield f"  {one.name} ({one.series} series of job {one.job or '–'})"
        yield from (f"    {line}" for line in found.unread[0].settings.splitlines())


def without_errors(found: Survey) -> set[str]:
    """Services whose requests are read, and whose errors are not told by any family."""
    counted = {name for one in found.found if one.series.get("request_rate") for name in one.services}
    return counted - {name for one in found.found if "error_rate" in one.series for name in one.services}


def counted_apart(found: Survey) -> dict[tuple[str, str], list[str]]:
    """Services with metrics of HTTP and of gRPC, by the family that is believed and the first that is left out.

    Whether these are different requests no metric tells: a gateway passes what it gets over HTTP on to its own gRPC.
    """
    plan, services = found.plan, {(one.preset, one.family): one.services for one in found.found}
    ranked: dict[str, list[Asked]] = {}
    for asked in map(plan.of, plan.rank("request_rate")):
        for name in services.get((asked.preset.name, asked.family.name), ()):
            ranked.setdefault(name, []).append(asked)
    apart: dict[tuple[str, str], list[str]] = {}
    for name, (first, *others) in sorted(ranked.items()):
        counted = first.family.name
        left = [one.family.name for one in others if ("rpc" in one.family.name) != ("rpc" in counted)]
        if left and {first.preset.name, *(one.preset.name for one in others)} <= _TOLD_BY_SERVICES:
            apart.setdefault((counted, left[0]), []).append(name)
    return apart


def coarse_remarks(found: Survey) -> dict[str, list[str]]:
    """Services by what their histograms do not tell."""
    coarse: dict[str, list[str]] = {}
    for name, ends in sorted(found.coarse.items()):
        coarse.setdefault(coarse_remark(ends), []).append(name)
    return coarse


def coarse_remark(ends: tuple[float, ...]) -> str:
    """What a coarse histogram does not tell."""
    ranges: list[tuple[float, float]] = []
    for low, high in coarse_ends(ends):
        if ranges and ranges[-1][1] == low:
            low, _ = ranges.pop()
        ranges.append((low, high))
    between = " and ".join(
        f"from {show(low, 's')} to {show(high, 's')}" if low else f"up to {show(high, 's')}" for low, high in ranges
    )
    return (
        f"quantiles of latency are not known {between}, as the histogram's buckets are too wide there; the mean is used"
    )


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
