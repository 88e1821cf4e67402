"""Which service and metric a series of a file is: by labels, by its name, or as its user says; never by a guess.

Two series are never put together under one service and metric. What is not plain is asked for, with the series that
were found and the option to write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from observatory.catalog import Metric
from observatory.collection.files import labels, refusals
from observatory.collection.files.refusals import ADDABLE, units_of
from observatory.collection.files.series import Series
from observatory.collection.files.units import COUNT, COUNTER, DECLARED, UNITS

SERVICE_LABELS = ("service", "service_name", "service.name", "app", "job")
"""Labels that name a service, the first that all series have."""
_JOINTS = "._:/- "


@dataclass(frozen=True, slots=True)
class Assigned:
    """What one series is stored as: service, metric, unit and what makes that the base unit; `series` is its number."""

    series: int
    text: str
    service: str
    metric: str
    unit: str
    factor: float

    @property
    def is_rate(self) -> bool:
        """Whether its values become rates per second."""
        return self.unit in (COUNTER, COUNT)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is stored, what is left out (with why), how services were named, and what is wrong."""

    taken: tuple[Assigned, ...]
    left_out: tuple[tuple[str, str], ...]
    named_by: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Target:
    """A metric with its unit (empty where nobody said it), and a service if the mapping says one."""

    metric: str
    unit: str
    service: str = ""


def assign(
    series: Sequence[Series],
    columns: Mapping[str, str],
    metric: str | None,
    service: str | None,
    catalog: Mapping[str, Metric],
    *,
    ignore_unknown: bool,
    add_up: bool = False,
) -> Assignment:
    """Say of each series what it is.

    `columns` maps a metric (or ``SERVICE:METRIC``) to a series and its unit, and ``service`` to a label; `metric` is
    that of all series, with its unit; `service` the one all are of.
    """
    problems: list[str] = []
    targets = _targets(series, columns, metric, catalog, problems)
    targets = {number: _in_unit(series[number], of, catalog, problems) for number, of in targets.items()}
    unknown = [number for number in range(len(series)) if number not in targets]
    named_by, services = _services(series, targets, columns.get("service"), service, catalog, problems)
    if unknown and not (ignore_unknown and targets):
        problems.append(
            refusals.unknown_series([series[number] for number in unknown], catalog, has_others=bool(targets))
        )
    taken = tuple(
        Assigned(
            number,
            series[number].text,
            services[number],
            of.metric,
            of.unit,
            UNITS.get(catalog[of.metric].unit, {}).get(of.unit, 1.0),
        )
        for number, of in targets.items()
        if number in services
    )
    problems += refusals.collisions(_doubled(series, taken, catalog, add_up=add_up), catalog)
    left_out = tuple((series[number].text, "no metric is named for it") for number in unknown)
    return Assignment(taken, left_out, named_by, tuple(problems))


def with_unit(text: str, metric: Metric) -> tuple[str, str]:
    """``p95:ms`` is a column and its unit, empty if there is none; a colon without a unit belongs to the name."""
    column, colon, unit = text.rpartition(":")
    return (column, unit) if colon and unit in units_of(metric) else (text, "")


# -- metrics ----------------------------------------------------------------------------------


def _targets(
    series: Sequence[Series],
    columns: Mapping[str, str],
    metric: str | None,
    catalog: Mapping[str, Metric],
    problems: list[str],
) -> dict[int, _Target]:
    """The metric of each series that has one, by number."""
    targets: dict[int, _Target] = {}
    for key, text in columns.items():
        owner, _, name = key.rpartition(":")
        if name not in catalog:
            continue
        selector, unit = with_unit(text, catalog[name])
        found = [number for number, one in enumerate(series) if _is_meant(one, selector)]
        found = [number for number in found if series[number].text == selector] or found
        if not found:
            problems.append(refusals.no_series(selector, key, series))
        for number in found:
            if number in targets:
                problems.append(f"{series[number].text!r} is mapped to {targets[number].metric} and to {name}: to one")
            targets[number] = _Target(name, unit, owner)
    if metric is not None:
        name, unit = _all_are(metric, catalog, problems)
        if name:
            targets = {n: targets.get(n, _Target(name, unit)) for n in range(len(series))}
    for number, one in enumerate(series):
        if number not in targets and (plain := _plain_metric(one, catalog)):
            targets[number] = _Target(plain, "")
    return targets


def _in_unit(series: Series, target: _Target, catalog: Mapping[str, Metric], problems: list[str]) -> _Target:
    """`target` with its unit: what its user says, else what the file says, else the base unit."""
    base = catalog[target.metric].unit
    told_base, told = DECLARED.get(series.unit.lower(), ("", ""))
    if not told or (told == COUNT and base != "req/s"):
        return replace(target, unit=target.unit or base)
    name = f"{series.text!r} is in {series.unit!r} in the file"
    if told_base != base:
        problems.append(f"{name}, which is no unit of {target.metric} ({base or 'a count'})")
    elif target.unit not in ("", told) and told != COUNT:
        problems.append(f"{name}, and in {target.unit} as you say: leave out one of the two")
    elif not target.unit and told == COUNT:
        example = f"{target.metric}:{COUNT}"
        problems.append(
            f"{name}, a count in each period, and {target.metric} is a rate: say whether to divide it by the period "
            f"(-m {target.metric}={refusals.shell(f'{series.text}:{COUNT}')}, or --metric {example}), or that it "
            f"is one ({target.metric}:{base})"
        )
    return replace(target, unit=target.unit or told)


