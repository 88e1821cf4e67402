"""Why apprise could not deliver a message: it answers only yes or no, and says the rest in its log.

Its log is listened to for the time of one call, and goes nowhere else then: it holds addresses, which are secrets.
"""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import parse_qsl, unquote

from observatory.errors import DeliveryError
from observatory.integrations.http import FOR_GOOD, MOST_SAID, SHORTEST_SECRET, Answer, refusal
from observatory.plain import plain

SMTP_FOR_GOOD = frozenset({552, 555})
"""Replies of a mail server after which the same mail would be refused again: it is too large, or not understood."""
RETRY_AFTER = re.compile(r'"retry_after"\s*:\s*(\d+)')
STATUS = re.compile(r"\berror=(\d{3})(?:\d\d)?\b")
"""Of HTTP; ntfy appends two digits of its own."""
SMTP_REPLY = re.compile(r"\((\d{3}), b(['\"])(.*?)\2")
PARTLY_REFUSED = re.compile(r"SMTP recipient (\S+) was refused: (\d{3}) b?['\"]?(.*?)['\"]?$")
TRANSPORT = (
    (re.compile(r"certificate verify failed: ([^(]+?)(?: \(|$)"), "has a certificate that is not trusted: {0}"),
    (re.compile(r"\[SSL[^\]]*\] ([^(]+?)(?: \(|$)|(WRONG_VERSION_NUMBER)"), "does not speak TLS as expected: {0}"),
    (re.compile(r"(?:[Rr]ead |connect(?:ion)? )?time(?:d out|out)", re.I), "did not answer within {timeout:g} s"),
    (re.compile(r"IncompleteRead|Connection broken"), "broke off its answer"),
    (re.compile(r"(Connection refused|Network is unreachable|No route to host)"), "cannot be reached: {0}"),
    (
        re.compile(r"(Name or service not known|[Nn]ame resolution|nodename nor servname|No address associated)"),
        "cannot be reached: its name is not known",
    ),
    (
        re.compile(r"Remote end closed|RemoteDisconnected|Connection reset|Connection unexpectedly closed"),
        "closed the connection without an answer",
    ),
    (re.compile(r"STARTTLS extension not supported"), "offers no STARTTLS: mode=ssl or mode=insecure in its address"),
    (re.compile(r"SMTP AUTH extension not supported|No suitable authentication"), "takes no log-in of this kind"),
    (re.compile(r"[Pp]roxy"), "cannot be reached through the proxy"),
)
"""What exceptions say, and what people are told of it: the texts themselves hold addresses."""

_heard: ContextVar[list[logging.LogRecord] | None] = ContextVar("heard", default=None)


class _Listener(logging.Filter):
    """Takes what apprise logs in a call of ours; what it logs for others goes on as if it were not here."""

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        records = _heard.get()
        if records is None:
            return record.levelno >= logging.getLogger().getEffectiveLevel()
        records.append(record)
        return False


_listener = _Listener()


@contextmanager
def listening() -> Iterator[list[logging.LogRecord]]:
    """What apprise logs in this thread, down to what it says only in search of an error."""
    logger = logging.getLogger("apprise")
    logger.addFilter(_listener)  # a second time changes nothing
    logger.setLevel(logging.DEBUG)
    records: list[logging.LogRecord] = []
    token = _heard.set(records)
    try:
        yield records
    finally:
        _heard.reset(token)


def failure(
    records: Sequence[logging.LogRecord], where: str, timeout: float, secrets: Collection[str] = ()
) -> DeliveryError:
    """What is raised for a call that failed.

    Parameters
    ----------
    records
        What apprise logged.
    where
        Whom it was for, without secrets.
    timeout
        How long an answer was waited for [s].
    secrets
        What no message may hold.
    """
    texts = [record.getMessage() for record in records]
    for text in reversed(texts):
        partly = PARTLY_REFUSED.search(text)
        if partly:  # others had it already, and would have it again with each attempt
            words = f"refused {partly[1]} with {partly[2]}: {_cleaned(partly[3], secrets)}; the others were told"
            return DeliveryError(f"{where} {words}", is_final=True)
    status = next((int(found[1]) for text in reversed(texts) if (found := STATUS.search(text))), None)
    if status is not None:
        said = _said(texts)
        asked = RETRY_AFTER.search(said)
        answer = Answer(status, _cleaned(said, secrets), {"Retry-After": asked[1]} if asked else {})
        return refusal(where, answer, status in FOR_GOOD)
    wrong = [text for text in texts if "Exception: " in text]
    for text in reversed(wrong):
        reply = SMTP_REPLY.search(text)
        if reply:
            words = f"answered {reply[1]}: {_cleaned(reply[3], secrets)}"
            return DeliveryError(f"{where} {words}", is_final=int(reply[1]) in SMTP_FOR_GOOD)
        for pattern, words in TRANSPORT:
            found = pattern.search(text)
            if found:
                named = [one.strip() for one in found.groups() if one]
                return DeliveryError(f"{where} {words.format(*(named or ['']), timeout=timeout)}")
    warned = [record.getMessage() for record in records if record.levelno >= logging.WARNING]
    words = _cleaned(warned[-1], secrets) if warned else "apprise does not say why"
    return DeliveryError(f"{where} was not told: {words}")


def secrets_of(address: str, shown: Iterable[str] = ()) -> list[str]:
    """All parts of an apprise address that may be secret, the longest first; but for what is `shown` to people."""
    known = set(shown)
    rest, _, query = address.partition("://")[2].partition("?")
    values = [value for _, value in parse_qsl(query)]
    parts = [part for text in (rest, *values) for part in (text, *re.split(r"[/@:,;\s]+", text))]
    found = {one for part in parts for one in (part, unquote(part)) if len(one) >= SHORTEST_SECRET}
    return sorted(found - known, key=len, reverse=True)


def _said(texts: Iterable[str]) -> str:
    """What was answered, which apprise logs as the text of a bytes object."""
    details = [text for text in texts if text.startswith("Response Details:")]
    if not details:
        return ""
    body = details[-1].partition(":")[2].strip()
    try:
        value = ast.literal_eval(body)
    except (SyntaxError, ValueError):
        return body
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _cleaned(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "…")
    return plain(" ".join(text.split()), keep="")[:MOST_SAID]
