"""Services are renamed, merged, removed and restored from the command line, and it is written down."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.commands import Call, caller

from observatory.model import Service
from observatory.store import open_store

pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Run the command line in this process, over some hours of the demo shop."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSERVATORY_DEMO_DAYS", "0.05")
    monkeypatch.setenv("OBSERVATORY_DETECTOR", "seasonal")
    call = caller(monkeypatch, capsys)
    assert call("collect")[0] == 0
    return call


def listed(run: Call, *options: str) -> list[str]:
    return [line.split()[0] for line in run("services", "list", *options)[1].splitlines()[1:]]


def test_a_service_is_renamed_and_collected_by_its_new_name(run: Call) -> None:
    assert run("services", "rename", "shop/cart", "shop/basket")[:2] == (0, "renamed shop/cart to shop/basket\n")
    assert run("collect")[0] == 0
    names = listed(run)
    assert "shop/basket" in names
    assert "shop/cart" not in names
    assert len(names) == 12
    assert re.search(r"shop/cart +renamed +shop/basket", run("services", "list", "--renamed")[1])
    code, _, err = run("services", "rename", "shop/basket", "shop/email")
    assert (code, err) == (
        1,
        "error: there is a service 'shop/email' already: to join them, merge 'shop/basket' into it\n",
    )
    assert run("services", "restore", "shop/cart")[0] == 0
    run("collect")
    assert {"shop/basket", "shop/cart"} <= set(listed(run))
    assert re.search(r"rename service +shop/cart +done +to shop/basket", run("audit")[1])


def test_patterns_show_what_they_cover_and_need_a_yes(run: Call) -> None:
    code, out, err = run("services", "remove", "shop/ca*")
    assert code == 1
    assert re.findall(r"^(shop/\S+) +1 ", out, re.MULTILINE) == ["shop/cart", "shop/catalog"]
    assert err == ("these 2 services would be removed with all there is of them: nothing was done, --yes does it\n")
    assert len(listed(run)) == 12
    code, out, _ = run("services", "remove", "shop/ca*", "--yes")
    assert (code, out) == (0, "removed shop/cart, shop/catalog\nnot watched from now on: shop/ca*\n")
    assert run("collect")[0] == 0
    assert run("services", "discover")[0] == 0
    assert len(listed(run)) == 10
    assert listed(run, "--excluded") == ["shop/ca*"]
    code, _, err = run("services", "register", "shop/cart")
    assert (code, err) == (
        1,
        "error: 'shop/cart' is excluded by 'shop/ca*': restore that first (`observatory services restore`)\n",
    )
    assert run("services", "restore", "shop/ca*")[0] == 0
    assert run("services", "list", "--excluded")[1] == "nothing is excluded\n"
    run("collect")
    assert len(listed(run)) == 12


def test_a_name_is_removed_at_once_and_may_return(run: Call) -> None:
    assert run("services", "remove", "shop/cart", "--may-return")[:2] == (0, "removed shop/cart\n")
    assert "shop/cart" not in listed(run)
    run("collect")
    assert "shop/cart" in listed(run)
    assert run("services", "remove", "shop/cart")[0] == 0
    run("collect")
    assert "shop/cart" not in listed(run)
    assert run("services", "register", "shop/cart")[0] == 0
    assert run("services", "list", "--excluded")[1] == "nothing is excluded\n"
    code, _, err = run("services", "remove", "shop/crat")
    assert code == 1
    assert "unknown service 'shop/crat': did you mean shop/cart" in err
    code, _, err = run("services", "remove", "none/*", "--yes")
    assert (code, err) == (
        2,
        "error: 'none/*' covers none of the 12 services: `observatory services list` shows them\n",
    )


def test_services_are_merged_as_it_was_said(run: Call) -> None:
    code, _, err = run("services", "merge", "shop/cart", "--into", "shop/email")
    assert code == 1
    assert "overlap at 1 times" in err
    assert run("services", "merge", "shop/ca*", "--into", "shop/cart", "--overlap", "combine")[0] == 1
    code, out, _ = run("services", "merge", "shop/ca*", "--into", "shop/cart", "--overlap", "combine", "--yes")
    assert (code, out) == (0, "merged shop/catalog into shop/cart\n")
    assert len(listed(run)) == 11
    with open_store("observatory-demo.duckdb") as store:
        assert store.sample_counts().loc["shop/cart", "samples"] == 1
    assert re.search(r"merge service +shop/catalog +done +into shop/cart, overlap: combine", run("audit")[1])


def test_who_calls_whom_is_shown_as_a_table_for_graphviz_and_as_json(run: Call) -> None:
    code, out, _ = run("services", "graph")
    assert code == 0
    assert re.search(r"^shop/checkout +shop/payments +demo +demo +20\S+ \S+ +20", out, re.MULTILINE)
    assert re.search(r"^user:user +shop/frontend", out, re.MULTILINE)
    assert out.count("\n") == 1 + 22
    code, out, _ = run("services", "graph", "--of", "shop/email", "--format", "dot")
    assert (code, out.count(" -> ")) == (0, 2)
    assert '"shop/email" -> "external:smtp.mail.example"' in out
    code, out, _ = run("services", "graph", "--of", "shop/email", "--hops", "2", "--format", "json")
    found = json.loads(out)
    assert (code, found["service"]) == (0, "shop/email")
    assert {"name": "shop/payments", "type": "service"} in found["nodes"]
    assert run("services", "graph", "--of", "shop/emial")[0] == 1
    assert run("services", "graph", "--hops", "-1")[0] == 2
    assert run("services", "graph", "--format", "svg")[0] == 2


def test_no_graph_says_where_to_read_on(run: Call) -> None:
    with open_store("observatory-demo.duckdb") as store:
        store.names.remove(["shop/email"], datetime.now(UTC), [])
        store.register([Service("shop/email")])
    code, out, _ = run("services", "graph", "--of", "shop/email")
    assert (code, out) == (
        0,
        "no calls of shop/email are known: `observatory help services` says which metrics and settings tell them\n",
    )