def _all_are(text: str, catalog: Mapping[str, Metric], problems: list[str]) -> tuple[str, str]:
    """``--metric latency_p95:ms`` as a metric and its unit."""
    name, colon, unit = text.partition(":")
    if name not in catalog:
        problems.append(f"--metric {name!r} is no metric: choose from {', '.join(catalog)}")
        return "", ""
    units = units_of(catalog[name])
    if colon and unit not in units:
        problems.append(f"{name} cannot be in {unit!r}: choose from {', '.join(units) or 'no unit'}")
        return "", ""
    return name, unit


def _is_meant(series: Series, selector: str) -> bool:
    if selector in (series.text, series.name, *series.also):
        return bool(selector)
    wanted = labels.parse(selector)
    if wanted is None:
        return False
    name, pairs = wanted
    return (not name or name in (series.name, *series.also)) and bool(pairs) and set(pairs) <= set(series.labels)


def _plain_metric(series: Series, catalog: Mapping[str, Metric]) -> str:
    """The metric whose name a series has, or begins or ends with: ``cart.request_rate``."""
    for name in (series.name, *series.also):
        if name in catalog:
            return name
    return next((name for name in catalog if _rest(series.text, name)), "") if series.is_legend else ""


def _rest(text: str, metric: str) -> str:
    """``cart`` of ``cart.request_rate`` or ``request_rate cart``; empty if the metric is not at an end."""
    if text.endswith(metric) and text[: -len(metric)].rstrip(_JOINTS) != text[: -len(metric)]:
        return text[: -len(metric)].rstrip(_JOINTS)
    if text.startswith(metric) and text[len(metric) :].lstrip(_JOINTS) != text[len(metric) :]:
        return text[len(metric) :].lstrip(_JOINTS)
    return ""


# -- services ---------------------------------------------------------------------------------


def _services(
    series: Sequence[Series],
    targets: Mapping[int, _Target],
    wanted: str | None,
    service: str | None,
    catalog: Mapping[str, Metric],
    problems: list[str],
) -> tuple[str, dict[int, str]]:
    """How services are named, and the name of each series' service by its number."""
    if service is not None:
        if wanted is not None:
            problems.append("--service and a label of services exclude each other")
        return "--service", dict.fromkeys(targets, service)
    said = {number: of.service for number, of in targets.items() if of.service}
    rest = [number for number in targets if number not in said]
    if wanted is not None:
        parts = wanted.split("/") if not any(one.label(wanted) for one in series) else [wanted]
        lacking = [number for number in rest if not all(series[number].label(part) for part in parts)]
        if lacking:
            known = sorted({key for number in rest for key, _ in series[number].labels})
            problems.append(
                f"{series[lacking[0]].text!r} has no label {wanted!r} for service: choose from {refusals.listed(known)}"
            )
        by_label = {n: "/".join(series[n].label(part) for part in parts) for n in rest if n not in lacking}
        return f"label {wanted}", said | by_label
    kinds = {name: [n for n in rest if series[n].name == name] for name in dict.fromkeys(series[n].name for n in rest)}
    used: dict[str, None] = {}
    nameless: list[Series] = []
    for numbers in kinds.values():
        label = next((one for one in SERVICE_LABELS if all(series[n].label(one) for n in numbers)), None)
        used[f"label {label}" if label else "name of the series"] = None
        for number in numbers:
            named = series[number].label(label) if label else _by_name(series[number], targets[number], catalog)
            said |= {number: named} if named else {}
            nameless += [] if named else [series[number]]
    if nameless:
        problems.append(refusals.no_service(nameless))
    return ", ".join(used) or "--map", said


def _by_name(series: Series, target: _Target, catalog: Mapping[str, Metric]) -> str:
    """The service that a legend without labels names; empty if it names the metric, or nobody knows what."""
    if not series.is_legend:
        return ""
    rest = next((rest for name in catalog if (rest := _rest(series.text, name))), "")
    return rest or (series.text if target.metric != series.text else "")


def _doubled(
    series: Sequence[Series], taken: Iterable[Assigned], catalog: Mapping[str, Metric], *, add_up: bool
) -> dict[tuple[str, str], list[Series]]:
    """Series that would be one service and metric, and are not to be added up."""
    groups: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for one in taken:
        groups[one.service, one.metric].append(series[one.series])
    return {
        (service, metric): group
        for (service, metric), group in groups.items()
        if len(group) > 1 and not (add_up and catalog[metric].unit in ADDABLE)
    }
