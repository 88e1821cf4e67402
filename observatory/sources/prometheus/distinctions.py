"""What tells services of one server apart, as it was first seen: a name must not change when a cluster is away.

Whether the cluster is a part of names, and by which label the services of a catch-all job are named, depends on what a
server has. What once told two apart goes on to be a part of the name, also after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec


@dataclass(frozen=True, slots=True)
class Distinctions:
    """Labels that told clusters apart, and by job the label that told its services apart."""

    clusters: tuple[str, ...] = ()
    jobs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str | None) -> Distinctions:
        """What `to_text` wrote; nothing where there is no text."""
        return msgspec.json.decode(text, type=cls) if text else cls()

    def to_text(self) -> str:
        """As a text to keep."""
        return msgspec.json.encode(self).decode()

    def with_more(self, clusters: tuple[str, ...], jobs: Mapping[str, str]) -> Distinctions:
        """Together with what is seen now; what was seen first counts."""
        return Distinctions(tuple(dict.fromkeys([*self.clusters, *clusters])), {**jobs, **self.jobs})
