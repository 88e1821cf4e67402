"""Passwords of people who sign in to the dashboard (``login = "basic"``), checked against the hashes of a file."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from observatory.config.login_file import HASHED, cannot_use, read_entries, weaknesses
from observatory.errors import ConfigError, NotSignedInError

log = logging.getLogger(__name__)


class Passwords:
    """The passwords of a file, read again when it changes. Entries in clear text work too, with a warning in the log.

    Raises
    ------
    ConfigError
        The file holds none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex())
        self._lock = threading.Lock()
        self._version: tuple[int, ...] = ()
        self._entries: dict[str, str] = {}
        self._marks: dict[tuple[str, str], str] = {}
        for what, todo in weaknesses(path, self._load()):
            log.warning("login file %s: %s: %s", path, what, todo)

    def session(self, user: str, password: str) -> str:
        """What the cookie of somebody holds who signs in so; raises NotSignedInError unless this is their password.

        Takes some 50 ms and 64 MiB, whoever asks: an unknown user and an entry in clear text cost one hash as well.
        """
        entry = self._load().get(user, "")
        given = password.encode("utf-8", "replace")
        is_hashed = entry.startswith(HASHED)
        is_right = self._verify(entry if is_hashed else self._nobody, given)
        if not is_hashed:
            is_right = bool(entry) and hmac.compare_digest(entry.encode("utf-8", "replace"), given)
        if not is_right:
            raise NotSignedInError("the user or the password is unknown")
        return f"{user}:{self._mark(user, entry)}"

    def user_of(self, session: str) -> str:
        """Who signed in, while their password is the same; raises NotSignedInError."""
        user, _, mark = session.rpartition(":")
        entry = self._load().get(user)
        if entry is None or not hmac.compare_digest(self._mark(user, entry).encode(), mark.encode()):
            raise NotSignedInError("you were taken out, or your password was changed: sign in again")
        return user

    def _verify(self, entry: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(entry, password)
        except VerificationError:
            return False

    def _mark(self, user: str, entry: str) -> str:
        """Changes with the entry, and does not help to guess the password."""
        if entry.startswith(HASHED):  # its salt is random and secret, so no guess can be tried against this
            return hashlib.sha256(f"{user}:{entry}".encode()).hexdigest()[:24]
        with self._lock:
            if (user, entry) not in self._marks:
                made = hashlib.scrypt(entry.encode("utf-8", "replace"), salt=user.encode(), n=2**14, r=8, p=1, dklen=12)
                self._marks[user, entry] = made.hex()
            return self._marks[user, entry]

    def _load(self) -> dict[str, str]:
        """The entries. While what the file holds cannot be used, those of before: it may be half written.

        A file that is gone, or names nobody, is meant so.
        """
        with self._lock:
            try:
                found = self._path.stat()
            except OSError as error:
                raise cannot_use(self._path, error) from None
            version = (found.st_mtime_ns, found.st_ino, found.st_size)
            if version != self._version:
                try:
                    entries = read_entries(self._path)
                except ConfigError as error:
                    if not self._entries or "it names nobody" in str(error):
                        raise
                    log.error("%s; until then what it held before counts", error)
                else:
                    self._entries = entries
                    self._marks.clear()
                self._version = version
            return self._entries
