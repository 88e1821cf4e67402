"""What callers may ask for: query parameters and bodies. Names not listed here are refused."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from observatory.analysis.call_graph import MOST_HOPS
from observatory.api.schemas import examples
from observatory.catalog import METRICS
from observatory.incidents.actions import LONGEST_NAME, LONGEST_NOTE
from observatory.model import Band, ChangeKind, DeliveryState, IncidentState, Severity

LIMIT, MAXIMUM_LIMIT = 100, 1000
POINTS, MAXIMUM_POINTS = 1500, 11_000  # a day of minutes comes as it was stored


def _split(value: object) -> object:
    """``a,b`` as a list; repeated parameters arrive joined like that."""
    return value.split(",") if isinstance(value, str) else value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not hold control characters or characters that cannot be printed")
    if value != value.strip():
        raise ValueError("must not begin or end with a blank")
    return value


def _metric(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"unknown metric: choose from {', '.join(METRICS)}")
    return name


T = TypeVar("T")
Several = Annotated[tuple[T, ...], BeforeValidator(_split)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
MetricName = Annotated[str, AfterValidator(_metric), WithJsonSchema({"type": "string", "enum": list(METRICS)})]
Cursor = Annotated[
    str | None, Field(max_length=2000, description="Where the page begins, as `next` of the page before has it.")
]
_TIME = "RFC 3339 with its zone, `now`, a time ago such as `-24h`, or seconds (10 digits) or milliseconds since 1970."
Format = Literal["json", "rows"]
FORMAT: Format = "json"
_FORMAT = (
    "`rows`: an array of flat objects, with times in milliseconds since 1970, as Grafana and other tables want them; "
    "the address of the next page is in the header `Link`."
)


class Query(BaseModel):
    """Query parameters; all are optional unless they have no default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paging(Query):
    """Which page."""

    limit: int = Field(LIMIT, ge=1, le=MAXIMUM_LIMIT, description="Most items in one answer.")
    cursor: Cursor = None


class ServicesQuery(Paging):
    """Query of the list of services."""

    format: Format = Field(FORMAT, description=_FORMAT)


class GraphQuery(Query):
    """Query of who calls whom."""

    service: Name | None = Field(None, description="Only what is around this service.", examples=["shop/checkout"])
    hops: int = Field(1, ge=0, le=MOST_HOPS, description="With `service`: how many calls away, in either direction.")
    all: bool = Field(False, description="Also calls that were not seen for a week, and count no more.")


class SummaryQuery(Query):
    """Query of the health summary."""

    band: Several[Band] = Field((), description="Only services in these bands; may be repeated.", examples=[["poor"]])
    limit: int = Field(MAXIMUM_LIMIT, ge=1, le=MAXIMUM_LIMIT, description="Most services in one answer.")
    cursor: Cursor = None
    format: Format = Field(FORMAT, description=_FORMAT)


class AnomaliesQuery(Paging):
    """Query of anomalies."""

    service: Name | None = Field(None, description="Only this service.", examples=[examples.SERVICE])
    start: str = Field("-24h", max_length=100, description=f"Anomalies that ended after this. {_TIME}")
    end: str = Field("now", max_length=100, description=f"Anomalies that began before this. {_TIME}")
    severity: Several[Severity] = Field((), description="Only these; may be repeated.", examples=[["critical", "high"]])
    open: bool = Field(False, description="Only those that go on.")
    format: Format = Field(FORMAT, description=_FORMAT)


class IncidentsQuery(Paging):
    """Query of incidents."""

    service: Name | None = Field(None, description="Only those that reached this service.", examples=[examples.SERVICE])
    state: Several[IncidentState] = Field(
        (),
        description="Only these; may be repeated. When left out all but those that became part of another.",
        examples=[["open", "acknowledged"]],
    )
    severity: Several[Severity] = Field((), description="Only these; may be repeated.", examples=[["critical", "high"]])
    start: str = Field("-24h", max_length=100, description=f"Incidents that ended after this. {_TIME}")
    end: str = Field("now", max_length=100, description=f"Incidents that began before this. {_TIME}")
    open: bool = Field(False, description="Only those that go on.")
    format: Format = Field(FORMAT, description=_FORMAT)


class IncidentQuery(Query):
    """Query of one incident."""

    format: Format = Field(FORMAT, description=_FORMAT)
    part: Literal["timeline", "symptoms", "causes", "incident"] = Field(
        "timeline", description="With `format=rows`: which list; `incident` is a row of its own."
    )


class Said(BaseModel):
    """What is to be remembered with it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [examples.SAID]})

    note: str = Field("", max_length=LONGEST_NOTE, description="In words.")


class Note(BaseModel):
    """Something to remember about an incident."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [examples.INCIDENT_NOTE]}
    )

    text: str = Field(min_length=1, max_length=LONGEST_NOTE, description="In words.")


