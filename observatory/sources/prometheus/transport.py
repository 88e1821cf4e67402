"""How a Prometheus is reached: log-in, TLS, retries, and bounds on time, size and number of requests.

Queries go out as form-encoded POST, because they get long, over connections that are kept; and as GET where a proxy
allows nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote, urlencode

import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from observatory.errors import (
    AnswerTooLargeError,
    MalformedAnswerError,
    SourceBusyError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from observatory.sources.prometheus.address import Address, shown, title_of
from observatory.sources.prometheus.answers import Envelope
from observatory.sources.prometheus.causes import cause_of, may_want_certificate, way_out_of_distrust
from observatory.sources.prometheus.circuit import Circuit
from observatory.sources.prometheus.connection import ANONYMOUS, CHECKED, DEFAULT_LIMITS, TLS, Authentication, Limits
from observatory.sources.prometheus.replies import LONGEST_WAIT, REDIRECTS, Reply, checked, date_of
from observatory.sources.prometheus.session import make_session, secrets_of

log = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS = 3
PIECE = 1 << 16
UNPACKED, RATIO = 32 << 20, 200
"""Past so many bytes, what unpacks to more than so many times its size is made to fill memory: metrics come to ten."""
MOST_HOPS = 3
"""Redirects that are followed, one after the other."""
NO_POST = frozenset({403, 405, 501})
"""Statuses of servers, or of proxies in front, that allow GET and nothing else."""
TOO_LONG = frozenset({414, 431})
"""Statuses of GET with a query that is too long for it."""
LONGEST_POSTED, LONGEST_GOT = 14_000, 4_000
"""How long a query may be: VictoriaMetrics takes 16 KiB, and proxies 8 KiB of a line in which signs take three."""
MISSED = frozenset({200, 400, 404, 405, *REDIRECTS})
"""Statuses that an address may lead to which is not quite that of the API."""
SEARCHED_AGAIN = 60.0
"""An address that led nowhere is tried with other endings after so long [s]."""

Fields = Mapping[str, str | Sequence[str]]
"""Parameters of a request by name; several values are sent one by one."""


@dataclass(slots=True)
class _Lane:
    """Requests of one kind: those for ranges leave a slot free for those for now, and open only their own circuit."""

    circuit: Circuit
    slots: list[threading.Semaphore] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Way:
    """How the server is asked: what comes before ``/api/v1``, and whether it takes POST."""

    base: str
    posts: bool = True
    is_found: bool = False


class Transport:
    """Asks a server for JSON, with typed errors.

    Parameters
    ----------
    url
        Address of the server, as a browser shows it: with a path prefix if it has one, and with parameters that go to
        each request.
    limits, authentication, tls
        See `observatory.sources.prometheus.connection`.
    headers
        Sent with every request.
    proxy
        Address of a proxy, or ``"environment"`` for the one that ``HTTPS_PROXY`` and ``NO_PROXY`` name.
    sleep
        Waits between attempts.
    """

    program: ClassVar[str] = "Prometheus"
    """What messages call the server."""

    def __init__(
        self,
        url: str,
        limits: Limits = DEFAULT_LIMITS,
        authentication: Authentication = ANONYMOUS,
        tls: TLS = CHECKED,
        *,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.limits = limits
        self.skew: float | None = None
        """How far the server's clock was ahead of ours at its last answer [s], to about a second; None: not told."""
        self._sleep = sleep
        self._address = Address.of(self.url)
        self._way = _Way(self._address.bases[0])
        self._search, self._search_again = threading.Lock(), 0.0
        self._secrets = secrets_of(self._address, authentication, (headers or {}).values())
        self._session = make_session(self._address, limits, authentication, tls, headers or {}, proxy)
        every, ranges = (threading.Semaphore(count) for count in (limits.concurrency, max(1, limits.concurrency - 1)))
        self._lanes = {"query_range": _Lane(Circuit(), [ranges, every])}
        self._other = _Lane(Circuit(), [every])

    @property
    def address(self) -> str:
        """Where the server is asked, without user name and password, for messages."""
        scheme, _, rest = self._way.base.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

    def setting(self, name: str) -> str:
        """How messages name a setting of the server."""
        return f"OBSERVATORY_PROMETHEUS_{name.upper()}"

    @property
    def longest_query(self) -> int:
        """How many characters a query may have."""
        return LONGEST_POSTED if self._way.posts else LONGEST_GOT

    def ask(self, what: str, fields: Fields | None = None, *, get: bool = False) -> Envelope:
        """The answer of ``/api/v1/{what}``: POST with `fields`, or GET without any, or with `get`.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        lane = self._lanes.get(what, self._other)
        with ExitStack() as stack:
            for slot in lane.slots:
                stack.enter_context(slot)
            return lane.circuit.call(lambda: self._ask(what, fields, lane.circuit, get or fields is None))

    def _ask(self, what: str, fields: Fields | None, circuit: Circuit, get: bool) -> Envelope:
        return self._repeated(circuit, lambda: self._ask_once(what, fields, get))

    def _repeated(self, circuit: Circuit, once: Callable[[], T]) -> T:
        """What `once` returns, asked again where that may help."""
        attempts = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            retry=retry_if_exception(lambda error: _may_pass(error) and not circuit.is_open),
            wait=_wait,
            reraise=True,
            sleep=self._sleep,
        )
        try:
            answer: T = attempts(once)
        except SourceBusyError as error:
            if error.wait is not None and error.wait <= LONGEST_WAIT:
                raise SourceBusyError(str(error)) from None
            raise
        return answer

    def _ask_once(self, what: str, fields: Fields | None, get: bool) -> Envelope:
        way = self._way
        reply = self._exchange(way, what, fields, get)
        if not way.is_found and self._is_missed(reply) and not what.startswith(("status/", "metadata")):
            reply = self._elsewhere(what, fields, get, reply)
        return checked(reply, self.address, self._secrets)

    def _is_missed(self, reply: Reply) -> bool:
        """Whether the address may not be quite that of the API."""
        if reply.is_answer or reply.is_log_in or reply.status not in MISSED:
            return False
        return reply.leads_to is not None if reply.status in REDIRECTS else _is_no_data(reply)

    def _elsewhere(self, what: str, fields: Fields | None, get: bool, missed: Reply) -> Reply:
        """The reply of an address near the one given, where servers have their API; `missed` if none answers."""
        with self._search:
            if self._way.is_found:
                return self._exchange(self._way, what, fields, get)
            if time.monotonic() < self._search_again:
                return missed
            self._search_again = time.monotonic() + SEARCHED_AGAIN
            for base in self._address.bases[1:]:
                reply = self._exchange(_Way(base, self._way.posts), what, fields, get)
                if reply.is_answer:
                    log.info("the API of %s is at %s", shown(self.url), base)
                    return reply
        return missed

    def _exchange(self, way: _Way, what: str, fields: Fields | None, get: bool) -> Reply:
        """POST, or GET where only that is allowed; what worked is remembered."""
        get = get or not way.posts
        reply, base = self._followed(way.base, what, fields, get)
        posts = way.posts
        if not get and reply.status in NO_POST:
            other, other_base = self._followed(way.base, what, fields, True)
            if (other.is_answer and other.status not in NO_POST) or other.status in TOO_LONG:
                log.info("%s refuses POST (HTTP %d): it is asked by GET", self.address, reply.status)
                reply, base, posts = other, other_base, False
        if reply.is_answer or posts != way.posts:
            self._way = _Way(base, posts, True)
        return reply

    def _followed(self, base: str, what: str, fields: Fields | None, get: bool) -> tuple[Reply, str]:
        """The reply at the end of redirects that stay with the server, and the base of its address."""
        call = f"/api/v1/{what}"
        reply = self._send(base + call, fields, get)
        for _ in range(MOST_HOPS):
            there = reply.leads_to
            if there is None or not there.endswith(call):
                break
            base = there.removesuffix(call)
            reply = replace(self._send(base + call, fields, get), is_redirected=True)
        return reply, base

    def _send(self, url: str, fields: Fields | None, get: bool) -> Reply:
        deadline = time.monotonic() + self.limits.timeout
        more: dict[str, Any] = {"timeout": self.limits.timeout, "stream": True, "allow_redirects": False}
        own = self._address.parameters
        sent = [*own, *_pairs(fields or {})] if get else own
        query = urlencode(sent, quote_via=quote)  # a blank as %20: signatures are made of that
        try:
            with (
                self._session.get(url, params=query, **more)
                if get
                else self._session.post(url, data=fields, params=query, **more)
            ) as response:
                reply = Reply(url, response.status_code, self._body(response, deadline), response.headers)
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
            raise self._too_slow() from None
        except requests.exceptions.ProxyError as error:
            raise SourceUnreachableError(
                f"the proxy before {self.address} does not let requests through ({cause_of(error)}): "
                f"is it running, and is {self.setting('proxy')} right, with the user it may want?"
            ) from None
        except requests.exceptions.SSLError as error:
            raise SourceUnreachableError(self._untrusted(cause_of(error))) from None
        except (urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError) as error:
            raise MalformedAnswerError(
                f"{self.program} at {self.address} broke off its answer ({cause_of(error)}): look at its log"
            ) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            cause = cause_of(error)
            if self._wants_certificate(cause):
                raise SourceUnreachableError(self._untrusted(cause)) from None
            raise SourceUnreachableError(
                f"{self.program} at {self.address} cannot be reached ({cause}): "
                f"is it running, and is {self.setting('url')} right?"
            ) from None
        self._compare_clocks(reply.headers.get("Date"))
        return reply

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        """The whole body as it comes in, within the bounds on size and time, however slowly its bytes arrive."""
        body = bytearray()
        while piece := response.raw.read1(PIECE, decode_content=True):
            body += piece
            if len(body) > self.limits.max_answer * 1e6:
                raise AnswerTooLargeError(
                    f"{self.program} at {self.address} sent more than {self.limits.max_answer:g} MB for one query: "
                    f"ask for a shorter range or fewer services, or raise {self.setting('max_answer')}"
                )
            if len(body) > UNPACKED and len(body) > RATIO * response.raw.tell():
                raise MalformedAnswerError(
                    f"{self.program} at {self.address} sent an answer that unpacks to more than {RATIO} times its "
                    "size: no metrics do, see what is between it and this machine"
                )
            if time.monotonic() > deadline:
                raise self._too_slow()
        return bytes(body)

    def _compare_clocks(self, date: str | None) -> None:
        told = date_of(date)
        if told is not None:
            self.skew = (told - datetime.now(UTC)).total_seconds() + 0.5  # a date has whole seconds

    def _too_slow(self) -> SourceTimeoutError:
        return SourceTimeoutError(
            f"{self.program} at {self.address} did not answer within {self.limits.timeout:g} s: "
            f"is it overloaded? Raise {self.setting('timeout')}, or lower its load"
        )

    def _wants_certificate(self, cause: str) -> bool:
        return may_want_certificate(cause, is_bare=self.url.startswith("https:") and self._session.cert is None)

    def _untrusted(self, cause: str) -> str:
        way_out = way_out_of_distrust(cause, self.setting, wants_certificate=self._wants_certificate(cause))
        return f"no trusted connection to {self.program} at {self.address} ({cause}): {way_out}"


def _is_no_data(reply: Reply) -> bool:
    """Whether a reply is not what comes from the API, as a page or a line of text; a broken answer is from there."""
    return reply.status != 200 or title_of(reply.body) is not None


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    return [(name, one) for name, value in fields.items() for one in ([value] if isinstance(value, str) else value)]


def _may_pass(error: BaseException) -> bool:
    """Whether it is worth asking again at once."""
    if isinstance(error, SourceBusyError):
        return error.wait is None or error.wait <= LONGEST_WAIT
    return isinstance(error, SourceUnreachableError)


def _wait(state: RetryCallState) -> float:
    """As long as the server asked for, else ½, 1, 2 … seconds."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, SourceBusyError) else None
    return asked if asked is not None else 0.5 * 2 ** (state.attempt_number - 1)
