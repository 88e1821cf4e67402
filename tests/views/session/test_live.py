"""All pages share one look and one read; what fails is told, and the looking goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import bokeh.document
import pytest
from support.servers import wait_until
from views.conftest import NOW

from observatory.access.permissions import EVERYTHING
from observatory.access.scoped import ScopedReader
from observatory.errors import NotSignedInError, StoreError
from observatory.health.overview import Overview
from observatory.runtime import Runtime
from observatory.views.session.live import Live, end_of, live, when_read

WAIT = 10


class Document:
    """Stands in for the document of a session: runs what is scheduled at once, in the thread of the poll."""

    def add_next_tick_callback(self, callback: Callable[[], None]) -> None:
        callback()


@pytest.fixture
def shared(bare: Runtime) -> Iterator[Live]:
    yield Live(bare)
    bare.feed.close()


def listen(shared: Live, document: Document) -> Queue[tuple[Overview | None, str]]:
    heard: Queue[tuple[Overview | None, str]] = Queue()
    shared.subscribe(document, lambda overview, error: heard.put((overview, error)))
    return heard


def feed_thread() -> threading.Thread | None:
    return next((thread for thread in threading.enumerate() if thread.name == "observatory-feed"), None)


def test_one_read_serves_every_page(shared: Live, bare: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    real = bare.overview
    monkeypatch.setattr(bare, "overview", lambda: reads.append(1) or real())
    documents = [Document() for _ in range(20)]
    heard = [listen(shared, document) for document in documents]
    wait_until(lambda: bare.feed.has_looked, WAIT, "the first look")
    reads.clear()
    shared.refresh()
    news = [queue.get(timeout=WAIT) for queue in heard]
    assert len(reads) == 1
    assert all(overview is news[0][0] and error == "" for overview, error in news)
    for document in documents:
        shared.unsubscribe(document)


def test_a_read_of_somebody_who_has_signed_out_says_so(bare: Runtime) -> None:
    def check() -> None:
        raise NotSignedInError("sign in again")

    told: list[tuple[object, str]] = []
    page = Live(ScopedReader(bare, EVERYTHING, check))
    when_read(page.once(("anything",), lambda: 1), lambda found, error: told.append((found, error)))
    assert told == [(None, "sign in again")]


def test_the_looking_ends_with_the_last_page(shared: Live) -> None:
    document = Document()
    listen(shared, document)
    thread = feed_thread()
    assert thread is not None
    shared.unsubscribe(document)
    thread.join(WAIT)
    assert not thread.is_alive()
    assert shared.sessions == 0


def test_a_page_that_closes_meanwhile_does_not_keep_the_others_from_their_news(shared: Live) -> None:
    closed = bokeh.document.Document()
    closed.callbacks.destroy()
    shared.subscribe(closed, lambda overview, error: None)
    document = Document()
    heard = listen(shared, document)
    shared.refresh()
    assert heard.get(timeout=WAIT)[1] == ""
    shared.refresh()
    assert heard.get(timeout=WAIT)[1] == ""
    assert shared.sessions == 1
    shared.unsubscribe(document)


@pytest.mark.parametrize("error", [StoreError("store x: reading failed"), ZeroDivisionError("by zero")])
def test_a_read_that_fails_is_told_and_the_next_one_is_made(
    shared: Live, bare: Runtime, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    real = bare.overview
    document = Document()
    heard = listen(shared, document)
    wait_until(lambda: bare.feed.has_looked, WAIT, "the first look")

    def overview() -> Overview:
        raise error

    monkeypatch.setattr(bare, "overview", overview)
    shared.refresh()
    failed, message = heard.get(timeout=WAIT)
    assert failed is None
    assert str(error) in message
    monkeypatch.setattr(bare, "overview", real)
    shared.refresh()
    assert heard.get(timeout=WAIT)[1] == ""
    shared.unsubscribe(document)


def test_the_same_question_is_asked_once_until_the_store_changes(shared: Live, bare: Runtime) -> None:
    first = shared.once(("a",), lambda: 1)
    assert shared.once(("a",), lambda: 2) is first
    assert shared.once(("b",), lambda: 3).result(WAIT) == 3
    bare.store.write_note("key", "value")
    assert shared.once(("a",), lambda: 4).result(WAIT) == 4


def test_a_question_that_failed_is_asked_again(shared: Live) -> None:
    def fail() -> int:
        raise StoreError("no")

    assert isinstance(shared.once(("a",), fail).exception(WAIT), StoreError)
    assert shared.once(("a",), lambda: 1).result(WAIT) == 1


@pytest.mark.parametrize(
    ("error", "message"), [(StoreError("store x is gone"), "store x is gone"), (KeyError("x"), "KeyError: 'x'")]
)
def test_a_page_is_told_why_a_read_failed(shared: Live, error: Exception, message: str) -> None:
    def fail() -> int:
        raise error

    told: list[Any] = []
    when_read(shared.once(("a",), fail), lambda result, problem: told.append((result, problem)))
    assert told == [(None, message)]


def test_the_pages_of_a_reader_share_what_they_read(bare: Runtime, shop: Runtime) -> None:
    assert live(bare) is live(bare)
    assert live(bare) is not live(shop)


def test_viewers_a_moment_apart_ask_for_the_same_time() -> None:
    assert end_of(NOW.replace(second=7), 60) == end_of(NOW.replace(second=52), 60) == NOW.replace(minute=16)
    assert end_of(NOW, 60) == NOW
