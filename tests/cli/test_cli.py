"""The command line does what it says, and fails in one line with the right exit code."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from support.commands import Call, caller
from support.faults import write_cases
from support.labelled import table, write

from observatory import __version__
from observatory.api.app import create_app
from observatory.cli import app
from observatory.config import load_settings
from observatory.model import Service
from observatory.runtime import Runtime
from observatory.sources.demo.shop import SHOP
from observatory.store import open_store

pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Run the command line in this process, in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    return caller(monkeypatch, capsys)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_DEMO_DAYS", "0.2")
    monkeypatch.setenv("OBSERVATORY_DETECTOR", "seasonal")


def commands() -> list[list[str]]:
    """Every verb, and every verb of a group."""
    root = typer.main.get_command(app)
    found: list[list[str]] = []
    for name, command in root.commands.items():
        found += [[name, sub] for sub in command.commands] if hasattr(command, "commands") else [[name]]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_verb_explains_itself_with_an_example(run: Call, command: list[str]) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert f"Example: observatory {' '.join(command)}" in re.sub(r"\s+", " ", out)


def test_without_arguments_the_verbs_are_listed(run: Call) -> None:
    _, out, err = run()
    assert "serve" in out + err


def test_the_version_is_told(run: Call) -> None:
    assert run("--version")[:2] == (0, f"{__version__}\n")


def test_the_demo_is_filled_shown_and_extended(run: Call, small: None) -> None:
    code, out, _ = run("demo")
    assert (code, out) == (0, "12 services in observatory-demo.duckdb, serve them: observatory serve\n")
    code, out, _ = run("health")
    assert code == 0
    assert re.search(r"shop/checkout +\d+ +healthy", out)
    code, out, _ = run("services", "list")
    assert "shop/payments" in out
    code, out, _ = run("collect", "--service", "shop/cart")
    assert re.match(r"1 samples of 1 services with 9 queries", out)
    code, out, _ = run("backfill", "--from", "30m", "--service", "shop/cart")
    assert code == 0
    assert "shop/cart" in out
    code, out, _ = run("detect", "--from", "1h")
    assert code == 0
    assert out.endswith("anomalies\n")
    code, out, _ = run("services", "discover")
    assert out.endswith("12 in all\n")
    assert out.startswith("0 new services")


def test_a_service_can_be_registered_with_its_facts(run: Call, small: None) -> None:
    assert run("services", "register", "mine", "--team", "us", "--objective", "0.99")[:2] == (0, "registered mine\n")
    assert re.search(r"mine +demo +us", run("services", "list")[1])


@pytest.fixture
def foreign(run: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that the server of a Prometheus fills, of which this shell knows the address alone."""
    with open_store("theirs.duckdb") as store:
        store.write_note("source", "prometheus")
        store.register([Service("shop/cart", "prometheus", team="us")])
    monkeypatch.setenv("OBSERVATORY_STORE", "theirs.duckdb")


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("health", "shop/cart"),
        ("services list", "shop/cart"),
        ("feedback list", "no feedback yet"),
        ("changes list", "no changes in this time"),
        ("audit", "nothing was written or refused"),
        ("keys list", "no keys yet"),
        ("store info", "theirs.duckdb"),
        ("schedule history", "no runs yet"),
        ("detect --from 1h", "0 anomalies"),
        ("services register shop/new --team us", "registered shop/new"),
    ],
)
def test_a_store_is_looked_at_without_the_source_that_fills_it(
    run: Call, small: None, foreign: None, verb: str, told: str
) -> None:
    code, out, err = run(*verb.split())
    assert (code, "error" in err) == (0, False)
    assert told in out


@pytest.mark.parametrize("verb", ["collect", "backfill", "services discover", "demo", "serve"])
def test_to_collect_into_the_store_of_another_source_is_refused(
    run: Call, small: None, foreign: None, verb: str
) -> None:
    code, _, err = run(*verb.split())
    assert code == 2
    assert "store theirs.duckdb holds samples of 'prometheus', not of 'demo seed 7': to collect" in err


def test_a_shell_without_settings_reads_what_the_server_of_this_folder_fills(run: Call, small: None) -> None:
    with open_store("observatory.duckdb") as store:
        store.register([Service("shop/cart", "prometheus")])
    assert "shop/cart" in run("health")[1]
    assert not Path("observatory-demo.duckdb").exists()
    assert run("demo")[0] == 0
    assert "shop/payments" in run("health")[1]


