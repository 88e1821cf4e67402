"""Which store is meant by somebody who only reads and named none."""

from __future__ import annotations

from pathlib import Path

from observatory.config.location import DEMO_STORE, OWN_STORE
from observatory.config.settings import Settings


def settings_to_read(settings: Settings) -> Settings:
    """`settings`, with ``observatory.duckdb`` where neither store nor source is named and the demo has no file here.

    So a shell without the server's variables shows what the server fills, instead of an empty demo.
    """
    named = "store" in settings.model_fields_set or settings.prometheus_servers
    if named or Path(DEMO_STORE).exists() or not Path(OWN_STORE).exists():
        return settings
    return settings.model_copy(update={"store": OWN_STORE})
