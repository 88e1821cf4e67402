"""Destinations are listed, tried and looked at from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import Call, caller
from support.destinations import an_incident
from support.incidents import NOON
from support.servers import FaultyServer, Reply, free_port

from observatory.model import Delivery, DeliveryState
from observatory.store import open_store

SECRET = "https://hooks.example/a-secret-path"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Run the command line in this process, in a folder with a store and settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSERVATORY_STORE", "shop.duckdb")
    return caller(monkeypatch, capsys)


def configure(text: str) -> None:
    Path("observatory.toml").write_text(text)


def test_destinations_are_listed_without_their_secrets(run: Call) -> None:
    configure(
        f'[notify.team]\nkind = "slack"\nurl = "{SECRET}"\nservices = ["shop/*"]\n[notify.log]\nenabled = false\n'
    )
    code, out, _ = run("notify", "list")
    assert code == 0
    team, log = out.splitlines()[1:]
    assert team.split()[:4] == ["team", "slack", "https://hooks.example", "shop/*"]
    assert " never " in log
    assert "secret" not in out


def test_the_demo_shows_what_would_be_told(run: Call) -> None:
    assert run("notify", "list")[1].splitlines()[1].startswith("log ")


def test_where_nobody_is_told_the_way_to_it_is_said(run: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_PROMETHEUS_URL", f"http://127.0.0.1:{free_port()}")
    assert "observatory help notifications" in run("notify", "list")[1]
    assert "none is set up" in run("notify", "test", "x")[2]


def test_a_destination_is_tried(run: Call) -> None:
    with FaultyServer(Reply(200, b"ok"), Reply(403, b"no_service")) as server:
        configure(f'[notify.team]\nkind = "slack"\nurl = "{server.url}/a-secret-path"\n')
        assert run("notify", "test", "team") == (0, f"team: taken by {server.url}\n", "")
        assert b"A test: nothing is wrong" in server.requests[0].body
        code, _, err = run("notify", "test", "team")
        assert (code, err) == (1, f"error: {server.url} answered 403: no_service\n")
    assert run("notify", "test", "tem") == (1, "", "error: there is no destination 'tem': team\n")


def test_what_was_given_up_is_shown_and_sent_again(run: Call) -> None:
    configure('[notify.team]\nkind = "log"\n')
    assert run("notify", "log") == (0, "nothing was sent, and nothing waits\n", "")
    with open_store("shop.duckdb") as store:
        incident = an_incident()
        gone = Delivery(
            "team", incident.id, 1, "opened", NOON, DeliveryState.FAILED, NOON, NOON, 3, "it's \x1b[31mgone\x1b[0m"
        )
        store.notifications.settle([gone])
    out = run("notify", "log", "team", "--state", "failed")[1]
    assert "opened" in out
    assert "\x1b" not in out
    assert run("notify", "log", "other")[1] == "nothing was sent, and nothing waits\n"
    assert run("notify", "retry", "team") == (0, "team: 1 to be sent again\n", "")
    assert run("notify", "retry", "team") == (0, "team: nothing was given up\n", "")
    assert "waiting" in run("notify", "log", "team")[1]


def test_settings_that_cannot_be_are_named(run: Call) -> None:
    for text, words in (
        ('[notify.team]\nkind = "slak"\n', "[notify.team] kind: unknown kind of destination 'slak'"),
        (f'[notify.team]\nkind = "slack"\nuri = "{SECRET}"\n', "[notify.team] uri: there is no such setting"),
        ('[notify.team]\nkind = "log"\nquiet_hours = "night"\n', "write them as in 22:00-07:00"),
    ):
        configure(text)
        code, _, err = run("notify", "list")
        assert code != 0
        assert words in err
        assert "secret" not in err
