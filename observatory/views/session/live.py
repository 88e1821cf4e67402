"""What the open pages of one person share: news of the feed, and slow reads kept off the event loop.

Twenty viewers cost one query: the feed looks once for all of them, and hands what it saw to every session in that
session's own turn.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import panel as pn

from observatory.errors import ObservatoryError
from observatory.health.overview import Overview
from observatory.runtime.feed import Look
from observatory.runtime.reader import Reader

log = logging.getLogger(__name__)

T = TypeVar("T")
Receive = Callable[[Overview | None, str], None]

KEPT_READS = 32

_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="observatory-read")


class Live:
    """What the pages of one reader share; use `live` to get it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._sessions: dict[Any, Receive] = {}
        self._reads: OrderedDict[tuple[Any, ...], Future[Any]] = OrderedDict()

    def read(self) -> tuple[Overview | None, str]:
        """The overview now, or why it cannot be had."""
        try:
            return self._reader.overview(), ""
        except ObservatoryError as error:
            return None, str(error)
        except Exception as error:  # shown on the page
            log.exception("reading the overview failed")
            return None, f"{type(error).__name__}: {error}"

    def subscribe(self, document: Any, receive: Receive) -> None:
        """Call `receive` in the turn of `document`'s session every `refresh` seconds."""
        with self._lock:
            self._sessions[document] = receive
            if len(self._sessions) == 1:
                self._reader.feed.subscribe(self._tell_all, self._reader.settings.refresh)

    def unsubscribe(self, document: Any) -> None:
        """Forget a session; the last one leaves the feed."""
        with self._lock:
            self._sessions.pop(document, None)
            if not self._sessions:
                self._reader.feed.unsubscribe(self._tell_all)

    def refresh(self) -> None:
        """Look now; many calls at once are one look."""
        self._reader.feed.refresh()

    @property
    def sessions(self) -> int:
        """Number of pages that are open."""
        return len(self._sessions)

    def once(self, key: tuple[Any, ...], work: Callable[[], T]) -> Future[T]:
        """Do `work` in a thread, once for everybody who asks for the same `key` before the store changes."""
        try:
            key = (*key, self._reader.store.revision)
        except ObservatoryError as error:  # whoever looks has signed out meanwhile, or the store cannot be read
            refused: Future[T] = Future()
            refused.set_exception(error)
            return refused
        with self._lock:
            future = self._reads.get(key)
            if future is None or (future.done() and future.exception() is not None):
                future = self._reads[key] = _pool.submit(work)
            self._reads.move_to_end(key)
            while len(self._reads) > KEPT_READS:
                self._reads.popitem(last=False)
        return future

    def apart(self, work: Callable[[], T]) -> Future[T]:
        """Do `work` in a thread, each time: for what writes."""
        return _pool.submit(work)

    def _tell_all(self, look: Look) -> None:
        with self._lock:
            sessions = list(self._sessions.items())
        for document, receive in sessions:
            if not _tell(document, partial(receive, look.overview, look.error)):
                self.unsubscribe(document)


def live(reader: Reader) -> Live:
    """What the pages of a reader share."""
    return reader.parts.get(Live, lambda: Live(reader))


def session_document() -> Any:
    """The document of the running server session; None in a notebook, where reads are made at once."""
    document = pn.state.curdoc
    return document if document is not None and document.session_context is not None else None


def _tell(document: Any, callback: Callable[[], None]) -> bool:
    """Call `callback` in a turn of a document's session; False where that session has ended meanwhile."""
    try:
        document.add_next_tick_callback(callback)
    except (AttributeError, RuntimeError) as error:  # Bokeh takes an ended session's document apart
        log.debug("a page was closed before it could be told: %s", error)
        return False
    return True


def later(work: Callable[[], None]) -> None:
    """Do slow `work` of a page once what is ready has been sent; at once where there is no server session."""
    document = session_document()

    def held() -> None:
        with pn.io.hold():
            work()

    if document is None:
        work()
    elif pn.state.loaded:
        _tell(document, held)
    else:
        pn.state.onload(held)


def when_read(future: Future[T], show: Callable[[T | None, str], None]) -> None:
    """Call ``show(result, error)`` when `future` is there: in a later turn of this session, or at once without one."""
    document = session_document()

    def deliver() -> None:
        error = future.exception()
        with pn.io.hold():  # what changes goes to the browser as one message
            if error is None:
                show(future.result(), "")
            elif isinstance(error, ObservatoryError):
                show(None, str(error))
            else:
                log.error("a read for a page failed", exc_info=error)
                show(None, f"{type(error).__name__}: {error}")

    if document is None or future.done():
        deliver()
    else:
        future.add_done_callback(lambda _: _tell(document, deliver))


def end_of(start: datetime, step: float) -> datetime:
    """`start` rounded up to a multiple of `step` seconds, so that viewers a moment apart ask for the same."""
    seconds = -(-start.timestamp() // step) * step
    return datetime.fromtimestamp(seconds, start.tzinfo)
