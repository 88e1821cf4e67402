"""Who calls whom: one observation of a call, and what its ends are.

>>> call = Call("shop/checkout", "orders", "spans", callee_is=End.DATABASE)
>>> call.is_between_services, call.callee_end
(False, (<End.DATABASE: 'database'>, 'orders'))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

COUNTS_FOR_DAYS = 7
"""A call that was not seen for longer counts no more [days]."""
UNKNOWN_KIND = "unknown"
"""Kind of a call that was told without saying how it is known."""


class End(StrEnum):
    """What one end of a call is.

    `USER` and `DATABASE` are what traces call so, `EXTERNAL` is a host outside, and `UNKNOWN` a name that is none of a
    service: it may be one that is not watched.
    """

    SERVICE = "service"
    USER = "user"
    DATABASE = "database"
    EXTERNAL = "external"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Call:
    """That one service calls another, as one source knows it.

    Parameters
    ----------
    caller, callee
        Names of services, or of what is outside.
    kind
        How it is known: ``service graph``, ``istio``, ``linkerd``, ``envoy``, ``consul``, ``spans``, ``jaeger``,
        ``settings``, ``demo``; of a source that tells pairs only, its name.
    source
        Where it was read.
    first_seen, last_seen
        UTC; None where it is not known.
    caller_is, callee_is
        What the ends are.
    """

    caller: str
    callee: str
    kind: str = UNKNOWN_KIND
    source: str = ""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    caller_is: End = End.SERVICE
    callee_is: End = End.SERVICE

    @property
    def caller_end(self) -> tuple[End, str]:
        """The caller, told from what has its name and is something else."""
        return self.caller_is, self.caller

    @property
    def callee_end(self) -> tuple[End, str]:
        """The callee, told from what has its name and is something else."""
        return self.callee_is, self.callee

    @property
    def is_between_services(self) -> bool:
        """Whether both ends are services."""
        return self.caller_is is End.SERVICE and self.callee_is is End.SERVICE

    @property
    def services(self) -> tuple[str, ...]:
        """The ends that are services."""
        return tuple(name for is_a, name in (self.caller_end, self.callee_end) if is_a is End.SERVICE)


def as_calls(calls: Iterable[Call | tuple[str, str]], source: str = "") -> list[Call]:
    """Calls of a source, which may tell pairs ``(caller, callee)`` of services only."""
    return [
        call if isinstance(call, Call) else Call(call[0], call[1], source or UNKNOWN_KIND, source) for call in calls
    ]
