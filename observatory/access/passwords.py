"""Passwords of people who sign in to the dashboard (``login = "basic"``): a JSON object of names and passwords."""

from __future__ import annotations

import hashlib
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
        self._marks: dict[tuple[str, str], str] = {}
        self._load()

    def session(self, user: str, password: str) -> str:
        """What the cookie of somebody holds who signs in so; raises NotSignedInError unless this is their password."""
        wanted = self._load().get(user, "")
        is_same = hmac.compare_digest(wanted.encode(), password.encode("utf-8", "replace"))
        if not (is_same and wanted):
            raise NotSignedInError("the user or the password is unknown")
        return f"{user}:{self._mark(user, password)}"

    def user_of(self, session: str) -> str:
        """Who signed in, while their password is the same; raises NotSignedInError."""
        user, _, mark = session.rpartition(":")
        password = self._load().get(user)
        if password is None or not hmac.compare_digest(self._mark(user, password), mark):
            raise NotSignedInError("you were taken out, or your password was changed: sign in again")
        return user

    def _mark(self, user: str, password: str) -> str:
        """Changes with the password, and does not help to guess it."""
        with self._lock:
            if (user, password) not in self._marks:
                made = hashlib.scrypt(password.encode(), salt=user.encode(), n=2**14, r=8, p=1, dklen=12)
                self._marks[user, password] = made.hex()
            return self._marks[user, password]

    def _load(self) -> dict[str, str]:
        with self._lock:
            try:
                changed = self._path.stat().st_mtime_ns
                if changed != self._read:
                    self._known, self._read = _parsed(self._path.read_text("utf-8")), changed
                    self._marks.clear()
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
