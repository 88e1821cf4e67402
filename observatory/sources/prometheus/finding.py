"""Which service a series is of, by its labels as the server has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from observatory.model import KnownServices, Renames, apply_renames
from observatory.sources.prometheus.inventory import APPLICATIONS, CLUSTERS, JOBS, NAMESPACES

Names = tuple[str, list[str]]
"""A namespace, which may be empty, and what a service may be called in it, the likeliest first."""
Find = Callable[[Names, Mapping[str, str]], str | None]


class ServiceFinder:
    """Services by what their series call them; without its namespace only one that has none."""

    def __init__(self, services: Collection[str], renames: Renames) -> None:
        self._services = frozenset(services)
        self._known = KnownServices(services)
        self._renames = renames

    def find(self, names: Names, labels: Mapping[str, str]) -> str | None:
        """The service of these names, of series with these labels; None where there is none."""
        space, bare = names
        within = [f"{space}/{name}" for name in bare if space and "/" not in name]
        whole = [named for name in (within or bare) for named in (apply_renames(name, self._renames), name)]
        found = self._known.find(whole, first_of(labels, CLUSTERS))
        return found or next((name for name in bare if name in self._services), None)


def first_of(labels: Mapping[str, str], names: Iterable[str]) -> str:
    """The value of the first of some labels that has one; empty where none has."""
    return next((labels[name] for name in names if labels.get(name)), "")


def names_of_target(labels: Mapping[str, str]) -> Names:
    """What a service may be called by the labels of its targets; of OpenTelemetry a job is namespace/name."""
    space = first_of(labels, ("service_namespace", "k8s_namespace_name", *NAMESPACES))
    names = [labels.get(name, "") for name in ("service_name", *APPLICATIONS, *reversed(JOBS))]
    return space, [name for name in names if name]
