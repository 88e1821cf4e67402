"""Benchmarks compare contenders side by side in one run: ``pytest tests/benchmarks --benchmark-enable --days 1``.

Without ``--benchmark-enable`` each runs once on little data, so that they keep working.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--days", type=float, default=0.02, help="Days of one-minute samples of 1,000 services.")


@pytest.fixture(scope="session")
def minutes(request: pytest.FixtureRequest) -> int:
    return max(12, int(1440 * request.config.getoption("--days")))
