"""What tools may be asked for. Names not listed here are refused: a mistyped filter would be ignored in silence.

The schemas are flat, without references, alternatives, null or an empty choice: some clients refuse a tool for these,
or every tool of its server.
"""

from __future__ import annotations

import reprlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails

from observatory.catalog import METRICS
from observatory.errors import InvalidInputError
from observatory.suggest import did_you_mean
from observatory.times import parse_time, rfc3339

if TYPE_CHECKING:
    from observatory.runtime.reader import Reader

ANY = "any"
LIMIT, MAXIMUM_LIMIT = 10, 50
POINTS, MAXIMUM_POINTS = 24, 120
_TIME = "RFC 3339 with its zone, now, or a time ago such as -24h or -7d."


def _metric(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"unknown metric, {did_you_mean(name, METRICS, 'choose from ' + ', '.join(METRICS), most=3)}")
    return name


Pattern = Annotated[
    str, Field(max_length=200, description="Only this service, or those of a pattern such as shop/*. Empty: all.")
]
Start = Annotated[str, Field(max_length=100, description=f"Where the time begins. {_TIME}")]
End = Annotated[str, Field(max_length=100, description=f"Where the time ends. {_TIME}")]
Limit = Annotated[int, Field(ge=1, le=MAXIMUM_LIMIT, description="Most rows in the answer.")]
Severity = Annotated[Literal["any", "critical", "high", "medium", "low"], Field(description="Only this severity.")]
MetricName = Annotated[str, AfterValidator(_metric), WithJsonSchema({"type": "string", "enum": list(METRICS)})]
A = TypeVar("A", bound="Arguments")
IncidentId = Annotated[str, Field(min_length=1, max_length=200, description="As the tool incidents has it.")]


class Arguments(BaseModel):
    """What every tool takes: nothing that it does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(Arguments):
    """A range of time."""

    start: Start = "-24h"
    end: End = "now"


class Health(Arguments):
    """Which services."""

    service: Annotated[
        str,
        Field(max_length=200, description="A service for its details, or a pattern such as shop/*. Empty: all."),
    ] = ""
    band: Annotated[
        Literal["any", "critical", "poor", "degraded", "healthy", "unknown"],
        Field(description="Only services in this band."),
    ] = "any"
    limit: Limit = LIMIT


class Incidents(Window):
    """Which incidents."""

    service: Pattern = ""
    state: Annotated[
        Literal["any", "active", "open", "acknowledged", "resolved"],
        Field(description="active is open or acknowledged: what goes on."),
    ] = "any"
    severity: Severity = "any"
    limit: Limit = LIMIT


class Incident(Arguments):
    """One incident."""

    id: IncidentId


class Similar(Incident):
    """What is like one incident."""

    limit: Limit = 5


class Anomalies(Window):
    """Which anomalies."""

    service: Pattern = ""
    severity: Severity = "any"
    open: Annotated[bool, Field(description="Only those that go on.")] = False
    limit: Limit = LIMIT


class History(Arguments):
    """A metric of a service over time."""

    service: Annotated[str, Field(min_length=1, max_length=200, description="Whose, by its full name.")]
    metric: MetricName
    start: Start = "-6h"
    end: End = "now"
    points: Annotated[
        int, Field(ge=1, le=MAXIMUM_POINTS, description="About the most rows; a longer range is summarised.")
    ] = POINTS
    expected: Annotated[bool, Field(description="Also what was expected: typical, lower and upper.")] = False


class Graph(Arguments):
    """Which calls."""

    service: Annotated[
        str, Field(max_length=200, description="Only what is around this service, by its full name. Empty: all calls.")
    ] = ""
    hops: Annotated[int, Field(ge=1, le=20, description="With service: how many calls away, in either direction.")] = 1
    limit: Annotated[int, Field(ge=1, le=200, description="Most calls in the answer.")] = 50


class Changes(Window):
    """Which changes."""

    service: Pattern = ""
    kind: Annotated[
        Literal["any", "deployment", "restart", "config", "flag", "scaling", "other"],
        Field(description="Only this kind."),
    ] = "any"
    limit: Limit = LIMIT


def checked(kind: type[A], given: dict[str, Any]) -> A:
    """`given` as arguments; null is what was left out, as some clients send it.

    Raises
    ------
    InvalidInputError
        Names each argument that cannot be used, and why.
    """
    try:
        return kind.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults = [_fault(kind, fault) for fault in error.errors(include_url=False, include_context=False)[:3]]
        raise InvalidInputError("; ".join(faults)) from None


def time_range(reader: Reader, start: str, end: str) -> tuple[datetime, datetime]:
    """Two arguments as points in time.

    Raises
    ------
    InvalidInputError
        One is no time; they are the wrong way round, or further apart than the settings allow.
    """
    now, longest = reader.clock(), timedelta(days=reader.settings.max_window_days)
    first, last = parse_time(start, now, "start"), parse_time(end, now, "end")
    if first >= last:
        raise InvalidInputError(f"start = {start!r}: must be before end = {rfc3339(last)}")
    if last - first > longest:
        raise InvalidInputError(
            f"start = {start!r}: is more than {longest.days} days before end: ask for less at a time"
        )
    return first, last


def _fault(kind: type[Arguments], fault: ErrorDetails) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else "arguments"
    known = list(kind.model_fields)
    if fault["type"] == "extra_forbidden":
        return f"{name}: unknown argument, {did_you_mean(name, known, 'known are ' + ', '.join(known))}"
    if fault["type"] == "missing":
        return f"{name}: is needed"
    return f"{name} = {reprlib.repr(fault['input'])}: {fault['msg'].removeprefix('Value error, ')}"
