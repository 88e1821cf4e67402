"""Refusals summed up: the first ones of a kind are written down each, and of a flood how many there were."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

from observatory.access.addresses import block_of
from observatory.store.tables.audit import AuditEntry

REFUSED = ("401", "403", "421", "429")
EACH = 10
"""So many of a kind are written down one by one."""
WINDOW = 60.0
"""Within such a time [s]; then they are summed up, and the next ones are written down again."""
MOST = 1000
"""Kinds that are told apart; further ones are counted together."""
OTHERS = "others"


@dataclass(slots=True)
class _Kind:
    """Refusals of one caller, from one block of addresses, of one action, with one result."""

    began: float
    seen: int = 0
    first: AuditEntry | None = None
    last: AuditEntry | None = None


class Refusals:
    """Decides which refusals become entries of their own, and makes the sums; for one thread at a time."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, ...], _Kind] = {}

    @property
    def waits(self) -> bool:
        """Whether there is a sum that is not written yet."""
        return any(kind.first is not None for kind in self._kinds.values())

    def is_one_of_many(self, entry: AuditEntry, now: float) -> bool:
        """Whether an entry is only counted; `now` are seconds of a clock that never goes back."""
        if entry.result not in REFUSED:
            return False
        key = (entry.who, block_of(entry.address), entry.action, entry.result)
        if key not in self._kinds and len(self._kinds) >= MOST:
            key = (OTHERS, OTHERS, OTHERS, entry.result)
        kind = self._kinds.setdefault(key, _Kind(now))
        kind.seen += 1
        if kind.seen <= EACH and key[0] != OTHERS:
            return False
        kind.first, kind.last = kind.first or entry, entry
        return True

    def sums(self, now: float, *, all_of_them: bool = False) -> Iterator[AuditEntry]:
        """An entry for each kind whose time is over, which then begins anew."""
        for key, kind in list(self._kinds.items()):
            if not all_of_them and now - kind.began < WINDOW:
                continue
            del self._kinds[key]
            if kind.first is None or kind.last is None:
                continue
            number = kind.seen - (EACH if key[0] != OTHERS else 0)
            told = f"{number:,} more since {kind.first.at:%H:%M:%S}, the last: {kind.last.detail or kind.last.target}"
            who, address, action, _ = key
            yield replace(kind.last, id=uuid.uuid4().hex, who=who, address=address, action=action, detail=told)
