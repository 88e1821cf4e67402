"""How a server is reached, as values: log-in, TLS, and limits on what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


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


@dataclass(frozen=True, slots=True)
class TLS:
    """Certificates to trust instead of the system's; one to show, and its key; whether the server's is checked."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    verify: bool = True


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
