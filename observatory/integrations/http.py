"""Destinations that are told over HTTP: log-in, TLS and proxy as the settings want them, and failures in words.

What a receiver refuses for good is told apart from what may work later. No message holds the address behind the host
name, for that of a webhook is its secret.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import requests
import urllib3
from pydantic import Field, SecretStr, model_validator

from observatory.config.sources import ConnectionSettings
from observatory.errors import DeliveryError
from observatory.integrations.base import Destination, Options
from observatory.sources.prometheus.replies import seconds_of

MOST_READ = 1 << 16
"""Bytes of an answer that are read."""
MOST_SAID = 200
"""Characters of an answer that are repeated."""
FOR_GOOD = frozenset({400, 405, 406, 410, 411, 413, 414, 415, 422, 431})
"""Statuses after which the same message would be refused again. A log-in or an address can be mended meanwhile."""
SHORTEST_SECRET = 4
OF_ENVIRONMENT = "environment"


class HttpOptions(Options, ConnectionSettings):
    """How a receiver is reached. Its address may be a secret, and stand in a file."""

    url: SecretStr | None = Field(None, description="Address of the receiver.")
    url_file: Path | None = Field(None, description="File with the address; read again for every message.")
    timeout: float = Field(10.0, gt=0, le=120, description="Longest wait for an answer [s].")

    fallback: ClassVar[str] = ""
    """The address where the settings name none."""

    @model_validator(mode="after")
    def _address_is_one(self) -> Self:
        if self.url is not None and self.url_file is not None:
            raise ValueError("url and url_file are both set: keep one")
        if self.url is None and self.url_file is None and not self.fallback:
            raise ValueError("url or url_file is missing: where is it told?")
        if self.url is not None and not is_address(self.url.get_secret_value()):
            raise ValueError("url is no address such as https://host/path")
        return self


def is_address(text: str) -> bool:
    """Whether a text is an address of HTTP without blanks or line breaks in it."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isprintable() and " " not in text
    except ValueError:
        return False


