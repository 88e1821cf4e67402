"""Incidents on App Health: the strip, one that is open with its details, and what people do to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeGuard

import panel as pn

from observatory.access.incident_work import VERBS, work_on
from observatory.access.page_work import work_of
from observatory.errors import InvalidInputError
from observatory.model import Incident
from observatory.runtime.reader import Reader
from observatory.views.components.incident_details import Details, details, read_details
from observatory.views.components.incidents import IncidentStrip, incident_strip, read_incidents
from observatory.views.session.live import live, session_document, when_read
from observatory.views.session.state import State

LONGEST_ID = 100
LARGEST = 1 << 53
"""JavaScript counts no further."""
DONE = {
    "acknowledge": "You acknowledged it.",
    "assign": "It was assigned.",
    "note": "The note was kept.",
    "resolve": "You resolved it.",
    "reopen": "You opened it again.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks to be done; `ask` is its own number, by which it knows the answer."""

    ask: int
    incident: str
    verb: str
    text: str


def asked_of(message: Mapping[str, Any]) -> Asked:
    """What a browser's message asks for; raises InvalidInputError where it is anything else than that."""
    ask, incident, verb, text = (message.get(name) for name in ("ask", "incident", "do", "text"))
    if set(message) != {"ask", "incident", "do", "text"} or not _is_number(ask):
        raise InvalidInputError("this message is none of the page: load the page again")
    if not isinstance(incident, str) or not 0 < len(incident) <= LONGEST_ID:
        raise InvalidInputError(f"incident {incident!r:.60}: give the id of an incident")
    if not isinstance(verb, str) or verb not in VERBS:
        raise InvalidInputError(f"{verb!r:.60} cannot be done to an incident: choose from {', '.join(VERBS)}")
    if not isinstance(text, str):
        raise InvalidInputError(f"text {text!r:.60}: give a text")
    try:
        (incident + text).encode()
    except UnicodeEncodeError:
        raise InvalidInputError("the text has half of a letter in it, which cannot be kept: type it again") from None
    return Asked(ask, incident, verb, text)


def _is_number(ask: Any) -> TypeGuard[int]:
    """Whether a page may have chosen it."""
    return type(ask) is int and 0 <= ask < LARGEST


class IncidentSection(pn.viewable.Viewer):  # type: ignore[misc]
    """The strip of incidents; the one that `State.incident` names is open."""

    def __init__(self, runtime: Reader, state: State, link: str | None = None) -> None:
        super().__init__()
        self._runtime = runtime
        self._state = state
        self._link = link
        self._work = work_of(runtime)
        self._incidents: list[Incident] = []
        self._error = ""
        self._details: Details | None = None
        self._details_error = ""
        self._answers = 0
        self._answer: dict[str, Any] | None = None
        self._strip = IncidentStrip(self._on_message)
        state.param.watch(self._read, "overview")
        state.param.watch(self._open, "incident")
        state.param.watch(self._tell, "service")
        self._read()

    def __panel__(self) -> Any:
        return self._strip

    def _on_message(self, message: Any) -> None:
        if isinstance(message, Mapping) and "do" in message:
            self._do(message)
        else:
            self._state.accept(message, ("service", "view", "dark", "incident", "silencing"))

    def _read(self, *_: Any) -> None:
        """Read the incidents anew; pages that show the same moment share one read."""
        reader, now = self._runtime, self._runtime.clock()
        when_read(live(reader).once(("incidents",), lambda: read_incidents(reader.store, now)), self._on_read)
        self._read_details()

    def _on_read(self, found: list[Incident] | None, error: str) -> None:
        if found is not None:
            self._incidents = found
        self._error = error
        self._tell()

    def _open(self, *_: Any) -> None:
        self._details, self._details_error = None, ""
        self._read_details()
        self._tell()

    def _read_details(self) -> None:
        reader, chosen = self._runtime, self._state.incident
        if chosen:
            future = live(reader).once(
                ("incident", chosen),
                lambda: read_details(reader.store, chosen, reader.clock(), reader.settings.links),
            )
            when_read(future, partial(self._on_details, chosen))

    def _on_details(self, chosen: str, found: Details | None, error: str) -> None:
        if chosen == self._state.incident:  # else another was opened meanwhile
            self._details, self._details_error = found or self._details, error
            self._tell()

    def _do(self, message: Mapping[str, Any]) -> None:
        """Do what the page asks for, apart from the event loop; whatever comes of it is said at the incident."""
        try:
            asked = asked_of(message)
        except InvalidInputError as error:
            self._say(message.get("ask"), message.get("incident"), error=str(error))
            self._tell()
            return
        work, document = self._work, session_document()
        address = "" if document is None else document.session_context.request.remote_ip or ""
        future = live(self._runtime).apart(lambda: work_on(work, asked.verb, asked.incident, asked.text, address))

        def show(changed: Incident | None, error: str) -> None:
            self._say(asked.ask, asked.incident, said="" if error else DONE[asked.verb], error=error)
            if changed is not None and self._details is not None and self._details.incident.id == changed.id:
                self._details = replace(self._details, incident=changed)  # its timeline follows
            self._tell()
            if changed is not None:
                self._read()
                live(self._runtime).refresh()

        when_read(future, show)

    def _say(self, ask: Any, incident: Any, *, said: str = "", error: str = "") -> None:
        """Answer the page; of a message that is none of its own only what can be sent back."""
        self._answers += 1
        self._answer = {
            "number": self._answers,
            "ask": ask if _is_number(ask) else None,
            "incident": incident if incident == self._state.incident else "",
            "said": said,
            "error": error,
        }

    def _tell(self, *_: Any) -> None:
        now, found = self._runtime.clock(), self._details
        self._strip.data = incident_strip(
            self._incidents,
            now,
            self._link,
            away=bool(self._state.service),
            error=self._error,
            opened=self._state.incident,
            found=found.incident if found else None,
        ) | {
            "details": details(found, now) if found else None,
            "details_error": self._details_error,
            "person": {"name": self._work.name, "refusal": self._work.refusal},
            "answer": self._answer,
        }
