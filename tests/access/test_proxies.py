"""What a request says of its way here counts where a proxy of ours says it."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from observatory.access.proxies import networks, unwrap
from observatory.errors import ConfigError

TRUSTED = networks(["10.0.0.0/8", "::1"])


def request(peer: str, **headers: str) -> HTTPServerRequest:
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    made = HTTPServerRequest(headers=HTTPHeaders({"Host": "inside:5006"}), start_line=line, connection=Mock())
    made.remote_ip, made.protocol = peer, "http"
    for name, value in headers.items():
        made.headers[name.replace("_", "-")] = value
    return made


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("203.0.113.1", "127.0.0.1", "203.0.113.1"),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy_of_ours(peer: str, chain: str, client: str) -> None:
    made = request(peer, X_Forwarded_For=chain)
    unwrap(made, TRUSTED)
    assert made.remote_ip == client


def test_host_and_protocol_come_from_the_proxy_alone() -> None:
    said = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "obs.example"}
    trusted, stranger = request("10.0.0.1", **said), request("203.0.113.1", **said)
    for made in (trusted, stranger):
        unwrap(made, TRUSTED)
    assert (trusted.protocol, trusted.host, trusted.headers["Host"]) == ("https", "obs.example", "obs.example")
    assert (stranger.protocol, stranger.host, stranger.headers["Host"]) == ("http", "inside:5006", "inside:5006")
    assert "X-Forwarded-Host" not in stranger.headers


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"trusted_proxies: 'proxy\.example'"):
        networks(["proxy.example"])
