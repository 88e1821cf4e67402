"""How a Prometheus is reached: log-in, TLS, retries, and bounds on time, size and number of requests.

Queries go out as form-encoded POST, because they get long, over connections that are kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from observatory.errors import (
    MalformedAnswerError,
    QueryRefusedError,
    SourceBusyError,
    SourceRefusedError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from observatory.sources.prometheus.answers import Envelope, read_envelope
from observatory.sources.prometheus.circuit import Circuit
from observatory.sources.prometheus.connection import ANONYMOUS, CHECKED, DEFAULT_LIMITS, TLS, Authentication, Limits

RETRIED = frozenset({429, 502, 503, 504})
ATTEMPTS = 3
LONGEST_WAIT = 10.0
PIECE = 1 << 16

Fields = Mapping[str, str | Sequence[str]]
"""Parameters of a request by name; several values are sent one by one."""


@dataclass(slots=True)
class _Lane:
    """Requests of one kind: those for ranges leave a slot free for those for now, and open only their own circuit."""

    circuit: Circuit
    slots: list[threading.Semaphore] = field(default_factory=list)


class Transport:
    """Asks a server for JSON, with typed errors.

    Parameters
    ----------
    url
        Address of the server, with a path prefix if it has one.
    limits, authentication, tls
        See `observatory.sources.prometheus.connection`.
    headers
        Sent with every request.
    sleep
        Waits between attempts.
    """

    def __init__(
        self,
        url: str,
        limits: Limits = DEFAULT_LIMITS,
        authentication: Authentication = ANONYMOUS,
        tls: TLS = CHECKED,
        *,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.limits = limits
        self.skew: float | None = None
        """How far the server's clock was ahead of ours at its last answer [s], to about a second; None: not told."""
        self._sleep = sleep
        self._session = _session(limits, authentication, tls, headers or {})
        every, ranges = (threading.Semaphore(count) for count in (limits.concurrency, max(1, limits.concurrency - 1)))
        self._lanes = {"query_range": _Lane(Circuit(), [ranges, every])}
        self._other = _Lane(Circuit(), [every])

    @property
    def address(self) -> str:
        """The URL without user name and password, for messages."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

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
        attempts = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            retry=retry_if_exception(lambda error: _may_pass(error) and not circuit.is_open),
            wait=_wait,
            reraise=True,
            sleep=self._sleep,
        )
        try:
            answer: Envelope = attempts(self._ask_once, what, fields, get)
        except SourceBusyError as error:
            if error.wait is not None and error.wait <= LONGEST_WAIT:
                raise SourceBusyError(str(error)) from None
            raise
        return answer

    def _ask_once(self, what: str, fields: Fields | None, get: bool) -> Envelope:
        deadline = time.monotonic() + self.limits.timeout
        url = f"{self.url}/api/v1/{what}"
        more: dict[str, Any] = {"timeout": self.limits.timeout, "stream": True, "allow_redirects": False}
        try:
            with (
                self._session.get(url, params=fields, **more) if get else self._session.post(url, data=fields, **more)
            ) as response:
                body = self._body(response, deadline)
                status, headers = response.status_code, response.headers
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
            raise self._too_slow() from None
        except requests.exceptions.SSLError as error:
            raise SourceUnreachableError(self._untrusted(_cause(error))) from None
        except (urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError) as error:
            raise MalformedAnswerError(
                f"Prometheus at {self.address} broke off its answer ({_cause(error)}): look at its log"
            ) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            cause = _cause(error)
            if self._wants_certificate(cause):
                raise SourceUnreachableError(self._untrusted(cause)) from None
            raise SourceUnreachableError(
                f"Prometheus at {self.address} cannot be reached ({cause}): "
                "is it running, and is OBSERVATORY_PROMETHEUS_URL right?"
            ) from None
        self._compare_clocks(headers.get("Date"))
        return self._checked(body, status, headers.get("Retry-After"))

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        """The whole body as it comes in, within the bounds on size and time, however slowly its bytes arrive."""
        body = bytearray()
        while piece := response.raw.read1(PIECE, decode_content=True):
            body += piece
            if len(body) > self.limits.max_answer * 1e6:
                raise MalformedAnswerError(
                    f"Prometheus at {self.address} sent more than {self.limits.max_answer:g} MB for one query: "
                    "ask for a shorter range or fewer services, or raise OBSERVATORY_PROMETHEUS_MAX_ANSWER"
                )
            if time.monotonic() > deadline:
                raise self._too_slow()
        return bytes(body)

    def _checked(self, body: bytes, status: int, retry_after: str | None) -> Envelope:
        """The answer's data and warnings, or the error it is."""
        answer = read_envelope(body)
        if answer is not None and answer.status == "error":
            detail = f"{answer.error_type}: {answer.error}"
        elif status >= 300:
            detail = f"HTTP {status}" + (", check token or password" if status in (401, 403) else "")
        elif answer is None or answer.status != "success":
            start = body[:60].decode("utf-8", "replace").split("\n")[0]
            raise MalformedAnswerError(
                f"{self.address} did not answer like a Prometheus (it began {start!r}): "
                "is OBSERVATORY_PROMETHEUS_URL right, and nothing in between?"
            )
        else:
            return answer
        message = f"Prometheus at {self.address} refused the query ({detail})"
        if status in RETRIED:
            wait = _seconds(retry_after)
            asked = f": it asks to be left alone for {wait:.0f} s" if wait and wait > LONGEST_WAIT else ""
            raise SourceBusyError(message + asked, wait)
        if status in (200, 400, 422):
            raise QueryRefusedError(message)
        raise SourceRefusedError(message)

    def _compare_clocks(self, date: str | None) -> None:
        told = _date(date)
        if told is not None:
            self.skew = (told - datetime.now(UTC)).total_seconds() + 0.5  # a date has whole seconds

    def _too_slow(self) -> SourceTimeoutError:
        return SourceTimeoutError(
            f"Prometheus at {self.address} did not answer within {self.limits.timeout:g} s: "
            "is it overloaded? Raise OBSERVATORY_PROMETHEUS_TIMEOUT, or lower its load"
        )

    def _wants_certificate(self, cause: str) -> bool:
        """A server that misses a certificate of ours may say so, or just hang up: which of it arrives is a race."""
        said = ("certificate required", "handshake failure", "bad certificate")
        hung_up = ("EOF occurred", "reset by peer", "Broken pipe", "without response")
        is_bare = self.url.startswith("https:") and self._session.cert is None
        return any(word in cause for word in said) or (is_bare and any(word in cause for word in hung_up))

    def _untrusted(self, cause: str) -> str:
        way_out = "name its authority with OBSERVATORY_PROMETHEUS_CA_FILE"
        if self._wants_certificate(cause):
            way_out = "does it want a certificate of yours? Name it with OBSERVATORY_PROMETHEUS_CERT_FILE"
        elif "wrong version number" in cause or "record layer failure" in cause:
            way_out = "does it speak TLS at all? Try http:// in OBSERVATORY_PROMETHEUS_URL"
        elif "mismatch" in cause or "not valid for" in cause:
            way_out = "use the name its certificate is for in OBSERVATORY_PROMETHEUS_URL"
        elif "expired" in cause:
            way_out = "renew it"
        return f"no trusted connection to Prometheus at {self.address} ({cause}): {way_out}"


