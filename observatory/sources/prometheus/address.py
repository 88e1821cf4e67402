"""The address of a server as people give it: often copied from a browser, with a page, a query or a log-in in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit, urlunsplit

PAGES = re.compile(
    r"/(?:(?:classic/|new/)?(?:graph|targets|alerts|rules|status|config|flags|service-discovery|tsdb-status|stores)"
    r"|query|agent|api|api/v1|api/v1/(?:query|query_range|query_exemplars|series|labels|metadata|targets|rules|alerts"
    r"|write|read|label/[^/]+/values|status/[a-z_]+)|consoles(?:/.*)?|vmui(?:/.*)?|federate|metrics|-/(?:ready|healthy))$"
)
"""Pages and calls of a server that an address may end in; the API is beside them, not below."""
PREFIXES = ("/prometheus", "/select/0/prometheus", "/api/prom")
"""Where Mimir and Cortex, a cluster of VictoriaMetrics, and an old Cortex have their API."""
OF_PAGES = re.compile(r"g\d+\..*|search|pool|page|query|start|end|time|step|match\[\]")
"""Parameters of pages and calls, such as Prometheus's ``g0.expr``; others belong to the server."""
LOG_IN = re.compile(
    r"log[-_ ]?[io]n|sign[-_ ]?in|oauth|openid|saml|\bsso\b|\bauth\b|authori[sz]e|authenticat|password|/dex/|keycloak",
    re.IGNORECASE,
)
"""Words of pages and addresses where people log in."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is asked.

    Parameters
    ----------
    bases
        What may come before ``/api/v1``, the likeliest first, without user, password, query or fragment.
    parameters
        Sent with every request.
    username, password
        From the address; None where it has none.
    """

    bases: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...] = ()
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Self:
        """The address that a URL means; one that cannot be read is left as it is."""
        try:
            parts = urlsplit(url.strip())
        except ValueError:
            return cls((url,))
        host = parts.netloc.rpartition("@")[2]
        parameters = parse_qsl(parts.query, keep_blank_values=True)
        return cls(
            tuple(urlunsplit((parts.scheme, host, path, "", "")) for path in _paths(parts.path)),
            tuple(pair for pair in parameters if not OF_PAGES.fullmatch(pair[0])),
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
        )


def _paths(path: str) -> list[str]:
    given = re.sub(r"/{2,}", "/", path).rstrip("/")
    above = given
    while (shorter := PAGES.sub("", above)) != above:
        above = shorter
    more = [above + prefix for prefix in PREFIXES if not above.endswith(("/prometheus", "/api/prom"))]
    if above.endswith(("/select/0", "/select/0:0")):
        more = [f"{above}/prometheus"]
    return list(dict.fromkeys([above, given, *more]))


def redirected(url: str, location: str) -> str | None:
    """Where a redirect of `url` leads, if it stays with the server: the same host, as well encrypted as before.

    None where it leads away, so that neither query nor log-in goes there.
    """
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, location))
        same = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
        safer = (here.scheme, there.scheme) == ("http", "https") and here.hostname == there.hostname
    except ValueError:
        return None
    return urlunsplit((there.scheme, there.netloc.rpartition("@")[2], there.path, "", "")) if same or safer else None


def shown(url: str, location: str = "") -> str:
    """An address for messages: where `location`, if any, leads from `url`, without anything secret."""
    try:
        parts = urlsplit(urljoin(url, location))
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))[:200]
    except ValueError:
        return "an address that cannot be read"


def title_of(body: bytes) -> str | None:
    """What a web page is called, empty if it has no title; None if this is no web page."""
    text = body[:20_000].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not re.match(r"<(?:!doctype html|html|head|body|title|!--|\?xml)", text, re.IGNORECASE):
        return None
    found = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return " ".join(found[1].split())[:80] if found else ""


def is_log_in(body: bytes) -> bool:
    """Whether people log in at this page."""
    return bool(LOG_IN.search(body[:20_000].decode("utf-8", "replace")))
