"""A person at a terminal or in a notebook: what they change is written down under their name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from observatory.access.audit import shell_caller
from observatory.access.authentication import authenticator_of
from observatory.model import Incident, IncidentChanges
from observatory.runtime import Runtime

Action = Callable[[Incident, str, datetime], IncidentChanges]
"""Given an incident, who does something to it and when: what becomes of it."""


def write_down(runtime: Runtime, action: str, target: str, detail: str = "") -> None:
    """Add a line to the audit log, now."""
    audit = authenticator_of(runtime).audit
    audit.record(shell_caller(), action, target, "done", detail=detail)
    audit.flush()


def work_on(runtime: Runtime, incident_id: str, name: str, action: Action, detail: str = "") -> Incident:
    """Do something to an incident, and write it down; `name` is what is done, as in ``acknowledge``.

    Raises
    ------
    NotFoundError, ConflictError, InvalidInputError
        See `observatory.incidents.actions`; nothing is changed.
    """
    who, now = shell_caller(), runtime.clock()
    changed = runtime.store.incidents.change(incident_id, lambda held: action(held, who, now))
    write_down(runtime, f"{name} incident", incident_id, detail)
    return changed
