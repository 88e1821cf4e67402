"""The doctor says what does most harm first, each thing once, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.commands import Call, caller

from observatory.runtime import doctor
from observatory.runtime.doctor import Finding, Level, by_harm

FINE = Finding(Level.OK, "clock", "agrees")
ODD = Finding(Level.WARNING, "services", "no error rate of cart", "export a status code")
WRONG = Finding(Level.BROKEN, "delay", "samples are late", "set OBSERVATORY_DELAY=120")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)
    return caller(monkeypatch, capsys)


def test_what_does_most_harm_comes_first_and_each_thing_once() -> None:
    late = Finding(Level.BROKEN, "store", "cannot be opened", "see `observatory store check`")
    assert by_harm([FINE, WRONG, ODD, WRONG, late, FINE]) == [WRONG, late, ODD, FINE]


@pytest.mark.parametrize(("found", "code"), [([FINE, ODD], 0), ([FINE, ODD, WRONG], 1)])
def test_a_service_that_would_be_wrong_fails_and_one_without_errors_does_not(
    run: Call, monkeypatch: pytest.MonkeyPatch, found: list[Finding], code: int
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda *_: iter(found))
    assert run("doctor")[0] == code
    failed, out, _ = run("doctor", "--json")
    assert failed == code
    assert [one["level"] for one in json.loads(out)] == ["broken", "warning", "ok"][1 - code :]
    assert json.loads(out)[-1] == {"level": "ok", "what": "clock", "detail": "agrees", "todo": ""}


def test_json_is_all_that_is_said(run: Call) -> None:
    _, out, _ = run("doctor", "--json")
    assert {one["what"] for one in json.loads(out)} >= {"source", "store"}
