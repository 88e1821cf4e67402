"""Log lines: text for people or JSON for machines, each with the request it belongs to, none with a secret."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pydantic import BaseModel, SecretStr

from observatory.config import Settings
from observatory.plain import plain, plain_json

REQUEST: ContextVar[str] = ContextVar("request", default="-")
"""Id of the request this thread answers."""
HIDDEN = "***"
SHORTEST = 6
"""A secret that is shorter would hide ordinary words."""
LONGEST = 4000
"""Messages are cut there [characters]."""
PATTERNS = re.compile(
    r"obs_[0-9a-f]{12}_[A-Za-z0-9_-]{20,}"  # API keys
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # JSON Web Tokens
    r"|(?<=[Bb]earer )[^\s\"',]+"
    r"|(?<=bokeh-token=)[^&\s]+|(?<=[?&]code=)[^&\s]+"  # pages and logins at a provider, in addresses
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user and password of an address
)
CHATTY = ("tornado.access", "mcp", "uvicorn")
"""Loggers that have a line for each request, which no person reads."""
FIELDS = ("method", "path", "status", "seconds", "who", "address")
"""What a line about a request also says, where it is JSON."""


class Redacting(logging.Formatter):
    """Formats a line, then hides what looks like a secret and what the settings say is one."""

    def __init__(self, form: str | None = None, secrets: Iterable[str] = ()) -> None:
        super().__init__(form)
        known = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        record.request = REQUEST.get()
        said = record.getMessage()
        if len(said) > LONGEST:  # frameworks write down what they were sent
            record.msg, record.args = f"{said[:LONGEST]}… ({len(said)} characters in all)", None
        return self.hide(self.one(self.line(record)))

    def line(self, record: logging.LogRecord) -> str:
        """The line before anything is hidden."""
        return super().format(record)

    def one(self, text: str) -> str:
        """The line as a terminal may show it; further lines are set in, so that none passes for a record of its own."""
        return plain(text).replace("\n", "\n    ")

    def hide(self, text: str) -> str:
        """`text` without secrets."""
        text = PATTERNS.sub(HIDDEN, text)
        return self._known.sub(HIDDEN, text) if self._known else text


class Json(Redacting):
    """A line as one JSON object."""

    def line(self, record: logging.LogRecord) -> str:
        """See `Redacting`."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z"
        said: dict[str, Any] = {
            "at": at,
            "level": record.levelname,
            "logger": record.name,
            "request": record.request if hasattr(record, "request") else "-",
            "message": record.getMessage(),
        }
        said |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return plain_json(said, default=str)

    def one(self, text: str) -> str:
        """JSON is one line already."""
        return text


def set_up(settings: Settings) -> None:
    """Have this process log as the settings say; as text without a line for each request, which no person reads."""
    secrets = list(secrets_of(settings))
    form = "%(asctime)s %(levelname)s %(name)s [%(request)s] %(message)s"
    handler = logging.StreamHandler()
    handler.setFormatter(Json(secrets=secrets) if settings.log_format == "json" else Redacting(form, secrets))
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    if settings.log_format == "text":
        logging.getLogger("observatory.api.requests").setLevel(logging.WARNING)
    if settings.log_level == "INFO":
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
    # its lines in search of an error hold paths, and that of a webhook or of a Telegram bot is its secret
    logging.getLogger("urllib3").setLevel(max(logging.INFO, logging.getLevelName(settings.log_level)))


@contextmanager
def quiet(name: str, level: int = logging.ERROR) -> Iterator[None]:
    """Nothing below `level` from the logger `name` while the block runs, and as before after it."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)


def secrets_of(found: Any) -> Iterable[str]:
    """Every secret in settings, and in the tables of settings within."""
    if isinstance(found, SecretStr):
        yield found.get_secret_value()
    elif isinstance(found, BaseModel):
        for name in type(found).model_fields:
            yield from secrets_of(getattr(found, name))
    elif isinstance(found, dict):
        for value in found.values():
            yield from secrets_of(value)
