"""Where the settings file is, and how its variables begin."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = "OBSERVATORY_"
OF_SETTINGS, DEMO = "settings", "demo"
"""What a notebook may be told in place of a store's address."""


def config_file() -> Path:
    return Path(os.environ.get(f"{PREFIX}CONFIG", "observatory.toml"))
