"""What was learned already, and should not have been: silences that were made for a time that had passed."""

from __future__ import annotations

import json
from datetime import datetime

from observatory.annotations.in_force import under_new_names
from observatory.model import Silence
from observatory.store import Store

NOTE = "silences learned without"
"""Silences of the past that what is known was learned without, by id."""


class Relearning:
    """Finds services that must be learned anew, once for each silence, also over a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heeded: frozenset[str] | None = None

    def due(self, since: datetime) -> set[str]:
        """Services that a new silence of the past is about; what was over at `since` was learned by nothing."""
        late = self._late(since)
        if self._heeded is None:
            self._heeded = frozenset(json.loads(self._store.note(NOTE) or "[]")) if late else frozenset()
        new = [one for one in late if one.id not in self._heeded]
        if not new:
            return set()
        rules, names = self._store.names.rules(), self._store.service_names()
        covering = [under_new_names(one, rules) for one in new]
        return {name for name in names if any(one.covers_service(name) for one in covering)}

    def done(self, since: datetime) -> None:
        """All that was due is learned anew; nothing of it is due again."""
        late = [one.id for one in self._late(since)]
        if self._heeded != frozenset(late):
            self._store.write_note(NOTE, json.dumps(sorted(late)))
            self._heeded = frozenset(late)

    def _late(self, since: datetime) -> list[Silence]:
        return [one for one in self._store.silences.read(since) if not one.learns and one.starts_at < one.created_at]