def secret_of(value: SecretStr | None, file: Path | None, name: str) -> str:
    """A secret from the settings, or from the file they name; empty where neither is set. Raises DeliveryError."""
    if file is None:
        return value.get_secret_value() if value is not None else ""
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DeliveryError(f"{name} names {str(file)!r}, which cannot be read: {_reason(error)}") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered."""

    status: int
    text: str
    headers: Mapping[str, str]


H = TypeVar("H", bound=HttpOptions)


class HttpDestination(Destination[H], Generic[H]):
    """A destination that is told over HTTP."""

    options: ClassVar[type[Options]] = HttpOptions
    for_good: ClassVar[frozenset[int]] = FOR_GOOD
    """Statuses after which a message is not sent again."""

    def __init__(self, name: str, settings: H) -> None:
        super().__init__(name, settings)
        self._lock = threading.Lock()
        self._session = make_session(settings)

    @property
    def where(self) -> str:
        """The host, for all else may be a secret."""
        try:
            return self._host(self._address())
        except DeliveryError:
            return f"the address in {self.settings.url_file}"

    def post(
        self,
        path: str = "",
        *,
        body: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        url: str | None = None,
        method: str = "POST",
        most: int = MOST_READ,
    ) -> Answer:
        """Send JSON (`body`) or bytes (`data`) to the address and `path` below it; `most` bytes of the answer are read.

        Raises
        ------
        DeliveryError
            The receiver cannot be reached, is busy, or refuses it; `is_final` where that is for good.
        """
        base = url or self._address()
        address = f"{base.rstrip('/')}{path}" if path else base
        token_file = self.settings.token_file
        more = dict(headers or {})
        if token_file is not None:
            more["Authorization"] = f"Bearer {secret_of(None, token_file, 'token_file')}"
        try:
            with self._lock:  # requests' sessions are not made for several threads
                reply = self._session.request(
                    method,
                    address,
                    json=body,
                    data=data,
                    headers=more,
                    timeout=self.settings.timeout,
                    allow_redirects=False,
                    stream=True,
                )
                with reply:
                    text = reply.raw.read(most, decode_content=True).decode("utf-8", "replace")
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise DeliveryError(f"{self._host(address)} {unreachable(error, self.settings.timeout)}") from None
        answer = Answer(reply.status_code, self._without_secrets(text, address), reply.headers)
        if not 200 <= answer.status < 300:
            raise refusal(self._host(address), answer, answer.status in self.for_good)
        return answer

    def close(self) -> None:
        """See `Destination.close`."""
        self._session.close()

    def _address(self) -> str:
        address = secret_of(self.settings.url, self.settings.url_file, "url_file") or self.settings.fallback
        if not is_address(address):
            raise DeliveryError(f"the file {str(self.settings.url_file)!r} holds no address such as https://host/path")
        return address

    @staticmethod
    def _host(address: str) -> str:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def _without_secrets(self, text: str, address: str) -> str:
        for secret in sorted(self._secrets(address), key=len, reverse=True):
            text = text.replace(secret, "…")
        return text

    def _secrets(self, address: str) -> Iterable[str]:
        parts = urlsplit(address)
        held = (self.settings.token, self.settings.password, *self.settings.headers.values())
        found = [one.get_secret_value() for one in held if one is not None]
        path = parts.path.strip("/")
        return {one for one in (*found, path, parts.query, parts.password or "") if len(one) >= SHORTEST_SECRET}


def make_session(settings: ConnectionSettings) -> requests.Session:
    """A session with the log-in, TLS and proxy of the settings, and nothing of the environment's."""
    session = requests.Session()
    session.trust_env = False
    session.headers.update({name: value.get_secret_value() for name, value in settings.headers.items()})
    session.headers["User-Agent"] = "cloudwatch-observatory"
    if settings.token is not None:
        session.headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
    elif settings.username is not None:
        password = settings.password.get_secret_value() if settings.password else ""
        session.auth = (settings.username, password)
    if settings.cert_file:
        session.cert = (
            (str(settings.cert_file), str(settings.key_file)) if settings.key_file else str(settings.cert_file)
        )
    session.verify = settings.verify and (str(settings.ca_file) if settings.ca_file else True)
    if not settings.verify:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    proxy = settings.proxy.get_secret_value() if settings.proxy else None
    if proxy == OF_ENVIRONMENT:
        session.proxies.update(getproxies())
    elif proxy:
        session.proxies.update({"http": proxy, "https": proxy})
    return session


def refusal(host: str, answer: Answer, is_final: bool) -> DeliveryError:
    """What is raised for an answer that is no success."""
    said = " ".join(answer.text.split())
    words = f"{host} answered {answer.status}"
    if 300 <= answer.status < 400:
        words += ": a redirect, which is not followed: set the address it leads to"
    elif said and not said.startswith("<"):  # a page for browsers says nothing
        words += f": {said[:MOST_SAID]}"
    return DeliveryError(words, wait=seconds_of(answer.headers.get("Retry-After")), is_final=is_final)


def unreachable(error: Exception, timeout: float) -> str:
    """Why no answer came, without the address."""
    if isinstance(error, requests.exceptions.SSLError):
        return f"has a certificate that is not trusted: {_reason(error)}; ca_file names the authority of your own"
    if isinstance(error, requests.exceptions.ProxyError):
        return "cannot be reached through the proxy"
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return f"did not answer within {timeout:g} s"
    if isinstance(error, requests.exceptions.ConnectionError):
        return f"cannot be reached: {_reason(error)}"
    return f"broke off its answer: {type(error).__name__}"


def _reason(error: BaseException) -> str:
    """The words of the innermost error that has a number or a TLS reason; its class where there is none."""
    seen: BaseException | None = error
    found = type(error).__name__
    for _ in range(10):
        if seen is None:
            break
        if isinstance(seen, OSError) and seen.strerror and not isinstance(seen, requests.RequestException):
            found = seen.strerror
        reason = getattr(seen, "verify_message", None)
        if reason:
            return str(reason)
        inner = getattr(seen, "reason", None)
        args = [one for one in seen.args if isinstance(one, BaseException)]
        seen = inner if isinstance(inner, BaseException) else (args[0] if args else seen.__cause__ or seen.__context__)
    return found


def as_object(answer: Answer) -> dict[str, Any]:
    """The JSON object that was answered; an empty one for whatever else came."""
    try:
        found = json.loads(answer.text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
