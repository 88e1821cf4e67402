"""Names of services: which labels a name is made of, as an expression around any other.

A name is made before anything is summed, so that two series that end up under one name are one thing: their counts and
buckets are added, and rates, ratios and quantiles are taken of the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from observatory.model import SERVICE
from observatory.sources.prometheus.selectors import any_of, quoted
from observatory.sources.prometheus.selectors import label as label_of

Renames = tuple[tuple[str, str], ...]
"""Pairs of a pattern (RE2, the whole name) and a replacement."""

BETWEEN = ";;"
"""Joins a job and another label for a moment; no name has it."""


@dataclass(frozen=True, slots=True)
class InsteadOfJob:
    """In series of these jobs the value of `label` says more than the job: one job scrapes whatever it finds."""

    label: str
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a name: the value of the last of `labels` that is not empty; and what is taken instead of a job."""

    labels: tuple[str, ...]
    instead: tuple[InsteadOfJob, ...] = ()

    @property
    def all_labels(self) -> tuple[str, ...]:
        return (*self.labels, *(one.label for one in self.instead))


@dataclass(frozen=True, slots=True)
class Naming:
    """How a service is named.

    Parameters
    ----------
    parts
        Joined by ``/``.
    needs_all
        Whether a series that lacks a part names no service; otherwise the part is left out.
    front
        Labels to put in front of the name where a series has them, such as ``cluster``.
    renames
        Applied to names at the end, in order.
    """

    parts: tuple[Part, ...]
    needs_all: bool = True
    front: tuple[str, ...] = ()
    renames: Renames = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that has to be left in a series for it to be named."""
        used = [name for part in self.parts for name in part.all_labels]
        has_instead = any(part.instead for part in self.parts)
        return tuple(dict.fromkeys([*self.front, *used, *(["job"] if has_instead else [])]))

    @property
    def by(self) -> str:
        """The same as a list for ``by``."""
        return ", ".join(label_of(name) for name in self.labels)

    def named(self, query: str) -> str:
        """`query` with the label ``service_name``; it is empty where a series names no service."""
        names = []
        for number, part in enumerate(self.parts):
            if len(part.all_labels) == 1 and part.labels != (SERVICE,):
                names.append(part.labels[0])
                continue
            names.append(f"part_{number}")
            query = _first(query, names[-1], part)
        query = _joined(query, names)
        if len(self.parts) > 1:
            query = _renamed(query, _ALL_PARTS if self.needs_all else _SOME_PARTS)
        if self.front:  # by a label of its own: VictoriaMetrics would join a label with itself while it writes it
            query = _copied(query, _INNER, SERVICE, "(.*)")
            query = _renamed(_joined(query, [*self.front, _INNER]), _IN_FRONT)
        return _renamed(query, self.renames)


_INNER = "part_inner"
_ALL_PARTS: Renames = (("/.*|.*/|.*//.*", ""),)
# A job that is shop/web already keeps its name, and without a namespace the job is the name.
_SOME_PARTS: Renames = (("[^/]*/([^/]+/.+)", "$1"), ("/(.+)", "$1"), (".*/", ""))
_IN_FRONT: Renames = (("/+(.+)", "$1"), (".*/", ""))


def _first(query: str, target: str, part: Part) -> str:
    """`query` with label `target`: of a part's labels the last that is not empty."""
    for number, name in enumerate(part.labels):
        query = _copied(query, target, name, "(.*)" if not number else "(.+)")
    for one in part.instead:
        query = f'label_join({query}, "{target}_of", "{BETWEEN}", "job", {quoted(one.label)})'
        query = _copied(query, target, f"{target}_of", f"(?:{any_of(one.jobs)}){BETWEEN}(.+)")
    return query


def _copied(query: str, target: str, label: str, pattern: str) -> str:
    return f'label_replace({query}, "{target}", "$1", {quoted(label)}, {quoted(pattern)})'


def _joined(query: str, labels: Sequence[str]) -> str:
    return f'label_join({query}, "{SERVICE}", "/", {", ".join(map(quoted, labels))})'


def _renamed(query: str, renames: Renames) -> str:
    for pattern, name in renames:
        query = f'label_replace({query}, "{SERVICE}", {quoted(name)}, "{SERVICE}", {quoted(pattern)})'
    return query
