"""What requests and answers about alerts of others are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field, RootModel

from observatory.api.schemas import examples
from observatory.api.schemas.responses import Answer
from observatory.model import ExternalAlert, Severity


class AlertMessage(RootModel[Any]):
    """Alerts as the webhook of an Alertmanager or of Grafana sends them, or the list that a Prometheus sends."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ALERTS_SENT]})


class Alert(Answer):
    """One alert of others."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ALERT]})

    fingerprint: str
    service_name: str = Field(description="The service here that it is about; empty where none was found.")
    name: str
    severity: Severity | None = Field(description="null where it only informs: it is part of no incident.")
    summary: str
    started_at: datetime
    ended_at: datetime | None = Field(description="When it was resolved.")
    is_firing: bool
    url: str = Field(description="Where it was made; may be empty.")
    sender: str
    labels: dict[str, str]

    @classmethod
    def of(cls, held: ExternalAlert, now: datetime) -> Alert:
        """As it is at a time."""
        facts = {name: getattr(held, name) for name in cls.model_fields if name not in ("is_firing", "labels")}
        return cls(**facts, is_firing=held.is_firing(now), labels=dict(held.labels))


class Alerts(Answer):
    """Alerts of others, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"alerts": [examples.ALERT]}]})

    alerts: list[Alert]


class UnmatchedAlert(Answer):
    """An alert that no service here was found for."""

    name: str
    labels: dict[str, str]


class AlertsTaken(Answer):
    """What became of alerts that were sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"taken": 1, "ours": 0, "left_out": 0, "unmatched": []}]})

    taken: int = Field(description="Alerts that are kept now, those without a service as well.")
    ours: int = Field(description="Alerts that this workbench had sent itself; they are left out.")
    left_out: int = Field(description="Alerts that the sender says it left out.")
    unmatched: list[UnmatchedAlert] = Field(description="The first that no service here was found for.")
