"""What a page of the dashboard shows: the workbench as whoever opened it may see it."""

from __future__ import annotations

import threading
from weakref import WeakValueDictionary

from observatory.access.gate import Visitor, gate_of
from observatory.access.page_work import PageWork, work_for
from observatory.access.scoped import ScopedReader
from observatory.runtime import Runtime
from observatory.runtime.reader import Reader


class VisitorReaders:
    """The readers of the people whose pages are open; the pages of one visitor share theirs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._open: WeakValueDictionary[Visitor, ScopedReader] = WeakValueDictionary()

    def get(self, visitor: Visitor) -> Reader:
        """The reader of `visitor`."""
        gate = gate_of(self._runtime)
        with self._lock:
            found = self._open.get(visitor)
            if found is None:
                found = ScopedReader(self._runtime, visitor.caller.scope, lambda: gate.still(visitor))
                found.parts.get(PageWork, lambda: work_for(self._runtime, visitor))
                self._open[visitor] = found
            return found


def reader_for(runtime: Runtime, visitor: Visitor) -> Reader:
    """What the pages of a visitor are made from.

    A page that stays open asks the gate again whenever it reads: a sign-in that has ended shows nothing new.

    Raises
    ------
    NotSignedInError, ForbiddenError
        The visitor may look no longer.
    """
    gate_of(runtime).still(visitor)
    return runtime.parts.get(VisitorReaders, lambda: VisitorReaders(runtime)).get(visitor)
