"""Between Tornado and the application: requests go to threads, as the gate saw them."""

from __future__ import annotations

from typing import Any

import tornado.httputil as httputil
from tornado.ioloop import IOLoop
from tornado.web import FallbackHandler, RequestHandler
from tornado.wsgi import WSGIContainer

from observatory.access.gate import ARRIVED, HOST
from observatory.api.middleware.authorization import ARRIVAL
from observatory.api.middleware.delivery import HEADERS
from observatory.api.problems import MEDIA_TYPE, Problem

Headers = list[tuple[str, str]]


class WsgiContainer(WSGIContainer):  # type: ignore[misc]
    """Runs the application in a thread, in one turn: Tornado's own takes three, and each costs as much as an answer."""

    def environ(self, request: httputil.HTTPServerRequest) -> dict[str, Any]:
        """A request as WSGI has it."""
        made: dict[str, Any] = super().environ(request)
        made[ARRIVAL] = getattr(request, ARRIVED)
        return made

    async def ask(
        self, request: httputil.HTTPServerRequest, more: dict[str, Any] | None = None
    ) -> tuple[int, Headers, bytes]:
        """What the application answers: status, headers, body. `more` joins the environment."""
        environ = self.environ(request) | (more or {})
        answer: tuple[int, Headers, bytes] = await IOLoop.current().run_in_executor(self.executor, self._run, environ)
        return answer

    async def handle_request(self, request: httputil.HTTPServerRequest) -> None:
        """See `WSGIContainer`."""
        status, headers, body = await self.ask(request)
        sent = httputil.HTTPHeaders()
        for name, value in headers:
            sent.add(name, value)
        if status != 304:
            sent["Content-Length"] = sent.get("Content-Length", str(len(body)))
        start = httputil.ResponseStartLine("HTTP/1.1", status, httputil.responses.get(status, "Unknown"))
        if request.connection is not None:
            request.connection.write_headers(start, sent, chunk=body)
            request.connection.finish()

    def _run(self, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
        said: list[Any] = []

        def start_response(status: str, headers: Headers, exc_info: Any = None) -> Any:
            said[:] = [int(status.partition(" ")[0]), headers]
            return lambda _: None

        parts = self.wsgi_application(environ, start_response)
        try:
            body = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return said[0], said[1], body


def make_ready(request: httputil.HTTPServerRequest) -> None:
    """Give the application what it can work with.

    Raises
    ------
    RuntimeError
        The request did not come through the gate.
    """
    if not hasattr(request, ARRIVED):
        raise RuntimeError(f"{request.path} was reached without the gate: serve it with `observatory.server.gate`")
    host = HOST.fullmatch(request.host)
    if not host or int(host[2] or 0) > 65535:
        request.host = "refused"  # the container fails on a port that is no number; the header stays
    if request.headers.pop("Transfer-Encoding", None):  # it is read by now, and would be taken for empty
        request.headers["Content-Length"] = str(len(request.body))


def write_problem(handler: RequestHandler, problem: Problem) -> None:
    """Finish with an error, as the application would."""
    handler.set_status(problem.status)
    for name, value in {**HEADERS, **problem.headers, "Content-Type": MEDIA_TYPE}.items():
        handler.set_header(name, value)
    handler.finish(problem.body(handler.request.path))


class ApiHandler(FallbackHandler):  # type: ignore[misc]
    """Hands requests to the application, and those Tornado refuses itself back as problem details."""

    def prepare(self) -> None:
        """Make the request ready, and pass it on."""
        make_ready(self.request)
        super().prepare()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What goes wrong before the application is asked."""
        write_problem(self, Problem(status_code, self._reason))
