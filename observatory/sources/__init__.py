"""Where samples come from: what every source can do, and what only one with labelled faults can."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from observatory.model import Call, Change, Collected, Exemplar, Fault, Renames, Service
from observatory.model.running import Seen


@runtime_checkable
class Source(Protocol):
    """Where samples come from. Every method raises `SourceError` when nothing at all can be had."""

    name: str

    @property
    def asks(self) -> str:
        """What is asked, as a short text that changes with it: history fetched with another one is fetched again."""
        ...

    def discover(self) -> list[Service]:
        """The services that have samples now, sorted by name."""
        ...

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        """One sample a service at `at`; all services, or only those named."""
        ...

    def history(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> Collected:
        """Samples every `step` seconds from `start` to `end`, both inclusive."""
        ...

    def graph(self) -> Sequence[Call | tuple[str, str]]:
        """Known calls, or of those between services ``(caller, callee)``; empty where the source knows none.

        A `Call` may have an end that is no service, such as a database. The times of one are set where it has none.
        """
        ...


@runtime_checkable
class CallSource(Protocol):
    """Where only calls come from, as a Jaeger. It raises `SourceError` when they cannot be had."""

    name: str

    def graph(self) -> Sequence[Call]:
        """Known calls, by names that may still have to be looked up among the services."""
        ...


@runtime_checkable
class RenamingSource(Protocol):
    """A source that can give services other names before it sums up their series, so that sums are right."""

    def use_renames(self, renames: Renames) -> None:
        """Name services by these rules from now on, after its own; see `observatory.model.Renames`."""
        ...


@runtime_checkable
class LabelledSource(Protocol):
    """A source that knows which faults its samples show, as the demo does."""

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        """Labelled faults that overlap a range."""
        ...

    def go_live(self, now: datetime) -> None:
        """Let the first live fault begin a while after `now`."""
        ...


@runtime_checkable
class ExemplarSource(Protocol):
    """A source that remembers single requests with their traces."""

    name: str

    def exemplars(
        self, service: str, services: Collection[str], start: datetime, end: datetime, most: int = 10
    ) -> list[Exemplar]:
        """The slowest requests of `service`, which is one of `services`, from `start` to `end`; the slowest first."""
        ...


@runtime_checkable
class ChangesSource(Protocol):
    """A source that knows what was changed, as the demo does."""

    def changes(self, start: datetime, end: datetime) -> list[Change]:
        """Deployments and other changes from `start` to `end`, the oldest first."""
        ...


@runtime_checkable
class RunningSource(Protocol):
    """A source that shows which versions run, from which changes are told."""

    name: str

    def running(self, start: datetime, end: datetime, services: Collection[str]) -> Seen:
        """What was seen of `services` from `start` to `end`, whenever it changed."""
        ...
