"""A Jaeger as strict as the real one: addresses, parameters and answers of its query service, and its web page."""

from __future__ import annotations

import json
import re
import ssl
from base64 import b64encode
from urllib.parse import parse_qs, urlsplit

from support.servers import FaultyServer, Reply, Request

PAGE = b"<!doctype html><html><head><title>Jaeger UI</title></head><body></body></html>"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
USER, PASSWORD = "me", "s3cr3t"


def _json(body: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _bad(message: str) -> Reply:
    return _json({"error": {"httpCode": 400, "message": message}}, 400)


class Jaeger(FaultyServer):
    """Knows some calls.

    Parameters
    ----------
    calls
        As parent and child.
    v3
        Which names of parameters v3 takes: those of now and of before (``"both"``), only of before (``"snake"``), or
        None where the version has no such address.
    prefix
        Path it is served under.
    login
        Whether it stands behind a proxy that wants a user and a password.
    """

    def __init__(
        self,
        *calls: tuple[str, str],
        v3: str | None = "both",
        prefix: str = "",
        login: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(choose=self._reply, tls=tls)
        self._calls, self._v3, self._prefix, self._login = calls, v3, prefix, login

    def _reply(self, request: Request) -> Reply:
        token = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self._login and request.headers.get("Authorization") != token:
            return Reply(401, b"no entry", {"WWW-Authenticate": "Basic"})
        parts = urlsplit(request.path)
        if not parts.path.startswith(self._prefix):
            return Reply(404, b"404 page not found")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(self._prefix)
        if path == "/api/v3/dependencies" and self._v3 and request.method == "GET":
            return self._of_v3(query)
        if path == "/api/dependencies" and request.method == "GET":
            return self._classic(query)
        return Reply(200, PAGE, {"Content-Type": "text/html"})

    def _of_v3(self, query: dict[str, str]) -> Reply:
        snake, camel = ("start_time", "end_time"), ("startTime", "endTime")
        times = []
        for old, new in zip(snake, camel, strict=True):
            text = (query.get(new) if self._v3 == "both" else None) or query.get(old, "")
            if not TIME.fullmatch(text):
                return _bad(f"malformed parameter {new}")
            times.append(text)
        if times[0] >= times[1]:
            return _bad("endTime must be after startTime")
        found = [{"parent": a, "child": b, "callCount": "17"} for a, b in self._calls]
        return _json({"dependencies": found} if found else {})

    def _classic(self, query: dict[str, str]) -> Reply:
        if not (query.get("endTs", "").isdigit() and query.get("lookback", "").isdigit()):
            errors = [{"code": 400, "msg": "unable to parse param 'endTs'"}]
            return _json({"data": None, "total": 0, "limit": 0, "offset": 0, "errors": errors}, 400)
        found = [{"parent": a, "child": b, "callCount": 17} for a, b in self._calls]
        return _json({"data": found, "total": 0, "limit": 0, "offset": 0, "errors": None})
