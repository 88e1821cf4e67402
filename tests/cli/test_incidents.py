"""Incidents are listed, shown and worked on from the command line, and it is written down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.commands import Call, caller

pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Run the command line in this process, over half a day of the demo shop."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSERVATORY_DEMO_DAYS", "0.5")
    monkeypatch.setenv("OBSERVATORY_DETECTOR", "seasonal")
    call = caller(monkeypatch, capsys)
    assert call("demo")[0] == 0
    return call


def test_an_incident_is_found_explained_and_worked_on(run: Call) -> None:
    code, out, _ = run("incidents", "list", "--from", "12h")
    assert code == 0
    (cascade,) = re.findall(r"^(\w{12}) .* 6  shop/inventory", out, re.MULTILINE)
    code, out, _ = run("incidents", "show", cascade)
    assert code == 0
    assert re.search(r"^Likeliest causes\n.*\nshop/inventory ", out, re.MULTILINE)
    assert re.search(r"opened +shop/inventory: errors", out)
    assert run("incidents", "reopen", cascade, "--note", "not over")[1].startswith(f"incident {cascade} is open: ")
    assert run("incidents", "acknowledge", cascade)[1].startswith(f"incident {cascade} is acknowledged: ")
    assert run("incidents", "assign", cascade, "ann")[0] == 0
    assert run("incidents", "note", cascade, "\x1b[31mthe pool\x1b[0m")[0] == 0
    assert run("incidents", "list", "--open")[1].count(cascade) == 1
    assert run("incidents", "resolve", cascade)[0] == 0
    assert run("incidents", "list", "--open")[1] == "no open incidents from 24h to now\n"
    told = run("incidents", "show", cascade)[1]
    assert "\x1b" not in told
    assert re.search(r"cli:\S+ +reopened +not over", told)
    assert re.search(rf"assign incident +{cascade} +done +to ann", run("audit")[1])


def test_what_makes_no_sense_is_refused(run: Call) -> None:
    ended = run("incidents", "list", "--state", "resolved")[1].splitlines()[1].split()[0]
    code, _, err = run("incidents", "acknowledge", ended)
    assert (code, err.endswith("reopen it first if it is not over\n")) == (1, True)
    code, _, err = run("incidents", "show", "nonsense")
    assert (code, err) == (1, "error: there is no incident 'nonsense': list them with `observatory incidents list`\n")
    assert run("incidents", "list", "--from", "now", "--to", "1h")[0] == 2
    assert run("incidents", "list", "--service", "nobody")[0] == 1
