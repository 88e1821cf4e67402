"""Who did what: written down beside the work, in the store and, where asked for, as JSON lines in a file."""

from __future__ import annotations

import getpass
import logging
import os
import threading
import time
import uuid
from collections import deque
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from observatory.access.permissions import Caller
from observatory.access.refusals import Refusals
from observatory.errors import ObservatoryError
from observatory.plain import plain_json
from observatory.private import FILE, make_private
from observatory.runtime import Runtime
from observatory.store.tables.audit import AuditEntry

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Entries that wait to be written; of more only the newest are kept, and how many were lost is written down."""
PAUSE = 0.5
"""Longest time an entry waits [s]."""
LONGEST = 300


class Audit:
    """The audit log of one process; `record` costs a caller nothing, `flush` writes what waits."""

    def __init__(self, runtime: Runtime) -> None:
        self._log = runtime.store.audit
        self._clock = runtime.clock
        self._file = runtime.settings.audit_file
        self._keep = timedelta(days=runtime.settings.keep_audit_days)
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._refusals = Refusals()
        self._waiting: deque[AuditEntry] = deque(maxlen=MOST_WAITING)
        self._lost = 0
        self._failing = False
        self._thread: threading.Thread | None = None
        self._pruned_at: datetime | None = None
        runtime.before_close.append(self._at_the_end)

    def record(
        self,
        who: Caller | str,
        action: str,
        target: str,
        result: object,
        address: str = "",
        request: str = "",
        detail: str = "",
    ) -> None:
        """Write down, soon, that `who` did `action` to `target` and how it ended."""
        entry = AuditEntry(
            id=request or uuid.uuid4().hex,
            at=self._clock(),
            who=_plain(str(who)),
            address=_plain(address),
            action=action[:LONGEST],
            target=_plain(target),
            result=str(result),
            detail=_plain(detail),
        )
        with self._lock:
            self._start()
            if self._refusals.is_one_of_many(entry, time.monotonic()):
                return
            self._lost += len(self._waiting) == MOST_WAITING
            self._waiting.append(entry)

    def flush(self, *, at_the_end: bool = False) -> None:
        """Write what waits, now, `at_the_end` also sums that are not complete.

        Raises
        ------
        StoreError
            And what could not be written waits on.
        """
        with self._write_lock:
            with self._lock:
                self._waiting.extend(self._refusals.sums(time.monotonic(), all_of_them=at_the_end))
                entries, lost, self._lost = list(self._waiting), self._lost, 0
                self._waiting.clear()
            if lost:
                text = f"{lost} entries came faster than they could be written"
                entries.append(AuditEntry(uuid.uuid4().hex, self._clock(), "audit", "", "lost", "", "lost", text))
            if not entries:
                return
            try:
                self._log.add(entries)
            except ObservatoryError:
                with self._lock:
                    self._waiting.extendleft(reversed(entries))
                raise
            if self._file is not None:
                make_private(self._file)
                with open(self._file, "a", encoding="utf-8", opener=_private) as file:
                    file.writelines(_line(entry) for entry in entries)
            self._prune()

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._write_soon, name="observatory-audit", daemon=True)
            self._thread.start()

    def _write_soon(self) -> None:
        while True:
            threading.Event().wait(PAUSE)  # a burst is one transaction
            failed = self._try_to_flush()
            with self._lock:
                is_done = not self._waiting and not self._refusals.waits
                if failed or is_done:  # what could not be written waits for the next entry
                    self._thread = None
                    return

    def _at_the_end(self) -> None:
        self._try_to_flush(at_the_end=True)

    def _try_to_flush(self, *, at_the_end: bool = False) -> bool:
        try:
            self.flush(at_the_end=at_the_end)
        except (ObservatoryError, OSError) as error:
            if not self._failing:
                log.error("the audit log cannot be written: %s", error)
            self._failing = True
            return True
        self._failing = False
        return False

    def _prune(self) -> None:
        now = self._clock()
        if self._pruned_at is None or now - self._pruned_at > timedelta(days=1):
            self._pruned_at = now
            self._log.prune(now - self._keep)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, FILE)


def shell_caller() -> str:
    """Who uses the command line."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError, ImportError):  # a user without a name
        return "cli:unknown"


def _line(entry: AuditEntry) -> str:
    row: dict[str, Any] = asdict(entry) | {"at": entry.at.isoformat()}
    return plain_json(row) + "\n"


def _plain(text: str) -> str:
    """`text` on one line, and short."""
    return "".join(letter if letter.isprintable() else "�" for letter in text[:LONGEST])
