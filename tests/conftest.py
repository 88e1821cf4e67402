"""Fixtures all tests share, and a word on skipped tests: where tests count, none may be left out."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import hypothesis
import pytest
from support.canaries import SECRETS
from support.secure import Certificates, SecurePrometheus, make_certificates
from support.servers import Alertmanager, NodeExporter, Prometheus, wait_until

from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Limits
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store.options import StoreOptions

WINDOW = 8.0

pytest.register_assert_rewrite("support.cases")

hypothesis.settings.register_profile("untimed", deadline=None)  # no test asserts a duration
hypothesis.settings.load_profile("untimed")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell has what a script puts into the background ignore Ctrl-C, and what that starts: no test could send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _extensions_are_trusted() -> Iterator[None]:
    """DuckDB hashes an extension each time it loads it, a third of a second for every store that is opened.

    Stores of the tests' own process go without. In the processes that tests start, signatures are checked.
    """
    config = StoreOptions.config
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoreOptions, "config", lambda options: config(options) | {"allow_unsigned_extensions": True})
        yield


@pytest.fixture(scope="session")
def prometheus_of_three() -> Iterator[PrometheusSource]:
    """A Prometheus that watches itself, a node exporter (``node``) and an Alertmanager (``alertmanager``)."""
    with NodeExporter() as node, Alertmanager() as alertmanager:
        targets = {"node": node.address, "alertmanager": alertmanager.address}
        with Prometheus(targets) as prometheus:
            source = PrometheusSource(PrometheusClient(prometheus.url, Limits(timeout=10)), window=WINDOW)
            wait_until(lambda: _answers(source), 30, "three targets with rates", prometheus.log)
            yield source


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority of its own, and what it signed for a server and for a client."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def secure(certificates: Certificates) -> Iterator[SecurePrometheus]:
    """A Prometheus behind TLS, a log-in and client certificates, which watches itself as job ``secure``."""
    with SecurePrometheus(certificates) as server:
        yield server


@pytest.fixture(autouse=True)
def no_secret_reaches_a_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After each test its log lines, as they were before anything was hidden, are searched for secrets."""
    yield
    for when in ("setup", "call", "teardown"):
        for record in caplog.get_records(when):
            text = logging.Formatter().format(record)
            assert not SECRETS.search(text), f"a secret in a log line of {record.name}: {SECRETS.sub('***', text)}"


def _answers(source: PrometheusSource) -> bool:
    now = datetime.now(UTC)
    up = source.client.instant("up == 1", now).series
    rates = source.client.instant(f"sum(rate(prometheus_http_requests_total[{WINDOW:.0f}s])) > 0", now).series
    if len(up) < 3 or not rates:
        return False
    source.look_again()
    frame = source.collect(now).frame.set_index("service_name")
    known = frame.reindex(columns=["cpu_usage", "memory_usage", "pod_count"]).notna().all(axis=None)
    server = frame.reindex(columns=["request_rate", "error_rate"]).loc["prometheus"]
    return len(frame) == 3 and bool(known and server["request_rate"] > 0 and server["error_rate"] >= 0)


def _skipped(config: pytest.Config) -> list[pytest.TestReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter and os.environ.get("CI") else []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed run."""
    if session.exitstatus == pytest.ExitCode.OK and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which tests were skipped, and that this is why the run failed."""
    skipped = _skipped(config)
    if skipped:
        terminalreporter.section("skipped in CI", red=True)
        terminalreporter.line("CI is set, so every test must run: install what these miss, or unset CI")
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longreprtext.strip() or report.longrepr}")
