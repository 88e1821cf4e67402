"""How far something long has come."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told how far something long has come: `done` of `total` parts of `what`, and a word on how it goes."""

    def __call__(self, done: int, total: int, what: str, detail: str = "") -> None: ...


def no_progress(done: int, total: int, what: str, detail: str = "") -> None:
    """Show nothing."""
