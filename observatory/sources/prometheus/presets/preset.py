"""What a preset is, and a family: metrics of one exporter that a server has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.naming import Renames

Queries = dict[str, str]
"""Query templates by metric."""


@dataclass(frozen=True, slots=True)
class Family:
    """Series that belong together, and what is asked of them.

    Parameters
    ----------
    name
        The metric that they are known by; its labels say how services are named.
    queries
        Query templates by metric of the catalogue.
    tells_errors
        Whether its requests say how they ended. What does comes first for requests and errors.
    buckets
        A selector of the histogram's buckets, where it has some: a quantile is only as fine as they are.
    unit
        How many of the histogram's units are a second.
    renames
        Names of services that are known beforehand, before those of the preset.
    """

    name: str
    queries: Queries
    tells_errors: bool = True
    buckets: str = ""
    unit: float = 1.0
    renames: Renames = ()


Finder = Callable[[Inventory], list[Family]]


@dataclass(frozen=True, slots=True)
class Preset:
    """One way of naming services and metrics.

    Parameters
    ----------
    name
        As in the settings.
    description
        Where such metrics come from.
    labels
        Labels that together name a service, joined by ``/``. Of several in one, with ``|`` between, a series has one.
    find
        What of it a server has.
    rename
        Pairs of a pattern (RE2, the whole name) and a replacement, applied to names in order.
    queries
        Query templates by metric of the settings, before its own.
    probe
        A query of the settings that has a series for each service of this preset.
    is_own
        Whether the settings made or changed it.
    has_own_labels
        Whether the settings chose its labels: they are taken as they are then.
    """

    name: str
    description: str
    labels: tuple[str, ...]
    find: Finder = field(default=lambda inventory: [])
    rename: Renames = ()
    queries: Mapping[str, str] = field(default_factory=dict)
    probe: str = ""
    is_own: bool = False
    has_own_labels: bool = False


JOB = ("namespace", "job")
"""A job is shop/web where targets have a label namespace, as in Kubernetes, and the same as its workload then."""
