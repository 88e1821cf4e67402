"""Connections to one server as the settings want them: log-in, TLS, and a proxy in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import requests
import urllib3
from requests.adapters import HTTPAdapter

from observatory.sources.prometheus.address import Address
from observatory.sources.prometheus.connection import TLS, Authentication, Limits
from observatory.sources.prometheus.logins import AmazonSignature, Basic, GoogleToken, TokenFile

OF_ENVIRONMENT = "environment"
"""The proxy that ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` name."""
SHORTEST_SECRET = 4


def make_session(
    address: Address,
    limits: Limits,
    authentication: Authentication,
    tls: TLS,
    headers: Mapping[str, str],
    proxy: str | None = None,
) -> requests.Session:
    """A session that sends log-in and headers with every request.

    Raises
    ------
    ConfigError
        A library that the log-in needs is not installed, or finds no credentials.
    """
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
    session.auth = _login(address, authentication)
    if proxy == OF_ENVIRONMENT:
        session.proxies.update(requests.utils.get_environ_proxies(address.bases[0]))
    elif proxy:
        session.proxies.update({"http": proxy, "https": proxy})
    return session


def secrets_of(address: Address, authentication: Authentication, headers: Iterable[str]) -> tuple[str, ...]:
    """What no message may show, should a server repeat it."""
    found = (authentication.token, authentication.password, address.password, *headers)
    return tuple(secret for secret in found if secret and len(secret) >= SHORTEST_SECRET)


def _login(address: Address, authentication: Authentication) -> requests.auth.AuthBase | None:
    if authentication.token:
        return None
    if authentication.username:
        return Basic(authentication.username, authentication.password or "")
    if authentication.token_file:
        return TokenFile(authentication.token_file)
    if authentication.aws_region or authentication.aws_profile:
        return AmazonSignature(authentication.aws_region, authentication.aws_profile)
    if authentication.google:
        return GoogleToken()
    if address.username is not None:
        return Basic(address.username, address.password or "")
    return None
