"""Benchmarks compare contenders side by side in one run: ``pytest tests/benchmarks --benchmark-enable --days 1``.

``--days 30`` shows how each grows. Without ``--benchmark-enable`` each runs once on little data, so that they keep
working. What is no duration of one call is told at the end.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

TOLD = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--services", type=int, default=30, help="Services a collection or a backfill is about.")
    parser.addoption("--days", type=float, default=0.02, help="Days of one-minute samples of 1,000 services.")


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> int:
    count: int = request.config.getoption("--services")
    return count


@pytest.fixture(scope="session")
def minutes(request: pytest.FixtureRequest) -> int:
    return max(12, int(1440 * request.config.getoption("--days")))


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps a line for the end of the run."""
    return request.config.stash.setdefault(TOLD, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(TOLD, [])
    if lines:
        terminalreporter.section("and besides")
        for line in lines:
            terminalreporter.line(line)
