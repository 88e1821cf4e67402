"""Requests through a reverse proxy: what it says of the client counts where it is trusted, and nowhere else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from observatory.errors import ConfigError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "X-Scheme", "Forwarded")


def networks(given: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks; raises ConfigError."""
    try:
        return tuple(ipaddress.ip_network(text) for text in given)
    except ValueError as error:
        raise ConfigError(f"setting trusted_proxies: {error}: give addresses or networks such as 10.0.0.0/8") from None


def is_trusted(address: str, trusted: Iterable[Network]) -> bool:
    """Whether an address is one of a proxy of ours."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in trusted)


def unwrap(request: Any, trusted: tuple[Network, ...]) -> None:
    """Have a Tornado request tell of the client, if a trusted proxy sent it; forget what others claim.

    Of ``X-Forwarded-For`` the last address counts that is no proxy of ours: those before it a client may have made up.
    """
    said = {name: request.headers.pop(name, None) for name in FORWARDED}
    if not is_trusted(request.remote_ip, trusted):
        return
    hops = [hop.strip() for hop in (said["X-Forwarded-For"] or "").split(",") if hop.strip()]
    client = next((hop for hop in reversed(hops) if not is_trusted(hop, trusted)), None)
    if client is not None and _is_address(client):
        request.remote_ip = client
    if said["X-Forwarded-Proto"] in ("http", "https"):
        request.protocol = said["X-Forwarded-Proto"]
    if said["X-Forwarded-Host"]:
        request.headers["Host"] = request.host = said["X-Forwarded-Host"].partition(",")[0].strip()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
