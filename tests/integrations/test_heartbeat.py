"""After each cycle an address is asked for, so that somebody else notices when cycles stop."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from support.servers import HANGS_AFTER, FaultyServer, Reply, wait_until

from observatory.config import Settings
from observatory.errors import ConfigError
from observatory.integrations.heartbeat import Heartbeat
from observatory.runtime import Runtime


def test_a_failure_is_said_once_without_the_address_and_the_next_beat_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with FaultyServer(Reply(500), Reply(500), Reply(200)) as server:
        heart = Heartbeat(SecretStr(f"{server.url}/a-secret-path"))
        for count in (1, 2, 3):
            heart.beat()
            wait_until(lambda expected=count: len(server.requests) == expected, HANGS_AFTER, "a beat")
            heart.close()
        assert [request.method for request in server.requests] == ["GET"] * 3
        assert server.requests[0].path == "/a-secret-path"
    assert heart.error == ""
    (said,) = [record.getMessage() for record in caplog.records if "heartbeat" in record.getMessage()]
    assert "answered 500" in said
    assert "secret" not in said


def test_one_that_hangs_holds_up_nobody_and_is_not_doubled() -> None:
    with FaultyServer(Reply(silent=True)) as server:
        heart = Heartbeat(SecretStr(server.url))
        heart.beat()
        wait_until(lambda: server.requests, HANGS_AFTER, "the beat")
        heart.beat()
        assert len(server.requests) == 1


@pytest.mark.slow
def test_each_cycle_of_the_worker_is_a_beat() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with FaultyServer(Reply(200)) as server:
        settings = Settings(store=":memory:", worker=False, detector="seasonal", heartbeat_url=SecretStr(server.url))
        runtime = Runtime(settings, clock=lambda: now)
        runtime._cycle_as_leader(now, 0)
        wait_until(lambda: server.requests, HANGS_AFTER, "the beat")
        runtime.close()


def test_what_is_no_address_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigError, match="heartbeat_url is no address") as error:
        Heartbeat(SecretStr("hc-ping.com/s3cret"))
    assert "s3cret" not in str(error.value)
