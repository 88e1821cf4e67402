"""What stands in the way of collecting, and what to do about it: ``observatory doctor``."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from observatory.config import Settings
from observatory.config.links import wants_traces
from observatory.config.login_file import read_entries, weaknesses
from observatory.config.loopback import is_loopback
from observatory.errors import ConfigError, ObservatoryError, QueryRefusedError, SourceError, StoreError
from observatory.runtime.sources import identity_of, is_foreign, make_call_sources
from observatory.runtime.survey_remarks import coarse_remarks, without_errors
from observatory.sources import CallSource
from observatory.sources.prometheus.selectors import select
from observatory.sources.prometheus.source import SKEW_BOUND, PrometheusSource
from observatory.sources.prometheus.survey import Survey, survey
from observatory.store.opening import store_of

LEAST_SCRAPES = 4
"""A rate needs so many scrapes in its window, or it has gaps when one is late."""
LEAST_SPACE = 1e9
"""Space to be left beside the store [bytes]."""
LATE, LATEST = 20.0, 1800.0
"""Beyond a scrape samples may be so old without a word; what is older than the second is not there [s]."""
DELAYS = (60, 120, 300, 600, 900, 1800)
"""Where a server has nothing now, it may have had something so long ago [s]."""


class Level(StrEnum):
    """How bad a finding is; only what is broken fails."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "BROKEN"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what, how it is, and what to do unless it is fine."""

    level: Level
    what: str
    detail: str
    todo: str = ""


