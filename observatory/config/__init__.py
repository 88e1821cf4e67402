"""Settings: read once at the entry point and passed down; no other package looks at the environment.

Later entries win: defaults, ``observatory.toml`` in the working folder (or the file named by
``OBSERVATORY_CONFIG``), variables ``OBSERVATORY_*``, arguments.
"""

from __future__ import annotations

from observatory.config.loading import load_settings
from observatory.config.settings import Settings

__all__ = ["Settings", "load_settings"]
