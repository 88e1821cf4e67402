"""What a silence keeps from a destination, and what is told once it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from observatory.annotations.in_force import InForce, in_force, over_each
from observatory.model import Delivery, DeliveryState, Incident
from observatory.store import Store

LOOKS_AGAIN = timedelta(minutes=1)
"""What is held back, also by quiet hours, is looked at again: it may have become urgent, a silence may end early, or
something else may join the incident."""
OVER = "over before the silence was"
CAUGHT_UP = "another message told of it once the silence was over"


class Silencing:
    """Holds back what silences cover, for one destination.

    Whoever was told that something opened is told that it ended, also during a silence: a pager would ring for ever.
    When a silence is over, one message is sent of each incident that goes on; those that came and went are left out.
    """

    def __init__(self, store: Store, destination: str) -> None:
        self._store = store
        self._destination = destination

    def pass_on(self, due: Sequence[Delivery], incidents: Mapping[str, Incident], now: datetime) -> list[Delivery]:
        """Of what is due what may go out now; how the rest stands is kept in the store."""
        silences = in_force(self._store, now)
        if not silences and not any(one.silenced_by for one in due):
            return list(due)
        told = self._store.notifications.told(self._destination, [one.incident_id for one in due])
        found: list[Delivery] = []
        settled: list[Delivery] = []
        for one, over in zip(due, self._over(silences, due, incidents), strict=True):
            incident, was_told = incidents[one.incident_id], one.incident_id in told
            if over is not None and (incident.is_active or not was_told):
                settled.append(_held(one, over, now))
            elif one.silenced_by:
                kept, left_out = self._caught_up(incident, was_told)
                found += kept
                settled += [
                    replace(each, state=DeliveryState.SILENCED, changed_at=now, reason=why) for each, why in left_out
                ]
            else:
                found.append(one)
        self._store.notifications.settle(settled)
        return found

    def untold(self, active: Sequence[Incident], now: datetime) -> set[str]:
        """Incidents that a silence covers and the destination was never told of, by id."""
        silences = in_force(self._store, now)
        if not silences:
            return set()
        over = over_each(self._store, silences, active)
        covered = [one.id for one, holds in zip(active, over, strict=True) if holds is not None]
        return set(covered) - self._store.notifications.told(self._destination, covered)

    def _over(
        self, silences: Sequence[InForce], due: Sequence[Delivery], incidents: Mapping[str, Incident]
    ) -> list[InForce | None]:
        return over_each(self._store, silences, [incidents[one.incident_id] for one in due])

    def _caught_up(self, incident: Incident, was_told: bool) -> tuple[list[Delivery], list[tuple[Delivery, str]]]:
        """What is told of an incident that no silence covers any more, and what is left out, each with the reason."""
        waiting = self._store.notifications.waiting_of(self._destination, incident.id)
        if not incident.is_active and not was_told:
            return [], [(one, OVER) for one in waiting]
        kept = waiting[-1] if was_told else waiting[0]
        return [replace(kept, reason="", silenced_by="")], [(one, CAUGHT_UP) for one in waiting if one is not kept]


def _held(one: Delivery, over: InForce, now: datetime) -> Delivery:
    return replace(one, due_at=min(over.until, now + LOOKS_AGAIN), silenced_by=over.silence.id, reason=over.words)
