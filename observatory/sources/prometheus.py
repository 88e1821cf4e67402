"""A Prometheus, or anything that speaks its HTTP API, as a source of samples.

Queries go out as form-encoded POST (they get long), one a metric for all services. What comes back is checked before
it is believed: values are strings, some of them ``NaN`` or ``+Inf``, warnings come with data, and a proxy in between
answers in HTML.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np
import pandas as pd
import requests
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from urllib3.exceptions import ReadTimeoutError

from observatory.catalog import METRICS, Metric
from observatory.config import Settings
from observatory.errors import (
    MalformedAnswerError,
    SourceError,
    SourceRefusedError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from observatory.model import SERVICE, TIMESTAMP, Collected, Failure, Fault, Service, empty_samples
from observatory.sources.presets import build_queries, discovery_query

MOST_POINTS = 11_000  # Prometheus refuses a range of more points a series
LARGEST_ANSWER = 256 * 1024 * 1024
RETRIED = frozenset({429, 502, 503, 504})
ATTEMPTS = 3
LONGEST_WAIT = 10.0
LAST_TIME = 253_402_300_800  # the year 10,000 [s since the epoch]


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its labels, times [s since the epoch] and values (NaN where none or infinite)."""

    labels: Mapping[str, str]
    times: list[float]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Answer:
    """Series, and what the server wanted to be known about them."""

    series: list[Series]
    warnings: tuple[str, ...] = ()


class _RetryableError(SourceRefusedError):
    """A refusal that may be over in a moment."""

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message)
        self.wait = wait


class PrometheusClient:
    """Instant and range queries with typed errors.

    Parameters
    ----------
    url
        Address of the server, with a path prefix if it has one.
    timeout
        Longest wait for one answer [s].
    token, username, password
        Bearer token, or basic authentication.
    ca_file
        Certificates to trust instead of the system's; verification is always on.
    sleep
        Waits between attempts.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 30.0,
        token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        ca_file: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no .netrc that the settings do not name
        self._session.verify = ca_file or True
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        elif username:
            self._session.auth = (username, password or "")

    @property
    def address(self) -> str:
        """The URL without user name and password, for messages."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

    def instant(self, query: str, at: datetime) -> Answer:
        """The value of every series of `query` at a time.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        data = self._ask("query", {"query": query, "time": f"{at.timestamp():.3f}"})
        return self._parse(data, "vector")

    def range(self, query: str, start: datetime, end: datetime, step: float) -> Answer:
        """Values every `step` seconds from `start` to `end`, both included; long ranges are asked for in pieces.

        Raises
        ------
        SourceUnreachableError, SourceTimeoutError, SourceRefusedError, MalformedAnswerError
        """
        series: list[Series] = []
        warnings: list[str] = []
        first, last, span = start.timestamp(), end.timestamp(), (MOST_POINTS - 1) * step
        while first <= last:
            until = min(last, first + span)
            fields = {"query": query, "start": f"{first:.3f}", "end": f"{until:.3f}", "step": f"{step:.15g}"}
            answer = self._parse(self._ask("query_range", fields), "matrix")
            series += answer.series
            warnings += answer.warnings
            first += span + step
        return Answer(series, tuple(dict.fromkeys(warnings)))

    def _ask(self, what: str, fields: dict[str, str]) -> dict[str, Any]:
        attempts = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            retry=retry_if_exception(lambda error: isinstance(error, _RetryableError | SourceUnreachableError)),
            wait=_wait,
            reraise=True,
            sleep=self._sleep,
        )
        answer: dict[str, Any] = attempts(self._ask_once, what, fields)
        return answer

    def _ask_once(self, what: str, fields: dict[str, str]) -> dict[str, Any]:
        try:
            with self._session.post(
                f"{self.url}/api/v1/{what}", data=fields, timeout=self._timeout, stream=True, allow_redirects=False
            ) as response:
                body = self._body(response)
                status, retry_after = response.status_code, response.headers.get("Retry-After")
        except requests.Timeout:
            raise self._too_slow() from None
        except requests.exceptions.SSLError as error:
            raise SourceUnreachableError(
                f"Prometheus at {self.address} has a certificate that is not trusted ({_cause(error)}): "
                "name its authority with OBSERVATORY_PROMETHEUS_CA_FILE"
            ) from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            raise MalformedAnswerError(
                f"Prometheus at {self.address} broke off its answer ({_cause(error)}): look at its log"
            ) from None
        except requests.RequestException as error:
            if any(isinstance(reason, ReadTimeoutError) for reason in error.args):  # silent halfway through its answer
                raise self._too_slow() from None
            raise SourceUnreachableError(
                f"Prometheus at {self.address} cannot be reached ({_cause(error)}): "
                "is it running, and is OBSERVATORY_PROMETHEUS_URL right?"
            ) from None
        return self._checked(body, status, retry_after)

    def _too_slow(self) -> SourceTimeoutError:
        return SourceTimeoutError(
            f"Prometheus at {self.address} did not answer within {self._timeout:g} s: "
            "is it overloaded? Raise OBSERVATORY_PROMETHEUS_TIMEOUT, or lower its load"
        )

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for piece in response.iter_content(1 << 20):
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise MalformedAnswerError(
                    f"Prometheus at {self.address} sent more than {LARGEST_ANSWER >> 20} MB for one query: "
                    "ask for a shorter range or fewer services"
                )
        return bytes(body)

    def _checked(self, body: bytes, status: int, retry_after: str | None) -> dict[str, Any]:
        """The answer's data and warnings, or the error it is."""
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict) and answer.get("status") == "error":
            detail = f"{answer.get('errorType', 'error')}: {answer.get('error', 'no reason given')}"
        elif status >= 300:
            detail = f"HTTP {status}" + (", check token or password" if status in (401, 403) else "")
        elif not isinstance(answer, dict) or answer.get("status") != "success":
            start = body[:60].decode("utf-8", "replace").split("\n")[0]
            raise MalformedAnswerError(
                f"{self.address} did not answer like a Prometheus (it began {start!r}): "
                "is OBSERVATORY_PROMETHEUS_URL right, and nothing in between?"
            )
        else:
            return answer
        message = f"Prometheus at {self.address} refused the query ({detail})"
        if status in RETRIED:
            raise _RetryableError(message, _seconds(retry_after))
        raise SourceRefusedError(message)

    def _parse(self, answer: dict[str, Any], kind: str) -> Answer:
        try:
            data = answer["data"]
            if data["resultType"] != kind:
                raise MalformedAnswerError(
                    f"Prometheus at {self.address} answered with a {data['resultType']}, not a {kind}: check the query"
                )
            series = [_series(item, kind) for item in data["result"]]
            said = [*answer.get("warnings", []), *answer.get("infos", [])]
            return Answer(series, tuple(str(text) for text in said))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise MalformedAnswerError(
                f"Prometheus at {self.address} sent an answer of an unknown form ({type(error).__name__}: {error}): "
                "is it a compatible server?"
            ) from None


