"""What stands in the way of collecting, and what to do about it: ``observatory doctor``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from observatory.catalog import METRICS
from observatory.config import Settings
from observatory.config.login_file import read_entries, weaknesses
from observatory.config.loopback import is_loopback
from observatory.errors import ConfigError, ObservatoryError, SourceError, StoreError
from observatory.runtime.sources import identity_of, is_foreign
from observatory.sources.prometheus.source import SKEW_BOUND, PrometheusSource
from observatory.sources.prometheus.survey import Found, survey
from observatory.store.opening import store_of

LEAST_SCRAPES = 4
"""A rate needs so many scrapes in its window, or it has gaps when one is late."""
LEAST_SPACE = 1e9
"""Space to be left beside the store [bytes]."""


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
    yield from _store(settings, now)
    if settings.login_file is not None:
        yield from _login_file(settings.login_file)


def _source(source: PrometheusSource, settings: Settings, now: datetime, owners: dict[str, str]) -> Iterator[Finding]:
    name, own = source.name, settings.prometheus_servers[source.name]
    yield from _connection_settings(source, settings)
    try:
        found = survey(source, now)
    except SourceError as error:
        yield _connection(name, error)
        return
    version = source.client.version()
    yield Finding(
        Level.OK, f"{name}: connection", f"{source.client.address} answers{version and ', version '}{version}"
    )
    yield _clock(source)
    yield from _scrapes(source, now)
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


def _scrapes(source: PrometheusSource, now: datetime) -> Iterator[Finding]:
    """By job, how many scrapes fit in the window: `up` has a sample for each."""
    what, window = f"{source.name}: window", source.window
    query = f"max by (job) (count_over_time(up[{window * 1000:.0f}ms]))"
    try:
        counts = {s.labels.get("job", ""): s.values[0] for s in source.client.instant(query, now).series}
    except SourceError as error:
        yield Finding(
            Level.WARNING, what, f"scrape intervals cannot be told ({error})", "set OBSERVATORY_WINDOW yourself"
        )
        return
    few = {job: count for job, count in counts.items() if count < LEAST_SCRAPES}
    if not counts:
        yield Finding(Level.OK, what, f"{window:g} s; no target is scraped (metrics are pushed), so nothing to compare")
    elif few:
        job, least = min(few.items(), key=lambda item: item[1])
        others = f" and {len(few) - 1} more" if len(few) > 1 else ""
        yield Finding(
            Level.BROKEN,
            what,
            f"{window:g} s hold {least:.0f} scrapes of job {job!r}{others}, a rate needs {LEAST_SCRAPES}",
            f"set OBSERVATORY_WINDOW to four scrape intervals, about {window / least * LEAST_SCRAPES:.0f} s "
            "(or wait, if it has just begun to be scraped)",
        )
    else:
        yield Finding(Level.OK, what, f"{window:g} s hold at least {min(counts.values()):.0f} scrapes of every job")


def _presets(source: PrometheusSource, found: list[Found]) -> Iterator[Finding]:
    what = f"{source.name}: presets"
    for preset in found:
        metrics = {metric: error for metric, error in preset.refused.items() if metric in preset.series}
        for metric, error in (metrics or preset.refused).items():
            detail = f"preset {preset.preset}, {metric}: {error}"
            if metric not in preset.unknown:
                yield Finding(Level.BROKEN, what, detail, "its values are missing: see what the server says about it")
            elif preset.is_own:
                yield Finding(Level.BROKEN, what, detail, f"correct [preset.{preset.preset}] in observatory.toml")
            else:
                yield Finding(Level.OK, what, f"{preset.preset} is not understood by this server: left out")
                break
    answering = [f"{preset.preset} ({len(preset.services)})" for preset in found if preset.services]
    if answering:
        yield Finding(Level.OK, what, f"services by preset: {', '.join(answering)}")
    else:
        names = ", ".join(source.presets)
        yield Finding(
            Level.BROKEN,
            what,
            f"none of {names} has a series that is to be watched",
            "compare the presets (`observatory help presets`) with your metrics, or describe yours with [preset.NAME]; "
            "see also OBSERVATORY_PRESETS, OBSERVATORY_INCLUDE and OBSERVATORY_EXCLUDE",
        )


def _infos(source: PrometheusSource) -> Iterator[Finding]:
    """Advice of the server on queries, in one finding: the values are not in doubt."""
    infos = source.client.infos
    if infos:
        more = f" (and {len(infos) - 1} more like it)" if len(infos) > 1 else ""
        yield Finding(Level.OK, f"{source.name}: remarks", f"the server remarks on queries: {infos[0]}{more}")


def _services(source: PrometheusSource, found: list[Found], owners: dict[str, str]) -> Iterator[Finding]:
    what = f"{source.name}: services"
    names = {name for preset in found for name in preset.services}
    for metric in METRICS:
        parts = source.parts.get(metric, {})
        if names and not any(preset.series.get(metric) for preset in found if preset.preset in parts):
            yield Finding(
                Level.WARNING, what, f"no service has a value of {metric}", "it is not judged, see the presets"
            )
    twice = sorted(name for name in names if name in owners)
    if twice:
        yield Finding(
            Level.WARNING,
            what,
            f"{len(twice)} are also in source {owners[twice[0]]}, such as {twice[0]}: they belong to that",
            f"name them in `exclude` of [sources.{source.name}]",
        )
    owners.update(dict.fromkeys(names - owners.keys(), source.name))


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
