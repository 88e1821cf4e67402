"""PagerDuty, by version 2 of its Events API: an incident of ours is one of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from observatory.errors import DeliveryError
from observatory.integrations import INTEGRATIONS
from observatory.integrations.base import Late
from observatory.integrations.http import HttpDestination, HttpOptions, secret_of
from observatory.model import EventKind, IncidentState, Severity
from observatory.notifications.message import Message, shortened
from observatory.times import rfc3339

KEY_LENGTH, LONGEST_SUMMARY = 32, 1024
SEVERITIES = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}


class PagerDutyOptions(HttpOptions):
    """The integration key of a service: *Events API v2* under its integrations."""

    routing_key: SecretStr | None = Field(None, description="Integration key, 32 characters.")
    routing_key_file: Path | None = Field(None, description="File with it.")

    fallback: ClassVar[str] = "https://events.pagerduty.com"

    @model_validator(mode="after")
    def _key_is_whole(self) -> Self:
        if (self.routing_key is None) == (self.routing_key_file is None):
            raise ValueError("set routing_key or routing_key_file: the integration key of the PagerDuty service")
        if self.routing_key is not None and len(self.routing_key.get_secret_value()) != KEY_LENGTH:
            raise ValueError(f"routing_key is not {KEY_LENGTH} characters long: is it the key of Events API v2?")
        return self


@INTEGRATIONS.register("pagerduty")
class PagerDuty(HttpDestination[PagerDutyOptions]):
    """Triggers, acknowledges and resolves; the id of the incident is the key by which PagerDuty tells them apart."""

    options = PagerDutyOptions
    late = Late.LATEST
    defaults: ClassVar[tuple[EventKind, ...]] = ("opened", "worse", "acknowledged", "resolved", "reopened", "merged")

    def send(self, message: Message) -> None:
        """See `Destination.send`."""
        key = secret_of(self.settings.routing_key, self.settings.routing_key_file, "routing_key_file")
        if len(key) != KEY_LENGTH:
            raise DeliveryError(f"the key in {str(self.settings.routing_key_file)!r} is not {KEY_LENGTH} characters")
        self.post("/v2/enqueue", body=event(message, key))


def event(message: Message, routing_key: str) -> dict[str, Any]:
    """The event of one message."""
    incident = message.incident
    action = action_of(message)
    body: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": incident.id if incident is not None else message.key[:255],
    }
    if action != "trigger":
        return body
    source = (incident.origin if incident is not None else "") or "CloudWatch Observatory"
    body["payload"] = {
        "summary": shortened(message.title, LONGEST_SUMMARY),
        "source": source,
        "severity": SEVERITIES[message.severity],
        "timestamp": rfc3339(incident.started_at if incident is not None else message.at),
        "component": source,
        "class": message.kind,
        "custom_details": {fact.name: fact.text for fact in message.facts},
    }
    links = [{"href": link.url, "text": link.title} for link in message.links]
    if message.link:
        links.insert(0, {"href": message.link, "text": "Look at it"})
        body["client_url"] = message.link
    if links:
        body["links"] = links
    body["client"] = "CloudWatch Observatory"
    return body


def action_of(message: Message) -> str:
    """What becomes of the incident at PagerDuty; one that is acknowledged is not triggered again by what is late."""
    if message.is_over:
        return "resolve"
    if message.kind == "acknowledged":
        return "acknowledge"
    if message.incident is not None and message.incident.state is IncidentState.RESOLVED:
        return "resolve"
    return "trigger"
