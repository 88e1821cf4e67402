"""The doctor finds what stands in the way, says what to do, and fails only where something is broken."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.blind import blind
from support.secure import PASSWORD, USER, Certificates, SecurePrometheus
from support.servers import FaultyServer, Prometheus, Reply, Request, free_port, refusal, success, wait_until

from observatory.cli import main
from observatory.config import Settings
from observatory.model import Cycle, Failure
from observatory.runtime.doctor import Finding, Level, examine
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store import open_store

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TOKEN = "right-token"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def findings(now: datetime = NOW, **settings) -> list[Finding]:
    return list(examine(Settings(**settings), now))


def broken(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.what, one.detail, one.todo) for one in found if one.level is Level.BROKEN]


def of(found: list[Finding], what: str) -> list[Finding]:
    return [one for one in found if one.what == what]


def paced(**counts: int) -> Callable[[Request], Reply]:
    """A server without an index, with a job that had so many scrapes in the last five minutes."""
    kinds = {"pace": 1.0, "before": 1.0, "fast": 0.2}

    def choose(request: Request) -> Reply:
        if "buildinfo" in request.path:
            return Reply(body=json.dumps({"status": "success", "data": {"version": "2.42.0"}}).encode())
        if "count_over_time(up" in request.fields.get("query", ""):
            shares = [(job, kind, count * share) for job, count in counts.items() for kind, share in kinds.items()]
            return success([{"metric": {"job": job, "is": kind}, "value": [0, f"{n}"]} for job, kind, n in shares])
        return blind(success([{"metric": {"service_name": "api"}, "value": [0, "1"]}]))(request)

    return choose


healthy = paced(api=20)


def guarded(request: Request) -> Reply:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return Reply(401, b"<html>Unauthorized</html>")
    return healthy(request)


# -- real servers -----------------------------------------------------------------------------


@pytest.mark.servers
def test_real_servers_with_log_ins_of_their_own_are_fine(
    prometheus_of_three: PrometheusSource, secure: SecurePrometheus
) -> None:
    certificate, key = secure.certificates.of("client")
    sources = {
        "open": {"url": prometheus_of_three.client.url, "timeout": 10},
        "closed": {
            "url": secure.url,
            "timeout": 10,
            "username": USER,
            "password": PASSWORD,
            "ca_file": secure.certificates.authority,
            "cert_file": certificate,
            "key_file": key,
            "presets": ("process",),
        },
    }

    def look() -> list[Finding]:
        return findings(datetime.now(UTC), sources=sources, window=20)

    wait_until(lambda: not broken(look()), 60, "four scrapes of every job", lambda: str(broken(look())))
    found = look()
    assert "answers, version" in of(found, "open: connection")[0].detail
    assert of(found, "open: presets")[-1].detail == "services by preset: prometheus (1), process (3)"
    assert of(found, "closed: presets")[-1].detail == "services by preset: process (1)"
    assert of(found, "closed: clock")[0].level is Level.OK


@pytest.mark.servers
def test_a_window_too_short_for_the_scrape_interval_is_broken() -> None:
    with Prometheus({}, scrape_interval="3s") as rare:

        def window() -> list[tuple[str, str, str]]:
            found = findings(datetime.now(UTC), prometheus_url=rare.url, window=4)
            return [one for one in broken(found) if one[0] == "prometheus: window" and "hold 0" not in one[1]]

        wait_until(window, 30, "a finding about the window", rare.log)
        ((_, detail, todo),) = window()
    assert re.fullmatch(r"4 s hold [12] scrapes of job 'prometheus', a rate needs 4", detail), detail
    assert "leave OBSERVATORY_WINDOW empty" in todo


@pytest.mark.servers
def test_bad_promql_of_ones_own_is_told_in_prometheus_words(prometheus_of_three: PrometheusSource) -> None:
    preset = {"legacy": {"labels": ("job",), "queries": {"cpu_usage": "sum by ($by) (rate(cpu[$window])"}}}
    found = findings(datetime.now(UTC), prometheus_url=prometheus_of_three.client.url, preset=preset, window=20)
    ((_, detail, todo), *_) = [one for one in broken(found) if "cpu_usage" in one[1]]
    assert "preset legacy, cpu_usage: " in detail
    assert "parse error: unclosed left parenthesis" in detail
    assert todo == "correct [preset.legacy] in observatory.toml"


# -- servers that are wrong in one way --------------------------------------------------------


def test_a_healthy_server_and_no_store_yet_are_fine() -> None:
    with FaultyServer(choose=healthy) as server:
        found = findings(prometheus_url=server.url)
    assert not broken(found), broken(found)
    assert of(found, "prometheus: window")[0].detail == "60 s by the pace of scrapes"
    assert of(found, "store")[0].detail == "observatory.duckdb is made at the first start"
    assert not Path("observatory.duckdb").exists()


def test_a_closed_port_is_broken() -> None:
    ((what, detail, todo),) = broken(findings(prometheus_url=f"http://127.0.0.1:{free_port()}"))
    assert what == "prometheus: connection"
    assert "cannot be reached (connection refused)" in detail
    assert todo == "is it running, and is OBSERVATORY_PROMETHEUS_URL right?"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(body=b"<!DOCTYPE html>"), "did not answer like a Prometheus"),
        (refusal(503, "starting up"), "starting up"),
        (Reply(302, headers={"Location": "/login"}), "HTTP 302"),
        (Reply(body=success([]).body[:-9]), "did not answer like a Prometheus"),
        (Reply(body=success([]).body, cut=9), "broke off its answer"),
        (success(7), "an answer of an unknown form"),
    ],
    ids=["HTML", "503", "redirect", "truncated", "cut", "wrong types"],
)
def test_a_server_that_answers_nonsense_is_broken(reply: Reply, words: str) -> None:
    with FaultyServer(reply) as server:
        ((what, detail, _),) = broken(findings(prometheus_url=server.url))
    assert what == "prometheus: connection"
    assert words in detail


@pytest.mark.parametrize(("token", "right"), [(TOKEN, True), ("wrong-token", False), (None, False)])
def test_a_token_is_right_or_wrong(token: str | None, right: bool) -> None:
    with FaultyServer(choose=guarded) as server:
        found = findings(prometheus_url=server.url, prometheus_token=token)
    if right:
        assert not broken(found)
    else:
        assert "HTTP 401, check token or password" in broken(found)[0][1]
        assert "wrong-token" not in str(found)


def test_an_authority_of_ones_own_must_be_named(certificates: Certificates) -> None:
    with FaultyServer(choose=healthy, tls=certificates.context()) as server:
        ((_, detail, todo),) = broken(findings(prometheus_url=server.url))
        assert "certificate verify failed" in detail
        assert todo == "name its authority with OBSERVATORY_PROMETHEUS_CA_FILE"
        assert not broken(findings(prometheus_url=server.url, prometheus_ca_file=certificates.authority))
        unchecked = findings(prometheus_url=server.url, prometheus_verify=False)
    assert not broken(unchecked)
    assert of(unchecked, "prometheus: TLS")[0].level is Level.WARNING


@pytest.mark.parametrize(("skew", "words"), [(120, "ahead of this machine's"), (-3600, "behind this machine's")])
def test_a_clock_that_is_off_is_broken(skew: float, words: str) -> None:
    with FaultyServer(choose=healthy, skew=skew) as server:
        ((what, detail, todo),) = broken(findings(prometheus_url=server.url))
    assert what == "prometheus: clock"
    assert words in detail
    assert "NTP" in todo


def test_few_scrapes_in_a_window_are_broken_with_the_window_to_set() -> None:
    with FaultyServer(choose=paced(api=2, db=30)) as server:
        ((what, detail, todo),) = broken(findings(prometheus_url=server.url, window=300))
        by_itself = of(findings(prometheus_url=server.url), "prometheus: window")
        enough = of(findings(prometheus_url=server.url, window=900), "prometheus: window")
    assert (what, detail) == ("prometheus: window", "300 s hold 2 scrapes of job 'api', a rate needs 4")
    assert "at least 600" in todo
    assert [(one.level, one.detail) for one in by_itself] == [
        (Level.OK, "600 s by the pace of scrapes, 60 s for 1 job")
    ]
    assert [(one.level, one.detail) for one in enough] == [(Level.OK, "900 s hold at least 6 scrapes of every job")]


def test_a_server_without_any_known_metric_is_broken() -> None:
    with FaultyServer(choose=blind(success([]))) as server:
        found = broken(findings(prometheus_url=server.url))
        assert [what for what, _, _ in found] == ["prometheus: presets"]
        assert "`observatory help presets`" in found[0][2]
    with FaultyServer(choose=healthy) as server:
        assert "is to be watched" in broken(findings(prometheus_url=server.url, include=("shop/*",)))[0][1]


def test_a_timeout_longer_than_the_interval_and_open_secrets_are_warnings() -> None:
    with FaultyServer(choose=healthy) as server:
        found = findings(prometheus_url=server.url, interval=10)
    assert of(found, "prometheus: timeout")[0].level is Level.WARNING
    elsewhere = findings(prometheus_url="http://nowhere.invalid", prometheus_token=TOKEN)
    assert of(elsewhere, "prometheus: secrets")[0].level is Level.WARNING


def test_a_service_in_two_sources_is_a_warning() -> None:
    with FaultyServer(choose=healthy) as server:
        found = findings(sources={"eu": {"url": server.url}, "us": {"url": server.url}})
    (one,) = (finding for finding in of(found, "us: services") if "source" in finding.detail)
    assert one.detail == "1 are also in source eu, such as api: they belong to that"


def test_an_unknown_preset_is_broken_and_the_other_source_is_looked_at() -> None:
    with FaultyServer(choose=healthy) as server:
        found = findings(sources={"eu": {"url": server.url, "presets": ("otle",)}, "us": {"url": server.url}})
    assert broken(found)[0][0] == "eu: presets"
    assert "unknown preset 'otle'" in broken(found)[0][1]
    assert of(found, "us: connection")


# -- the store --------------------------------------------------------------------------------


def test_a_store_of_the_demo_is_not_one_for_a_prometheus() -> None:
    with open_store("observatory.duckdb") as store:
        store.write_note("source", "demo seed 7")
        store.write_cycle(Cycle(NOW, 1, 0, 0, 0, (Failure("collect", "no answer"),)))
    with FaultyServer(choose=healthy) as server:
        found = findings(NOW + timedelta(minutes=1), prometheus_url=server.url)
    ((what, detail, todo),) = broken(found)
    assert what == "store"
    assert detail == "holds samples of 'demo seed 7', not of 'prometheus': it can be read, not collected into"
    assert "OBSERVATORY_STORE" in todo
    assert of(found, "last cycle")[0].detail == "collect: no answer"


def test_a_store_of_files_is_fine_and_one_of_another_seed_is_not() -> None:
    for held, is_fine in (("import", True), ("demo seed 7", True), ("demo seed 8", False)):
        with open_store("x.duckdb") as store:
            store.write_note("source", held)
        assert (broken(findings(store="x.duckdb")) == []) is is_fine


def test_a_store_that_cannot_be_opened_is_broken() -> None:
    Path("letter.duckdb").write_text("Dear reader\n" * 1000)
    assert "is not a DuckDB database" in broken(findings(store="letter.duckdb"))[0][1]
    assert "there is no folder" in broken(findings(store="no/such/folder.duckdb"))[0][1]


# -- the command ------------------------------------------------------------------------------


@pytest.mark.parametrize(("fine", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_is_1_if_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fine: bool, code: int
) -> None:
    with FaultyServer(choose=healthy if fine else lambda r: Reply(401)) as server:
        monkeypatch.setenv("OBSERVATORY_PROMETHEUS_URL", server.url)
        monkeypatch.setattr("sys.argv", ["observatory", "doctor"])
        with pytest.raises(SystemExit) as stopped:
            main()
    assert int(stopped.value.code or 0) == code
    shown = capsys.readouterr().out
    assert ("BROKEN" in shown) is not fine
    assert ("→ " in shown) is not fine or "→" in shown


def test_the_demo_needs_nothing() -> None:
    assert not broken(findings())


@pytest.mark.parametrize(
    ("reply", "level", "words"),
    [
        (Reply(body=b'{"dependencies": [{"parent": "a", "child": "b", "callCount": 3}]}'), Level.OK, "knows 1 call"),
        (Reply(body=b'{"dependencies": []}'), Level.WARNING, "knows no call"),
        (Reply(403, b"no"), Level.BROKEN, "403"),
    ],
)
def test_a_jaeger_is_asked_for_calls(reply: Reply, level: Level, words: str) -> None:
    with FaultyServer(choose=lambda _: reply) as server:
        found = findings(jaeger={"traces": {"url": server.url}})
    (told,) = of(found, "traces: calls")
    assert (told.level, words in told.detail) == (level, True)


@pytest.mark.servers
@pytest.mark.parametrize(("flags", "level"), [((), Level.WARNING), (("--enable-feature=exemplar-storage",), Level.OK)])
def test_a_server_without_exemplars_is_told_where_links_lead_to_traces(
    flags: tuple[str, ...], level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Prometheus, "flags", flags)
    with Prometheus({}) as server:
        known = {"prometheus_url": server.url}
        told = of(
            findings(**known, links={"t": {"url": "https://j.example", "preset": "jaeger"}}), "prometheus: exemplars"
        )
        assert [one.level for one in told] == [level]
        assert of(findings(**known), "prometheus: exemplars") == []
