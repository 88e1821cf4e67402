"""Changes: somebody reports a deployment, a restart, another setting; the same one reported or found twice is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from observatory.errors import InvalidInputError
from observatory.model import Change, ChangeKind, change_id
from observatory.store.reader import OperatorStore
from observatory.times import rfc3339

CLOCK_SKEW = timedelta(minutes=5)
"""A change may be so far ahead of our clock: that of a build server is never quite ours."""
SAME_WITHIN = timedelta(minutes=30)
"""Reports of one version within this time are of one change: a roll-out begins, goes on, and is reported at its end."""
RETRIED_WITHIN = timedelta(minutes=5)
"""Of a change without a version, equal reports within this time are one."""
LONGEST_VERSION, LONGEST_SUMMARY, LONGEST_URL = 200, 1000, 2000
"""Characters."""


def add_change(
    store: OperatorStore,
    service: str,
    kind: ChangeKind,
    at: datetime,
    now: datetime,
    *,
    version: str = "",
    summary: str = "",
    url: str = "",
    source: str = "",
) -> Change:
    """Keep a change that somebody reports; of one that is known already this says more.

    Parameters
    ----------
    store
        Where the service is, and the change goes.
    service
        A registered service.
    kind
        What was done.
    at
        When it began.
    now
        When it is reported.
    version
        What runs after it, such as the tag of an image; at most 200 characters.
    summary
        A line for people, such as the title of a commit; at most 1,000 characters, line breaks become blanks.
    url
        Where to read more, ``http`` or ``https``; at most 2,000 characters.
    source
        Who reports it.

    Raises
    ------
    UnknownServiceError
        There is no such service.
    InvalidInputError
        It lies in the future, or a text is too long or cannot be what it should be.
    """
    if at > now + CLOCK_SKEW:
        raise InvalidInputError(
            f"at = {rfc3339(at)}: lies in the future, it is {rfc3339(now)} here; report a change when it is made"
        )
    version, summary, url = _line("version", version), _line("summary", summary), _address(url)
    for field, text, longest in (("version", version, LONGEST_VERSION), ("summary", summary, LONGEST_SUMMARY)):
        if len(text) > longest:
            raise InvalidInputError(f"{field}: has {len(text)} characters, give at most {longest}")
    name = store.service(service).name
    reported = Change(change_id(name, at, kind, version, summary), name, at, kind, version, summary, url, source)
    near = store.changes.read(at - SAME_WITHIN, at + SAME_WITHIN, [name])
    known = same_change(reported, near)
    if known is not None:
        reported = replace(
            known,
            at=min(known.at, at),
            version=version or known.version,
            summary=summary or known.summary,
            url=url or known.url,
            source=source or known.source,
        )
    store.changes.write([reported])
    return reported


def same_change(reported: Change, near: Iterable[Change]) -> Change | None:
    """Which of the changes of a service around it a report is about; None where it is another one.

    It is the nearest before or after it of its kind, and of its version: a version that was replaced and came back is
    two deployments.
    """
    alike = sorted((one for one in near if one.kind is reported.kind), key=lambda one: one.at)
    before = [one for one in alike if one.at <= reported.at][-1:]
    after = [one for one in alike if one.at > reported.at][:1]
    neighbours = sorted([*before, *after], key=lambda one: abs(one.at - reported.at))
    return next((one for one in neighbours if _is_same(one, reported)), None)


def _is_same(one: Change, other: Change) -> bool:
    apart = abs(one.at - other.at)
    if one.version and other.version:
        return apart <= SAME_WITHIN and is_same_version(one.version, other.version)
    if one.version or other.version:
        return apart <= SAME_WITHIN and one.source != other.source
    return apart <= RETRIED_WITHIN and (one.summary, one.url) == (other.summary, other.url)


def is_same_version(one: str, other: str) -> bool:
    """Whether two spellings may be of one version, as 1.4.2 and v1.4.2, or a commit and the start of it.

    >>> is_same_version("v1.4.2", "1.4.2"), is_same_version("1.4.2", "1.4.20")
    (True, False)
    >>> is_same_version("sha-9fceb02", "9fceb02d0ae598e95dc970b74767f19372d61af8")
    True
    """
    a, b = sorted((_bare(one), _bare(other)), key=len)
    return a == b or (len(a) >= _SHORTEST_COMMIT and a.isalnum() and _is_hexadecimal(a) and b.startswith(a))


_SHORTEST_COMMIT = 7


def _bare(version: str) -> str:
    return version.lower().removeprefix("sha-").removeprefix("v")


def _is_hexadecimal(text: str) -> bool:
    return set(text) <= set("0123456789abcdef")


def is_printable(line: str) -> bool:
    """Whether people see every character of a line, or it joins those of an emoji."""
    return all(letter.isprintable() or letter in "\u200d\ufe0f" for letter in line)


def _line(field: str, text: str) -> str:
    """`text` in one line; raises InvalidInputError where it has characters that nobody sees."""
    line = " ".join(text.split())
    if not is_printable(line):
        raise InvalidInputError(f"{field}: has characters that cannot be printed, leave them out")
    return line


def _address(url: str) -> str:
    if not url:
        return ""
    if len(url) > LONGEST_URL:
        raise InvalidInputError(f"url: has {len(url)} characters, give at most {LONGEST_URL}")
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_usable = False
    if not is_usable or not url.isprintable() or any(letter.isspace() for letter in url):
        raise InvalidInputError(f"url = {url[:80]!r}: give an address that begins with https:// or http://")
    if parts.username or parts.password:
        raise InvalidInputError("url: holds a user or a password, leave them out: everybody who looks would see them")
    return url
