"""What changed, as somebody may see it."""

from __future__ import annotations

from collections.abc import Callable

from observatory.access.permissions import Scope
from observatory.errors import ObservatoryError
from observatory.health.overview import Overview
from observatory.runtime.feed import Callback, Look
from observatory.runtime.reader import FeedReader


class ScopedFeed:
    """Looks at the services inside, and events that concern no others; see `observatory.runtime.feed.Feed`.

    Parameters
    ----------
    base
        What is looked through.
    scope
        The services inside.
    visible
        Leaves of an overview what is inside; raises once the caller may look no longer.
    """

    def __init__(self, base: FeedReader, scope: Scope, visible: Callable[[Overview], Overview]) -> None:
        self._base = base
        self._scope = scope
        self._visible = visible

    def subscribe(self, callback: Callback, every: float | None = None) -> None:
        self._base.subscribe(_Through(callback, self._scope, self._visible), every)

    def unsubscribe(self, callback: Callback) -> None:
        self._base.unsubscribe(_Through(callback, self._scope, self._visible))

    def refresh(self) -> None:
        self._base.refresh()


class _Through:
    """A callback that gets what is inside; equal to another of the same callback, so that it can be unsubscribed."""

    def __init__(self, callback: Callback, scope: Scope, visible: Callable[[Overview], Overview]) -> None:
        self._callback = callback
        self._scope = scope
        self._visible = visible

    def __call__(self, look: Look) -> None:
        events = tuple(event for event in look.events if all(map(self._scope.covers, event.transition.services)))
        if look.overview is None:
            self._callback(Look(None, look.error if self._scope.is_everything else "the services could not be read"))
            return
        try:
            overview = self._visible(look.overview)
        except ObservatoryError as error:  # the caller may look no longer
            self._callback(Look(None, str(error)))
        else:
            self._callback(Look(overview, events=events))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Through) and self._callback == other._callback

    def __hash__(self) -> int:
        return hash(self._callback)
