"""Why series are refused: the series that were found, and the options that would say what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from observatory.catalog import Metric
from observatory.collection.files.series import Series
from observatory.collection.files.units import COUNT, COUNTED, COUNTER, DECLARED, UNITS
from observatory.suggest import closest

ADDABLE = ("req/s", "cores", "bytes", "")
"""Base units of metrics that can be added up; the quantile or ratio of a whole is not in those of its parts."""
MOST = 12
_GROWS = ("_total", "_count", "_sum", "_bucket")  # what Prometheus calls counters


def units_of(metric: Metric) -> list[str]:
    """Units that a series of a metric may be in."""
    return [*UNITS.get(metric.unit, {}), *([COUNTER] if metric.unit in COUNTED else []), *_counts(metric)]


def _counts(metric: Metric) -> list[str]:
    return [COUNT] if metric.unit == "req/s" else []


def unknown_series(unknown: Sequence[Series], catalog: Mapping[str, Metric], *, has_others: bool) -> str:
    """For series for which no metric is named; `has_others` where there are some that have one."""
    first = unknown[0]
    name = first.name or first.text
    example = next(iter(closest(name, catalog)), next(iter(catalog)))
    unit = COUNTER if name.endswith(_GROWS) else COUNT if DECLARED.get(first.unit.lower(), ("", ""))[1] == COUNT else ""
    if unit and unit not in units_of(catalog[example]):
        example = next((one for one in catalog if unit in units_of(catalog[one])), example)
    unit = f":{unit}" if unit in units_of(catalog[example]) else ""
    lines = [f"no metric is named for {len(unknown):,} series:"]
    lines += [f"    {one.text}{f' [{one.unit}]' if one.unit else ''}" for one in unknown[:MOST]]
    lines += [f"    … {len(unknown) - MOST:,} more"] if len(unknown) > MOST else []
    ways = [f"say it of one (-m {example}={shell(name + unit)})"]
    if not has_others:
        ways.insert(0, f"say which metric all of them are (--metric {example}{unit})")
    else:
        ways.append("leave them out (--ignore-unknown)")
    lines.append(f"{', or '.join(ways)}; metrics are {', '.join(catalog)}")
    return "\n".join(lines)


def no_series(selector: str, key: str, series: Sequence[Series]) -> str:
    """For a series that is asked for and is not there."""
    known = list(dict.fromkeys(name for one in series for name in (one.text, one.name, *one.also) if name))
    near = closest(selector, known, 3)
    way = "did you mean" if near else "choose from"
    return f"there is no series {selector!r} for {key}: {way} {listed(near or known)}"


def collisions(doubled: Mapping[tuple[str, str], Sequence[Series]], catalog: Mapping[str, Metric]) -> list[str]:
    """A line for each service and metric that several series would be."""
    lines = []
    for (service, metric), group in list(doubled.items())[:3]:
        first, second = group[:2]
        apart = [key for key, _ in (*first.labels, *second.labels) if first.label(key) != second.label(key)]
        ways = [f"choose one (-m {metric}={shell(first.text)})"]
        if apart:
            ways.append(f"let a label tell services apart (-m service={apart[0]}, or two as in job/{apart[0]})")
        if catalog[metric].unit in ADDABLE:
            ways.append("add them up (--sum)")
        lines.append(f"{len(group)} series would be {metric} of {service}: {some(group)}; {', or '.join(ways)}")
    if len(doubled) > 3:
        lines.append(f"and {len(doubled) - 3:,} more services and metrics have several series")
    return lines


def some(series: Sequence[Series], most: int = 3) -> str:
    """The first of several series."""
    more = f" and {len(series) - most:,} more" if len(series) > most else ""
    return ", ".join(one.text for one in series[:most]) + more


def shell(text: str) -> str:
    """A word as a shell takes it."""
    return (
        text
        if all(letter.isalnum() or letter in "_.:/-" for letter in text)
        else "'" + text.replace("'", "'\\''") + "'"
    )


def listed(names: Sequence[str]) -> str:
    """The first of several names."""
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def no_service(nameless: Sequence[Series]) -> str:
    """For series whose service nothing names."""
    keys = sorted({key for one in nameless for key, _ in one.labels})
    way = f"say which label names it (-m service={keys[0]}; there are {listed(keys)}), or " if keys else ""
    return f"nothing names the service of {some(nameless)}: {way}name the one that all are of (--service NAME)"
