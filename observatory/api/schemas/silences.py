"""What requests and answers about silences are made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from observatory.analysis.silence_preview import Preview
from observatory.annotations.occurrences import SilenceState, next_span, span_at, state_at
from observatory.api.schemas import examples
from observatory.api.schemas.requests import MetricName, Name, Query, Several
from observatory.api.schemas.responses import Answer
from observatory.model import Effect, Severity
from observatory.model import Silence as Held

_TO_COME = "RFC 3339 with its zone, `now`, or a time to come such as `+2h`."
Line = Annotated[str, Field(max_length=100)]


class SilencesQuery(Query):
    """Query of silences."""

    state: Several[SilenceState] = Field(("active", "pending"), description="Only these; may be repeated.")
    service: Name | None = Field(None, description="Only those about this service.", examples=[examples.SERVICE])
    start: str = Field("-30d", max_length=100, description="Of those that are over, the ones that ended since.")


class SilenceAsked(BaseModel):
    """What is to be silenced."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [examples.SILENCE_ASKED]}
    )

    services: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        min_length=1, max_length=1000, description="Names or patterns such as `shop/*`; `*` is every service."
    )
    reason: str = Field(min_length=1, max_length=500, description="Why, in words.")
    start: Line = Field("now", description=f"When it begins. {_TO_COME} A time ago where nothing is learned from it.")
    end: Line = Field("", description=f"When it is over for good. {_TO_COME}")
    lasts: Line = Field("", description="In place of `end`, how long it lasts: `2h`.")
    cron: Line = Field("", description="It comes again: minute, hour, day, month and day of the week of its begin.")
    duration: Line = Field("", description="How long it lasts each time: `2h`.")
    timezone: Line = Field("UTC", description="Of `cron`.", examples=["Europe/Berlin"])
    severities: list[Literal["critical", "high", "medium", "low"]] = Field(
        [], description="Only what is of these severities; empty: all."
    )
    metrics: list[MetricName] = Field([], description="Only what lies in no other metric than these; empty: all.")
    effect: Literal["tell_nobody", "do_not_judge", "do_not_learn"] = Field(
        "tell_nobody", description="Each also does what stands before it."
    )


class SilenceExtended(BaseModel):
    """Another end of a silence."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [{"end": "+2h"}]}
    )

    end: str = Field(max_length=100, description=f"When it is over for good. {_TO_COME}")


class Silence(Answer):
    """What is silenced, when, who said so, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SILENCE]}, ser_json_timedelta="float")

    id: str
    state: SilenceState = Field(description="`pending` will begin, or begin again.")
    services: list[str] = Field(description="Names or patterns.")
    severities: list[Severity] = Field(description="Empty: all.")
    metrics: list[str] = Field(description="Empty: all.")
    effect: Effect
    reason: str
    created_by: str
    created_at: datetime
    start: datetime
    end: datetime = Field(description="When it is over for good.")
    cron: str = Field(description="Empty where it does not come again.")
    duration: timedelta | None = Field(description="How long it lasts each time [s].")
    timezone: str
    next_start: datetime | None = Field(description="Since when it is in force, or will be.")
    next_end: datetime | None
    source: str = Field(description="`people`, `settings`, or `alertmanager` and the name of the destination.")
    ended_by: str = Field(description="Who ended it before its time; empty where nobody did.")

    @classmethod
    def of(cls, held: Held, now: datetime) -> Silence:
        """As it is at a time."""
        span = span_at(held, now) or next_span(held, now) or (None, None)
        return cls(
            id=held.id,
            state=state_at(held, now),
            services=list(held.services),
            severities=list(held.severities),
            metrics=list(held.metrics),
            effect=held.effect,
            reason=held.reason,
            created_by=held.created_by,
            created_at=held.created_at,
            start=held.starts_at,
            end=held.ends_at,
            cron=held.cron,
            duration=held.duration,
            timezone=held.timezone,
            next_start=span[0],
            next_end=span[1],
            source=held.source,
            ended_by=held.ended_by,
        )


class Silences(Answer):
    """Silences, the one that begins first before others."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"silences": [examples.SILENCE]}]})

    silences: list[Silence]


class HiddenIncident(Answer):
    """An incident of which a silence would have kept something from people."""

    id: str
    title: str
    severity: Severity
    started_at: datetime
    messages: int = Field(description="Messages that would not have been sent.")
    of: int = Field(description="Messages that there were.")


class SilencePreview(Answer):
    """What a silence is about, and what it would have hidden in the last week."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SILENCE_PREVIEW]})

    start: datetime
    end: datetime
    summary: str
    services: list[str] = Field(description="The services that it covers today.")
    incidents: int = Field(description="How many there were, whatever it would have hidden.")
    messages: int = Field(description="Messages that would not have been sent.")
    hidden: list[HiddenIncident] = Field(description="The newest first.")

    @classmethod
    def of(cls, found: Preview) -> SilencePreview:
        """From what was found."""
        hidden = [
            HiddenIncident(
                id=one.incident.id,
                title=one.incident.title,
                severity=one.incident.peak,
                started_at=one.incident.started_at,
                messages=one.messages,
                of=one.of,
            )
            for one in found.hidden
        ]
        return cls(
            start=found.start,
            end=found.end,
            summary=found.summary,
            services=list(found.services),
            incidents=found.incidents,
            messages=found.messages,
            hidden=hidden,
        )
