"""JSON Web Tokens of people who signed in elsewhere: checked by a shared secret, or by an issuer's public keys."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt

from observatory.access.permissions import Caller, Role, Scope
from observatory.config import Settings
from observatory.config.users import UserSettings
from observatory.errors import ConfigError, ForbiddenError, InvalidInputError, NotSignedInError

ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY = 30
"""Clocks may differ by so much [s]."""
LONGEST = 8192


class Tokens:
    """What checks tokens, as the settings say; use `of`.

    Parameters
    ----------
    key
        Finds the key for a token.
    algorithms
        Those that are accepted: public keys never with a shared secret's algorithm.
    settings
        Audience, issuer, and what named users may.
    clock
        Tells the time, in UTC.
    """

    def __init__(
        self, key: Callable[[str], Any], algorithms: list[str], settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._key = key
        self._algorithms = algorithms
        self._settings = settings
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings, clock: Callable[[], datetime]) -> Tokens | None:
        """What the settings ask for; None where no tokens are accepted. Raises ConfigError."""
        if settings.jwt_secret is not None:
            secret = settings.jwt_secret.get_secret_value()
            return cls(lambda _: secret, ["HS256"], settings, clock)
        if settings.jwt_jwks is None:
            return None
        if settings.jwt_jwks.startswith(("https://", "http://")):
            client = jwt.PyJWKClient(settings.jwt_jwks, cache_keys=False, lifespan=300, timeout=10)
            return cls(lambda token: client.get_signing_key_from_jwt(token).key, ASYMMETRIC, settings, clock)
        return cls(KeyFile(Path(settings.jwt_jwks)), ASYMMETRIC, settings, clock)

    def caller(self, token: str) -> Caller:
        """Who the token says they are.

        Raises
        ------
        NotSignedInError, ForbiddenError
            The token is not accepted; it grants nothing here.
        """
        if len(token) > LONGEST:
            raise NotSignedInError("the token is too long")
        try:
            claims = jwt.decode(
                token,
                self._key(token),
                algorithms=self._algorithms,
                audience=self._settings.jwt_audience,
                issuer=self._settings.jwt_issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "aud", "iss", "sub"], "verify_exp": False, "verify_nbf": False},
            )
            self._check_times(claims)
        except jwt.PyJWKClientConnectionError:
            raise NotSignedInError("the token cannot be checked now: its issuer's keys are out of reach") from None
        except jwt.PyJWTError as error:
            raise NotSignedInError(f"the token is not accepted: {error}") from None
        return granted(str(claims["sub"]), "jwt", claims, self._settings.users)

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        """As PyJWT does, by the clock of the workbench."""
        now = self._clock().timestamp()
        try:
            expires, begins = float(claims["exp"]), float(claims.get("nbf", 0))
        except (TypeError, ValueError):
            raise jwt.InvalidTokenError("exp and nbf must be numbers") from None
        if not expires > now - LEEWAY:
            raise jwt.ExpiredSignatureError("it has expired")
        if begins > now + LEEWAY:
            raise jwt.ImmatureSignatureError("it is not valid yet")


class KeyFile:
    """Public keys of a file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read = -1
        self._keys: dict[str | None, Any] = {}
        self._load()

    def __call__(self, token: str) -> Any:
        """The key a token names."""
        wanted = jwt.get_unverified_header(token).get("kid")
        self._load()
        if wanted is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        if wanted not in self._keys:
            raise jwt.InvalidKeyError("it was signed with a key that is not among those known")
        return self._keys[wanted]

    def _load(self) -> None:
        with self._lock:
            try:
                changed = self._path.stat().st_mtime_ns
                if changed == self._read:
                    return
                found = jwt.PyJWKSet.from_dict(json.loads(self._path.read_text()))
            except (OSError, ValueError, AttributeError, jwt.PyJWTError) as error:
                raise ConfigError(f"setting jwt_jwks: {self._path} holds no public keys ({error})") from None
            self._keys, self._read = {key.key_id: key.key for key in found.keys}, changed


def granted(name: str, kind: str, claims: Mapping[str, Any], users: Mapping[str, UserSettings]) -> Caller:
    """What somebody may: as `users` has it, else as the claims ``role`` and ``services`` say.

    Raises
    ------
    ForbiddenError
        Neither says anything that can be used.
    """
    known = users.get(name)
    try:
        if known is not None:
            return Caller(kind, name, name, Role(known.role), Scope.of(known.services))
        if isinstance(role := claims.get("role"), str):
            services = claims.get("services", [])
            patterns = services.split() if isinstance(services, str) else services
            if isinstance(patterns, list) and all(isinstance(pattern, str) for pattern in patterns):
                return Caller(kind, name, name, Role.called(role), Scope.of(patterns))
    except InvalidInputError as error:
        raise ForbiddenError(f"what the token of {name!r} grants cannot be used: {error}") from None
    raise ForbiddenError(f"{name!r} is signed in and may do nothing here: an entry [users] in the settings grants it")
