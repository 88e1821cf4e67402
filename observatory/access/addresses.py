"""Whose addresses count as one: whoever has an IPv6 address has all 2^64 of its network."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

OF_ONE = 64
"""Length of the prefix that one customer of a network has at least."""


@lru_cache(maxsize=4096)
def block_of(address: str) -> str:
    """What stands for `address` where somebody is counted: an IPv4 address, or the /64 of an IPv6 one.

    >>> block_of("2001:db8::7"), block_of("::ffff:192.0.2.1"), block_of("192.0.2.1")
    ('2001:db8::/64', '192.0.2.1', '192.0.2.1')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(found) if found.is_loopback else str(ipaddress.ip_network((found, OF_ONE), strict=False))
