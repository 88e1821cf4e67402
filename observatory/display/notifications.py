"""Destinations and deliveries as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from observatory.frames import ReadableFrame
from observatory.model import Delivery, DeliveryState
from observatory.runtime.hand_out import Told
from observatory.store.tables.notifications import DeliveryCount
from observatory.times import TIME


def destination_table(told: Mapping[str, Told], counts: Iterable[DeliveryCount]) -> pd.DataFrame:
    """A row a destination: its kind, where it goes, what it is told of, and how many deliveries are in each state."""
    of_state = {(count.destination, count.state): count.deliveries for count in counts}
    rows = [
        {
            "destination": name,
            "kind": one.kind,
            "goes to": one.destination.where,
            "services": ", ".join(one.settings.services) or "all",
            "from": one.settings.severity if one.settings.enabled else "never",
            "on": ", ".join(one.on),
            "sent": of_state.get((name, DeliveryState.SENT), 0),
            "waiting": of_state.get((name, DeliveryState.WAITING), 0),
            "failed": of_state.get((name, DeliveryState.FAILED), 0),
        }
        for name, one in told.items()
    ]
    columns = ["destination", "kind", "goes to", "services", "from", "on", "sent", "waiting", "failed"]
    return ReadableFrame(rows, columns=columns, nothing="nobody is told")


def delivery_table(deliveries: Iterable[Delivery]) -> pd.DataFrame:
    """A row a delivery, in the order given."""
    rows = [
        {
            "changed": f"{one.changed_at:{TIME}}",
            "destination": one.destination,
            "incident": one.incident_id,
            "what": one.kind,
            "happened": f"{one.happened_at:{TIME}}",
            "state": str(one.state),
            "attempts": one.attempts,
            "due": f"{one.due_at:{TIME}}" if one.state is DeliveryState.WAITING else "",
            "why": one.reason,
        }
        for one in deliveries
    ]
    columns = ["changed", "destination", "incident", "what", "happened", "state", "attempts", "due", "why"]
    return ReadableFrame(rows, columns=columns, nothing="nothing was sent")
