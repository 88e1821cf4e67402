"""OpenTelemetry: a log record for each transition, by OTLP over HTTP with JSON.

Source: OpenTelemetry Protocol Specification 1.x, "OTLP/HTTP": names are in camel case, 64-bit numbers are texts, and
only 429, 502, 503 and 504 may be tried again.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from observatory import __version__
from observatory.errors import DeliveryError
from observatory.integrations import INTEGRATIONS
from observatory.integrations.base import Late
from observatory.integrations.http import HttpDestination, HttpOptions, as_object
from observatory.model import Severity
from observatory.notifications.message import Message

SERVICE = "cloudwatch-observatory"
NUMBERS = {Severity.CRITICAL: 21, Severity.HIGH: 17, Severity.MEDIUM: 13, Severity.LOW: 9}
"""Fatal, error, warning and information, as numbers of the log data model."""
MENDABLE = frozenset({401, 403, 404, 408, 429, 502, 503, 504})


class OtlpOptions(HttpOptions):
    """Where the collector is, without `/v1/logs`."""

    resource: dict[str, str] = Field(
        default_factory=dict, description="Attributes of the resource, such as `deployment.environment.name`."
    )

    fallback: ClassVar[str] = "http://127.0.0.1:4318"


@INTEGRATIONS.register("otlp")
class Otlp(HttpDestination[OtlpOptions]):
    """One record a message."""

    options = OtlpOptions
    late = Late.EACH
    for_good = frozenset(range(400, 600)) - MENDABLE

    def send(self, message: Message) -> None:
        """See `Destination.send`."""
        answer = self.post("/v1/logs", body=export(message, self.settings.resource))
        refused = as_object(answer).get("partialSuccess") or {}
        if int(refused.get("rejectedLogRecords") or 0) > 0:
            why = refused.get("errorMessage") or "without a reason"
            raise DeliveryError(f"{self.where} left the record out: {why}", is_final=True)


def export(message: Message, resource: dict[str, str]) -> dict[str, Any]:
    """An ``ExportLogsServiceRequest`` with one record."""
    nanoseconds = str(int(message.at.timestamp() * 1e6) * 1000)
    attributes: dict[str, Any] = {"event.key": message.key, "event.kind": message.kind}
    if message.incident is not None:
        incident = message.incident
        attributes |= {
            "incident.id": incident.id,
            "incident.state": str(incident.state),
            "incident.origin": incident.origin,
            "incident.services": list(incident.services),
        }
        if incident.causes:
            attributes["incident.likeliest_cause"] = incident.causes[0].service_name
    if message.link:
        attributes["url.full"] = message.link
    record = {
        "timeUnixNano": nanoseconds,
        "observedTimeUnixNano": nanoseconds,
        "severityNumber": NUMBERS[message.severity],
        "severityText": str(message.severity),
        "eventName": f"observatory.incident.{message.kind}",
        "body": {"stringValue": message.text},
        "attributes": _attributes(attributes),
    }
    scope = {"name": SERVICE, "version": __version__}
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": _attributes({"service.name": SERVICE, **resource})},
                "scopeLogs": [{"scope": scope, "logRecords": [record]}],
            }
        ]
    }


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [{"stringValue": one} for one in value]}}
    return {"stringValue": str(value)}
