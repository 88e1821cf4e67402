"""Queries to a Prometheus, or to anything that speaks its HTTP API."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import SecretStr

from observatory.config.sources import SourceSettings
from observatory.errors import SourceError
from observatory.sources.prometheus.answers import Answer, Series, parse, read_version
from observatory.sources.prometheus.connection import TLS, Authentication, Limits
from observatory.sources.prometheus.transport import Transport

WHOLE = {"partial_response": "false", "deny_partial_response": "1"}
"""Thanos's and VictoriaMetrics's words for: rather an error than history with holes in it."""
MOST_POINTS = 11_000  # Prometheus refuses a range of more points a series


class PrometheusClient(Transport):
    """Instant and range queries with typed errors; what it takes is said at `Transport`."""

    @classmethod
    def of(cls, settings: SourceSettings) -> Self:
        """A client as the settings say."""
        return cls(
            str(settings.url),
            Limits(settings.timeout, settings.concurrency, settings.max_answer),
            Authentication(
                token=_shown(settings.token),
                token_file=settings.token_file,
                username=settings.username,
                password=_shown(settings.password),
            ),
            TLS(settings.ca_file, settings.cert_file, settings.key_file, settings.verify),
            headers={name: value.get_secret_value() for name, value in settings.headers.items()},
        )

    def instant(self, query: str, at: datetime) -> Answer:
        """The value of every series of `query` at a time.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        return parse(self.ask("query", {"query": query, "time": f"{at.timestamp():.3f}"}), "vector", self.address)

    def range(self, query: str, start: datetime, end: datetime, step: float) -> Answer:
        """Values every `step` seconds from `start` to `end`, both included; long ranges are asked for in pieces.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        series: list[Series] = []
        warnings: list[str] = []
        partial = False
        first, last, span = start.timestamp(), end.timestamp(), (MOST_POINTS - 1) * step
        while first <= last:
            until = min(last, first + span)
            reach = {"start": f"{first:.3f}", "end": f"{until:.3f}", "step": f"{step:.15g}"}
            fields = {"query": query, **reach, **WHOLE}
            answer = parse(self.ask("query_range", fields), "matrix", self.address)
            series += answer.series
            warnings += answer.warnings
            partial |= answer.partial
            first += span + step
        return Answer(series, tuple(dict.fromkeys(warnings)), partial)

    def version(self) -> str:
        """What the server calls itself; empty where it does not say (not every compatible server does)."""
        try:
            return read_version(self.ask("status/buildinfo"))
        except SourceError:
            return ""


def _shown(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
