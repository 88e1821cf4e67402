"""The route ``/api/events``: the application decides who may listen, then Tornado keeps the line open."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

from apiflask import APIBlueprint
from flask import Response, g, request
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from observatory.access import Caller
from observatory.access.gate import Access
from observatory.api.middleware.authorization import access
from observatory.api.problems import Problem
from observatory.api.wsgi import WsgiContainer, make_ready, write_problem
from observatory.runtime.feed import Event, Feed, Look

HEARTBEAT = 15.0
"""Time between signs of life [s]; each time it is asked anew whether the listener may still listen."""
WAITING = 1000
"""Events a slow listener may be behind; then it is cut off, and comes back with the last one it saw."""
MOST, MOST_OF_ONE = 200, 10
"""Listeners of a process, and of one caller."""
ACCEPTED = "observatory.listener"
RESYNC = "event: resync\ndata: {}\n\n"
"""Tells a client that it missed too much: it should read the summary again."""

routes = APIBlueprint("events", __name__, url_prefix="/api", tag={"name": "events", "description": "News."})


@routes.get("/events")
@access(Access.READ)
@routes.doc(operation_id="streamEvents", responses={200: "A stream of server-sent events (text/event-stream)."})
def events() -> Response:
    """New anomalies and changes of health, as they happen

    Events are `anomaly` (new, or of another severity), `anomaly-ended`, `health` (another band), `incident` (new, or
    it spread or changed in severity), `incident-ended` and `resync` (too much was missed: read the summary again).
    An incident is told to those who may see all of its services. A client that comes back with `Last-Event-ID` gets
    what it missed.
    """
    if not request.environ.get("observatory.streams"):
        raise Problem(501, "events need the server that `observatory serve` starts")
    request.environ[ACCEPTED].append(g.caller)
    return Response(status=200, mimetype="text/event-stream")


def as_text(event: Event) -> str:
    """An event as it stands in the stream."""
    data = json.dumps(event.transition.data, allow_nan=False)
    return f"id: {event.id}\nevent: {event.transition.kind}\ndata: {data}\n\n"


def concerns(event: Event, caller: Caller) -> bool:
    """Whether a caller may see all services of an event."""
    return all(map(caller.scope.covers, event.transition.services))


class Streams:
    """The open streams of one process."""

    def __init__(self, feed: Feed, container: WsgiContainer) -> None:
        self.feed = feed
        self.container = container
        self.open: dict[EventsHandler, str] = {}

    def room_for(self, caller: Caller) -> str:
        """Why there is none; empty where there is."""
        who = f"{caller.kind}:{caller.id}"
        if len(self.open) >= MOST:
            return f"{MOST} streams are open already"
        if sum(other == who for other in self.open.values()) >= MOST_OF_ONE:
            return f"you have {MOST_OF_ONE} streams open already"
        return ""


class EventsHandler(RequestHandler):  # type: ignore[misc]
    """One listener."""

    def initialize(self, streams: Streams) -> None:
        """What all listeners share."""
        self.streams = streams
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(WAITING + 1)

    def prepare(self) -> None:
        """Ready the request for the application."""
        make_ready(self.request)

    async def get(self) -> None:
        """Ask the application whether this may be; then listen."""
        caller = await self._accepted()
        if caller is None:
            return
        full = self.streams.room_for(caller)
        if full:
            write_problem(self, Problem(429, full, headers={"Retry-After": "10"}))
            return
        await self._listen(caller)

    async def _accepted(self) -> Caller | None:
        """Whoever the application lets in; to others its answer is passed on."""
        accepted: list[Caller] = []
        more = {"observatory.streams": True, ACCEPTED: accepted}
        status, headers, body = await self.streams.container.ask(self.request, more)
        if accepted and status == 200:
            return accepted[0]
        if not self._finished:
            self.set_status(status)
            for name, value in headers:
                self.set_header(name, value)
            self.finish(body)
        return None

    async def _listen(self, caller: Caller) -> None:
        loop, queue = asyncio.get_running_loop(), self._queue

        def on_look(look: Look) -> None:
            for event in look.events:
                if concerns(event, caller):
                    with contextlib.suppress(RuntimeError):  # the server ends
                        loop.call_soon_threadsafe(put, event)

        def put(event: Event) -> None:
            if queue.qsize() < WAITING:
                queue.put_nowait(event)
            elif not queue.full():
                queue.put_nowait(None)

        self.streams.feed.subscribe(on_look)
        self.streams.open[self] = f"{caller.kind}:{caller.id}"
        try:
            self.set_header("Content-Type", "text/event-stream")
            self.set_header("Cache-Control", "no-store")
            self.set_header("X-Accel-Buffering", "no")
            self.set_header("X-Content-Type-Options", "nosniff")
            self.write(": hello\nretry: 3000\n\n")
            if last := self.request.headers.get("Last-Event-ID"):
                missed = self.streams.feed.since(last[:100])
                self.write(RESYNC if missed is None else "".join(as_text(e) for e in missed if concerns(e, caller)))
            await self.flush()
            await self._pass_on()
        except StreamClosedError:
            pass
        finally:
            del self.streams.open[self]
            self.streams.feed.unsubscribe(on_look)

    async def _pass_on(self) -> None:
        asked = time.monotonic()
        while True:
            left = asked + HEARTBEAT - time.monotonic()
            if left <= 0:  # also where events come so fast that nothing is ever waited for
                if not await self._may_stay():
                    return
                asked = time.monotonic()
                self.write(": still here\n\n")
            else:
                with contextlib.suppress(TimeoutError):
                    event = await asyncio.wait_for(self._queue.get(), left)
                    if event is None:
                        return
                    self.write(as_text(event))
            await self.flush()

    async def _may_stay(self) -> bool:
        """Ask the application again: the key may have been revoked meanwhile."""
        accepted: list[Caller] = []
        more = {"observatory.streams": True, ACCEPTED: accepted, "observatory.heartbeat": True}
        status, _, _ = await self.streams.container.ask(self.request, more)
        return bool(accepted) and status == 200

    def on_connection_close(self) -> None:
        """The client went away."""
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait(None)
