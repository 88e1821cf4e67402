"""Silences: what is silenced now, what will be, and what was; a form to silence something, with a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import panel as pn

from observatory.access import silence_work
from observatory.access.page_work import work_of
from observatory.analysis.silence_preview import Preview
from observatory.annotations.occurrences import next_span, span_at, state_at
from observatory.display.silences import again
from observatory.errors import InvalidInputError
from observatory.model import Effect, Severity, Silence
from observatory.runtime.reader import Reader
from observatory.times import TIME
from observatory.views import VIEWS
from observatory.views.components.base import Box, Component, module
from observatory.views.components.words import plural, span, when
from observatory.views.session.live import end_of, live, session_document, when_read
from observatory.views.session.state import State

FRESH = 5.0
"""Time for which what was read is shared by all viewers [s]."""
SHOWN_ENDED = timedelta(days=7)
MOST_ENDED, MOST_HIDDEN = 50, 20
LONGEST_ID = 100
LARGEST = 1 << 53
"""JavaScript counts no further."""


class SilenceDesk(Component):
    """The list and the form."""

    _esm = module("silences.js")
    _sheets = ("silences.css",)


@dataclass(frozen=True, slots=True)
class Read:
    """What the store has: silences, and the services there are to silence."""

    silences: Sequence[Silence]
    services: Sequence[str]


@VIEWS.register("silences")
class Silences(pn.viewable.Viewer):  # type: ignore[misc]
    """What is not told, judged or learned from, and why."""

    title = "Silences"
    order = 35

    def __init__(self, runtime: Reader, state: State) -> None:
        super().__init__()
        self._runtime = runtime
        self._state = state
        self._work = work_of(runtime)
        self._asked: object = None
        self._found: Read | None = None
        self._error = ""
        self._answers = 0
        self._answer: dict[str, Any] | None = None
        self._preview: dict[str, Any] | None = None
        self._desk = SilenceDesk(self._on_message, data=self._drawn())
        self._layout = Box(self._desk)
        state.param.watch(self._ask, ["overview", "view"])
        state.param.watch(self._tell, "silencing")
        self._ask()

    def __panel__(self) -> Any:
        return self._layout

    def _on_message(self, message: Any) -> None:
        if isinstance(message, Mapping) and "do" in message:
            self._do(message)
        else:
            self._state.accept(message, ("dark", "service", "view", "incident"))

    def _ask(self, *_: Any) -> None:
        if self._state.view != "silences" and self._asked is not None:
            return
        runtime = self._runtime
        future = live(runtime).once(("silences", end_of(runtime.clock(), FRESH)), lambda: read(runtime))
        self._asked = future

        def show(found: Read | None, error: str) -> None:
            if self._asked is future:
                self._found, self._error = found or self._found, error
                self._tell()

        when_read(future, show)

    def _do(self, message: Mapping[str, Any]) -> None:
        """Do what the page asks for, apart from the event loop; whatever comes of it is said on the page."""
        ask, verb, silence, form = (message.get(name) for name in ("ask", "do", "silence", "form"))
        try:
            task = self._task(verb, silence, form)
        except InvalidInputError as error:
            self._say(ask, error=str(error))
            self._tell()
            return
        future = live(self._runtime).apart(task)

        def show(done: Silence | Preview | None, error: str) -> None:
            self._preview = preview_data(done, self._runtime.clock()) if isinstance(done, Preview) else None
            self._say(ask, said=self._said(verb, done), error=error)
            self._tell()
            if isinstance(done, Silence):
                self._asked = None
                self._reread()

        when_read(future, show)

    def _task(self, verb: Any, silence: Any, form: Any) -> Any:
        runtime, work, document = self._runtime, self._work, session_document()
        address = "" if document is None else document.session_context.request.remote_ip or ""
        if verb in ("add", "preview"):
            if not isinstance(form, Mapping):
                raise InvalidInputError("this message is none of the page: load the page again")
            if verb == "preview":
                return lambda: silence_work.look_ahead(runtime, form)
            return lambda: silence_work.make(work, form, address)
        if not isinstance(silence, str) or not 0 < len(silence) <= LONGEST_ID:
            raise InvalidInputError(f"silence {silence!r:.60}: give the id of a silence")
        if verb == "end":
            return lambda: silence_work.end(work, silence, address)
        if verb == "extend":
            until = form.get("end") if isinstance(form, Mapping) else None
            if not isinstance(until, str) or not until:
                raise InvalidInputError("end: say until when")
            return lambda: silence_work.extend(work, silence, until, address)
        raise InvalidInputError(f"{verb!r:.60} cannot be done to a silence: choose from add, preview, extend, end")

    def _said(self, verb: Any, done: Any) -> str:
        if not isinstance(done, Silence):
            return ""
        if verb == "end":
            return "It is over. What still goes on is told."
        return f"Silenced until {when(done.ends_at, self._runtime.clock())}."

    def _reread(self) -> None:
        """What was changed is to be seen at once, here and in every other view."""
        runtime = self._runtime

        def show(found: Read | None, error: str) -> None:
            self._found, self._error = found or self._found, error
            self._tell()

        when_read(live(runtime).apart(lambda: read(runtime)), show)
        live(runtime).refresh()

    def _say(self, ask: Any, *, said: str = "", error: str = "") -> None:
        self._answers += 1
        known = ask if type(ask) is int and 0 <= ask < LARGEST else None
        self._answer = {"number": self._answers, "ask": known, "said": said, "error": error}

    def _tell(self, *_: Any) -> None:
        self._desk.data = self._drawn()

    def _drawn(self) -> dict[str, Any]:
        return desk(self._found, self._runtime, self._error) | {
            "person": {"name": self._work.name, "refusal": self._work.refusal},
            "answer": self._answer,
            "preview": self._preview,
            "wanted": self._state.silencing,
        }


def read(runtime: Reader) -> Read:
    """Silences that are or will be in force, those that ended lately, and the services there are."""
    found = runtime.store.silences.read(runtime.clock() - SHOWN_ENDED)
    return Read(found, [service.name for service in runtime.store.services()])


def desk(found: Read | None, runtime: Reader, error: str) -> dict[str, Any]:
    """What is drawn of the silences there are."""
    now = runtime.clock()
    silences = found.silences if found else ()
    states = {one.id: state_at(one, now) for one in silences}
    ended = sorted((one for one in silences if states[one.id] == "ended"), key=lambda one: one.ends_at, reverse=True)
    return {
        "read": found is not None,
        "error": error,
        "items": [item(one, now) for one in silences if states[one.id] != "ended"],
        "ended": [item(one, now) for one in ended[:MOST_ENDED]],
        "services": list(found.services) if found else [],
        "severities": [str(one) for one in Severity],
        "metrics": list(runtime.store.metrics),
        "effects": [{"name": str(one), "words": one.words} for one in Effect],
    }


def item(one: Silence, now: datetime) -> dict[str, Any]:
    """One silence in words."""
    active = span_at(one, now)
    times = active or next_span(one, now) or (one.starts_at, one.ends_at)
    return {
        "id": one.id,
        "state": state_at(one, now),
        "services": list(one.services),
        "covers": one.covered,
        "effect": one.effect.words,
        "since": when(times[0], now),
        "until": when(times[1], now),
        "left": f"{span((times[1] - now).total_seconds())} left" if active else "",
        "again": again(one),
        "last": f"{one.ends_at:{TIME}} UTC" if one.is_recurring else "",
        "reason": one.reason,
        "by": one.created_by,
        "source": "" if one.source == "people" else f"{one.source} {one.origin}".strip(),
        "ended_by": one.ended_by,
    }


def preview_data(found: Preview, now: datetime) -> dict[str, Any]:
    """What a preview draws."""
    return {
        "summary": found.summary,
        "services": list(found.services[:MOST_HIDDEN]),
        "more_services": max(0, len(found.services) - MOST_HIDDEN),
        "hidden": [
            {
                "id": one.incident.id,
                "title": one.incident.title,
                "severity": str(one.incident.peak),
                "when": when(one.incident.started_at, now),
                "how": "all of it" if one.is_whole else f"{one.messages} of {plural(one.of, 'message')}",
            }
            for one in found.hidden[:MOST_HIDDEN]
        ],
        "more": max(0, len(found.hidden) - MOST_HIDDEN),
    }
