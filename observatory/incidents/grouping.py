"""Which symptoms belong together: those of one service, and of services through which a fault can spread.

A fault shows in the service that has it and in those that call it, also through one in between that shows nothing.
Where nothing is known about calls, the namespace and the same minute still tell, with care.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from enum import IntEnum

from observatory.model import Symptom

SLACK = timedelta(minutes=10)
"""Symptoms this far apart still overlap: alarms come late, and end late."""
THROUGH_OTHERS = timedelta(minutes=10)
"""Onsets this far apart may be one fault that passed through a service that shows nothing."""
NEARLY_AT_ONCE = timedelta(minutes=3)
"""Onsets this close, in one namespace, may be one fault where no call is known."""
LARGEST_NAMESPACE = 30
"""In a namespace of more services two faults at once are too likely for its name to tell anything."""


class Bond(IntEnum):
    """How much speaks for two symptoms being of one fault; more is stronger."""

    NONE = 0
    NAMESPACE = 1
    THROUGH_OTHERS = 2
    CALLS = 3
    SAME = 4

    @property
    def joins_incidents(self) -> bool:
        """Whether it is enough to make one of two incidents that people may work on already."""
        return self >= Bond.THROUGH_OTHERS


class Grouping:
    """Tells which symptoms belong together.

    Parameters
    ----------
    calls
        Known calls as (caller, callee). Circles, calls to itself and unknown names are fine.
    services
        Names of all services.
    """

    def __init__(self, calls: Iterable[tuple[str, str]], services: Collection[str]) -> None:
        self._callees: defaultdict[str, set[str]] = defaultdict(set)
        self._callers: defaultdict[str, set[str]] = defaultdict(set)
        for caller, callee in calls:
            if caller != callee:
                self._callees[caller].add(callee)
                self._callers[callee].add(caller)
        self._size = Counter(map(namespace, services))
        self._mates: defaultdict[str, list[str]] = defaultdict(list)
        for name in services:
            self._mates[namespace(name)].append(name)
        self._near: dict[str, dict[str, Bond]] = {}

    def near(self, service: str) -> Mapping[str, Bond]:
        """Services that a fault of `service` can reach or come from, and how they are connected."""
        found = self._near.get(service)
        if found is None:
            found = self._near[service] = self._find(service)
        return found

    def bond(self, one: Symptom, other: Symptom) -> Bond:
        """What speaks for two symptoms being of one fault."""
        bond = self.near(one.service_name).get(other.service_name, Bond.NONE)
        if bond is Bond.NONE or not _overlap(one, other):
            return Bond.NONE
        apart = abs(one.started_at - other.started_at)
        if bond is Bond.THROUGH_OTHERS and apart > THROUGH_OTHERS:
            return Bond.NONE
        if bond is Bond.NAMESPACE and (apart > NEARLY_AT_ONCE or not _overlap(one, other, timedelta(0))):
            return Bond.NONE
        return bond

    def _find(self, service: str) -> dict[str, Bond]:
        near: dict[str, Bond] = {}
        callees, callers = self._callees.get(service, set()), self._callers.get(service, set())
        if not callees and not callers and self._size[namespace(service)] <= LARGEST_NAMESPACE:
            near |= {
                name: Bond.NAMESPACE
                for name in self._mates[namespace(service)]
                if not self._callees.get(name) and not self._callers.get(name)
            }
        for neighbours, step in ((callees, self._callees), (callers, self._callers)):
            for neighbour in neighbours:  # two steps in one direction: a caller's caller, a callee's callee
                near |= dict.fromkeys(step.get(neighbour, ()), Bond.THROUGH_OTHERS)
        near |= dict.fromkeys(callees | callers, Bond.CALLS)
        near[service] = Bond.SAME
        return near


def namespace(service: str) -> str:
    """What stands before the last part of a name; empty where it has one part, or is an address that is checked."""
    space = service.rpartition("/")[0]
    return "" if ":" in space else space


def _overlap(one: Symptom, other: Symptom, slack: timedelta = SLACK) -> bool:
    """Whether two symptoms were there at the same time, give or take."""
    return one.started_at <= other.ended_at + slack and other.started_at <= one.ended_at + slack
