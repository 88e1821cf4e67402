"""A silence from noon to one o'clock, and others like it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from support.incidents import NOON

from observatory.model import Silence

HOUR = timedelta(hours=1)


def a_silence(*services: str, **facts: Any) -> Silence:
    """Of every service where none is named."""
    known = {
        "id": "s1",
        "reason": "maintenance",
        "created_by": "key:ann",
        "created_at": NOON,
        "starts_at": NOON,
        "ends_at": NOON + HOUR,
        "services": services or ("*",),
    }
    return Silence(**known | facts)
