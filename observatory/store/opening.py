"""Opening the store that the settings name."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from observatory.config import Settings
from observatory.store import Store, open_store
from observatory.store.options import StoreOptions


def store_of(settings: Settings) -> Store:
    """The store of the settings; a file that may not be written is opened for reading only. Raises StoreError."""
    options = StoreOptions.of(settings)
    file = Path(settings.store)
    if file.is_file() and not os.access(file, os.W_OK):
        options = replace(options, read_only=True)
    return open_store(settings.store, options=options)
