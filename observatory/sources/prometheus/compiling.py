"""From a template to a query for all services: names before sums, windows by job, replicas once, the server's words.

A template is PromQL in which ``$by`` stands for what names a service and ``$window`` for the rate window:
``sum by ($by) (rate(requests_total[$window]))``. It comes from a preset or from the user's settings.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field

from observatory.model import SERVICE
from observatory.sources.prometheus.naming import Naming
from observatory.sources.prometheus.selectors import any_of, label, match

_BEFORE = re.compile(r"\b(\w+)\s+by\s*\(([^()]*\$by[^()]*)\)\s*\(")
_AFTER = re.compile(r"\)\s*by\s*\(([^()]*\$by[^()]*)\)")
_FUNCTION = re.compile(r"\b(rate|increase|changes|delta)\(")
_RANGE = re.compile(r"\[([0-9.]+(?:ms|[smhdwy]))+(?::[^\]]*)?\]")
_DURATION = re.compile(r"([0-9.]+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_SUMMED = {"sum": "sum", "max": "max", "min": "min", "count": "sum", "group": "group"}
"""Aggregations that may be done in two steps, and what the second one is."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A rate window and how far scrapes are apart [s]; 0 where that does not matter, as windows overlap."""

    seconds: float
    scrape: float = 0.0

    def of(self, function: str) -> str:
        """The range for a function: changes count between two scrapes, so those of the last before it count, too."""
        return f"[{duration(self.seconds + self.scrape if function == 'changes' else self.seconds)}]"