def by_harm(findings: Iterable[Finding]) -> list[Finding]:
    """What is broken first, then warnings, then what is fine; each finding once, otherwise in the order they came."""
    order = [Level.BROKEN, Level.WARNING, Level.OK]
    return sorted(dict.fromkeys(findings), key=lambda finding: order.index(finding.level))


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at each source, the store and the login file; what is found comes as it is found."""
    if not settings.prometheus_servers:
        yield Finding(
            Level.OK, "source", "the built-in demo shop", "set OBSERVATORY_PROMETHEUS_URL to collect from your own"
        )
    owners: dict[str, str] = {}
    for name in settings.prometheus_servers:
        try:
            source = PrometheusSource.from_settings(settings, name)
        except ConfigError as error:
            yield Finding(Level.BROKEN, f"{name}: presets", str(error), "correct the settings")
            continue
        yield from _source(source, settings, now, owners)
    for calls in make_call_sources(settings, lambda: now):
        yield _calls(calls)
    yield from _store(settings, now)
    if settings.login_file is not None:
        yield from _login_file(settings.login_file)


def _calls(source: CallSource) -> Finding:
    """Whether a Jaeger answers, and knows any call."""
    what = f"{source.name}: calls"
    try:
        found = source.graph()
    except SourceError as error:
        return Finding(Level.BROKEN, what, str(error), f"correct [jaeger.{source.name}], or see why it does not answer")
    if found:
        return Finding(Level.OK, what, f"a Jaeger that knows {len(found)} call{'' if len(found) == 1 else 's'}")
    return Finding(
        Level.WARNING,
        what,
        "a Jaeger that knows no call of this time",
        "see whether spans reach it, and that the job that makes its dependencies runs where it keeps spans in "
        "Cassandra or Elasticsearch",
    )


def _source(source: PrometheusSource, settings: Settings, now: datetime, owners: dict[str, str]) -> Iterator[Finding]:
    name, own = source.name, settings.prometheus_servers[source.name]
    yield from _connection_settings(source, settings)
    try:
        found = survey(source, now - source.delay)
    except SourceError as error:
        yield _connection(name, error)
        return
    version = source.client.version()
    yield Finding(
        Level.OK, f"{name}: connection", f"{source.client.address} answers{version and ', version '}{version}"
    )
    yield _clock(source)
    yield from _scrapes(source, found, now)
    yield from _lateness(source, found, now)
    if own.timeout > settings.interval:
        yield Finding(
            Level.WARNING,
            f"{name}: timeout",
            f"an answer may take {own.timeout:g} s, longer than the interval of {settings.interval:g} s",
            "lower OBSERVATORY_PROMETHEUS_TIMEOUT, or cycles are skipped when the server is slow",
        )
    yield from _presets(source, found)
    yield from _services(source, found, owners)
    yield from _infos(source)
    if wants_traces(settings.links):
        yield _exemplars(source)


def _connection(name: str, error: SourceError) -> Finding:
    """What went wrong; most messages end with what to do."""
    what, ends, todo = str(error).rpartition("): ")
    if str(error).endswith(")") and ("HTTP 401" in str(error) or "HTTP 403" in str(error)):
        todo = "set OBSERVATORY_PROMETHEUS_TOKEN, or _USERNAME and _PASSWORD, to a log-in that may query"
    elif not ends:
        todo = "look at its log, and try `curl` with the same address"
    return Finding(Level.BROKEN, f"{name}: connection", f"{what})" if ends else str(error), todo)


def _connection_settings(source: PrometheusSource, settings: Settings) -> Iterator[Finding]:
    own = settings.prometheus_servers[source.name]
    has_secret = bool(own.token or own.token_file or own.password or own.url.password or own.google)
    if own.url.scheme == "http" and has_secret and not is_loopback(own.url.host or ""):
        yield Finding(
            Level.WARNING,
            f"{source.name}: secrets",
            "the log-in goes over the network unencrypted",
            "use https:// in its address",
        )
    if not own.verify:
        yield Finding(
            Level.WARNING,
            f"{source.name}: TLS",
            "the server's certificate is not checked",
            "name its authority with OBSERVATORY_PROMETHEUS_CA_FILE and set OBSERVATORY_PROMETHEUS_VERIFY back to true",
        )


def _clock(source: PrometheusSource) -> Finding:
    what, skew = f"{source.name}: clock", source.client.skew
    if skew is None:
        return Finding(Level.OK, what, "the server does not tell its time")
    if abs(skew) <= SKEW_BOUND:
        return Finding(Level.OK, what, "agrees with this machine's to a few seconds")
    return Finding(
        Level.BROKEN,
        what,
        f"{abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's",
        "set both by NTP: samples are asked for by this machine's clock, and would be missing or late",
    )


def _scrapes(source: PrometheusSource, found: Survey, now: datetime) -> Iterator[Finding]:
    """By job, how many scrapes fit in the window."""
    what, intervals = f"{source.name}: window", found.inventory.intervals
    windows = found.plan.dialect.windows
    if not intervals:
        yield Finding(
            Level.OK,
            what,
            f"{windows.usual.seconds:g} s; no target is scraped (metrics are pushed), so nothing to compare",
        )
    elif source.window is None:
        others = ", ".join(f"{window.seconds:g} s for {_jobs(len(jobs))}" for window, jobs in windows.others)
        yield Finding(Level.OK, what, f"{windows.usual.seconds:g} s by the pace of scrapes{others and ', '}{others}")
    else:
        job, slowest = max(intervals.items(), key=lambda item: item[1])
        few = sum(source.window / interval < LEAST_SCRAPES for interval in intervals.values())
        others = f" and {few - 1} more" if few > 1 else ""
        if few:
            yield Finding(
                Level.BROKEN,
                what,
                f"{source.window:g} s hold {source.window / slowest:.0f} scrapes of job {job!r}{others}, "
                f"a rate needs {LEAST_SCRAPES}",
                "leave OBSERVATORY_WINDOW empty, so that each job has its own, or set it to at least "
                f"{LEAST_SCRAPES * slowest:.0f}",
            )
        else:
            yield Finding(
                Level.OK, what, f"{source.window:g} s hold at least {source.window / slowest:.0f} scrapes of every job"
            )


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


def _lateness(source: PrometheusSource, found: Survey, now: datetime) -> Iterator[Finding]:
    """How old the newest samples are: a rate over the last minute of what comes two minutes late is too small."""
    what, inventory = f"{source.name}: delay", found.inventory
    if not found.services:
        late = next((later for later in DELAYS if _has_services(source, now - timedelta(seconds=later))), None)
        if late is not None and late > source.delay.total_seconds():
            yield Finding(
                Level.BROKEN,
                what,
                f"there is nothing now, and {late} s ago there was: samples come late to this server",
                f"set OBSERVATORY_DELAY={late}",
            )
        return
    ages: dict[str, float] = {}
    for name in dict.fromkeys(one.family for one in found.found if one.family and one.services):
        query = f"max by (job) (max_over_time(timestamp({select(name)})[{LATEST:.0f}s:15s]))"
        try:
            series = source.client.instant(query, now).series
        except QueryRefusedError:
            continue  # the server has no subqueries, or this one is too much for it
        for one in series:
            job = one.labels.get("job", "")
            ages[job] = min(ages.get(job, math.inf), now.timestamp() - float(one.values[0]))
    late_jobs = {
        job: age
        for job, age in ages.items()
        if LATE < age - inventory.intervals.get(job, 60.0) - source.delay.total_seconds() < LATEST
    }
    if late_jobs:
        job, age = max(late_jobs.items(), key=lambda item: item[1])
        yield Finding(
            Level.BROKEN,
            what,
            f"the newest samples of job {job!r} are {age:.0f} s old: rates and counts of them would be too small",
            f"set OBSERVATORY_DELAY={math.ceil(age / 30) * 30:.0f}",
        )


def _has_services(source: PrometheusSource, at: datetime) -> bool:
    try:
        probes = source.plan((at, at)).probes
        return any(source.client.instant(query, at).series for query in probes.values())
    except SourceError:
        return False


def _presets(source: PrometheusSource, found: Survey) -> Iterator[Finding]:
    what = f"{source.name}: presets"
    said = set()
    for one in found.found:
        for metric, error in one.refused.items():
            if error in said:
                continue
            said.add(error)
            todo = (
                f"correct [preset.{one.preset}] in observatory.toml"
                if one.is_own
                else "its values are missing: see what the server says, or leave the preset out (OBSERVATORY_PRESETS)"
            )
            yield Finding(Level.BROKEN, what, f"preset {one.preset}, {metric}: {error}", todo)
    counts: dict[str, set[str]] = {}
    for one in found.found:
        counts.setdefault(one.preset, set()).update(one.services)
    answering = [f"{name} ({len(services)})" for name, services in counts.items() if services]
    if answering:
        yield Finding(Level.OK, what, f"services by preset: {', '.join(answering)}")
    else:
        yield Finding(
            Level.BROKEN,
            what,
            "no preset has a series that is to be watched",
            "see what the server has with `observatory services discover`, and describe it with [preset.NAME] "
            "(`observatory help presets`); see also OBSERVATORY_PRESETS, OBSERVATORY_INCLUDE and OBSERVATORY_EXCLUDE",
        )


def _exemplars(source: PrometheusSource) -> Finding:
    """Whether the server keeps exemplars, by which links lead to traces: one that does not answers with none."""
    what = f"{source.name}: exemplars"
    features = source.client.features()
    if features is None:
        return Finding(Level.OK, what, "the server does not say whether it keeps exemplars: links may have no traces")
    if "exemplar-storage" in features:
        return Finding(Level.OK, what, "the server keeps exemplars: links lead to traces of slow requests")
    return Finding(
        Level.WARNING,
        what,
        "the server keeps no exemplars: links lead to no traces of slow requests",
        "start it with --enable-feature=exemplar-storage",
    )


def _infos(source: PrometheusSource) -> Iterator[Finding]:
    """Advice of the server on queries, in one finding: the values are not in doubt."""
    infos = source.client.infos
    if infos:
        more = f" (and {len(infos) - 1} more like it)" if len(infos) > 1 else ""
        yield Finding(Level.OK, f"{source.name}: remarks", f"the server remarks on queries: {infos[0]}{more}")


def _services(source: PrometheusSource, found: Survey, owners: dict[str, str]) -> Iterator[Finding]:
    what, names = f"{source.name}: services", set(found.services)
    silent: dict[str, list[str]] = {}
    for name in sorted(without_errors(found)):
        families = (one.family for one in found.found if one.series.get("request_rate") and name in one.services)
        silent.setdefault(min(families), []).append(name)
    for family, counted in silent.items():
        yield Finding(
            Level.WARNING,
            what,
            f"no error rate of {_some(counted)}: {family} has no label that says how a request ended",
            "export a status code with the requests; until then these services are not judged by errors",
        )
    for remark, coarse in coarse_remarks(found).items():
        yield Finding(
            Level.WARNING,
            what,
            f"latency of {_some(coarse)}: {remark}",
            f"give the histogram of {coarse[0]} finer buckets",
        )
    quiet = sorted(
        names - {name for one in found.found for metric in _TELLING if one.series.get(metric) for name in one.services}
    )
    if quiet:
        hint = f", such as {found.unread[0].name}" if found.unread else ""
        yield Finding(
            Level.WARNING,
            what,
            f"{_some(quiet)}: nothing is read that tells whether they work",
            f"`observatory services discover` shows what the server has that no preset reads{hint}",
        )
    for label, values in found.inventory.clusters.items():
        yield Finding(Level.OK, what, f"names begin with the cluster: label {label} is {_some(list(values))}")
    for label in found.inventory.replicas:
        yield Finding(Level.OK, what, f"series that differ only in {label} are scraped twice: they count once")
    for job, label in sorted(found.inventory.catch_alls.items()):
        yield Finding(Level.OK, what, f"job {job} scrapes several services: they are named by their label {label}")
    twice = sorted(name for name in names if name in owners)
    if twice:
        yield Finding(
            Level.WARNING,
            what,
            f"{len(twice)} are also in source {owners[twice[0]]}, such as {twice[0]}: they belong to that",
            f"name them in `exclude` of [sources.{source.name}]",
        )
    owners.update(dict.fromkeys(names - owners.keys(), source.name))


_TELLING = ("error_rate", "request_rate", "probe_success", "up", "queue_lag", "push_age", "failed_jobs", "pod_count")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _store(settings: Settings, now: datetime) -> Iterator[Finding]:
    path = None if ":" in settings.store else Path(settings.store)
    if path is not None and not path.exists():
        folder = path.resolve().parent
        if not folder.is_dir():
            yield Finding(Level.BROKEN, "store", f"there is no folder {folder}", "make it, or set OBSERVATORY_STORE")
            return
        yield Finding(Level.OK, "store", f"{path} is made at the first start")
        yield from _space(folder)
        return
    try:
        with store_of(settings) as store:
            newest, held, last = store.newest(), store.note("source"), next(iter(store.cycles(1)), None)
            yield Finding(
                Level.OK,
                "store",
                f"{store.url} opens; newest sample {f'{newest:%Y-%m-%d %H:%M} UTC' if newest else 'none'}",
            )
    except StoreError as error:
        yield Finding(Level.BROKEN, "store", str(error), "see `observatory store check`")
        return
    except ObservatoryError as error:
        yield Finding(Level.BROKEN, "store", str(error), "see OBSERVATORY_STORE")
        return
    if is_foreign(settings, held):
        yield Finding(
            Level.BROKEN,
            "store",
            f"holds samples of {held!r}, not of {identity_of(settings)!r}: it can be read, not collected into",
            "set OBSERVATORY_STORE to another one, or the settings to its source",
        )
    for failure in last.failures if last else ():
        yield Finding(Level.WARNING, "last cycle", f"{failure.what}: {failure.error}", "see the findings above")
    if path is not None:
        yield from _space(path.resolve().parent)


def _login_file(path: Path) -> Iterator[Finding]:
    try:
        entries = read_entries(path)
    except ConfigError as error:
        yield Finding(Level.BROKEN, "login file", str(error), "see `observatory keys password --help`")
        return
    found = [Finding(Level.WARNING, "login file", f"{path}: {what}", todo) for what, todo in weaknesses(path, entries)]
    yield from found or [Finding(Level.OK, "login file", f"{path}: users with a hash: {len(entries)}")]


def _space(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    if free < LEAST_SPACE:
        yield Finding(
            Level.WARNING, "store", f"{free / 1e6:,.0f} MB are free in {folder}", "make room, or move the store"
        )
