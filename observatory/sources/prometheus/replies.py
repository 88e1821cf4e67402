"""One reply of a server, or of what stands in front of it: the answer that it is, or the error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property

from observatory.errors import (
    AccessDeniedError,
    MalformedAnswerError,
    SourceBusyError,
    SourceError,
    SourceRefusedError,
)
from observatory.sources.prometheus.address import LOG_IN, is_log_in, redirected, shown, title_of
from observatory.sources.prometheus.answers import Envelope, read_envelope
from observatory.sources.prometheus.refusals import DENIED, WAYS_OUT, classify, shortened

REDIRECTS = frozenset({301, 302, 303, 307, 308})
LONGEST_WAIT = 10.0
"""A server that asks to be left alone for longer is not asked again at once [s]."""
MOST_OF_A_TEXT = 160
BEHIND = "give a log-in that programs may use, or the address of the server itself, behind that page"


@dataclass(frozen=True)
class Reply:
    """What came back from `url`, which may be where a redirect led."""

    url: str
    status: int
    body: bytes
    headers: Mapping[str, str]
    is_redirected: bool = False

    @cached_property
    def envelope(self) -> Envelope | None:
        """What is around an answer; None where this is none of a Prometheus."""
        found = read_envelope(self.body)
        return found if found is not None and found.status in ("success", "error") else None

    @property
    def is_answer(self) -> bool:
        """Whether the API answered, be it with a refusal of the query."""
        return self.envelope is not None and self.status not in DENIED

    @property
    def leads_to(self) -> str | None:
        """Where a redirect leads, if it stays with the server."""
        location = self.headers.get("Location")
        return redirected(self.url, location) if location and self.status in REDIRECTS else None

    @property
    def is_log_in(self) -> bool:
        """Whether this is a page where people log in, or leads to one."""
        if self.status in REDIRECTS:
            return bool(LOG_IN.search(shown(self.url, self.headers.get("Location", ""))))
        return title_of(self.body) is not None and is_log_in(self.body)


def checked(reply: Reply, address: str, secrets: Sequence[str] = ()) -> Envelope:
    """The answer in a reply of the server at `address`; `secrets` are not shown should they be repeated in it.

    Raises
    ------
    SourceRefusedError, MalformedAnswerError
    """
    answer = reply.envelope
    if answer is not None and answer.status == "success" and reply.status < 300:
        return answer
    raise _error(reply, address, secrets) from None


def _error(reply: Reply, address: str, secrets: Sequence[str]) -> SourceError:
    status, answer = reply.status, reply.envelope
    if answer is None and status in REDIRECTS:
        return _redirect(reply, address)
    if answer is None and status < 300:
        return _no_answer(reply, address, secrets)
    said = f"{answer.error_type}: {answer.error}" if answer is not None and answer.status == "error" else _text(reply)
    for secret in secrets:
        said = said.replace(secret, "…")
    kind = classify(status, said)
    detail = shortened(said)
    if answer is None:
        check = ", check token or password" if status in DENIED else ""
        after = f" after a redirect to {shown(reply.url)}" if reply.is_redirected else ""
        detail = f"HTTP {status}{after}{check}" + (f"; it says: {detail[:MOST_OF_A_TEXT]}" if detail else "")
    message = f"Prometheus at {address} refused the query ({detail})" + (WAYS_OUT.get(kind) or _hint(reply, said))
    if kind is SourceBusyError:
        wait = seconds_of(reply.headers.get("Retry-After"))
        asked = f": it asks to be left alone for {wait:.0f} s" if wait and wait > LONGEST_WAIT else ""
        return SourceBusyError(message + asked, wait)
    return kind(message)


def _redirect(reply: Reply, address: str) -> SourceRefusedError:
    there = shown(reply.url, reply.headers.get("Location", ""))
    if reply.is_log_in:
        return AccessDeniedError(f"{address} redirects to a log-in page at {there} (HTTP {reply.status}): {BEHIND}")
    return SourceRefusedError(
        f"{address} redirects to {there} (HTTP {reply.status}): set OBSERVATORY_PROMETHEUS_URL to that"
    )


def _no_answer(reply: Reply, address: str, secrets: Sequence[str]) -> SourceError:
    title = title_of(reply.body)
    called = f" called {title!r}" if title else ""
    if reply.is_log_in:
        return AccessDeniedError(f"{address} answered with a log-in page{called} (HTTP {reply.status}): {BEHIND}")
    start = reply.body[:60].decode("utf-8", "replace").split("\n")[0]
    for secret in secrets:
        start = start.replace(secret, "…")
    what = f"it began {start!r}" if title is None else f"it sent a web page{called}"
    return MalformedAnswerError(
        f"{address} did not answer like a Prometheus ({what}): "
        "is OBSERVATORY_PROMETHEUS_URL right, and nothing in between?"
    )


def _text(reply: Reply) -> str:
    """The words of a refusal that is none of the API: a line of text, or what a web page is called."""
    title = title_of(reply.body)
    if title is not None:
        return title
    return " ".join(reply.body[: 4 * MOST_OF_A_TEXT].decode("utf-8", "replace").split())


def _hint(reply: Reply, said: str) -> str:
    if "no org id" in said.lower():
        return ": name the tenant with a header, such as headers = { X-Scope-OrgID = 'shop' }"
    if reply.status in (404, 405, 410):
        return ": is OBSERVATORY_PROMETHEUS_URL right, with its path?"
    is_amazon = any(name.lower().startswith("x-amzn-") for name in reply.headers)
    if reply.status == 403 and is_amazon:
        return ": Amazon wants signed requests, see aws_region and aws_profile in `observatory help prometheus`"
    return ""


def seconds_of(retry_after: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header, which has a number or a date; None where it makes no sense."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        at = date_of(retry_after)
        return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at else None
    return max(0.0, seconds) if seconds == seconds else None


def date_of(text: str | None) -> datetime | None:
    """The time of a ``Date`` header; None where it makes no sense."""
    try:
        at = parsedate_to_datetime(text) if text else None
    except (TypeError, ValueError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
