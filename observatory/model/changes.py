"""Changes of services that people make: deployments, restarts, settings, flags."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class ChangeKind(StrEnum):
    """What was done to a service."""

    DEPLOYMENT = "deployment"
    RESTART = "restart"
    CONFIG = "config"
    FLAG = "flag"
    SCALING = "scaling"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one service at a moment.

    `version` is what runs after it, `summary` a line for people, `url` where to read more; each may be empty. `source`
    is the metrics source that showed it, or who reported it. `id` identifies it for good, whatever else is learned
    of it later; see `change_id`.
    """

    id: str
    service_name: str
    at: datetime
    kind: ChangeKind
    version: str = ""
    summary: str = ""
    url: str = ""
    source: str = ""

    @property
    def title(self) -> str:
        """What it is in a few words, without the service."""
        return f"{self.kind} {self.version}" if self.version else self.summary or str(self.kind)


def change_id(service: str, at: datetime, kind: ChangeKind, version: str = "", summary: str = "") -> str:
    """The id of a change with these facts when it is first reported: the same facts give the same id."""
    facts = "\0".join((service, at.astimezone(UTC).isoformat(), kind, version, "" if version else summary))
    return "c" + hashlib.sha256(facts.encode()).hexdigest()[:15]
