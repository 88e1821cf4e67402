"""JSON Web Tokens of people who signed in elsewhere: checked by a shared secret, or by an issuer's public keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt

from observatory.access.key_sets import KeyFile, KeyServer, algorithms_of
from observatory.access.permissions import Caller, Role, Scope
from observatory.config import Settings
from observatory.config.users import UserSettings
from observatory.errors import ForbiddenError, InvalidInputError, NotSignedInError

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
        Those that are accepted; None for those that the key is made for: public keys never with a shared secret's.
    settings
        Audience, issuer, and what named users may.
    clock
        Tells the time, in UTC.
    """

    def __init__(
        self, key: Callable[[str], Any], algorithms: list[str] | None, settings: Settings, clock: Callable[[], datetime]
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
            return cls(KeyServer(settings.jwt_jwks), None, settings, clock)
        return cls(KeyFile(Path(settings.jwt_jwks)), None, settings, clock)

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
            key = self._key(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=algorithms_of(key) if self._algorithms is None else self._algorithms,
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
        except (TypeError, ValueError, AttributeError):  # what it holds is of no kind PyJWT knows
            raise NotSignedInError("the token is not accepted: it cannot be read") from None
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
