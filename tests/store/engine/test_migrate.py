"""The schema is brought up to date by scripts, each of which is run as DuckDB reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from observatory.store import open_store
from observatory.store.engine import migrate

SCRIPT = """
-- a table; with a word; about it
CREATE TABLE notes_of_a_test (text VARCHAR DEFAULT 'one; two');
INSERT INTO notes_of_a_test VALUES ('three; "four"'), (DEFAULT);
"""


def test_a_semicolon_in_a_text_or_a_comment_of_a_script_ends_no_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = migrate._scripts()
    number = max(scripts) + 1
    monkeypatch.setattr(migrate, "_scripts", lambda: scripts | {number: SCRIPT})
    with open_store(str(tmp_path / "x.duckdb")) as store:
        kept = store._database.read("SELECT text FROM notes_of_a_test ORDER BY text")["text"].tolist()
    assert kept == ["one; two", 'three; "four"']
    assert len(migrate._statements(SCRIPT)) == 2
