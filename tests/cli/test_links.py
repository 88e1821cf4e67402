"""``observatory services links``: where other programs show more, and traces of slow requests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.commands import Call, caller
from support.servers import free_port

from observatory.model import Service
from observatory.store import open_store

pytestmark = pytest.mark.slow
LINKS = """
[links.logs]
url = "https://logs.example/{name}?from={start_s}"
[links.traces]
preset = "jaeger"
url = "https://jaeger.example"
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Run the command line in this process, over a store with a service of a Prometheus."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSERVATORY_STORE", "shop.duckdb")
    with open_store("shop.duckdb") as store:
        store.register([Service("shop/cart", "prometheus")])
        store.write_note("source", "prometheus")
    Path("observatory.toml").write_text(LINKS)
    return caller(monkeypatch, capsys)


def test_links_are_shown_also_of_a_store_that_others_fill(run: Call) -> None:
    code, out, _ = run("services", "links", "shop/cart", "--from", "2h")
    assert code == 0
    assert re.search(r"^Logs: https://logs\.example/cart\?from=\d{10}$", out, re.MULTILINE)
    assert out.count("\n") == 2
    assert "did you mean shop/cart?" in run("services", "links", "shop/crat")[2]


def test_where_there_are_none_the_way_to_them_is_said(run: Call) -> None:
    Path("observatory.toml").write_text("")
    assert run("services", "links", "shop/cart")[1] == "no links and no traces: see `observatory help links`\n"


def test_a_source_that_does_not_answer_is_said(run: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_PROMETHEUS_URL", f"http://127.0.0.1:{free_port()}")
    code, out, err = run("services", "links", "shop/cart")
    assert (code, "Logs: " in out) == (1, True)
    assert "cannot be reached" in err or "refused" in err
    assert run("services", "links", "shop/cart", "--no-traces")[0] == 0