class PrometheusSource:
    """A `observatory.model.Source` over a Prometheus: one query a metric for all services.

    Parameters
    ----------
    client
        Where to ask.
    window
        Rate window [s].
    presets
        Names of presets in order of priority; empty for all.
    catalog
        The metrics to collect.
    """

    name = "prometheus"

    def __init__(
        self,
        client: PrometheusClient,
        window: float = 300.0,
        presets: Sequence[str] = (),
        catalog: Mapping[str, Metric] = METRICS,
    ) -> None:
        self.client = client
        self._queries = build_queries(catalog, window, presets)
        self._discovery = discovery_query(window, presets)

    @classmethod
    def from_settings(cls, settings: Settings, name: str = "prometheus") -> Self:
        """The source called `name` in the settings."""
        own = settings.prometheis[name]
        client = PrometheusClient(
            str(own.url),
            own.timeout,
            own.token.get_secret_value() if own.token else None,
            own.username,
            own.password.get_secret_value() if own.password else None,
            str(own.ca_file) if own.ca_file else None,
        )
        source = cls(client, settings.window, own.presets)
        source.name = name
        return source

    @property
    def asks(self) -> str:
        """A digest of the queries."""
        return hashlib.sha256(json.dumps(self._queries, sort_keys=True).encode()).hexdigest()[:16]

    def discover(self) -> list[Service]:
        """Services of which some preset has a series now."""
        answer = self.client.instant(self._discovery, datetime.now(UTC))
        names = {series.labels.get(SERVICE, "") for series in answer.series} - {""}
        return [Service(name, self.name) for name in sorted(names)]

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        """The value of every metric at `at`; a metric whose query fails is a failure in the answer."""
        return self._collect(lambda query: self.client.instant(query, at), services)

    def history(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> Collected:
        """Values every `step` seconds; a metric whose query fails is a failure in the answer."""
        return self._collect(lambda query: self.client.range(query, start, end, step), services)

    def graph(self) -> list[tuple[str, str]]:
        """Empty: metrics alone do not tell who calls whom."""
        return []

    def faults(self, start: datetime | None = None, end: datetime | None = None) -> list[Fault]:
        """Empty: nobody labels what happens in production."""
        return []

    def _collect(self, ask: Callable[[str], Answer], services: Sequence[str] | None) -> Collected:
        columns: dict[str, pd.Series] = {}
        failures: list[Failure] = []
        warnings: list[str] = []
        refused: SourceError | None = None
        for metric, query in self._queries.items():
            try:
                answer = ask(query)
                columns[metric] = _column(answer.series)
                warnings += [f"{metric}: {text}" for text in answer.warnings]
            except (SourceUnreachableError, SourceTimeoutError) as error:
                if not columns:
                    raise  # the others would only wait as long
                failures.append(Failure(metric, str(error)))
            except SourceError as error:
                failures.append(Failure(metric, str(error)))
                refused = refused or error
        if refused and not columns:
            raise refused
        return Collected(_frame(columns, services), tuple(failures), tuple(warnings), len(self._queries))


def _series(item: Any, kind: str) -> Series:
    labels = {str(name): str(value) for name, value in item["metric"].items()}
    if "histogram" in item or "histograms" in item:
        raise MalformedAnswerError(
            "the query answers with native histograms, not with numbers: "
            "wrap it in histogram_quantile or histogram_count"
        )
    points = [item["value"]] if kind == "vector" else item["values"]
    return Series(labels, [_time(at) for at, _ in points], [_number(value) for _, value in points])


def _time(at: Any) -> float:
    seconds = float(at)
    if not abs(seconds) < LAST_TIME:
        raise ValueError(f"{at!r} is no time")
    return seconds


def _number(text: Any) -> float:
    value = float(text)
    return value if math.isfinite(value) else math.nan


def _column(series: Sequence[Series]) -> pd.Series:
    """Values indexed by service and time; of two series of one service the first wins."""
    named = [one for one in series if one.labels.get(SERVICE)]
    counts = [len(one.times) for one in named]
    names = np.repeat(np.array([one.labels[SERVICE] for one in named], dtype=object), counts)
    seconds = np.fromiter((at for one in named for at in one.times), dtype=float)
    times = pd.to_datetime((seconds * 1000).round().astype("int64"), unit="ms", utc=True).as_unit("us")
    values = np.fromiter((value for one in named for value in one.values), dtype=float)
    index = pd.MultiIndex.from_arrays([names, times], names=[SERVICE, TIMESTAMP])
    column = pd.Series(values, index=index, dtype=float)
    return column[~column.index.duplicated()]


def _frame(columns: Mapping[str, pd.Series], services: Sequence[str] | None) -> pd.DataFrame:
    if not any(len(column) for column in columns.values()):
        return empty_samples(list(columns))
    frame = pd.concat(columns, axis=1).dropna(how="all").reset_index()
    if services is not None:
        frame = frame[frame[SERVICE].isin(list(services))].reset_index(drop=True)
    return frame


def _wait(state: RetryCallState) -> float:
    """As long as the server asked for, else ½, 1, 2 … seconds."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, _RetryableError) else None
    return min(LONGEST_WAIT, asked if asked is not None else 0.5 * 2 ** (state.attempt_number - 1))


def _seconds(retry_after: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header; dates are rare enough to fall back to our own waits."""
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None


def _cause(error: BaseException) -> str:
    """The innermost reason, as the operating system puts it."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or reason.__cause__ or reason.__context__
        if not isinstance(inner, BaseException):
            break
        reason = inner
    text = str(reason)
    for known, words in (
        ("refused", "connection refused"),
        ("Name or service not known", "unknown host"),
        ("Failed to resolve", "unknown host"),
        ("Temporary failure in name resolution", "unknown host"),
        ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed"),
        ("Invalid URL", "invalid address"),  # the text goes on with the address, password and all
        ("Failed to parse", "invalid address"),
    ):
        if known in text:
            return words
    return text.split("\n")[0][:120] or type(reason).__name__
