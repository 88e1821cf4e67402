"""A runtime that the tools are asked about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.assistants import Ask, asking, fill
from support.shop import Clock, shop

from observatory.config import Settings
from observatory.runtime import Runtime


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    found = shop()
    fill(found)
    yield found
    found.close()


@pytest.fixture(scope="session")
def ask(runtime: Runtime) -> Ask:
    return asking(runtime)


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that nobody has open."""
    path = tmp_path_factory.mktemp("store") / "observatory.duckdb"
    runtime = Runtime(Settings(store=str(path), worker=False), clock=Clock())
    fill(runtime)
    runtime.close()
    return path
