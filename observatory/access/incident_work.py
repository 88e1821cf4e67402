"""Work on incidents from a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from observatory.access.page_work import PageWork
from observatory.access.person import Action
from observatory.errors import InvalidInputError
from observatory.incidents import actions
from observatory.model import Incident

VERBS: Mapping[str, Callable[[str], Action]] = {
    "acknowledge": lambda text: partial(actions.acknowledge, note=text),
    "assign": lambda text: lambda held, who, at: actions.assign(held, text, who, at),
    "note": lambda text: lambda held, who, at: actions.note(held, text, who, at),
    "resolve": lambda text: partial(actions.resolve, note=text),
    "reopen": lambda text: partial(actions.reopen, note=text),
}
"""What can be done to an incident, given a text: a note, or of ``assign`` a name."""


def work_on(person: PageWork, verb: str, incident_id: str, text: str = "", address: str = "") -> Incident:
    """Do one of `VERBS` to an incident.

    Raises
    ------
    NotSignedInError, ForbiddenError, TooManyRequestsError
        They may not, or not so often.
    NotFoundError, ConflictError, InvalidInputError
        See `observatory.incidents.actions`; nothing is changed.
    """
    if verb not in VERBS:
        raise InvalidInputError(f"{verb[:40]!r} cannot be done to an incident: choose from {', '.join(VERBS)}")
    action = VERBS[verb](text)
    return person.do(
        f"{verb} incident",
        incident_id,
        lambda operator, who, at: operator.store.incidents.change(incident_id, lambda held: action(held, who, at)),
        address,
        f"to {text}" if verb == "assign" else "",
    )
