"""Work from a page: with the rights of whoever looks at it, written down under their name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from observatory.access.addresses import block_of
from observatory.access.audit import Audit, shell_caller
from observatory.access.authentication import authenticator_of
from observatory.access.gate import Access, Visitor, gate_of
from observatory.access.operators import operator_for
from observatory.access.permissions import EVERYTHING, Caller, Role, Scope
from observatory.errors import ForbiddenError, NotSignedInError, ObservatoryError, TooManyRequestsError
from observatory.runtime import Runtime
from observatory.runtime.reader import Operator, Reader

T = TypeVar("T")
STATUSES: Mapping[type[ObservatoryError], str] = {
    NotSignedInError: "401",
    ForbiddenError: "403",
    TooManyRequestsError: "429",
}
"""Results in the audit log that are those of the API; it sums them up where there are many."""
NOBODY = Caller("open", "nobody", "nobody", Role.VIEWER, Scope(()))


class PageWork:
    """What one person may do from a page; see `work_of`.

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
        self.caller = caller
        self._admit = admit
        self._audit = audit

    @property
    def name(self) -> str:
        """The name by which they are known; empty where nobody has to sign in."""
        return "" if self.caller.kind == "open" else self.caller.name

    @property
    def refusal(self) -> str:
        """Why they may do nothing; empty where they may."""
        return self.caller.lacks(Access.WRITE.role)

    def do(
        self,
        action: str,
        target: Callable[[T], str] | str,
        work: Callable[[Operator, str, datetime], T],
        address: str = "",
        detail: str = "",
    ) -> T:
        """Do something, given who does it and the time, and write down that it was done, or why not.

        Parameters
        ----------
        action, target, detail
            What is written down; the target may only be known once it is done.
        work
            What is done.
        address
            Where they work from.

        Raises
        ------
        NotSignedInError, ForbiddenError, TooManyRequestsError
            They may not, or not so often.
        ObservatoryError
            Whatever `work` raises.
        """
        try:
            operator = self._admit(address)
            done = work(operator, str(self.caller), operator.clock())
        except ObservatoryError as error:
            what = target if isinstance(target, str) else ""
            self._write_down(action, what, STATUSES.get(type(error), "refused"), address, str(error))
            raise
        self._write_down(action, target if isinstance(target, str) else target(done), "done", address, detail)
        return done

    def _write_down(self, action: str, target: str, result: str, address: str, detail: str) -> None:
        if self._audit is not None:
            self._audit.record(self.caller, action, target, result, address, detail=detail)


def work_of(reader: Reader) -> PageWork:
    """What whoever looks through `reader` may do.

    A runtime itself is that of the person at a notebook, who may do everything. A page was given the one of its
    visitor; what was given none may only look.
    """
    if isinstance(reader, Runtime):
        runtime = reader
        return reader.parts.get(PageWork, lambda: _of_person(runtime))
    return reader.parts.get(PageWork, lambda: PageWork(NOBODY, _admit_nobody, None))


def work_for(runtime: Runtime, visitor: Visitor) -> PageWork:
    """What the visitor of a page may do: as much as by the API, and no more often."""
    gate, caller = gate_of(runtime), visitor.caller

    def admit(address: str) -> Operator:
        gate.still(visitor)
        limiter = gate.authenticator.limiter
        limiter.hit(*(("address", block_of(address)) if caller.kind == "open" else (caller.kind, caller.id)))
        gate.require(visitor, Access.WRITE)
        return operator_for(runtime, caller)

    return PageWork(caller, admit, gate.authenticator.audit)


def _of_person(runtime: Runtime) -> PageWork:
    kind, _, name = shell_caller().partition(":")
    return PageWork(
        Caller(kind, name, name, Role.ADMIN, EVERYTHING), lambda _: runtime, authenticator_of(runtime).audit
    )


def _admit_nobody(_: str) -> Operator:
    raise ForbiddenError(NOBODY.lacks(Access.WRITE.role))
