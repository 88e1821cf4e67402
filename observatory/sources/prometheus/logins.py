"""Ways to log in that need a look at each request: names beyond Latin-1, tokens that change, signatures."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import requests

from observatory.errors import AccessDeniedError, ConfigError, SourceRefusedError

GOOGLE_SCOPE = "https://www.googleapis.com/auth/monitoring.read"
AWS_SERVICE = "aps"
"""What Amazon's managed Prometheus is called in signatures."""


class Basic(requests.auth.AuthBase):
    """A name and a password in UTF-8 (RFC 7617); the library's own takes Latin-1 only."""

    def __init__(self, username: str, password: str) -> None:
        pair = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
        self._header = f"Basic {pair}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


class TokenFile(requests.auth.AuthBase):
    """A bearer token from a file that may be written anew at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        try:
            token = self._path.read_text("ascii").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not plain text"
            raise SourceRefusedError(
                f"token file {self._path} cannot be read ({reason}): check its path and rights"
            ) from None
        if not token or not token.isprintable():
            raise SourceRefusedError(f"token file {self._path} holds no token: it must have one line of text")
        request.headers["Authorization"] = f"Bearer {token}"
        return request


class AmazonSignature(requests.auth.AuthBase):
    """Signature version 4 of AWS, by botocore: its credentials are found, and renewed, as for any AWS tool.

    Parameters
    ----------
    region
        Of the workspace; None for that of the profile.
    profile
        Of the files in ``~/.aws``; None for the default.

    Raises
    ------
    ConfigError
        botocore is not installed, there is no such profile, or no region is known.
    """

    def __init__(self, region: str | None = None, profile: str | None = None) -> None:
        try:
            import botocore.auth
            import botocore.awsrequest
            import botocore.exceptions
            import botocore.session
        except ImportError:
            raise ConfigError("aws_region and aws_profile need botocore: install cloudwatch-observatory[aws]") from None
        self._auth: Any = botocore.auth.SigV4Auth
        self._request: Any = botocore.awsrequest.AWSRequest
        self._failures: tuple[type[Exception], ...] = (botocore.exceptions.BotoCoreError,)
        session: Any = botocore.session.Session(profile=profile)
        try:
            self._region = region or session.get_config_variable("region")
        except self._failures as error:
            raise ConfigError(f"AWS profile {profile!r} cannot be used ({error}): see ~/.aws/config") from None
        if not self._region:
            raise ConfigError("no AWS region is known: set aws_region to that of the workspace, such as eu-west-1")
        self._session = session

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        try:
            credentials = self._session.get_credentials()  # kept by the session, and renewed before they expire
            if credentials is None:
                raise AccessDeniedError(
                    "no AWS credentials were found to sign requests with: set aws_profile, the variables "
                    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role"
                )
            signed = self._request(method=request.method, url=request.url, data=request.body)
            self._auth(credentials.get_frozen_credentials(), AWS_SERVICE, self._region).add_auth(signed)
        except self._failures as error:
            raise AccessDeniedError(f"AWS gave no credentials to sign requests with ({error})") from None
        request.headers.update(dict(signed.headers.items()))
        return request


class GoogleToken(requests.auth.AuthBase):
    """Access tokens of Google's application default credentials, by google-auth, renewed before they expire.

    Raises
    ------
    ConfigError
        google-auth is not installed, or finds no credentials.
    """

    def __init__(self) -> None:
        try:
            import google.auth
            import google.auth.exceptions
            import google.auth.transport.requests
        except ImportError:
            raise ConfigError("google = true needs google-auth: install cloudwatch-observatory[google]") from None
        self._failures: tuple[type[Exception], ...] = (google.auth.exceptions.GoogleAuthError,)
        try:
            self._credentials: Any = google.auth.default(scopes=[GOOGLE_SCOPE])[0]
        except self._failures as error:
            raise ConfigError(
                f"no credentials of Google were found ({_first_sentence(error)}): run `gcloud auth application-default "
                "login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file"
            ) from None
        self._ask: Any = google.auth.transport.requests.Request()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        headers: dict[str, str] = {}
        try:
            self._credentials.before_request(self._ask, request.method, request.url, headers)
        except self._failures as error:
            raise AccessDeniedError(f"Google gave no access token ({_first_sentence(error)})") from None
        request.headers.update({_title(name): value for name, value in headers.items()})
        return request


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _first_sentence(error: Exception) -> str:
    return re.split(r"(?<=\w)\. |\n", str(error.args[0] if error.args else error))[0][:200]
