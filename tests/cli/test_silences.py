"""``observatory silences``: make, preview, list, extend and end; each is written down."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.commands import Call, caller
from support.destinations import an_incident, happens

from observatory.model import IncidentChanges, IncidentEvent, Service
from observatory.store import open_store
from observatory.times import utc_now

pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Run the command line in this process, over a store with two services."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSERVATORY_STORE", "shop.duckdb")
    with open_store("shop.duckdb") as store:
        store.register(Service(name, "eu") for name in ("shop/cart", "shop/pay"))
    return caller(monkeypatch, capsys)


def test_a_silence_is_made_listed_extended_and_ended(run: Call) -> None:
    assert "nothing is silenced" in run("silences", "list")[1]
    code, out, _ = run("silences", "add", "shop/*", "--for", "2h", "--reason", "new \x1b[31mdisks")
    assert code == 2  # what steers a terminal is no reason
    code, out, _ = run("silences", "add", "shop/*", "--for", "2h", "--reason", "new disks")
    assert code == 0
    assert "covers 2 services" in out
    (silence,) = re.findall(r"^(s\w{12}) +active", out, re.MULTILINE)
    assert re.search(rf"^{silence} +active .* shop/\* +tell nobody +new disks +cli:", run("silences", "list")[1], re.M)
    assert run("silences", "extend", silence, "--for", "4h")[1].startswith(f"{silence}: until ")
    assert run("silences", "extend", silence)[2].startswith("error: give either --until or --for")
    assert run("silences", "end", silence) == (0, f"{silence}: over, shop/*\n", "")
    assert run("silences", "end", silence)[0] == 1
    assert "nothing is silenced" in run("silences", "list")[1]
    assert re.search(rf"^{silence} +ended by cli:", run("silences", "list", "--all")[1], re.M)
    written = run("audit")[1]
    assert all(f"{verb} silence" in written for verb in ("add", "extend", "end"))


def test_one_that_comes_again_and_one_of_the_settings_are_listed(run: Call) -> None:
    again = ("--cron", "0 2 * * sun", "--duration", "90m", "--timezone", "Europe/Berlin", "--for", "30d")
    out = run("silences", "add", "shop/pay", *again, "--reason", "backup", "--effect", "do_not_learn")[1]
    assert re.search(r"pending .* do not learn +0 2 \* \* sun Europe/Berlin, 1.5 h each +backup", out)


def test_what_would_have_been_hidden_is_shown(run: Call) -> None:
    with open_store("shop.duckdb") as store:
        now = utc_now()
        (symptom,) = an_incident().symptoms
        lately = replace(an_incident(), opened_at=now, symptoms=(replace(symptom, started_at=now, ended_at=now),))
        opened = IncidentEvent("a", now, "opened", "")
        store.incidents.update(now, lambda held: IncidentChanges((lately,), (opened,)))
    out = run("silences", "preview", "shop/*")[1]
    assert "It covers 2 services. In the last 7 days it would have hidden 1 of 1 incident: 1 message." in out
    assert re.search(r"^a +.* high +all of it +shop/cart: errors 12 %", out, re.M)
    assert "hidden 0 of 1 incident" in run("silences", "preview", "shop/*", "--severity", "low")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["shop/*", "--reason", "x"], "a silence always has an end"),
        (["shop/*", "--reason", "x", "--for", "soon"], "lasts = 'soon'"),
        (["shop/*", "--reason", "x", "--for", "2h", "--until", "+2h"], "a silence always has an end"),
        (["shop/*", "--reason", "x", "--for", "2h", "--severity", "bad"], "there is no 'bad'"),
        (["shop/*", "--reason", "x", "--for", "2h", "--metric", "cpu_usge"], "did you mean cpu_usage?"),
        (["", "--reason", "x", "--for", "2h"], "is no name"),
    ],
)
def test_what_cannot_be_is_said(run: Call, options: list[str], said: str) -> None:
    code, _, err = run("silences", "add", *options)
    assert (code, said in err) == (2, True)
    assert "nothing is silenced" in run("silences", "list")[1]


def test_an_incident_says_what_keeps_it_from_people(run: Call) -> None:
    with open_store("shop.duckdb") as store:
        happens(store, an_incident(), "opened")
    run("silences", "add", "shop/*", "--for", "2h", "--reason", "new disks")
    assert re.search(r"silenced until .* by cli:.*: new disks \(s\w{12}\)", run("incidents", "show", "a")[1])
