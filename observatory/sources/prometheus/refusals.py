"""What a refusal of a server means: a limit, an unknown function, a log-in that is missing, or a server that is busy.

Servers that speak Prometheus's API use the same few statuses for all of these, 422 above all. What tells them apart
are their words. `WORDS` has those of Prometheus, VictoriaMetrics, Thanos, Cortex (and Amazon's service, which is one)
and Mimir (and Grafana Cloud); the first row that fits decides.
"""

from __future__ import annotations

import re

from observatory.errors import (
    AccessDeniedError,
    QueryLimitError,
    QueryRefusedError,
    QueryTooLongError,
    SourceBusyError,
    SourceRefusedError,
    UnsupportedQueryError,
)

DENIED = frozenset({401, 403, 407})
"""Statuses of a server, or of what stands in front of it, that wants another log-in."""
BUSY = frozenset({429, 502, 503, 504})
"""Statuses of a server that may answer a moment later."""
MOST_WORDS = 400
"""Characters of a server's words that are shown."""

Kind = type[SourceRefusedError]

WORDS: tuple[tuple[Kind, str], ...] = (
    # Too many queries at a time: the same one passes later.
    (SourceBusyError, r"too many outstanding requests"),  # the frontends of Cortex, Mimir and Thanos
    (SourceBusyError, r"tenant-max-request-rate|request rate limit"),  # Mimir
    (SourceBusyError, r"couldn't start executing the request|-search\.maxConcurrentRequests"),  # VictoriaMetrics
    (SourceBusyError, r"timed out in query queue"),  # Prometheus
    # The text of the query.
    (QueryTooLongError, r"too long query|-search\.maxQueryLen\b"),  # VictoriaMetrics
    (QueryTooLongError, r"max-query-expression-size-bytes"),  # Mimir
    (QueryTooLongError, r"request body too large|request entity too large"),  # Cortex, Thanos, proxies
    (QueryTooLongError, r"uri too (?:long|large)|header(?:s| fields)? too large"),  # proxies
    # A function or syntax the server does not have.
    (
        UnsupportedQueryError,
        r"unknown func",
    ),  # Prometheus: "unknown function with name", VictoriaMetrics: "unknown func"
    (UnsupportedQueryError, r"parse error"),  # Prometheus, Thanos, Cortex, Mimir
    (UnsupportedQueryError, r"function \S+ is not enabled"),  # experimental functions of Prometheus and Mimir
    (UnsupportedQueryError, r"unparsed data|cannot parse query|error when parsing"),  # VictoriaMetrics
    # Limits on what one query may load, return or take.
    (QueryLimitError, r"would load too many samples"),  # Prometheus and all that use its engine
    (QueryLimitError, r"exceeded maximum resolution of"),
    (QueryLimitError, r"query timed out|^timeout:"),
    (QueryLimitError, r"-search\.max\w+"),  # VictoriaMetrics names the flag
    (QueryLimitError, r"number of (?:matching |unique )*time ?series exceeds|not enough memory for processing"),
    (QueryLimitError, r"cannot (?:select|process) more than|timeout exceeded"),
    (QueryLimitError, r"exceeded (?:series|chunks?|samples?|bytes|touched series) limit|limit \S+ violated"),  # Thanos
    (QueryLimitError, r"resource ?exhausted|received message larger than max"),  # gRPC inside Thanos, Cortex, Mimir
    (QueryLimitError, r"the query hit the (?:max|aggregated)"),  # Cortex, Amazon
    (QueryLimitError, r"query time range exceeds the limit"),  # Cortex, Mimir, Thanos
    (QueryLimitError, r"err-mimir-max-|the query exceeded the|for the query exceeded"),  # Mimir
    (QueryLimitError, r"(?:too many|max(?:imum)? number of) (?:samples|series|chunks|(?:data ?)?points|bytes)"),
    (QueryLimitError, r"exceed\w*\b.{0,60}\blimit|\blimit\b.{0,60}\bexceed"),
    # Less certain words for what the server lacks.
    (UnsupportedQueryError, r"not supported|unsupported|not implemented|unimplemented"),  # Google, Thanos's engine
)

_WORDS = [(kind, re.compile(words, re.IGNORECASE)) for kind, words in WORDS]
_QUERY = re.compile(r'query="(?:[^"\\]|\\.)*"')  # VictoriaMetrics repeats it, up to some thousand characters


def classify(status: int, words: str) -> Kind:
    """The error that a refusal with this HTTP status and these words is."""
    if status in DENIED:
        return AccessDeniedError
    if status == 429:
        return SourceBusyError
    said = _QUERY.sub("", words)
    for kind, pattern in _WORDS:
        if pattern.search(said) and not (status in BUSY and kind is UnsupportedQueryError):
            return kind
    if status in (414, 431):
        return QueryTooLongError
    if status == 413:
        return QueryLimitError
    if status in BUSY:
        return SourceBusyError
    return QueryRefusedError if status in (200, 400, 422) else SourceRefusedError


def shortened(words: str) -> str:
    """A server's words without the query they repeat, on one line; the end, which has the reason, stays."""
    line = "".join(one if one.isprintable() else " " for one in _QUERY.sub("the query", words))
    line = " ".join(line.split())
    if len(line) <= MOST_WORDS:
        return line
    return f"{line[: MOST_WORDS // 2]} … {line[-MOST_WORDS // 2 :]}"


WAYS_OUT: dict[Kind, str] = {
    QueryTooLongError: ": have its limit raised, or name fewer presets in OBSERVATORY_PRESETS",
    QueryLimitError: ": ask for less at once, or have the limit raised",
}
"""What to do, by kind of refusal, where the server's words do not say it."""
