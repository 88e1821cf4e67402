"""Public keys of an issuer of tokens: of a file or from its server, and each only for tokens of its own kind."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from observatory.errors import ConfigError

log = logging.getLogger(__name__)

FRESH = 300.0
"""Time for which keys of a server are relied on [s]."""
PAUSE = 30.0
"""Least time between two fetches [s], however many tokens name a key that is not known."""
TIMEOUT = 10.0
KINDS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (rsa.RSAPublicKey, ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
    (ec.EllipticCurvePublicKey, ("ES256", "ES384", "ES512")),
    ((ed25519.Ed25519PublicKey, ed448.Ed448PublicKey), ("EdDSA",)),
)
Keys = Mapping[str | None, Any]


def algorithms_of(key: Any) -> list[str]:
    """Algorithms that a public key is made for; none for what is no public key."""
    return [name for kind, names in KINDS if isinstance(key, kind) for name in names]


class KeyFile:
    """Public keys of a file, read again when it changes; while a new version cannot be read the last one counts.

    Raises
    ------
    ConfigError
        It holds none to begin with.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._version: tuple[int, ...] = ()
        self._keys: Keys = {}
        self._load()

    def __call__(self, token: str) -> Any:
        """The key a token names."""
        self._load()
        return _named(token, self._keys)

    def _load(self) -> None:
        with self._lock:
            try:
                found = self._path.stat()
                version = (found.st_mtime_ns, found.st_ino, found.st_size)
                if version == self._version:
                    return
                keys = _keys_of(json.loads(self._path.read_text()))
            except (OSError, ValueError, AttributeError, TypeError, jwt.PyJWTError) as error:
                if not self._keys:
                    raise ConfigError(f"setting jwt_jwks: {self._path} holds no public keys ({error})") from None
                if self._version != (0,):
                    log.warning("%s holds no public keys (%s): those of before count until it does", self._path, error)
                self._version = (0,)
                return
            self._keys, self._version = keys, version


class KeyServer:
    """Public keys that an issuer's server hands out.

    They are fetched when they are old, and when a token names one that is not among them, but never more than once in
    `PAUSE` seconds: else every made-up token would be a request to somebody else.
    """

    def __init__(self, url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = jwt.PyJWKClient(url, cache_keys=False, cache_jwk_set=False, timeout=TIMEOUT)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._keys: Keys = {}
        self._fetched = self._asked = float("-inf")
        self._error: jwt.PyJWTError | None = None

    def __call__(self, token: str) -> Any:
        """The key a token names; raises `jwt.PyJWTError`."""
        wanted = _wanted(token)
        if self._monotonic() - self._fetched > FRESH or wanted not in self._keys:
            self._fetch(wanted)
        if not self._keys and self._error is not None:
            raise self._error
        return _named(token, self._keys)

    def _fetch(self, wanted: str | None) -> None:
        with self._lock:  # others wait for the one that asks
            now = self._monotonic()
            is_fresh = now - self._fetched <= FRESH
            if now - self._asked < PAUSE or (is_fresh and (wanted in self._keys or (wanted is None and self._keys))):
                return
            self._asked = now
            try:
                self._keys = _keys_of(self._client.fetch_data())
            except (jwt.PyJWTError, AttributeError, TypeError, ValueError) as error:
                self._error = error if isinstance(error, jwt.PyJWTError) else jwt.PyJWKSetError(str(error))
                log.warning("the keys of the issuer of tokens could not be fetched: %s", error)
            else:
                self._fetched, self._error = now, None


def _keys_of(document: Any) -> Keys:
    """Public keys by name; what is for encryption, or no public key, is left out."""
    found = jwt.PyJWKSet.from_dict(document)
    keys = {one.key_id: one.key for one in found.keys if one.public_key_use != "enc" and algorithms_of(one.key)}
    if not keys:
        raise jwt.PyJWKSetError("it has no public key that signatures can be checked with")
    return keys


def _wanted(token: str) -> str | None:
    wanted = jwt.get_unverified_header(token).get("kid")
    if wanted is not None and not isinstance(wanted, str):
        raise jwt.InvalidKeyError("its key is named by something that is no text")
    return wanted


def _named(token: str, keys: Keys) -> Any:
    wanted = _wanted(token)
    if wanted is None and len(keys) == 1:
        return next(iter(keys.values()))
    if wanted not in keys:
        raise jwt.InvalidKeyError("it was signed with a key that is not among those known")
    return keys[wanted]
