"""What one caller may take: requests a minute, slow queries at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request

from observatory.access import authenticator_of
from observatory.access.addresses import block_of
from observatory.api import context
from observatory.api.problems import Problem

View = TypeVar("View", bound=Callable[..., Any])

PATIENCE = 2.0
"""Longest wait for other slow queries to end [s]."""
_SLOW = "__slow__"


def slow(view: View) -> View:
    """Decorator: of such routes only so many run at a time."""
    setattr(view, _SLOW, True)
    return view


def count() -> None:
    """Count this request for its caller and its address; raises TooManyRequestsError."""
    limiter, caller = authenticator_of(context.context().runtime).limiter, g.get("caller")
    address = request.remote_addr or ""
    if caller is not None and caller.kind != "open":
        g.allowance = limiter.hit(caller.kind, caller.id)
    else:
        g.allowance = limiter.hit("address", block_of(address))


def _begin() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, _SLOW, False) and request.routing_exception is None:
        slots: threading.Semaphore = current_app.extensions["slow"]
        if not slots.acquire(timeout=PATIENCE):
            raise Problem(503, "too many slow queries at a time: try again shortly", headers={"Retry-After": "2"})
        g.slot = slots


def _end(_: BaseException | None) -> None:
    slot = g.pop("slot", None)
    if slot is not None:
        slot.release()


def _tell(response: Response) -> Response:
    allowance = g.get("allowance")
    if allowance is not None:
        response.headers["RateLimit-Limit"] = str(allowance.limit)
        response.headers["RateLimit-Remaining"] = str(max(0, allowance.remaining))
        response.headers["RateLimit-Reset"] = str(allowance.reset)
    return response


def install(app: Flask, at_a_time: int) -> None:
    """Limit `app`; to be installed after who calls is known."""
    app.extensions["slow"] = threading.BoundedSemaphore(at_a_time)
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)
