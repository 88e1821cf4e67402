"""A process that tells one webhook all that waits in a store, and dies without a word at the step that it is told."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from support.incidents import NOON
from support.servers import HANGS_AFTER, wait_until

from observatory.config.notify import NotifySettings
from observatory.integrations import make_destination
from observatory.runtime.hand_out import Told
from observatory.runtime.notifier import Notifier
from observatory.store import Store, open_store
from observatory.store.engine.database import Database

NAME = "desk"
STEPS = (
    ("before", "claim", 1),
    ("in", "claim", 1),
    ("after", "claim", 1),
    ("before", "hand out", 1),
    ("in", "hand out", 1),
    ("after", "hand out", 1),
    ("before", "send", 3),
    ("after", "send", 3),
    ("before", "note", 3),
    ("in", "note", 3),
    ("after", "note", 3),
)
"""Where it dies, in the order of the work: before a call, after it or, in what writes, before it is committed; and at
which of the calls, so that each process gets some work done."""


def told(url: str, **settings: Any) -> dict[str, Told]:
    """The webhook, by name."""
    table = NotifySettings(kind="webhook", url=url, rate="100000/minute", **settings)  # type: ignore[call-arg]
    return {NAME: Told(table, make_destination(NAME, table))}


def tell(path: Path, url: str, start: int, step: tuple[str, str, int] | None = None) -> None:
    """Send until nothing waits, with a clock that begins `start` minutes after noon; die at `step`."""
    begun = time.monotonic()
    with open_store(str(path)) as store:
        destinations = told(url)
        notifier = Notifier(
            store, destinations, lambda: NOON + timedelta(minutes=start, seconds=time.monotonic() - begun)
        )
        if step is not None:
            _arm(store, notifier, destinations[NAME], *step)
        notifier.start()
        wait_until(lambda: not store.notifications.has_work(), HANGS_AFTER, "the messages")
        notifier.stop()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(store: Store, notifier: Notifier, one: Told, when: str, what: str, call: int) -> None:
    owner, name = {
        "claim": (notifier._leader, "claim"),
        "hand out": (store.notifications, "hand_out"),
        "send": (one.destination, "send"),
        "note": (store.notifications, "settle"),
    }[what]
    real: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def armed(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != call:
            return real(*given)
        if when == "before":
            _die()
        if when == "in":
            _die_before_commit()
        done = real(*given)
        _die()
        return done

    setattr(owner, name, armed)


def _die_before_commit() -> None:
    transact = Database._transact

    def dying(session: Any, work: Callable[[Any], Any], **more: Any) -> Any:
        def and_die(session: Any) -> None:
            work(session)
            _die()

        return transact(session, and_die, **more)

    Database._transact = staticmethod(dying)  # type: ignore[method-assign, assignment]
