"""Messages about an incident that opened at noon, and destinations to send them to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.destinations import an_incident
from support.incidents import NOON

from observatory.config.notify import NotifySettings
from observatory.integrations import make_destination
from observatory.model import Delivery, DeliveryState, EventKind, Incident, IncidentState
from observatory.notifications.message import Message, compose


def message(kind: EventKind = "opened", incident: Incident | None = None, public_url: str = "") -> Message:
    told = incident or an_incident()
    if kind == "resolved":
        told = replace(told, state=IncidentState.RESOLVED, resolved_at=NOON)
    delivery = Delivery("x", told.id, 1, kind, NOON, DeliveryState.WAITING, NOON, NOON)
    return compose(delivery, told, [], NOON, public_url)


def destination(kind: str, **options: Any) -> Any:
    return make_destination("desk", NotifySettings(kind=kind, **options))
