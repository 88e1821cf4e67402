"""Work on incidents from a page: with the rights of whoever looks at it, written down under their name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from observatory.access.addresses import block_of
from observatory.access.audit import Audit, shell_caller
from observatory.access.authentication import authenticator_of
from observatory.access.gate import Access, Visitor, gate_of
from observatory.access.operators import operator_for
from observatory.access.permissions import EVERYTHING, Caller, Role, Scope
from observatory.access.person import Action
from observatory.errors import (
    ForbiddenError,
    InvalidInputError,
    NotSignedInError,
    ObservatoryError,
    TooManyRequestsError,
)
from observatory.incidents import actions
from observatory.model import Incident
from observatory.runtime import Runtime
from observatory.runtime.reader import Operator, Reader

VERBS: Mapping[str, Callable[[str], Action]] = {
    "acknowledge": lambda text: partial(actions.acknowledge, note=text),
    "assign": lambda text: lambda held, who, at: actions.assign(held, text, who, at),
    "note": lambda text: lambda held, who, at: actions.note(held, text, who, at),
    "resolve": lambda text: partial(actions.resolve, note=text),
    "reopen": lambda text: partial(actions.reopen, note=text),
}
"""What can be done to an incident, given a text: a note, or of ``assign`` a name."""
STATUSES: Mapping[type[ObservatoryError], str] = {
    NotSignedInError: "401",
    ForbiddenError: "403",
    TooManyRequestsError: "429",
}
"""Results in the audit log that are those of the API; it sums them up where there are many."""
NOBODY = Caller("open", "nobody", "nobody", Role.VIEWER, Scope(()))


class IncidentWork:
    """What one person may do to incidents; see `work_of`.

    Parameters
    ----------
    caller
        Who they are.
    admit
        Given the address they work from, what they may write to; raises where they may not, or not any more.
    audit
        Where it is written down.
    """

    def __init__(self, caller: Caller, admit: Callable[[str], Operator], audit: Audit | None) -> None:
        self._caller = caller
        self._admit = admit
        self._audit = audit

    @property
    def name(self) -> str:
        """The name by which incidents are assigned to them; empty where nobody has to sign in."""
        return "" if self._caller.kind == "open" else self._caller.name

    @property
    def refusal(self) -> str:
        """Why they may not work on any incident; empty where they may."""
        return self._caller.lacks(Access.WRITE.role)

    def do(self, verb: str, incident_id: str, text: str = "", address: str = "") -> Incident:
        """Do one of `VERBS` to an incident, and write down that it was done, or why not.

        Raises
        ------
        NotSignedInError, ForbiddenError, TooManyRequestsError
            They may not, or not so often.
        NotFoundError, ConflictError, InvalidInputError
            See `observatory.incidents.actions`; nothing is changed.
        """
        if verb not in VERBS:
            raise InvalidInputError(f"{verb[:40]!r} cannot be done to an incident: choose from {', '.join(VERBS)}")
        who, action = str(self._caller), VERBS[verb](text)
        try:
            operator = self._admit(address)
            now = operator.clock()
            changed = operator.store.incidents.change(incident_id, lambda held: action(held, who, now))
        except ObservatoryError as error:
            self._write_down(verb, incident_id, STATUSES.get(type(error), "refused"), address, str(error))
            raise
        self._write_down(verb, incident_id, "done", address, f"to {text}" if verb == "assign" else "")
        return changed

    def _write_down(self, verb: str, incident_id: str, result: str, address: str, detail: str) -> None:
        if self._audit is not None:
            self._audit.record(self._caller, f"{verb} incident", incident_id, result, address, detail=detail)


def work_of(reader: Reader) -> IncidentWork:
    """What whoever looks through `reader` may do to incidents.

    A runtime itself is that of the person at a notebook, who may do everything. A page was given the one of its
    visitor; what was given none may only look.
    """
    if isinstance(reader, Runtime):
        runtime = reader
        return reader.parts.get(IncidentWork, lambda: _of_person(runtime))
    return reader.parts.get(IncidentWork, lambda: IncidentWork(NOBODY, _admit_nobody, None))


def work_for(runtime: Runtime, visitor: Visitor) -> IncidentWork:
    """What the visitor of a page may do: as much as by the API, and no more often."""
    gate, caller = gate_of(runtime), visitor.caller

    def admit(address: str) -> Operator:
        gate.still(visitor)
        limiter = gate.authenticator.limiter
        limiter.hit(*(("address", block_of(address)) if caller.kind == "open" else (caller.kind, caller.id)))
        gate.require(visitor, Access.WRITE)
        return operator_for(runtime, caller)

    return IncidentWork(caller, admit, gate.authenticator.audit)


def _of_person(runtime: Runtime) -> IncidentWork:
    kind, _, name = shell_caller().partition(":")
    return IncidentWork(
        Caller(kind, name, name, Role.ADMIN, EVERYTHING), lambda _: runtime, authenticator_of(runtime).audit
    )


def _admit_nobody(_: str) -> Operator:
    raise ForbiddenError(NOBODY.lacks(Access.WRITE.role))
