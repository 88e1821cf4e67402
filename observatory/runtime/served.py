"""What a running server answers to whoever knows nothing: its headers, and whether it asks who comes."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from observatory.config import Settings
from observatory.runtime.doctor import Finding, Level

TIMEOUT = 10.0
PAGE, DATA = "/observatory", "/api/services"
EXPECTED = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "",
}
"""Headers of every answer, and what must be in each."""
FOREIGN = "elsewhere.invalid"


class Answer(NamedTuple):
    """Status and headers, whatever the body."""

    status: int
    headers: Mapping[str, str]


def look_at_server(settings: Settings, *, is_open: bool) -> Iterator[Finding]:
    """Ask the server of the settings as a stranger would; nothing is changed by it."""
    where = f"{'https' if settings.tls_cert else 'http'}://{settings.host}:{settings.port}"
    try:
        answers = {path: _ask(settings, path) for path in (PAGE, DATA)}
        foreign = {path: _ask(settings, path, FOREIGN) for path in (PAGE, DATA)}
    except (OSError, http.client.HTTPException) as error:
        yield Finding(
            Level.WARNING, "served", f"nobody answers at {where} ({error}): headers were not looked at",
            "start the server, then repeat this",
        )  # fmt: skip
        return
    bare = [
        f"{name} at {path}"
        for path, answer in answers.items()
        for name, part in EXPECTED.items()
        if part not in answer.headers.get(name, "missing" if part else "")
        or (settings.tls_cert and "Strict-Transport-Security" not in answer.headers)
    ]
    if bare:
        yield Finding(
            Level.BROKEN,
            "served",
            f"{where} lacks headers: {', '.join(bare[:4])}",
            "serve with `observatory serve`, and let the proxy pass headers on",
        )
    else:
        yield Finding(Level.OK, "served", f"{where} sends the security headers")
    let_in = [path for path, answer in answers.items() if answer.status == http.HTTPStatus.OK]
    if let_in and not is_open:
        yield Finding(
            Level.BROKEN,
            "served",
            f"{where} shows {', '.join(let_in)} to whoever does not sign in",
            "start it again: it may run with settings of before",
        )
    elif not is_open:
        yield Finding(Level.OK, "served", f"{where} asks who comes")
    fooled = [path for path, answer in foreign.items() if answer.status == http.HTTPStatus.OK]
    if fooled:
        yield Finding(
            Level.BROKEN,
            "served",
            f"{where} answers under any name ({', '.join(fooled)}): a page elsewhere may read it (DNS rebinding)",
            f"make a key: {'`observatory keys create NAME --role admin`'}, so that nobody is let in by place alone",
        )
    else:
        yield Finding(Level.OK, "served", f"{where} answers under its own names only")


def _ask(settings: Settings, path: str, host: str = "") -> Answer:
    """What a stranger gets. Its certificate is not checked: this is our own server, and its headers are asked for."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - it is compared
    connection: http.client.HTTPConnection
    if settings.tls_cert:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(target, settings.port, timeout=TIMEOUT, context=context)
    else:
        connection = http.client.HTTPConnection(target, settings.port, timeout=TIMEOUT)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()))
    finally:
        connection.close()
