"""``python -m observatory.store URL``: the check of `observatory.store.upkeep.check.check_apart`, a finding a line."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from observatory.config import load_settings
from observatory.errors import ObservatoryError
from observatory.store import open_store
from observatory.store.options import StoreOptions

if __name__ == "__main__":
    try:
        with open_store(sys.argv[1], options=StoreOptions.of(load_settings())) as store:
            for finding in store.check():
                print(json.dumps(asdict(finding)), flush=True)  # noqa: T201
    except ObservatoryError as error:
        sys.exit(str(error))
