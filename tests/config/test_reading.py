"""Somebody who only reads and named no store is shown the one that is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from observatory.config import load_settings
from observatory.config.reading import settings_to_read

OWN, DEMO = "observatory.duckdb", "observatory-demo.duckdb"


@pytest.mark.parametrize(
    ("files", "settings", "store"),
    [
        ([], {}, DEMO),
        ([DEMO], {}, DEMO),
        ([OWN], {}, OWN),
        ([OWN, DEMO], {}, DEMO),
        ([OWN], {"store": DEMO}, DEMO),
        ([DEMO], {"prometheus_url": "http://127.0.0.1:9"}, OWN),
    ],
)
def test_the_store_that_is_there_is_read(
    files: list[str], settings: dict[str, str], store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in files:
        Path(file).touch()
    assert settings_to_read(load_settings(**settings)).store == store
