"""Silences as somebody sees them who may see some services only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from observatory.access.permissions import Scope
from observatory.access.scoped_incidents import OUTSIDE
from observatory.annotations.in_force import InForce
from observatory.errors import ForbiddenError
from observatory.model import Silence
from observatory.store.reader import SilencesReader, SilencesWriter
from observatory.store.tables.silences import no_silence


class ScopedSilences:
    """Silences about services inside; of one that is also about others neither these nor the reason are shown."""

    def __init__(self, base: SilencesReader, scope: Scope, inside: Callable[[Sequence[str] | None], list[str]]) -> None:
        self._base = base
        self._scope = scope
        self._inside = inside

    def read(self, start: datetime | None = None, end: datetime | None = None) -> list[Silence]:
        names = self._inside(None)
        return [part for one in self._base.read(start, end) if (part := self._part(one, names)) is not None]

    def get(self, silence_id: str) -> Silence:
        part = self._part(self._base.get(silence_id), self._inside(None))
        if part is None:
            raise no_silence(silence_id)
        return part

    def _part(self, silence: Silence, names: Sequence[str]) -> Silence | None:
        return part_of(silence, self._scope, names)


class ScopedSilencesWriter(ScopedSilences):
    """The same for whoever may also silence, but only what is inside."""

    def __init__(self, base: SilencesWriter, scope: Scope, inside: Callable[[Sequence[str] | None], list[str]]) -> None:
        super().__init__(base, scope, inside)
        self._operated = base

    def get(self, silence_id: str) -> Silence:
        """A silence that is to be changed; raises ForbiddenError where it is also about services outside."""
        part = super().get(silence_id)
        if not is_whole(self._operated.get(silence_id), self._scope):
            raise ForbiddenError(f"silence {silence_id!r} is also about services outside of what you may see")
        return part

    def write(self, values: Iterable[Silence]) -> int:
        silences = list(values)
        for one in silences:
            if not is_whole(one, self._scope):
                raise ForbiddenError(
                    f"services {', '.join(one.services)[:200]}: silence what you may see only: {self._scope}"
                )
        return self._operated.write(silences)


def is_whole(silence: Silence, scope: Scope) -> bool:
    """Whether all that a silence is about is inside."""
    return all(map(scope.covers, silence.services))


def part_of(silence: Silence, scope: Scope, names: Sequence[str]) -> Silence | None:
    """What may be seen of a silence, given the services inside; None where it is about none of them."""
    if is_whole(silence, scope):
        return silence
    covered = tuple(name for name in names if silence.covers_service(name))
    return replace(silence, services=covered, reason=OUTSIDE, origin="") if covered else None


def seen_in_force(found: Iterable[InForce], scope: Scope, name: str) -> tuple[InForce, ...]:
    """Silences in force about a service inside, as far as they may be seen."""
    parts = ((one, part_of(one.silence, scope, [name])) for one in found)
    return tuple(replace(one, silence=part) for one, part in parts if part is not None)
