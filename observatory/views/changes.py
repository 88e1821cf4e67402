"""Deployments and other changes on the page of a service; each opens to what its metrics did before and after it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Any

import panel as pn

from observatory.analysis.before_after import AFTER, BeforeAfter, Difference, before_after
from observatory.model import Change
from observatory.runtime.reader import Reader
from observatory.views.components.base import Component, module
from observatory.views.components.words import plural, span, when
from observatory.views.session.live import live, when_read
from observatory.views.session.state import State

LISTED = 100
"""Changes of a range that are sent to a page at most, the newest."""
LINKS = ("https://", "http://")


class ChangeList(Component):
    """A line for each change, which folds out to a table."""

    _esm = module("changes.js")
    _sheets = ("changes.css",)


class ChangeSection(pn.viewable.Viewer):  # type: ignore[misc]
    """Changes of the service whose page is shown; the one that `State.change` names is open."""

    def __init__(self, runtime: Reader, state: State) -> None:
        super().__init__()
        self._runtime = runtime
        self._state = state
        self._service = ""
        self._changes: tuple[Change, ...] | None = None
        self._shown = ""
        self._found: BeforeAfter | None = None
        self._error = ""
        self._list = ChangeList(self._on_message)
        state.param.watch(self._open, "change")
        state.param.watch(self._leave, "service")
        state.param.watch(self._follow, "overview")
        self._open()

    def __panel__(self) -> Any:
        return self._list

    def show(self, service: str, changes: tuple[Change, ...] | None, shown: str) -> None:
        """Show the changes of a service, None where they are not read; `shown` says in words of which time they are."""
        self._service, self._changes, self._shown = service, changes, shown
        self._tell()

    def _on_message(self, message: Any) -> None:
        self._state.accept(message, ("change", "dark"))

    def _open(self, *_: Any) -> None:
        self._found, self._error = None, ""
        self._ask()
        self._tell()

    def _leave(self, *_: Any) -> None:
        """Close what is of another service."""
        if self._found is not None and self._found.change.service_name != self._state.service:
            self._state.change = ""

    def _follow(self, *_: Any) -> None:
        """Compare again while there is more to come, or when it could not be done."""
        found = self._found
        if found is None or self._runtime.clock() - found.change.at <= 2 * AFTER:
            self._ask()

    def _ask(self) -> None:
        reader, chosen = self._runtime, self._state.change
        if not chosen:
            return
        future = live(reader).once(
            ("change", chosen), lambda: before_after(reader.store, reader.settings, chosen, reader.clock())
        )

        def show(found: BeforeAfter | None, error: str) -> None:
            if chosen == self._state.change:  # else another was opened meanwhile
                self._found, self._error = found or self._found, error
                self._tell()

        when_read(future, show)

    def _tell(self) -> None:
        self._list.data = change_list(
            self._service,
            self._changes,
            self._shown,
            self._runtime.clock(),
            opened=self._state.change,
            found=self._found,
            error=self._error,
        )


def change_list(
    service: str,
    changes: Iterable[Change] | None,
    shown: str,
    now: datetime,
    *,
    opened: str = "",
    found: BeforeAfter | None = None,
    error: str = "",
) -> dict[str, Any]:
    """What the section draws, the newest change first. A link may open one that is older than the range."""
    known = sorted(changes or (), key=lambda change: change.at, reverse=True)
    listed = known[:LISTED]
    if found is not None and found.change.service_name == service and found.change.id not in [one.id for one in listed]:
        listed.append(found.change)
    return {
        "away": changes is None,
        "note": plural(len(known), "change") + f" in {shown}" if known else f"none in {shown}",
        "left_out": len(known) - min(LISTED, len(known)),
        "items": [item(change, now) for change in listed],
        "opened": opened,
        "details": details(found, now) if found is not None else None,
        "error": error,
    }


def item(change: Change, now: datetime) -> dict[str, Any]:
    """One change in words."""
    return {
        "id": change.id,
        "kind": str(change.kind),
        "version": change.version,
        "summary": change.summary,
        "when": when(change.at, now),
        "ago": f"{span((now - change.at).total_seconds())} ago",
        "source": change.source,
        "url": change.url if change.url.startswith(LINKS) else "",
    }


def details(found: BeforeAfter, now: datetime) -> dict[str, Any]:
    """Before and after: a row a metric, what differs the most first, or why nothing can be told."""
    ordered = sorted(found.differences, key=lambda one: (not one.is_worse, not one.is_more))
    return {"id": found.change.id, "note": _note(found, now), "rows": [_row(one) for one in ordered]}


def _note(found: BeforeAfter, now: datetime) -> str:
    change, passed = found.change, (now - found.change.at).total_seconds()
    if not found.differences:
        if passed < AFTER.total_seconds():
            return f"It cannot be judged yet: in the {span(passed)} since then there were too few samples."
        return "It cannot be judged: there are too few samples before or after it."
    compared = (
        f"The {span((change.at - found.start).total_seconds())} before it against the "
        f"{span((found.end - change.at).total_seconds())} after it."
    )
    if all(one.is_more is None for one in found.differences):
        return f"{compared} It cannot be judged yet: telling a difference from noise takes some hours of history."
    more = sum(bool(one.is_more) for one in found.differences)
    told = plural(more, "metric differs", "metrics differ") if more else "No metric differs"
    return f"{compared} {told} by more than noise."


def _row(one: Difference) -> dict[str, Any]:
    show, moved = one.metric.show, one.after - one.before
    sign = "+" if moved > 0 else "−" if moved < 0 else ""
    known = isfinite(one.expected) and isfinite(one.noise)
    return {
        "metric": one.metric.label,
        "before": show(one.before),
        "after": show(one.after),
        "difference": sign + show(abs(moved)),
        "expected": f"{show(one.expected)} ± {show(one.noise)}" if known else "",
        "kind": "unknown" if one.is_more is None else "worse" if one.is_worse else "more" if one.is_more else "noise",
        "verdict": _verdict(one),
    }


def _verdict(one: Difference) -> str:
    if one.is_more is None:
        return "too little is known yet"
    if one.is_more:
        return f"{'worse' if one.is_worse else 'different'}: more than its noise"
    return "not more than its noise"
