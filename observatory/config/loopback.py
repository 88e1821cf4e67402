"""Names and addresses by which only this machine is reached."""

from __future__ import annotations

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address, also as a URL has it (``[::1]``), is one of these.

    >>> is_loopback("[::1]"), is_loopback("localhost.example.com")
    (True, False)
    """
    return host.lower().removeprefix("[").removesuffix("]") in LOOPBACK
