"""The login file: a JSON object of names and argon2id hashes. `observatory keys password` writes it.

An entry that is no hash is a password in clear text, as they were before there were hashes; it still works.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError

from observatory.errors import ConfigError, InvalidInputError, NotFoundError

LONGEST = 1000
"""Longest name and password that the login takes [characters]."""
HASHED = "$argon2"
"""What an entry begins with, unless it is in clear text."""


def read_entries(path: Path) -> dict[str, str]:
    """Names and hashes (or passwords in clear text) of a login file.

    Raises
    ------
    ConfigError
        It cannot be read, holds none, or a hash is broken.
    """
    try:
        return _parsed(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise cannot_use(path, error) from None


def cannot_use(path: Path, error: OSError | ValueError) -> ConfigError:
    """The error to raise when a login file cannot be used."""
    reason = getattr(error, "strerror", None) or error  # the file's name is in the message already
    return ConfigError(f"login file {path} cannot be used ({reason}): `observatory keys password NAME` writes one")


def weaknesses(path: Path, entries: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What makes a login file easier to misuse than need be, and the way out of each."""
    if others_read(path):
        yield f"others on this machine may read it (mode {_mode(path):04o})", f"run `chmod 600 {path}`"
    clear = sorted(user for user, entry in entries.items() if not entry.startswith(HASHED))
    if clear:
        users = ", ".join(clear[:5]) + (f" and {len(clear) - 5} more" if len(clear) > 5 else "")
        yield (
            f"passwords in clear text ({users})",
            f"replace each with its hash by `observatory keys password {clear[0]}`",
        )


def others_read(path: Path) -> bool:
    """Whether group or others may read a file."""
    return bool(_mode(path) & 0o044)


def write_password(path: Path, user: str, password: str) -> None:
    """Give a user a password: their entry is made or replaced, and the file too if there is none.

    Raises
    ------
    InvalidInputError
        Nobody could sign in with this name or password; others may read the file.
    ConfigError
        The file is there and holds no passwords, or cannot be written.
    """
    if not user or user != user.strip() or len(user) > LONGEST:
        raise InvalidInputError(f"user {user!r}: give a name without blanks around it, of 1 to {LONGEST} characters")
    if not 1 <= len(password) <= LONGEST:
        raise InvalidInputError(f"the password has {len(password)} characters: give 1 to {LONGEST}")
    entries = _own_entries(path) if path.exists() else {}
    _write(path, entries | {user: PasswordHasher().hash(password.encode("utf-8", "replace"))})


def remove_password(path: Path, user: str) -> None:
    """Take a user out of a login file.

    Raises
    ------
    NotFoundError
        They are not in it.
    InvalidInputError
        They are the last one, without whom the file could not be used; others may read the file.
    ConfigError
        The file holds no passwords, or cannot be written.
    """
    entries = _own_entries(path)
    if user not in entries:
        raise NotFoundError(f"{path} has no user {user!r}: it has {', '.join(sorted(entries))}")
    if len(entries) == 1:
        raise InvalidInputError(
            f"{user!r} is the last user in {path}: give somebody else a password first, "
            "or take login and login_file out of the settings"
        )
    _write(path, {name: entry for name, entry in entries.items() if name != user})


def _own_entries(path: Path) -> dict[str, str]:
    entries = read_entries(path)
    if others_read(path):
        raise InvalidInputError(
            f"login file {path} may be read by others on this machine (mode {_mode(path):04o}): "
            f"run `chmod 600 {path}`, then try again"
        )
    return entries


def _write(path: Path, entries: Mapping[str, str]) -> None:
    """Replace the file as a whole, readable by its owner alone."""
    place = path.resolve()  # a link stays one
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                if place.exists():  # root may write for the server's user, who must still be able to read it
                    os.fchown(file.fileno(), place.stat().st_uid, place.stat().st_gid)
                file.write(json.dumps(dict(entries), indent=2, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(
            f"login file {path} cannot be written ({error.strerror}): check its folder and your rights"
        ) from None


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _parsed(text: str) -> dict[str, str]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object of names and hashes")
    if not found:
        raise ValueError("it names nobody")
    for user, entry in found.items():
        if not user or not isinstance(entry, str) or not entry:
            raise ValueError(f"user {user!r} has no password")
        if entry.startswith(HASHED):
            _require_hash(user, entry)
    return found


def _require_hash(user: str, entry: str) -> None:
    try:
        extract_parameters(entry.encode("ascii").decode())
    except (InvalidHashError, UnicodeEncodeError):
        raise ValueError(f"the hash of {user!r} is broken") from None
