"""Passwords of people who sign in to the dashboard (``login = "basic"``): a JSON object of names and passwords."""

from __future__ import annotations

import hmac
import json
import threading
from pathlib import Path

from observatory.errors import ConfigError, NotSignedInError


class Passwords:
    """The passwords of a file, read again when it changes.

    Raises
    ------
    ConfigError
        The file holds none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read = -1
        self._known: dict[str, str] = {}
        self._load()

    def check(self, user: str, password: str) -> None:
        """Raise NotSignedInError unless this is the user's password."""
        wanted = self._load().get(user, "")
        is_same = hmac.compare_digest(wanted.encode(), password.encode("utf-8", "replace"))
        if not (is_same and wanted):
            raise NotSignedInError("the user or the password is unknown")

    def require(self, user: str) -> None:
        """Raise NotSignedInError where a user is no longer in the file."""
        if user not in self._load():
            raise NotSignedInError("the user you signed in as is no longer known: sign in again")

    def _load(self) -> dict[str, str]:
        with self._lock:
            try:
                changed = self._path.stat().st_mtime_ns
                if changed != self._read:
                    self._known, self._read = _parsed(self._path.read_text("utf-8")), changed
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error  # the name is told once
                raise ConfigError(f"setting login_file: {self._path} holds no passwords ({reason})") from None
            return self._known


def _parsed(text: str) -> dict[str, str]:
    found = json.loads(text)
    if not isinstance(found, dict) or not found:
        raise ValueError('give a JSON object: {"ann": "her password"}')
    for user, password in found.items():
        if not user or not isinstance(password, str) or not password:
            raise ValueError(f"user {user!r} has no password")
    return found
