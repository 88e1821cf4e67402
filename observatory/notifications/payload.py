"""A message as plain values, for receivers that are programs."""

from __future__ import annotations

from typing import Any

from observatory.model import Incident
from observatory.notifications.message import Message
from observatory.times import rfc3339


def as_payload(message: Message) -> dict[str, Any]:
    """What a message says, by name; times are RFC 3339, and what is not known is None."""
    return {
        "key": message.key,
        "kind": message.kind,
        "at": rfc3339(message.at),
        "title": message.title,
        "severity": str(message.severity),
        "link": message.link or None,
        "links": [{"title": link.title, "url": link.url} for link in message.links],
        "facts": [{"name": fact.name, "text": fact.text} for fact in message.facts],
        **(_of_incident(message.incident) if message.incident is not None else {"incident": None}),
    }


def _of_incident(incident: Incident) -> dict[str, Any]:
    return {
        "incident": incident.id,
        "state": str(incident.state),
        "started_at": rfc3339(incident.started_at),
        "resolved_at": rfc3339(incident.resolved_at) if incident.resolved_at else None,
        "acknowledged_by": incident.acknowledged_by or None,
        "assignee": incident.assignee or None,
        "merged_into": incident.merged_into,
        "origin": incident.origin or None,
        "services": list(incident.services),
        "symptoms": [
            {
                "service_name": one.service_name,
                "severity": str(one.severity),
                "started_at": rfc3339(one.started_at),
                "is_open": one.is_open,
                "detector": one.detector,
                "text": one.sentence,
            }
            for one in incident.symptoms
        ],
        "causes": [
            {
                "service_name": one.service_name,
                "score": round(one.score, 2),
                "is_clear": one.is_clear,
                "metric": one.metric,
                "text": one.words,
            }
            for one in incident.causes
        ],
    }
