"""How a server is reached, as values: log-in, TLS, and limits on what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from observatory.config.sources import ServerSettings, SourceSettings


@dataclass(frozen=True, slots=True)
class Authentication:
    """Who asks: by a bearer token, a file that has one and is read for every request, or a name and a password.

    With `aws_region` or `aws_profile`, requests are signed for Amazon's managed Prometheus; with `google`, they carry
    an access token of Google's application default credentials.
    """

    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    aws_region: str | None = None
    aws_profile: str | None = None
    google: bool = False

    @classmethod
    def of(cls, settings: ServerSettings) -> Self:
        """As the settings say."""
        own = cls(
            token=shown(settings.token),
            token_file=settings.token_file,
            username=settings.username,
            password=shown(settings.password),
        )
        if not isinstance(settings, SourceSettings):
            return own
        return replace(own, aws_region=settings.aws_region, aws_profile=settings.aws_profile, google=settings.google)


@dataclass(frozen=True, slots=True)
class TLS:
    """Certificates to trust instead of the system's; one to show, and its key; whether the server's is checked."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    verify: bool = True

    @classmethod
    def of(cls, settings: ServerSettings) -> Self:
        """As the settings say."""
        return cls(settings.ca_file, settings.cert_file, settings.key_file, settings.verify)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of a server at most.

    Parameters
    ----------
    timeout
        Longest wait for one answer, from the first byte sent to the last byte received [s].
    concurrency
        Most requests at a time.
    max_answer
        Largest answer taken [MB].
    """

    timeout: float = 30.0
    concurrency: int = 4
    max_answer: float = 256.0


DEFAULT_LIMITS, ANONYMOUS, CHECKED = Limits(), Authentication(), TLS()
"""What counts unless something else is said."""


def headers_of(settings: ServerSettings) -> dict[str, str]:
    """What is sent with every request."""
    return {name: value.get_secret_value() for name, value in settings.headers.items()}


def shown(secret: SecretStr | None) -> str | None:
    """The text of a secret, for whom it is meant."""
    return None if secret is None else secret.get_secret_value()
