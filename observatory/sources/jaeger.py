"""Who calls whom by the traces of a Jaeger: its dependencies, with the log-in, TLS and limits of a Prometheus.

``/api/v3/dependencies`` is asked first, then ``/api/dependencies`` of its web page, which every version has. A Jaeger
answers an address that it does not have with its web page, and status 200.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from observatory.config.sources import JaegerSettings
from observatory.errors import (
    AccessDeniedError,
    MalformedAnswerError,
    SourceBusyError,
    SourceError,
    SourceRefusedError,
)
from observatory.model import Call, is_usable_name
from observatory.sources.prometheus.address import shown as shown_address
from observatory.sources.prometheus.address import title_of
from observatory.sources.prometheus.circuit import Circuit
from observatory.sources.prometheus.connection import TLS, Authentication, Limits, headers_of, shown
from observatory.sources.prometheus.refusals import BUSY, DENIED
from observatory.sources.prometheus.replies import BEHIND, REDIRECTS, Reply, seconds_of
from observatory.sources.prometheus.transport import MOST_HOPS, Fields, Transport
from observatory.times import rfc3339

KIND = "jaeger"
MISSING = frozenset({400, 404, 405, 410, 501})
"""Statuses of a version that has no such address, or another one there."""
MOST_OF_A_TEXT = 160
_PAGES = re.compile(r"/(?:search|dependencies|monitor|compare|trace)(?:/.*)?$")
"""Pages of a Jaeger that an address may end in."""

T = TypeVar("T")


class _Dependency(msgspec.Struct):
    parent: str
    child: str


class _V3(msgspec.Struct):
    """The answer of v3; an empty list may be left out."""

    dependencies: list[_Dependency] | None = None


class _Classic(msgspec.Struct):
    """The answer that the web page gets."""

    data: list[_Dependency] | None


class JaegerSource(Transport):
    """A `observatory.sources.CallSource` over a Jaeger.

    Parameters
    ----------
    name
        As in the settings.
    settings
        How it is reached, and how far back it looks.
    clock
        Tells the time, in UTC.
    sleep
        Waits between attempts.
    """

    program = "Jaeger"

    def __init__(
        self,
        name: str,
        settings: JaegerSettings,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(
            _PAGES.sub("", str(settings.url).split("?")[0].rstrip("/")),
            Limits(settings.timeout, 1, settings.max_answer),
            Authentication.of(settings),
            TLS.of(settings),
            headers=headers_of(settings),
            proxy=shown(settings.proxy),
            sleep=sleep,
        )
        self.name = name
        self._lookback = timedelta(hours=settings.lookback_hours)
        self._clock = clock
        self._circuit = Circuit()
        self._has_v3 = True

    def setting(self, name: str) -> str:
        """How messages name a setting of the server."""
        return f"{name} of [jaeger.{self.name}]"

    def graph(self) -> list[Call]:
        """Calls within the time that is looked back, by the names that spans give to services, sorted.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        end = self._clock()
        found = self._circuit.call(lambda: self._repeated(self._circuit, lambda: self._dependencies(end)))
        usable = {(one.parent, one.child) for one in found if is_usable_name(one.parent) and is_usable_name(one.child)}
        return [Call(parent, child, KIND, self.name) for parent, child in sorted(usable) if parent != child]

    def _dependencies(self, end: datetime) -> Sequence[_Dependency]:
        if self._has_v3:
            start_text, end_text = rfc3339(end - self._lookback), rfc3339(end)
            # Versions took names with a low line before, and some take only these.
            times = {"startTime": start_text, "endTime": end_text, "start_time": start_text, "end_time": end_text}
            reply = self._get("/api/v3/dependencies", times)
            if reply.status not in MISSING and not (reply.status == 200 and title_of(reply.body) is not None):
                return self._read(reply, _V3).dependencies or []
            self._has_v3 = False
        milliseconds = {"endTs": str(round(end.timestamp() * 1e3)), "lookback": str(round(self._lookback / _MS))}
        return self._read(self._get("/api/dependencies", milliseconds), _Classic).data or []

    def _get(self, path: str, fields: Fields) -> Reply:
        """The reply at the end of redirects that stay with the server."""
        reply = self._send(self._address.bases[0] + path, fields, get=True)
        for _ in range(MOST_HOPS):
            there = reply.leads_to
            if there is None or not there.endswith(path):
                break
            reply = self._send(there, fields, get=True)
        return reply

    def _read(self, reply: Reply, kind: type[T]) -> T:
        if reply.status != 200:
            raise self._refusal(reply)
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except msgspec.MsgspecError as error:
            title = title_of(reply.body)
            if reply.is_log_in:
                raise AccessDeniedError(f"Jaeger at {self.address} answered with a log-in page: {BEHIND}") from None
            what = f"{error}" if title is None else f"it sent a web page called {title!r}"
            raise MalformedAnswerError(
                f"{self.address} did not answer like a Jaeger ({what}): is {self.setting('url')} right, with its path?"
            ) from None

    def _refusal(self, reply: Reply) -> SourceError:
        status = reply.status
        if status in REDIRECTS:
            there = shown_address(reply.url, reply.headers.get("Location", ""))
            if reply.is_log_in:
                return AccessDeniedError(f"Jaeger at {self.address} redirects to a log-in page at {there}: {BEHIND}")
            return SourceRefusedError(
                f"Jaeger at {self.address} redirects to {there}: set {self.setting('url')} to that"
            )
        said = title_of(reply.body) or " ".join(reply.body[: 4 * MOST_OF_A_TEXT].decode("utf-8", "replace").split())
        for secret in self._secrets:
            said = said.replace(secret, "…")
        more = f"; it says: {said[:MOST_OF_A_TEXT]}" if said else ""
        text = f"Jaeger at {self.address} refused to tell its dependencies (HTTP {status}{more})"
        if status in DENIED:
            return AccessDeniedError(f"{text}: check token or password in [jaeger.{self.name}]")
        if status in BUSY:
            return SourceBusyError(text, seconds_of(reply.headers.get("Retry-After")))
        return SourceRefusedError(f"{text}: look at its log, and see whether {self.setting('url')} is right")


_MS = timedelta(milliseconds=1)
