"""Silences: what is expected to happen, and so is not told, not judged, or not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from observatory.model.anomalies import Severity
from observatory.model.names import covers

OF_PEOPLE = "people"
"""The source of a silence that somebody made; others come from the settings or from an Alertmanager."""


class Effect(StrEnum):
    """What a silence does; each also does what stands before it."""

    TELL_NOBODY = "tell_nobody"
    """No message goes out."""
    DO_NOT_JUDGE = "do_not_judge"
    """No anomaly opens, and health has no score."""
    DO_NOT_LEARN = "do_not_learn"
    """What happens then is no part of what counts as normal."""

    @property
    def words(self) -> str:
        """As people say it."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Silence:
    """What is silenced, when, who said so, and why.

    Attributes
    ----------
    services
        Names, or patterns such as ``shop/*``. Empty: every service.
    severities, metrics
        Only what is of these severities, and only what lies in no other metric than these. Empty: all.
    incidents
        Only these incidents, by id. Empty: all.
    starts_at, ends_at
        When it begins, and when it is over for good. There always is an end.
    cron, duration, timezone
        Of one that comes again and again: when it begins, by the clock of that time zone, and for how long each time
        it lasts. Empty, and None: it lasts from `starts_at` to `ends_at`.
    source
        `OF_PEOPLE`, ``settings``, or ``alertmanager NAME`` for one that was made there.
    origin
        Its name in the settings, or its id in the Alertmanager.
    ended_by
        Who ended it before its time.
    """

    id: str
    reason: str
    created_by: str
    created_at: datetime
    starts_at: datetime
    ends_at: datetime
    services: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    metrics: tuple[str, ...] = ()
    effect: Effect = Effect.TELL_NOBODY
    cron: str = ""
    duration: timedelta | None = None
    timezone: str = "UTC"
    source: str = OF_PEOPLE
    origin: str = ""
    incidents: tuple[str, ...] = ()
    ended_by: str = ""

    @property
    def is_recurring(self) -> bool:
        """Whether it comes again and again."""
        return bool(self.cron)

    @property
    def judges(self) -> bool:
        """Whether what it covers is judged all the same."""
        return self.effect is Effect.TELL_NOBODY

    @property
    def learns(self) -> bool:
        """Whether what it covers still counts as normal."""
        return self.effect is not Effect.DO_NOT_LEARN

    @property
    def covered(self) -> str:
        """What it covers, in words."""
        parts = [", ".join(self.services) or "every service"]
        if self.incidents:
            parts.append(f"incident {' and '.join(self.incidents)}")
        if self.severities:
            parts.append(f"severity {' or '.join(self.severities)}")
        if self.metrics:
            parts.append(f"only {' and '.join(self.metrics)}")
        return "; ".join(parts)

    @property
    def is_whole(self) -> bool:
        """Whether it is about all that happens to a service."""
        return not (self.severities or self.metrics or self.incidents)

    def covers_service(self, name: str) -> bool:
        """Whether it is about a service."""
        return not self.services or any(covers(pattern, name) for pattern in self.services)

    def covers(self, service: str, severity: Severity, metrics: Sequence[str] | None) -> bool:
        """Whether it is about a symptom: of a service, so severe, in these metrics; None where it has none."""
        if not self.covers_service(service) or (self.severities and severity not in self.severities):
            return False
        return not self.metrics or (bool(metrics) and set(metrics or ()) <= set(self.metrics))