@dataclass(frozen=True, slots=True)
class Windows:
    """Rate windows: of most jobs, and of the jobs that are scraped at another pace."""

    usual: Window
    others: tuple[tuple[Window, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server is asked.

    Parameters
    ----------
    windows
        Rate windows.
    replicas
        Labels that tell apart two servers which scrape the same targets: what they report is counted once.
    is_victoria
        Whether it is a VictoriaMetrics. Its ``rate`` takes a series that has ended for one that goes on until the
        window is over, so that a deploy doubles it, and its ``changes`` counts a series that begins.
    names_histograms
        Whether labels of native histograms can be made of others; where not, names are made of what comes out of them.
    """

    windows: Windows
    replicas: tuple[str, ...] = field(default=())
    is_victoria: bool = False
    names_histograms: bool = True


def compiled(template: str, naming: Naming, dialect: Dialect) -> str:
    """The query of a template; its series have the label ``service_name`` and those that are named beside ``$by``."""
    query = _windowed(template, dialect.windows)
    if not dialect.names_histograms and _is_of_native_histograms(query):
        query = _as_written(query.replace("$by", naming.by), naming)
    elif not _is_balanced(query):  # it is sent as it is, so that the server says what is wrong
        return string.Template(query).safe_substitute(by=naming.by)
    elif "$by" in query:
        query = _named(_in_front(query), naming, dialect.replicas)
    else:
        query = _as_written(query, naming)
    if dialect.is_victoria:
        query = _as_prometheus_does(query)
    return string.Template(query).safe_substitute(by=SERVICE)


def filled(template: str, naming: Naming, window: float) -> str:
    """The template with labels and window and nothing else: what the user wrote, as a server may be asked it."""
    return string.Template(template).safe_substitute(by=naming.by, window=duration(window))


def duration(seconds: float) -> str:
    """A duration in PromQL.

    >>> duration(60.0), duration(0.5)
    ('60s', '500ms')
    """
    return f"{seconds * 1000:.0f}ms" if seconds % 1 else f"{seconds:.0f}s"


def _is_of_native_histograms(query: str) -> bool:
    """Whether it takes numbers out of native histograms that it sums by service; classic ones are summed by ``le``."""
    return bool(re.search(r"histogram_\w+\([^()]*\bsum\s+by\s*\(\s*\$by\s*\)", query))


def _as_written(query: str, naming: Naming) -> str:
    """A query that leaves the labels of a name in its series, without saying where."""
    return f"max by ({SERVICE}) ({naming.named(query)})"


def _in_front(query: str) -> str:
    """``sum(x) by ($by)`` as ``sum by ($by) (x)``."""
    while found := _AFTER.search(query):
        opening = _opening(query, found.start())
        operator = re.search(r"\w+\s*$", query[:opening])
        if operator is None:
            return query
        inner = query[opening + 1 : found.start()]
        before, after = query[: operator.start()], query[found.end() :]
        query = f"{before}{operator[0].strip()} by ({found[1]}) ({inner}){after}"
    return query


def _named(query: str, naming: Naming, replicas: tuple[str, ...]) -> str:
    """Names made within the innermost aggregations by ``$by``: what is under one name is aggregated as one thing."""
    done, at = [], 0
    while found := _BEFORE.search(query, at):
        end = _closing(query, found.end() - 1)
        operator, labels, inner = found[1], found[2], query[found.end() : end]
        done.append(query[at : found.start()])
        if "$by" in inner:
            done.append(f"{operator} by ({labels}) ({_named(inner, naming, replicas)})")
        else:
            done.append(_aggregated(operator, labels, inner, naming, replicas))
        at = end + 1
    return "".join(done) + query[at:]


def _aggregated(operator: str, labels: str, inner: str, naming: Naming, replicas: tuple[str, ...]) -> str:
    once = f"max without ({', '.join(map(label, replicas))}) ({inner})" if replicas else inner
    second = _SUMMED.get(operator)
    if second is None:
        first, comma, rest = inner.rpartition(",") if operator in ("quantile", "topk", "bottomk") else ("", "", once)
        return f"{operator} by ({labels}) ({first}{comma} {naming.named(rest)})"
    raw = labels.replace("$by", naming.by)
    return f"{second} by ({labels}) ({naming.named(f'{operator} by ({raw}) ({once})')})"


def _windowed(query: str, windows: Windows) -> str:
    """Each function over ``[$window]`` over the window of the job that a series is of."""
    at = 0
    while (found := query.find("[$window]", at)) >= 0:
        start, end = _call(query, found)
        function = "" if start is None else query[start : query.index("(", start)]
        if start is None or not windows.others:
            text = windows.usual.of(function)
            query, at = query[:found] + text + query[found + len("[$window]") :], found + len(text)
            continue
        head, tail = query[start:found], query[found + len("[$window]") : end + 1]
        every = [job for _, jobs in windows.others for job in jobs]
        variants = [f"{_with(head, match('job', '!~', any_of(every)))}{windows.usual.of(function)}{tail}"]
        variants += [
            f"{_with(head, match('job', '=~', any_of(jobs)))}{window.of(function)}{tail}"
            for window, jobs in windows.others
        ]
        text = f"({' or '.join(variants)})"
        query, at = query[:start] + text + query[end + 1 :], start + len(text)
    return query


def _as_prometheus_does(query: str) -> str:
    """A query that VictoriaMetrics answers as Prometheus does.

    Of its own functions a rate goes on until the window of a series that has ended is over, and what has just begun
    has changed. Those it has for Prometheus's way leave out the time from the last sample before the window to the
    first in it: n samples are n - 1 steps, so the rate is as much larger.
    """
    at = 0
    while found := _FUNCTION.search(query, at):
        name, at = found[1], found.end()
        if name != "rate":
            query, at = f"{query[: found.start()]}{name}_prometheus({query[at:]}", at + len("_prometheus")
            continue
        end = _closing(query, at - 1)
        ranges = list(_RANGE.finditer(query, at, end))
        if not ranges:  # MetricsQL takes its own step then
            continue
        seconds = sum(
            float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(ranges[-1][0].partition(":")[0])
        )
        inner = query[at:end]
        text = f"(increase_prometheus({inner}) / (1 - 1 / count_over_time({inner})) / {seconds:g})"
        query, at = query[: found.start()] + text + query[end + 1 :], found.start() + len(text)
    return query


def _with(head: str, matcher: str) -> str:
    """What ends with a selector, with one matcher more."""
    if not head.endswith("}"):
        return f"{head}{{{matcher}}}"
    return f"{head[:-1]}{'' if head[-2] in '{,' else ','}{matcher}}}"


def _call(query: str, at: int) -> tuple[int | None, int]:
    """Where the call of a function begins and ends that a range at `at` is in."""
    opening = _opening(query, at)
    name = re.search(r"\w+$", query[:opening]) if opening >= 0 else None
    return (None, at) if name is None else (name.start(), _closing(query, opening))


def _closing(query: str, opening: int) -> int:
    """Where the parenthesis that opens at `opening` ends."""
    depth = 0
    for at, sign in _signs(query):
        if at >= opening:
            depth += {"(": 1, ")": -1}.get(sign, 0)
            if not depth:
                return at
    return len(query)


def _opening(query: str, end: int) -> int:
    """Where the parenthesis opens that is still open at `end`; -1 where none is."""
    stack: list[int] = []
    for at, sign in _signs(query):
        if at >= end:
            break
        if sign == "(":
            stack.append(at)
        elif sign == ")" and stack:
            stack.pop()
    return stack[-1] if stack else -1


def _is_balanced(query: str) -> bool:
    depth = 0
    for _, sign in _signs(query):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            return False
    return not depth


def _signs(query: str) -> list[tuple[int, str]]:
    """The signs of a query that are not in a string, and where."""
    texts = [found.span() for found in re.finditer(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`', query)]
    inside = {at for start, end in texts for at in range(start, end)}
    return [(at, sign) for at, sign in enumerate(query) if at not in inside]
