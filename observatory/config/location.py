"""Where the settings file is, and how its variables begin."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = "OBSERVATORY_"
OWN_STORE, DEMO_STORE = "observatory.duckdb", "observatory-demo.duckdb"
"""Files of the working folder that are the store where none is named: with a Prometheus, and of the demo."""
OF_SETTINGS, DEMO = "settings", "demo"
"""What a notebook may be told in place of a store's address."""


def config_file() -> Path:
    return Path(os.environ.get(f"{PREFIX}CONFIG", "observatory.toml"))
