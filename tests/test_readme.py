"""The README tells what is there, and leaves nothing out."""

from __future__ import annotations

from pathlib import Path

import typer

from observatory.cli import app
from observatory.config.settings import settings_table
from observatory.detectors import DETECTORS
from observatory.sources.prometheus.presets import PRESETS

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_table_of_settings_is_that_of_the_program() -> None:
    assert settings_table() in README


def test_every_verb_detector_and_preset_is_mentioned() -> None:
    verbs = typer.main.get_command(app).commands
    missing = [name for name in [*verbs, *DETECTORS, *PRESETS] if f"`{name}" not in README]
    assert missing == []


def test_every_file_it_points_to_exists() -> None:
    root = Path(__file__).parents[1]
    links = [part.split(")")[0] for part in README.split("](")[1:]]
    missing = [link for link in links if not link.startswith("http") and not (root / link).exists()]
    assert missing == []
