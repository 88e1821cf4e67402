"""What is seen running of a service, from which its changes are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from observatory.model.cycles import Failure


class MarkKind(StrEnum):
    """What a mark of a service tells; the first say the most of what was done."""

    VERSION = "version"
    """A version that the service reports itself."""
    IMAGE = "image"
    """The image of its container."""
    SIDECAR = "sidecar"
    """The image of a container beside it."""
    REVISION = "revision"
    """The ReplicaSet of its pods: another one has another template, whatever is different in it."""
    STARTED = "started"
    """When its processes or pods began [s since the epoch]: the oldest and the newest."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a mark of a service was from a time on: each value that some instance had.

    `mark` tells marks of one kind apart, such as the containers of a pod.
    """

    service_name: str
    kind: MarkKind
    mark: str
    at: datetime
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a source showed, the oldest first, and what it refused to show."""

    sightings: Sequence[Sighting] = ()
    failures: Sequence[Failure] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """What was seen of a mark of a service until now; see `observatory.collection.rollouts`.

    Attributes
    ----------
    target
        The value that the service has or is moving to; empty where several live side by side.
    current
        The values that were seen last.
    last_seen
        When each value that is remembered was there.
    since
        When `target` was seen first, or when several values last were there side by side.
    lost_at
        Since when `target` is gone while others are there.
    changed_at
        When the mark last changed; None if it never did.
    """

    service_name: str
    source: str
    kind: MarkKind
    mark: str
    target: str
    current: tuple[str, ...]
    last_seen: Mapping[str, datetime] = field(default_factory=dict)
    since: datetime | None = None
    lost_at: datetime | None = None
    changed_at: datetime | None = None
