"""Silences: made, extended and ended, by people, by the settings, or after those of an Alertmanager."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from observatory.annotations.changes import is_printable
from observatory.annotations.occurrences import cadence_of, next_span, span_at
from observatory.errors import ConflictError, InvalidInputError
from observatory.model import LONGEST_NAME, OF_PEOPLE, Effect, Severity, Silence, is_usable_name
from observatory.store.reader import SilencesWriter
from observatory.suggest import did_you_mean
from observatory.times import parse_zone, rfc3339

LONGEST = timedelta(days=366)
"""A silence that nobody looks at for longer is a forgotten one."""
EARLIEST = timedelta(days=90)
"""So far back a silence may begin: what was not normal then is not learned from."""
LONGEST_OCCURRENCE = timedelta(days=31)
LONGEST_REASON = 500
"""Characters."""
MOST_SERVICES = 1000


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to silence; see `Silence` for each."""

    services: Sequence[str]
    reason: str
    starts_at: datetime
    ends_at: datetime
    severities: Sequence[str] = ()
    metrics: Sequence[str] = ()
    effect: str = Effect.TELL_NOBODY
    cron: str = ""
    duration: timedelta | None = None
    timezone: str = "UTC"


def make_silence(draft: Draft, who: str, now: datetime, metrics: Sequence[str], source: str = OF_PEOPLE) -> Silence:
    """A silence of a draft, which is kept nowhere yet.

    Parameters
    ----------
    draft
        What is wanted.
    who
        Who wants it.
    now
        The time.
    metrics
        The metrics there are.
    source
        Where it comes from.

    Raises
    ------
    InvalidInputError
        Naming what cannot be, and the way out.
    """
    _require_services(draft.services)
    for name in draft.metrics:
        if name not in metrics:
            hint = did_you_mean(name, metrics, f"choose from {', '.join(metrics)}")
            raise InvalidInputError(f"metrics: there is no {name[:100]!r}, {hint}")
    severities = tuple(_severity(text) for text in dict.fromkeys(draft.severities))
    effect = _effect(draft.effect)
    if effect is not Effect.TELL_NOBODY and (severities or draft.metrics):
        raise InvalidInputError(
            f"effect = {effect}: goes for all of a service, leave out severities and metrics, or tell nobody only"
        )
    silence = Silence(
        id=f"s{secrets.token_hex(6)}",
        reason=_reason(draft.reason),
        created_by=who,
        created_at=now,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        services=tuple(dict.fromkeys(draft.services)),
        severities=severities,
        metrics=tuple(dict.fromkeys(draft.metrics)),
        effect=effect,
        cron=draft.cron,
        duration=draft.duration,
        timezone=draft.timezone,
        source=source,
    )
    _require_times(silence, now)
    return silence


def extend_silence(silences: SilencesWriter, silence_id: str, ends_at: datetime, now: datetime) -> Silence:
    """Give a silence another end: a later one, or an earlier one that is still to come.

    Raises
    ------
    NotFoundError, ConflictError, InvalidInputError
        There is none; it is over; the end cannot be.
    """
    held = silences.get(silence_id)
    _require_going_on(held, now)
    changed = replace(held, ends_at=ends_at)
    _require_times(changed, now)
    silences.write([changed])
    return changed


def end_silence(silences: SilencesWriter, silence_id: str, who: str, now: datetime) -> Silence:
    """End a silence for good, now. Raises NotFoundError, or ConflictError where it is over."""
    held = silences.get(silence_id)
    _require_going_on(held, now)
    ended = ended_at(held, who, now)
    silences.write([ended])
    return ended


def ended_at(silence: Silence, who: str, now: datetime) -> Silence:
    """A silence that somebody ended now; one that had not begun never was."""
    return replace(silence, starts_at=min(silence.starts_at, now), ends_at=now, ended_by=who)


def _require_going_on(silence: Silence, now: datetime) -> None:
    if silence.ends_at <= now:
        by = f" by {silence.ended_by}" if silence.ended_by else ""
        raise ConflictError(
            f"silence {silence.id} was over at {rfc3339(silence.ends_at)}{by}: make another one, it cannot be changed"
        )


def _require_services(services: Sequence[str]) -> None:
    if not services:
        raise InvalidInputError("services: name at least one, or a pattern such as shop/*; * is for all of them")
    if len(services) > MOST_SERVICES:
        raise InvalidInputError(f"services: {len(services)} are too many, at most {MOST_SERVICES}: give patterns")
    for name in services:
        if not is_usable_name(name):
            raise InvalidInputError(
                f"services: {name[:LONGEST_NAME]!r} is no name: give 1 to {LONGEST_NAME} printable characters"
            )


def _require_times(silence: Silence, now: datetime) -> None:
    begins, ends = silence.starts_at, silence.ends_at
    if ends <= now:
        raise InvalidInputError(f"end = {rfc3339(ends)}: is over already, it is {rfc3339(now)}")
    if ends <= begins:
        raise InvalidInputError(f"end = {rfc3339(ends)}: must be after the start, {rfc3339(begins)}")
    if ends > now + LONGEST:
        raise InvalidInputError(
            f"end = {rfc3339(ends)}: is more than {LONGEST.days} days ahead; a silence is looked at again once a year"
        )
    if begins < now - EARLIEST:
        raise InvalidInputError(f"start = {rfc3339(begins)}: is more than {EARLIEST.days} days ago, give a later one")
    if bool(silence.cron) != (silence.duration is not None):
        raise InvalidInputError("cron and duration go together: when it begins, and for how long each time it lasts")
    parse_zone(silence.timezone, "timezone")
    if silence.duration is None:
        return
    if not timedelta(minutes=1) <= silence.duration <= LONGEST_OCCURRENCE:
        raise InvalidInputError(f"duration: must be from a minute to {LONGEST_OCCURRENCE.days} days")
    _ = cadence_of(silence)
    if span_at(silence, now) is None and next_span(silence, now) is None:
        raise InvalidInputError(
            f"cron = {silence.cron!r}: never comes between {rfc3339(max(now, begins))} and {rfc3339(ends)}"
        )


def _reason(text: str) -> str:
    line = " ".join(text.split())
    if not line:
        raise InvalidInputError("reason: say why, for whoever wonders where the alarms are")
    if len(line) > LONGEST_REASON or not is_printable(line):
        raise InvalidInputError(f"reason: give at most {LONGEST_REASON} characters that can be printed")
    return line


def _severity(text: str) -> Severity:
    if text not in list(Severity):
        raise InvalidInputError(f"severities: there is no {text[:100]!r}, choose from {', '.join(Severity)}")
    return Severity(text)


def _effect(text: str) -> Effect:
    if text not in list(Effect):
        raise InvalidInputError(f"effect = {text[:100]!r}: choose from {', '.join(Effect)}")
    return Effect(text)