class Assignment(BaseModel):
    """Who takes care of an incident."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [examples.ASSIGNMENT]}
    )

    assignee: str = Field(max_length=LONGEST_NAME, description="A person or a team; empty for nobody.")


class HistoryQuery(Query):
    """Query of the history of one service."""

    service: Name = Field(description="Whose history.", examples=[examples.SERVICE])
    start: str = Field("-24h", max_length=100, description=f"First sample. {_TIME}")
    end: str = Field("now", max_length=100, description=f"Last sample. {_TIME}")
    metric: Several[MetricName] = Field(
        (), description="Only these; may be repeated. When left out all, except that those of few services need values."
    )
    points: int = Field(
        POINTS, ge=1, le=MAXIMUM_POINTS, description="About the most points a metric; a longer range is summarised."
    )
    step: str = Field(
        "auto",
        max_length=20,
        description="Time between points, such as `60s`, `5m` or `1h`. `auto` takes the samples as they are, or the "
        "finest summary of at most `points` points.",
    )
    expected: bool = Field(False, description="Also what was expected of each metric: typical, lower, upper.")
    format: Format = Field(FORMAT, description=_FORMAT)


class FeedbackGiven(BaseModel):
    """What a person says of an anomaly, or that a span was missed."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [examples.FEEDBACK_GIVEN]}
    )

    service_name: Name = Field(description="Whose anomaly.")
    verdict: Literal["right", "false_alarm", "missed"] = Field(
        description="Of an anomaly: `right` or `false_alarm`; of a span without one: `missed`."
    )
    started_at: str = Field(
        max_length=100, description=f"Any moment of the anomaly, or the start of what was missed. {_TIME}"
    )
    ended_at: str | None = Field(None, max_length=100, description=f"The end of what was missed; else null. {_TIME}")
    detector: Name | None = Field(None, description="Whose anomaly, where several detectors have one then.")
    note: str = Field("", max_length=1000, description="Why, in words.")


class ChangesQuery(Paging):
    """Query of changes."""

    service: Name | None = Field(None, description="Only of this service.", examples=[examples.SERVICE])
    kind: Several[ChangeKind] = Field((), description="Only these; may be repeated.", examples=[["deployment"]])
    start: str = Field("-24h", max_length=100, description=f"Changes since. {_TIME}")
    end: str = Field("now", max_length=100, description=f"Changes until. {_TIME}")
    format: Format = Field(FORMAT, description=_FORMAT)


class ChangeReported(BaseModel):
    """A change of a service that somebody reports."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [examples.CHANGE_REPORTED]}
    )

    service_name: Name = Field(description="Which service was changed.")
    kind: Literal["deployment", "restart", "config", "flag", "scaling", "other"] = Field(
        "deployment", description="What was done."
    )
    at: str = Field("now", max_length=100, description=f"When it began; at most a few minutes ahead. {_TIME}")
    version: str = Field("", max_length=200, description="What runs after it, such as the tag of an image.")
    summary: str = Field("", max_length=1000, description="A line for people, such as the title of a commit.")
    url: str = Field("", max_length=2000, description="Where to read more: `https` or `http`.")


class AlertsQuery(Query):
    """Query of alerts of others."""

    start: str = Field("-24h", max_length=100, description=f"Alerts since. {_TIME}")
    end: str = Field("now", max_length=100, description=f"Alerts until. {_TIME}")
    service: Name | None = Field(None, description="Only about this service.", examples=[examples.SERVICE])
    firing: bool = Field(False, description="Only those that go on.")
    limit: int = Field(LIMIT, ge=1, le=MAXIMUM_LIMIT, description="Most alerts in one answer.")


class AlertsSent(Query):
    """Query with alerts that are sent."""

    label: Several[Name] = Field(
        (), description="Labels that name the service, before those that usually do.", examples=[["deployment"]]
    )


class AuditQuery(Query):
    """Query of the audit log."""

    start: str = Field("-24h", max_length=100, description=f"Entries since. {_TIME}")
    who: Name | None = Field(None, description="Only of this caller, such as `key:grafana`.")
    refused: bool = Field(False, description="Only what was refused.")
    limit: int = Field(LIMIT, ge=1, le=MAXIMUM_LIMIT, description="Most entries in one answer.")


class NotificationsQuery(Query):
    """Query of what was sent to whom."""

    destination: Name | None = Field(None, description="Only to this destination.")
    state: Several[DeliveryState] = Field((), description="Only these; may be repeated.", examples=[["failed"]])
    incident: Name | None = Field(None, description="Only about this incident.")
    limit: int = Field(LIMIT, ge=1, le=MAXIMUM_LIMIT, description="Most deliveries in one answer.")


class Renaming(BaseModel):
    """Another name for a service."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [examples.RENAMING]}
    )

    new_name: Name = Field(description="What it is called from now on. No service may have this name.")


class Merging(BaseModel):
    """The service that another becomes part of."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [examples.MERGING]}
    )

    into: Name = Field(description="The service that stays.")
    overlap: Literal["refuse", "combine", "keep"] = Field(
        "refuse",
        description="What becomes of times at which both have a sample: `refuse` merges nothing, `combine` makes one "
        "sample of both (rates and counts add up, a quantile of two is null), `keep` takes that of the one that stays.",
    )


class RemovalQuery(Query):
    """Query of removing a service."""

    exclude: bool = Field(True, description="Whether it stays away. Otherwise its next sample brings it back.")


class Registration(BaseModel):
    """What is known about a service beyond its metrics. A fact left out keeps the value it has."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={"examples": [examples.REGISTRATION]},
    )

    service_name: Name = Field(description="Name as in the source; may be `namespace/name`.")
    team: Name | None = Field(None, description="Who owns it.")
    tier: Name | None = Field(None, description="How much it matters, in your own words.")
    objective: float | None = Field(None, gt=0, lt=1, description="Availability objective (0–1).")
    latency_target: float | None = Field(None, gt=0, le=3600, description="p95 users should see at most [s].")
    cpu_limit: float | None = Field(None, gt=0, le=1e6, description="CPU limit over all pods [cores].")
    memory_limit: float | None = Field(None, gt=0, le=1e18, description="Memory limit over all pods [bytes].")
    desired_pods: float | None = Field(None, gt=0, le=1e6, description="Pods that should be running.")
