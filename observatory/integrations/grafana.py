"""Grafana: an annotation over each incident, from its beginning to its end."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import Field

from observatory.errors import DeliveryError
from observatory.integrations import INTEGRATIONS
from observatory.integrations.base import Late
from observatory.integrations.http import Answer, HttpDestination, HttpOptions
from observatory.model import EventKind, Incident
from observatory.notifications.message import Message

TAG = "observatory"
API = "/api/annotations"


class GrafanaOptions(HttpOptions):
    """Where Grafana is; `token` is that of a service account that may create annotations."""

    dashboard_uid: str | None = Field(None, description="Only on this dashboard. Unset: on all that show the tag.")
    tags: tuple[str, ...] = Field((), description="Tags besides `observatory`, the severity and the incident.")


@INTEGRATIONS.register("grafana")
class Grafana(HttpDestination[GrafanaOptions]):
    """One annotation an incident, found again by its tag ``incident:ID``."""

    options = GrafanaOptions
    late = Late.LATEST
    defaults: ClassVar[tuple[EventKind, ...]] = ("opened", "worse", "resolved", "reopened", "merged")

    def send(self, message: Message) -> None:
        """See `Destination.send`."""
        incident = message.incident
        if incident is None:
            self.post(API, body={"time": milliseconds(message.at), "tags": [TAG, "test"], "text": message.title})
            return
        known = self._known(incident)
        body = annotation(message, incident, self.settings.tags)
        if known is not None:
            self.post(f"{API}/{known}", body=body, method="PATCH")
        elif self.settings.dashboard_uid:
            self.post(API, body=body | {"dashboardUID": self.settings.dashboard_uid})
        else:
            self.post(API, body=body)

    def _known(self, incident: Incident) -> int | None:
        """The id of the annotation there is."""
        query = urlencode({"tags": f"incident:{incident.id}", "limit": 1, "type": "annotation"})
        found = _list(self.post(f"{API}?{query}", method="GET"), self.where)
        return int(found[0]["id"]) if found else None


def annotation(message: Message, incident: Incident, tags: tuple[str, ...]) -> dict[str, Any]:
    """The annotation as it is now; times are in milliseconds."""
    body: dict[str, Any] = {
        "time": milliseconds(incident.started_at),
        "tags": [TAG, str(incident.peak), f"incident:{incident.id}", *tags],
        "text": message.text,
    }
    if not incident.is_active:
        body["timeEnd"] = milliseconds(max(incident.ended_at, incident.started_at))
    return body


def milliseconds(at: datetime) -> int:
    """Milliseconds since 1970, as Grafana counts."""
    return round(at.timestamp() * 1000)


def _list(answer: Answer, where: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(answer.text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) and "id" in one for one in found):
        raise DeliveryError(f"{where} did not answer as Grafana does")
    return found
