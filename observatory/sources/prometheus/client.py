"""Queries to a Prometheus, or to anything that speaks its HTTP API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Self, TypeVar

from observatory.config.sources import SourceSettings
from observatory.errors import MalformedAnswerError, SourceBusyError, SourceError, SourceRefusedError
from observatory.sources.prometheus.about import (
    VICTORIAMETRICS,
    Build,
    escaped,
    read_build,
    read_features,
    read_names,
    read_types,
    read_version,
)
from observatory.sources.prometheus.answers import Answer, Series, parse
from observatory.sources.prometheus.connection import (
    ANONYMOUS,
    CHECKED,
    DEFAULT_LIMITS,
    TLS,
    Authentication,
    Limits,
    headers_of,
    shown,
)
from observatory.sources.prometheus.pieces import Pieces
from observatory.sources.prometheus.remembered import Remembered, parse_exemplars
from observatory.sources.prometheus.transport import Transport

T = TypeVar("T")

WHOLE = {"partial_response": "false", "deny_partial_response": "1"}
"""Thanos's and VictoriaMetrics's words for: rather an error than history with holes in it."""
METRICSQL = 'label_set(1, "of", "metricsql")'
"""A query that only VictoriaMetrics understands."""
PLACE = re.compile(r"\s*\(\d+:\d+\)$")
"""Where in a query a remark belongs."""
MOST_INFOS = 50
"""Remarks of a server on queries that are kept."""


class PrometheusClient(Transport):
    """Instant and range queries with typed errors; what it takes is said at `Transport`."""

    def __init__(
        self,
        url: str,
        limits: Limits = DEFAULT_LIMITS,
        authentication: Authentication = ANONYMOUS,
        tls: TLS = CHECKED,
        *,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(url, limits, authentication, tls, headers=headers, proxy=proxy, sleep=sleep)
        self._pieces = Pieces()
        self._infos: dict[str, None] = {}

    @classmethod
    def of(cls, settings: SourceSettings) -> Self:
        """A client as the settings say."""
        return cls(
            str(settings.url),
            Limits(settings.timeout, settings.concurrency, settings.max_answer),
            Authentication.of(settings),
            TLS.of(settings),
            headers=headers_of(settings),
            proxy=shown(settings.proxy),
        )

    def instant(self, query: str, at: datetime) -> Answer:
        """The value of every series of `query` at a time.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        answer = parse(self.ask("query", {"query": query, "time": f"{at.timestamp():.3f}"}), "vector", self.address)
        self._remember(answer)
        return answer

    def range(self, query: str, start: datetime, end: datetime, step: float) -> Answer:
        """Values every `step` seconds from `start` to `end`, both included.

        Long ranges, and those that hit a limit of the server or of `limits.max_answer`, are asked for in pieces; the
        size that passed is remembered.

        Raises
        ------
        QueryLimitError, AnswerTooLargeError
            A limit is hit for a single time too.
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """

        def ask(first: float, last: float) -> Answer:
            reach = {"start": f"{first:.3f}", "end": f"{last:.3f}", "step": f"{step:.15g}"}
            return parse(self.ask("query_range", {"query": query, **reach, **WHOLE}), "matrix", self.address)

        series: list[Series] = []
        warnings: dict[str, None] = {}
        infos: dict[str, None] = {}
        partial = False
        for answer in self._pieces.answers(query, start.timestamp(), end.timestamp(), step, ask):
            series += answer.series
            warnings.update(dict.fromkeys(answer.warnings))
            infos.update(dict.fromkeys(answer.infos))
            partial |= answer.partial
        whole = Answer(series, tuple(warnings), tuple(infos), partial)
        self._remember(whole)
        return whole

    def exemplars(self, query: str, start: datetime, end: datetime) -> list[Remembered]:
        """The exemplars of every series in `query`; none where the server keeps none.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        asked = {"query": query, "start": f"{start.timestamp():.3f}", "end": f"{end.timestamp():.3f}"}
        return parse_exemplars(self.ask("query_exemplars", asked), self.address)

    def features(self) -> frozenset[str] | None:
        """What the server was started with beyond the usual (``exemplar-storage``); None where it does not say.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceBusyError
        """
        return _unless_refused(lambda: read_features(self.ask("status/flags", get=True)))

    @property
    def infos(self) -> tuple[str, ...]:
        """What the server remarked on queries so far, each once: advice, not doubt in the values."""
        return tuple(self._infos)

    def _remember(self, answer: Answer) -> None:
        for info in answer.infos:
            if len(self._infos) < MOST_INFOS:
                self._infos[PLACE.sub("", info)] = None

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
        build = _unless_refused(lambda: read_build(self.ask("status/buildinfo"))) or Build()
        if build.name or _unless_refused(lambda: self.instant(METRICSQL, datetime.now(UTC))) is None:
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
        return _unless_refused(lambda: read_types(self.ask("metadata", {}, get=True))) or {}


def _unless_refused(ask: Callable[[], T]) -> T | None:
    """What `ask` returns; None where the server does not have it. One that is busy has it a moment later."""
    try:
        return ask()
    except SourceBusyError:
        raise
    except (SourceRefusedError, MalformedAnswerError):
        return None


def _reach(match: Sequence[str], start: datetime | None, end: datetime | None) -> dict[str, str | Sequence[str]]:
    times = {"start": start, "end": end}
    return {"match[]": match} | {name: f"{at.timestamp():.3f}" for name, at in times.items() if at is not None}
