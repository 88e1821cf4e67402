"""Where the settings file is, and how its variables begin."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = "OBSERVATORY_"


def config_file() -> Path:
    return Path(os.environ.get(f"{PREFIX}CONFIG", "observatory.toml"))
