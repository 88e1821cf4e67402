"""Names and texts of others steer no terminal, whatever verb shows them."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.commands import Call, caller
from support.hostile import CONTROLS, MARKUP, NAMES, TEXTS, obeyed
from support.hostile_store import fill

from observatory.plain import plain, plain_json
from observatory.store import open_store

pytestmark = pytest.mark.slow

VERBS = (
    ("services", "list"),
    ("services", "list", "--excluded", "--renamed"),
    ("health",),
    ("feedback", "list"),
    ("changes", "list"),
    ("audit", "--limit", "1000"),
    ("audit", "--refused", "--who", CONTROLS[0]),
    ("schedule", "history"),
    ("keys", "list"),
    ("store", "info"),
    ("store", "check"),
    ("doctor",),
    ("doctor", "--json"),
    ("collect", "--service", CONTROLS[4]),
    ("services", "register", CONTROLS[1]),
    ("services", "rename", NAMES[0], CONTROLS[2]),
    ("services", "remove", CONTROLS[3]),
    ("help", CONTROLS[4]),
    ("run", CONTROLS[4]),
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSERVATORY_STORE", "hostile.duckdb")
    with open_store("hostile.duckdb") as store:
        fill(store, datetime.now(UTC), tmp_path)
    return caller(monkeypatch, capsys)


def test_no_verb_lets_a_text_steer_the_terminal(run: Call) -> None:
    for verb in VERBS:
        _, out, err = run(*verb)
        assert obeyed(out) == [], verb
        assert obeyed(err) == [], verb


def test_tables_say_names_as_they_are(run: Call) -> None:
    _, out, _ = run("services", "list")
    assert [name for name in NAMES if len(name) < 24 and name not in out] == []
    _, out, _ = run("audit", "--limit", "1000")
    assert "\\x1b[2J" in out


def test_on_a_terminal_only_colours_are_left(run: Call, tmp_path: Path) -> None:
    main, side = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "300"}
    command = [sys.executable, "-m", "observatory", "feedback", "list"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=side, stderr=side) as process:
        os.close(side)
        said = io.BytesIO()
        try:
            while block := os.read(main, 65536):
                said.write(block)
        except OSError:  # the other end is closed
            pass
    os.close(main)
    shown = said.getvalue().decode().replace("\r\n", "\n")
    assert process.returncode == 0, shown
    assert MARKUP[3] in shown
    assert obeyed(shown, styled=True) == []


@pytest.mark.parametrize("text", TEXTS)
def test_a_plain_text_is_printable_and_says_the_same(text: str) -> None:
    assert obeyed(plain(text)) == []
    assert text in NAMES or plain(text, keep="") != text
    assert json.loads(plain_json({"said": text})) == {"said": text}
    assert obeyed(plain_json({"said": text})) == []


@pytest.mark.parametrize("text", ["Größe 日本語 ünïcode – „ja“ 12 ms µ €", "two\nlines\tand tabs", ""])
def test_a_text_of_people_stays_as_it_is(text: str) -> None:
    assert plain(text) == text
