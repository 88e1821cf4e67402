"""Lines say which request they belong to, and never a secret."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from observatory.config import Settings
from observatory.logs import REQUEST, Json, Redacting, secrets_of, set_up

KEY = "obs_0123456789ab_" + "A1b2_-" * 7 + "x"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLWxvbmc"


def line(formatter: logging.Formatter, message: str, *arguments: Any, **more: Any) -> str:
    record = logging.LogRecord("observatory.x", logging.INFO, "x.py", 1, message, arguments, None)
    for name, value in more.items():
        setattr(record, name, value)
    return formatter.format(record)


@pytest.mark.parametrize("kind", [Redacting, Json])
@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        TOKEN,
        "Bearer some-opaque-token",
        "redis://user:pa55word@host:6379/0",
        "?bokeh-token=eyJ0.x",
        "?state=1&code=abc",
        "a known secret of the settings",
    ],
)
def test_secrets_are_hidden_whatever_logs_them(kind: type[Redacting], secret: str) -> None:
    formatter = kind(secrets=["a known secret of the settings"])
    hidden = secret.removeprefix("Bearer ").removeprefix("redis://").partition("@")[0].rpartition("=")[2]
    assert hidden not in line(formatter, "failed with %s", secret)
    try:
        raise ValueError(f"cannot use {secret}")
    except ValueError:
        assert hidden not in line(formatter, "failed", exc_info=sys.exc_info())


@pytest.mark.parametrize("kind", [Redacting, Json])
def test_a_message_is_cut_where_nobody_reads_it_any_more(kind: type[Redacting]) -> None:
    said = line(kind(), "cannot read %s", "x" * 100_000)
    assert len(said) < 4200
    assert "(100012 characters in all)" in said


def test_json_lines_carry_the_request_and_its_facts() -> None:
    token = REQUEST.set("abc")
    said = json.loads(line(Json(), 'GET "x"\n', status=200, seconds=0.01, who="key:ann"))
    REQUEST.reset(token)
    assert (said["request"], said["status"], said["who"], said["level"]) == ("abc", 200, "key:ann", "INFO")
    assert said["message"] == 'GET "x"\n'


def test_every_secret_of_the_settings_is_known() -> None:
    settings = Settings(
        prometheus_token="canary-one",
        sources={"eu": {"url": "http://eu", "password": "canary-two", "username": "u"}},
        store_s3={"secret": "canary-three"},
        jwt_secret="canary-four" * 4,
        jwt_audience="a",
        jwt_issuer="i",
    )
    assert {"canary-one", "canary-two", "canary-three", "canary-four" * 4} <= set(secrets_of(settings))


def test_paths_of_requests_are_not_logged_for_they_may_be_secrets() -> None:
    logger = logging.getLogger("urllib3")
    before = logger.level
    try:
        for level, shown in (("DEBUG", logging.INFO), ("ERROR", logging.ERROR)):
            set_up(Settings(store=":memory:", log_level=level))
            assert logging.getLogger("urllib3.connectionpool").getEffectiveLevel() == shown
    finally:
        logger.setLevel(before)
