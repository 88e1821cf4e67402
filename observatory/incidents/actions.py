"""What people do to an incident: each gives the incident as it is then, and the line in its timeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from observatory.errors import ConflictError, InvalidInputError
from observatory.model import EventKind, Incident, IncidentChanges, IncidentEvent, IncidentState

LONGEST_NOTE = 10_000
LONGEST_NAME = 200


def acknowledge(incident: Incident, who: str, at: datetime, note: str = "") -> IncidentChanges:
    """Somebody has seen it and works on it; done again it says so again, and by whom.

    Raises
    ------
    ConflictError
        It is over.
    InvalidInputError
        The note is too long.
    """
    _require_active(incident, "acknowledged")
    taken = replace(incident, state=IncidentState.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=who, changed_at=at)
    return _changed(taken, at, "acknowledged", _checked(note, may_be_empty=True), who)


def assign(incident: Incident, assignee: str, who: str, at: datetime) -> IncidentChanges:
    """Say who takes care of it; an empty name says nobody does.

    Raises
    ------
    ConflictError
        It became part of another.
    InvalidInputError
        The name is too long or has a line break.
    """
    _require_not_merged(incident)
    name = assignee.strip()
    if len(name) > LONGEST_NAME or not (name.isprintable()):
        raise InvalidInputError(f"assignee {name[:40]!r}: give a name of at most {LONGEST_NAME} printable characters")
    text = f"to {name}" if name else "to nobody"
    return _changed(replace(incident, assignee=name, changed_at=at), at, "assigned", text, who)


def note(incident: Incident, text: str, who: str, at: datetime) -> IncidentChanges:
    """Write something down beside it, also when it is over.

    Raises
    ------
    ConflictError
        It became part of another.
    InvalidInputError
        The note is empty or too long.
    """
    _require_not_merged(incident)
    return _changed(replace(incident, changed_at=at), at, "note", _checked(text, may_be_empty=False), who)


def resolve(incident: Incident, who: str, at: datetime, note: str = "") -> IncidentChanges:
    """Say that it is over; it comes back with a new symptom, or when one that goes on gets worse.

    Raises
    ------
    ConflictError
        It is over already.
    InvalidInputError
        The note is too long.
    """
    _require_active(incident, "resolved")
    ended = replace(incident, state=IncidentState.RESOLVED, resolved_at=at, resolved_by=who, changed_at=at)
    return _changed(ended, at, "resolved", _checked(note, may_be_empty=True), who)


def reopen(incident: Incident, who: str, at: datetime, note: str = "") -> IncidentChanges:
    """Say that it is not over; it is resolved by itself again once nothing is unusual.

    Raises
    ------
    ConflictError
        It goes on, or became part of another.
    InvalidInputError
        The note is too long.
    """
    _require_not_merged(incident)
    if incident.is_active:
        raise ConflictError(f"incident {incident.id} is {incident.state}: only one that is resolved can be reopened")
    again = replace(
        incident,
        state=IncidentState.OPEN,
        resolved_at=None,
        resolved_by="",
        acknowledged_at=None,
        acknowledged_by="",
        changed_at=at,
    )
    return _changed(again, at, "reopened", _checked(note, may_be_empty=True), who)


def _changed(incident: Incident, at: datetime, kind: EventKind, text: str, who: str) -> IncidentChanges:
    return IncidentChanges((incident,), (IncidentEvent(incident.id, at, kind, text, who),))


def _require_not_merged(incident: Incident) -> None:
    if incident.state is IncidentState.MERGED:
        raise ConflictError(f"incident {incident.id} became part of {incident.merged_into}: work on that one")


def _require_active(incident: Incident, what: str) -> None:
    _require_not_merged(incident)
    if not incident.is_active:
        by = f" by {incident.resolved_by}" if incident.resolved_by else ""
        raise ConflictError(
            f"incident {incident.id} was resolved{by} at {incident.resolved_at:%Y-%m-%d %H:%M} UTC and cannot be "
            f"{what}: reopen it first if it is not over"
        )


def _checked(text: str, *, may_be_empty: bool) -> str:
    stripped = text.strip()
    if not stripped and not may_be_empty:
        raise InvalidInputError("the note is empty: write what is to be remembered")
    if len(stripped) > LONGEST_NOTE:
        raise InvalidInputError(f"the note has {len(stripped)} characters: at most {LONGEST_NOTE} are kept")
    return stripped