def test_a_service_can_be_registered_where_there_is_no_source(
    run: Call, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store("files.duckdb") as store:
        store.write_note("source", "import")
    monkeypatch.setenv("OBSERVATORY_STORE", "files.duckdb")
    for _ in range(2):
        assert run("services", "register", "mine") == (0, "registered mine\n", "")
    assert re.search(r"mine +import", run("services", "list")[1])


def test_an_empty_store_says_what_to_do(run: Call) -> None:
    assert run("health")[1].startswith("no services yet: run `observatory collect`")
    assert run("services", "list")[1].startswith("no services yet: run `observatory services discover`")


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "message"),
    [
        (["collect"], {"PROMETHEUS_URL": "nonsense"}, 2, "setting prometheus_url = 'nonsense'"),
        (["collect"], {"PROMETHEUS_URL": "http://127.0.0.1:9"}, 1, "http://127.0.0.1:9 cannot be reached"),
        (["collect"], {"STORE": "no/such/folder.duckdb"}, 1, "there is no folder"),
        (["collect", "--service", "shop/none"], {}, 1, "unknown service 'shop/none'"),
        (["collect"], {"INTERVALL": "5"}, 2, "did you mean OBSERVATORY_INTERVAL"),
        (["serve", "--port", "99999"], {}, 2, "setting port = 99999"),
        (["serve", "--host", "0.0.0.0"], {}, 2, "nobody could sign in"),
        (["backfill", "--from", "yesterday"], {}, 2, "--from = 'yesterday'"),
        (["backfill", "--from", "1h", "--to", "2h"], {}, 2, "--from 1h must be before --to 2h"),
        (["backfill", "--step", "often"], {}, 2, "--step = 'often'"),
        (["detect", "--service", "nobody"], {}, 1, "unknown service 'nobody'"),
        (["evaluate", "--detector", "crystal-ball"], {}, 1, "unknown detector 'crystal-ball': choose one of"),
        (["evaluate", "--days", "1"], {}, 2, "days = 1"),
        (["evaluate", "--data", "nowhere"], {}, 2, "nowhere is no folder"),
        (["evaluate", "--data", ".", "--faults", "demo"], {}, 2, "--data and --faults exclude each other"),
        (["evaluate", "--set", "nab"], {}, 2, "--set needs --data"),
        (["evaluate", "--rootcause", "nowhere"], {}, 2, "nowhere is no folder"),
        (["evaluate", "--rootcause", ".", "--data", "."], {}, 2, "--data and --rootcause exclude each other"),
        (["evaluate", "--rootcause", ".", "-d", "seasonal"], {}, 2, "--detector says nothing about --rootcause"),
        (["evaluate", "--look-ahead"], {}, 2, "--look-ahead needs --data"),
        (["evaluate", "--faults", "feedback"], {}, 2, "give some with `observatory feedback add`"),
        (["changes", "add", "nobody", "2"], {}, 1, "unknown service 'nobody'"),
        (["changes", "add", "shop/cart", "2", "--url", "ftp://x"], {}, 2, "url = 'ftp://x': give an address"),
        (["feedback", "add", "nobody", "right", "--at", "1h"], {}, 1, "unknown service 'nobody'"),
        (["feedback", "add", "shop/cart", "right", "--at", "soon"], {}, 2, "--at = 'soon'"),
        (["frobnicate"], {}, 2, "No such command"),
    ],
)
def test_bad_input_is_one_clear_line_and_the_right_code(
    run: Call,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    variables: dict[str, str],
    code: int,
    message: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OBSERVATORY_{name}", value)
    ended, out, err = run(*arguments)
    assert message in err
    assert ended == code
    assert "Traceback" not in out + err


def test_a_store_that_is_no_database_is_named(run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letter.duckdb").write_text("Dear reader\n" * 1000)
    monkeypatch.setenv("OBSERVATORY_STORE", "letter.duckdb")
    code, _, err = run("health")
    assert code == 1
    assert "letter.duckdb is not a DuckDB database" in err


def test_a_port_in_use_is_named_before_anything_is_filled(run: Call, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = run("serve", "--port", str(port))
    assert code == 2
    assert f"port {port} on 127.0.0.1 cannot be used (Address already in use)" in err
    assert not list(tmp_path.glob("*.duckdb"))


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "observatory", "--version"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == __version__


def test_a_store_is_looked_at_checked_archived_and_backed_up(run: Call, small: None) -> None:
    assert run("demo")[0] == 0
    code, out, _ = run("store", "info")
    assert code == 0
    assert re.search(r"^services +12$", out, re.MULTILINE)
    code, out, _ = run("archive", "--older-than", "1h")
    assert code == 0
    assert "months written to" in out
    code, out, _ = run("store", "check")
    assert code == 0, out
    assert "DAMAGED" not in out
    assert run("store", "backup", "saved")[0] == 0
    code, _, err = run("store", "restore", "saved")
    assert code == 1
    assert "--force" in err
    code, out, _ = run("store", "restore", "saved", "--force")
    assert code == 0
    assert "rows and 1 archived months" in out or "rows and 2 archived months" in out
    assert re.search(r"^services +12$", run("store", "info")[1], re.MULTILINE)


def test_detectors_are_judged_on_a_folder_and_the_figures_written(run: Call, tmp_path: Path) -> None:
    write(table(), tmp_path / "labelled" / "mine" / "one.parquet")
    arguments = ["evaluate", "--data", "labelled", "--set", "mine", "-d", "seasonal", "--jobs", "1", "--look-ahead"]
    code, out, _ = run(*arguments, "--json", "figures.json")
    assert code == 0
    assert re.search(r"^mine +seasonal +1 +1 ", out, re.MULTILINE)
    assert "hit@100%" not in out  # nobody told the causes
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["series"][0]["series"] == "one"
    assert figures["summary"][0]["hit@100%"] is None
    assert figures["failures"] == []
    code, _, err = run(*arguments, "--json", "none/figures.json")
    assert code == 2
    assert "--json none/figures.json cannot be written" in err


def test_the_likeliest_cause_is_judged_on_a_folder_and_each_case_written(run: Call, tmp_path: Path) -> None:
    write_cases(tmp_path / "faults" / "mine", ["db", "mail"])
    code, out, _ = run("evaluate", "--rootcause", "faults", "--set", "mine", "--json", "figures.json")
    assert code == 0
    assert re.search(r"^set +ranking +cases +AC@1 +AC@3 +Avg@5", out, re.MULTILINE)
    assert re.search(r"^mine +observatory +2 +1 +1 +1 ", out, re.MULTILINE)
    assert re.search(r"^mine +robust scaler +2 ", out, re.MULTILINE)
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["cases"][0] | {"score": 0} == {
        "set": "mine",
        "case": "db slow",
        "ranking": "observatory",
        "causes": "db",
        "place": 1,
        "named first": "db",
        "score": 0,
    }


def test_a_series_that_fails_makes_the_evaluation_fail_after_the_others(run: Call, tmp_path: Path) -> None:
    write(table(), tmp_path / "labelled" / "mine" / "one.csv")
    write(table(train=1), tmp_path / "labelled" / "mine" / "two.csv")
    code, out, err = run("evaluate", "--data", "labelled", "-d", "seasonal", "--jobs", "1")
    assert code == 1
    assert "failed: seasonal on mine/two: NotEnoughDataError" in err
    assert re.search(r"^mine +seasonal +1 ", out, re.MULTILINE)


def test_single_metric_faults_are_summed_up_by_kind(run: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observatory.evaluation.injected.SHOP", {"shop/cart": SHOP["shop/cart"]})
    code, out, _ = run("evaluate", "--faults", "single", "--days", "1", "-d", "seasonal", "--jobs", "1")
    assert code == 0
    assert re.search(r"traffic to 0 +1 +1 ", out)
    assert re.search(r"all +7 ", out)


def test_feedback_is_given_listed_and_judged_by(run: Call, small: None) -> None:
    assert run("demo")[0] == 0
    assert run("feedback", "list")[1].startswith("no feedback yet")
    code, out, _ = run("feedback", "add", "shop/cart", "missed", "--at", "50m", "--to", "40m", "--note", "two calls")
    assert code == 0
    assert out.startswith("missed: shop/cart from ")
    assert re.search(r"shop/cart +missed .* two calls", run("feedback", "list", "--service", "shop/cart")[1])
    code, out, _ = run("evaluate", "--faults", "feedback", "-d", "seasonal")
    assert code == 0
    assert re.search(r"^seasonal +1 +\d +0 +0 ", out, re.MULTILINE)


def test_a_change_is_reported_once_and_listed(run: Call, small: None) -> None:
    assert run("demo")[0] == 0
    for _ in range(2):
        code, out, _ = run("changes", "add", "shop/cart", "1.4.2", "--at", "3m", "--summary", "faster carts")
        assert code == 0
        assert re.match(r"shop/cart: deployment 1\.4\.2 at .* UTC, c[0-9a-f]{15}\n", out)
    found = run("changes", "list", "--service", "shop/c*", "--from", "10m")[1]
    shown = run("changes", "show", found.split()[found.split().index("source") + 1])[1]
    assert shown.startswith("shop/cart: deployment 1.4.2 at ")
    assert run("changes", "show", "c9")[0] == 1
    assert len(re.findall(r"shop/cart +deployment +1\.4\.2 +faster carts +cli:", found)) == 1


def test_a_damaged_store_is_told_by_the_check(run: Call, tmp_path: Path) -> None:
    (tmp_path / "observatory-demo.duckdb").write_bytes(b"x" * 20_000)
    code, out, _ = run("store", "check")
    assert code == 1
    assert "DAMAGED" in out
    assert "not a DuckDB database" in out


def test_an_age_that_is_none_is_refused(run: Call) -> None:
    code, _, err = run("archive", "--older-than", "soon")
    assert code == 2
    assert "--older-than" in err


# -- history and files ------------------------------------------------------------------------


def test_services_of_a_backfill_are_named_or_match_a_pattern(run: Call, small: None) -> None:
    run("demo")
    code, out, _ = run("backfill", "--from", "10m", "--services", "shop/ca*,shop/pay*", "-s", "shop/cart")
    assert code == 0
    assert re.search(r"\d+ rows in \d chunks and .* a second\)", out)
    shown = re.findall(r"^(\S+) +[\d.]+ %", out, re.MULTILINE)
    assert sorted(shown) == ["shop/cart", "shop/catalog", "shop/payments"]
    code, _, err = run("backfill", "--from", "10m", "--services", "none/*")
    assert code == 2
    assert "none/*: none of the 12 registered services matches" in err


CSV = "app,when,p95,note\nshop/cart,2026-01-31 08:00:00,120.5,deploy\nshop/cart,2026-01-31 08:01:00,NaN,\n"
MAPPED = ["-m", "service=app", "-m", "time=when", "-m", "latency_p95=p95:ms"]


def test_a_file_is_imported_after_what_is_wrong_with_it_was_put_right(run: Call) -> None:
    Path("history.csv").write_text(CSV)
    code, out, err = run("import", "history.csv", *MAPPED)
    assert (code, out) == (2, "")
    assert "nothing is known of column 'note'" in err
    code, out, err = run("import", "history.csv", *MAPPED, "--ignore-unknown")
    assert code == 2
    assert "column 'when', row 1 and 1 more: '2026-01-31 08:00:00' has no time zone" in err
    assert not Path("observatory.duckdb").exists() or run("services", "list")[1].startswith("no services")
    right = [*MAPPED, "--ignore-unknown", "--timezone", "UTC"]
    code, out, err = run("import", "history.csv", *right, "--dry-run")
    assert code == 0
    assert "dry run: nothing was stored" in out
    assert "warning: column 'p95', row 2: nan is stored as missing" in err
    code, out, _ = run("import", "history.csv", *right)
    assert code == 0
    assert re.search(r"latency_p95 +p95 +ms +1 +120 ms", out)
    assert out.endswith(
        "1 samples of 1 services, 2026-01-31 08:00 to 2026-01-31 08:00 UTC\nstored in observatory.duckdb\n"
    )


def test_what_a_file_leaves_open_is_said_by_options(run: Call) -> None:
    Path("x.csv").write_bytes("Zeit;Café;Bar\n02.03.2026 08:00;1,200;-\n".encode("cp1252"))
    said = ["--timezone", "UTC", "--decimal", ",", "--missing=-", "--dates", "day-first", "--encoding", "cp1252"]
    series = ["--format", "columns", "-m", "time=Zeit", "--metric", "cpu_usage", "--dry-run"]
    code, out, err = run("import", "x.csv", *series, *said)
    assert code == 0
    assert "x.csv is a table with a column a series (columns)\nservices are named by: name of the series\n" in out
    assert re.search(r"\nCafé +Café +cpu_usage +cores\n", out)
    assert re.search(r"\nCafé +2026-03-02 08:00:00 +1.2 cores\n", out)
    assert "warning: series 'Bar', row 1: '-' is stored as missing" in err


def test_a_file_is_not_mixed_with_the_demo(run: Call, small: None) -> None:
    run("demo")
    Path("history.csv").write_text(CSV)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OBSERVATORY_STORE", "observatory-demo.duckdb")
        code, _, err = run("import", "history.csv", *MAPPED)
    assert code == 2
    assert "holds the demo shop: name another file with OBSERVATORY_STORE" in err


@pytest.mark.parametrize(
    ("mapping", "message"),
    [(["service"], "give it as THING=COLUMN"), (["time=a", "time=b"], "--map time is given twice")],
)
def test_a_mapping_that_is_none_is_refused(run: Call, mapping: list[str], message: str) -> None:
    code, _, err = run("import", "x.csv", *(part for pair in mapping for part in ("--map", pair)))
    assert code == 2
    assert message in err


def test_a_key_is_shown_once_and_lives_until_it_is_revoked(run: Call, small: None) -> None:
    code, text, about = run(
        "keys", "create", "grafana", "--role", "operator", "--services", "shop/*", "--expires", "1d"
    )
    assert code == 0
    assert re.fullmatch(r"obs_[0-9a-f]{12}_[\w-]{43}\n", text)
    assert "operator grafana" in about
    assert "grafana" in run("keys", "list")[1]
    assert text.strip()[17:] not in run("keys", "list")[1]
    code, again, _ = run("keys", "rotate", "grafana")
    assert code == 0
    assert again != text
    assert run("keys", "revoke", "grafana")[0] == 0
    assert "revoked" in run("keys", "list")[1]
    for arguments in (("revoke", "grafana"), ("rotate", "nobody"), ("create", "a", "--role", "king")):
        code, _, error = run("keys", *arguments)
        assert code in (1, 2)
        assert error.startswith("error: ")


def test_the_audit_log_tells_of_writes_and_refusals_until_the_server_ended(run: Call, small: None) -> None:
    code, out, _ = run("audit")
    assert (code, out) == (0, "nothing was written or refused\n")
    _, key, _ = run("keys", "create", "team", "--role", "operator", "--services", "shop/*")
    runtime = Runtime(load_settings(worker=False))
    client, signed = create_app(runtime).test_client(), {"Authorization": f"Bearer {key.strip()}"}
    client.post("/api/services/register", json={"service_name": "shop/new"}, headers=signed)
    client.post("/api/services/register", json={"service_name": "other/new"}, headers=signed)
    client.get("/api/services", headers=signed)
    client.get("/api/services")
    runtime.close()  # at once: nothing of what was done last may be lost

    def told(*options: str) -> list[list[str]]:
        code, out, err = run("audit", *options)
        assert (code, err) == (0, "")
        header, *lines = [re.split(" {2,}", line.strip()) for line in out.splitlines()]
        assert header == ["at", "who", "address", "action", "target", "result", "detail"]
        return [line[1:] for line in lines]

    everything = told()
    assert [line[:5] for line in everything[:3]] == [  # the newest first
        ["nobody", "127.0.0.1", "GET /api/services", "/api/services", "401"],
        ["key:team", "127.0.0.1", "POST /api/services/register", "other/new", "403"],
        ["key:team", "127.0.0.1", "POST /api/services/register", "shop/new", "201"],
    ]
    assert everything[3][0].startswith("cli:")
    assert "create key" in everything[3]
    assert key.strip()[17:] not in str(everything)
    assert told("--refused") == everything[:2]
    assert told("--who", "key:team") == everything[1:3]
    assert told("--limit", "1") == everything[:1]
    assert run("audit", "--since", "9000-01-01T00:00:00Z")[1] == "nothing was written or refused\n"
    for wrong in (("--since", "yesterday"), ("--limit", "0")):
        code, _, err = run("audit", *wrong)
        assert (code, wrong[0] in err) == (2, True)