def _session(limits: Limits, authentication: Authentication, tls: TLS, headers: Mapping[str, str]) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy and no .netrc that the settings do not name
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=limits.concurrency))
    session.headers.update(headers)
    if tls.cert_file:
        session.cert = (str(tls.cert_file), str(tls.key_file)) if tls.key_file else str(tls.cert_file)
    session.verify = tls.verify and (str(tls.ca_file) if tls.ca_file else True)
    if not tls.verify:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # doctor and log say it once
    if authentication.token:
        session.headers["Authorization"] = f"Bearer {authentication.token}"
    elif authentication.username:
        session.auth = (authentication.username, authentication.password or "")
    elif authentication.token_file:
        session.auth = _TokenFile(authentication.token_file)
    return session


class _TokenFile(requests.auth.AuthBase):
    """A bearer token from a file that may be written anew at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        try:
            token = self._path.read_text("ascii").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not plain text"
            raise SourceRefusedError(
                f"token file {self._path} cannot be read ({reason}): check its path and rights"
            ) from None
        if not token or not token.isprintable():
            raise SourceRefusedError(f"token file {self._path} holds no token: it must have one line of text")
        request.headers["Authorization"] = f"Bearer {token}"
        return request


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


def _seconds(retry_after: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header, which has a number or a date; None where it makes no sense."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        at = _date(retry_after)
        seconds = (at - datetime.now(UTC)).total_seconds() if at else -1.0
        return max(0.0, seconds) if at else None
    return max(0.0, seconds) if seconds == seconds else None


def _date(text: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(text) if text else None
    except (TypeError, ValueError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


def _cause(error: BaseException) -> str:
    """The innermost reason, as the operating system puts it."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or reason.__cause__ or reason.__context__
        if not isinstance(inner, BaseException):
            break
        reason = inner
    text = str(reason)
    for known, words in (
        ("refused", "connection refused"),
        ("Name or service not known", "unknown host"),
        ("Failed to resolve", "unknown host"),
        ("Temporary failure in name resolution", "unknown host"),
        ("Hostname mismatch", "certificate is not valid for this name"),
        ("IP address mismatch", "certificate is not valid for this address"),
        ("certificate has expired", "certificate has expired"),
        ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed"),
        ("CERTIFICATE_REQUIRED", "certificate required"),
        ("WRONG_VERSION_NUMBER", "wrong version number"),
        ("Invalid URL", "invalid address"),  # the text goes on with the address, password and all
        ("Failed to parse", "invalid address"),
        ("header value", "a header that cannot be sent"),  # and here with the secret
    ):
        if known in text:
            return words
    return text.split("\n")[0][:120] or type(reason).__name__
