"""What answers are made of. Values are in base units, times RFC 3339 in UTC, missing values null."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from observatory.analysis.call_graph import CallGraph
from observatory.api.schemas import examples
from observatory.collection.collect import CollectReport
from observatory.config import Settings
from observatory.health.overview import ServiceStatus, State, targets
from observatory.model import End

Values = list[float | None]


class Answer(BaseModel):
    """Base of every answer: NaN and infinity are null."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null", from_attributes=True)


class Problem(Answer):
    """An error, as RFC 9457 has it."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROBLEM]})

    type: str = Field(description="A URN for its kind, or `about:blank`.")
    title: str = Field(description="Its kind, for people.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What went wrong here, for people.")
    instance: str = Field(description="The path, or the id under which the log has it.")
    errors: list[Fault] | None = Field(None, description="Each value that cannot be used.")


class Fault(Answer):
    """One value that cannot be used."""

    name: str = Field(description="Parameter or field.")
    value: Any = Field(description="What was given, cut when it is long.")
    reason: str


class Learning(Answer):
    """Why a service cannot be judged yet."""

    samples: int
    needed: int
    ready_at: datetime | None


class Service(Answer):
    """A service and what it is held against."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SERVICES["services"][0]]})

    service_name: str
    source: str = Field(description="Where its samples come from.")
    team: str | None
    tier: str | None
    objective: float = Field(description="Availability objective (0–1), its own or the default.")
    latency_target: float = Field(description="p95 target [s], its own or the default.")
    cpu_limit: float | None = Field(description="CPU limit over all pods [cores].")
    memory_limit: float | None = Field(description="Memory limit over all pods [bytes].")
    desired_pods: float | None
    samples: int = Field(description="Samples stored.")
    last_sample_at: datetime | None
    state: State = Field(
        description="`waiting` for its first sample, `learning` its normal behaviour, `stale`, `inactive`,"
        " `silenced` so that it is not judged, or `judged`."
    )
    learning: Learning | None

    @classmethod
    def of(cls, status: ServiceStatus, samples: int, last: datetime | None, settings: Settings) -> Service:
        """From where it stands now, and how many `samples` of it there are, the `last` included."""
        service, held = status.service, targets(status.service, settings)
        return cls(
            service_name=service.name,
            source=service.source,
            team=service.team,
            tier=service.tier,
            objective=held.objective,
            latency_target=held.latency,
            cpu_limit=service.cpu_limit,
            memory_limit=service.memory_limit,
            desired_pods=service.desired_pods,
            samples=samples,
            last_sample_at=last,
            state=status.state,
            learning=None if status.learning is None else Learning.model_validate(status.learning),
        )


class NameRule(Answer):
    """A rule about names of services."""

    kind: Literal["rename", "deploy", "apart", "exclude"] = Field(
        description="`rename`: of one name. `deploy`: of all names the pattern (RE2) matches, as it was recognised. "
        "`apart`: such a pattern that was taken back. `exclude`: what the pattern covers is not watched."
    )
    pattern: str = Field(description="A name, or a pattern.")
    becomes: str = Field(description="What services are called instead; empty where they are excluded.")
    made_at: datetime | None = Field(description="Since when.")


class GraphNode(Answer):
    """One end of calls."""

    name: str
    type: End = Field(
        description="`service`, or what is outside: `user`, `database`, `external` (a host), `unknown` (a name that is "
        "none of a service)."
    )


class GraphCall(Answer):
    """That one calls another."""

    caller: str
    caller_type: End
    callee: str
    callee_type: End
    kinds: list[str] = Field(
        description="How it is known: `service graph`, `istio`, `linkerd`, `envoy`, `consul`, `spans`, `jaeger`, "
        "`settings`, `demo`, or the name of a source that tells no more."
    )
    sources: list[str] = Field(description="Where it was read.")
    first_seen: datetime | None
    last_seen: datetime | None


class Graph(Answer):
    """Who calls whom."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.GRAPH]})

    service: str | None = Field(description="The service whose surroundings these are; null for all calls.")
    nodes: list[GraphNode] = Field(description="By name. Two may have one name where their types differ.")
    calls: list[GraphCall] = Field(description="By caller and callee.")

    @classmethod
    def of(cls, graph: CallGraph) -> Graph:
        """From the graph."""
        return cls(
            service=graph.centre.name if graph.centre else None,
            nodes=[GraphNode(name=node.name, type=node.is_a) for node in graph.nodes],
            calls=[
                GraphCall(
                    caller=edge.caller.name,
                    caller_type=edge.caller.is_a,
                    callee=edge.callee.name,
                    callee_type=edge.callee.is_a,
                    kinds=list(edge.kinds),
                    sources=list(edge.sources),
                    first_seen=edge.first_seen,
                    last_seen=edge.last_seen,
                )
                for edge in graph.edges
            ],
        )


class NameRules(Answer):
    """All rules about names of services."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.NAMES]})

    rules: list[NameRule]


class Removed(Answer):
    """A service that was removed, with all there was of it."""

    service_name: str
    excluded: bool = Field(description="Whether it stays away, until it is registered again.")


class ServicePage(Answer):
    """Services by name."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SERVICES]})

    services: list[Service]
    total: int
    next: str | None = Field(description="Path and query of the next page; null on the last.")


class Failure(Answer):
    """Something that did not work while the rest went on."""

    what: str
    error: str


class Remark(Answer):
    """What the source said about samples of a time, such as that they are partial."""

    start: datetime
    end: datetime
    text: str


class Expected(Answer):
    """What was expected of one metric, point by point."""

    typical: Values
    lower: Values
    upper: Values


class History(Answer):
    """Samples of one service in columns: `timestamp`, and one list of the same length a metric."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.HISTORY]})

    service_name: str
    start: datetime
    end: datetime
    step: float = Field(description="Time between points [s].")
    resolution: Literal["raw", "summary"] = Field(description="Samples as they are, or summarised over `step`.")
    timestamp: list[datetime]
    metrics: dict[str, Values]
    expected: dict[str, Expected] | None = Field(description="Where asked for and enough is known; else null.")
    remarks: list[Remark] = Field(
        description="What the source said about these samples, such as that some are partial."
    )


class Collected(Answer):
    """What collecting one service now gave."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.COLLECTED]})

    service_name: str
    at: datetime = Field(description="Time of the sample asked for.")
    samples: int
    queries: int
    seconds: float
    failures: list[Failure]
    warnings: list[str]

    @classmethod
    def of(cls, service: str, report: CollectReport) -> Collected:
        """From the report of a collection of one service."""
        return cls(
            service_name=service,
            at=report.at,
            samples=report.samples,
            queries=report.queries,
            seconds=report.seconds,
            failures=[Failure.model_validate(failure) for failure in report.failures],
            warnings=list(report.warnings),
        )


class AuditEntry(Answer):
    """Something that was done or refused."""

    at: datetime
    who: str = Field(description="`key:NAME`, `jwt:NAME`, `login:NAME`, `cli:NAME`, `open:anybody` or `nobody`.")
    address: str
    action: str
    target: str
    result: str = Field(description="The HTTP status, or a word.")
    detail: str


class AuditPage(Answer):
    """What was done and refused, the newest first."""

    entries: list[AuditEntry]


class Alive(Answer):
    """The process answers."""

    status: Literal["ok"]


class Check(Answer):
    """One thing that must be so before the process is ready."""

    name: str
    ok: bool
    detail: str


class Ready(Answer):
    """Everything that must be so is so."""

    status: Literal["ready"]
    checks: list[Check]
