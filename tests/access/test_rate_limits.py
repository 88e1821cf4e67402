"""Requests are counted by who makes them, together with other servers where there is a Redis."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from support.servers import Redis

from observatory.access.addresses import block_of
from observatory.access.rate_limits import Limiter
from observatory.config import Settings
from observatory.errors import ConfigError, TooManyRequestsError


def limiter(**settings: Any) -> Limiter:
    return Limiter(Settings(**{"rate_limit": "3/hour", "sign_in_limit": "2/hour"} | settings))


def test_each_has_its_own_allowance() -> None:
    counted = limiter()
    assert [counted.hit("key", "a").remaining for _ in range(3)] == [2, 1, 0]
    with pytest.raises(TooManyRequestsError, match="more than 3 per 1 hour: try again in") as raised:
        counted.hit("key", "a")
    assert 0 < raised.value.retry_after <= 3600
    assert counted.hit("key", "b").remaining == 2
    assert counted.hit("address", "a").remaining == 2


def test_the_tightest_of_several_limits_counts() -> None:
    counted = limiter(rate_limit="100/hour;2/minute")
    counted.hit("a")
    assert counted.hit("a").limit == 2
    with pytest.raises(TooManyRequestsError, match="2 per 1 minute"):
        counted.hit("a")


def test_who_fails_too_often_must_wait() -> None:
    counted = limiter()
    for _ in range(2):
        counted.failed("10.0.0.1")
    with pytest.raises(TooManyRequestsError, match="sign-ins from your address failed"):
        counted.failed("10.0.0.1")
    counted.failed("10.0.0.2")


def test_a_password_that_is_guessed_locks_that_user_at_that_address_only() -> None:
    counted = limiter()
    for _ in range(2):
        counted.may_sign_in("10.0.0.1", "ann")
        counted.failed("10.0.0.1", "ann")
    with pytest.raises(TooManyRequestsError, match="sign-ins of this user from your address failed"):
        counted.may_sign_in("10.0.0.1", "ann")
    counted.may_sign_in("10.0.0.1", "bob")
    counted.may_sign_in("10.0.0.2", "ann")


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("", ""),
        ("none", "none"),
    ],
)
def test_addresses_of_one_network_count_as_one(address: str, block: str) -> None:
    assert block_of(address) == block


def test_another_address_of_the_same_network_is_no_way_around() -> None:
    counted = limiter()
    for number in range(2):
        counted.failed(f"2001:db8::{number}")
    with pytest.raises(TooManyRequestsError):
        counted.failed("2001:db8::ffff")
    counted.failed("2001:db8:0:1::1")


@pytest.mark.servers
def test_servers_count_together_in_redis_and_alone_without_it(caplog: pytest.LogCaptureFixture) -> None:
    with Redis() as redis:
        address = f"redis://127.0.0.1:{redis.port}"
        one, other = limiter(limits_store=address), limiter(limits_store=address)
        one.hit("a")
        other.hit("a")
        assert one.hit("a").remaining == 0
        with pytest.raises(TooManyRequestsError):
            other.hit("a")
        redis.stop()
        with caplog.at_level(logging.WARNING):
            assert [other.hit("a").remaining for _ in range(3)] == [2, 1, 0]
            with pytest.raises(TooManyRequestsError):
                other.hit("a")
        assert caplog.text.count("counted by this process alone") == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate_limit": "often"}, "rate_limit = 'often': give limits such as"),
        ({"sign_in_limit": "5"}, "sign_in_limit = '5'"),
        ({"limits_store": "carrier-pigeon://canary-limits@x"}, "limits_store = carrier-pigeon"),
    ],
)
def test_a_wrong_limit_is_named_and_no_password_shown(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        limiter(**settings)
    assert "canary" not in str(raised.value)
