"""Queries to a Prometheus, or to anything that speaks its HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Self

from pydantic import SecretStr

from observatory.config.sources import SourceSettings
from observatory.errors import MalformedAnswerError, SourceBusyError, SourceError, SourceRefusedError
from observatory.sources.prometheus.about import (
    VICTORIAMETRICS,
    Build,
    escaped,
    read_build,
    read_names,
    read_types,
    read_version,
)
from observatory.sources.prometheus.answers import Answer, Series, parse
from observatory.sources.prometheus.connection import TLS, Authentication, Limits
from observatory.sources.prometheus.transport import Transport

WHOLE = {"partial_response": "false", "deny_partial_response": "1"}
"""Thanos's and VictoriaMetrics's words for: rather an error than history with holes in it."""
METRICSQL = 'label_set(1, "of", "metricsql")'
"""A query that only VictoriaMetrics understands."""
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

    def build(self) -> Build:
        """Which program answers, told by its build info or else by its dialect; empty where neither tells.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceBusyError
        """
        try:
            build = read_build(self.ask("status/buildinfo"))
        except SourceBusyError:
            raise
        except (SourceRefusedError, MalformedAnswerError):
            build = Build()
        if build.name:
            return build
        try:
            self.instant(METRICSQL, datetime.now(UTC))
        except SourceBusyError:
            raise
        except (SourceRefusedError, MalformedAnswerError):
            return build
        return Build(VICTORIAMETRICS)

    def label_names(
        self, match: Sequence[str] = (), start: datetime | None = None, end: datetime | None = None
    ) -> list[str]:
        """Names of labels, sorted: of all series, or of those that one of the selectors `match` finds.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        return read_names(self.ask("labels", _reach(match, start, end), get=True), self.address)

    def label_values(
        self, label: str, match: Sequence[str] = (), start: datetime | None = None, end: datetime | None = None
    ) -> list[str]:
        """Values of a label, sorted; those of ``__name__`` are the names of all metrics.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        what = f"label/{escaped(label)}/values"
        return read_names(self.ask(what, _reach(match, start, end), get=True), self.address)

    def metadata(self) -> Mapping[str, str]:
        """Type by metric: ``"counter"``, ``"gauge"``, ``"histogram"`` …; empty where the server has no such list.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceBusyError
        """
        try:
            return read_types(self.ask("metadata", {}, get=True))
        except SourceBusyError:
            raise
        except (SourceRefusedError, MalformedAnswerError):
            return {}


def _reach(match: Sequence[str], start: datetime | None, end: datetime | None) -> dict[str, str | Sequence[str]]:
    times = {"start": start, "end": end}
    return {"match[]": match} | {name: f"{at.timestamp():.3f}" for name, at in times.items() if at is not None}


def _shown(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
