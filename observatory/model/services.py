"""Services, and what a name may be."""

from __future__ import annotations

from dataclasses import dataclass

IMPORTED = "import"
"""Source of services that are known from files only, until another has them."""
MOST_NAMED = 50
"""Services a source is asked for by name; of more it is asked for all, and what was not wanted is left out."""
LONGEST_NAME = 200


def is_usable_name(name: str) -> bool:
    """Whether a service may be called so: it must fit in a message, an address and a line."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()


@dataclass(frozen=True, slots=True)
class Service:
    """A service whose health is watched.

    `name` may be ``namespace/name``. Limits are totals over all pods: `cpu_limit` [cores],
    `memory_limit` [bytes]; `objective` is the availability target (0–1), `latency_target` the
    p95 that users should see at most [s]. None means not known, or the default of the settings.
    """

    name: str
    source: str = "prometheus"
    team: str | None = None
    tier: str | None = None
    objective: float | None = None
    latency_target: float | None = None
    cpu_limit: float | None = None
    memory_limit: float | None = None
    desired_pods: float | None = None
