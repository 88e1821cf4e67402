"""Secrets of the tests, which nothing may log or show."""

from __future__ import annotations

import re

SECRETS = re.compile(r"canary|hunter2|geheim|obs_[0-9a-f]{12}_[\w-]{43}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+", re.ASCII)
"""What the tests use as secrets: passwords by these words, API keys and tokens by their form."""
