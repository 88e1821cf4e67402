"""From a template to a query for all services: names before sums, windows by job, replicas once, the server's words.

A template is PromQL in which ``$by`` stands for what names a service and ``$window`` for the rate window:
``sum by ($by) (rate(requests_total[$window]))``. It comes from a preset or from the user's settings.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from observatory.model import SERVICE
from observatory.sources.prometheus.naming import Naming
from observatory.sources.prometheus.selectors import any_of, label, match
from observatory.sources.prometheus.syntax import (
    closing,
    filled_in,
    is_balanced,
    last_argument,
    masked,
    opening,
    without_comments,
)

_BEFORE = re.compile(r"\b(\w+)\s+[bB][yY]\s*\(([^()]*\$by\b[^()]*)\)\s*\(")
_AFTER = re.compile(r"\)\s*[bB][yY]\s*\(([^()]*\$by\b[^()]*)\)")
_WINDOW = re.compile(r"\[\s*\$window\s*\]")
_BY_ITSELF = re.compile(r"\$window\b")
_NATIVE = re.compile(r"histogram_\w+\s*\([^()]*\bsum\s+by\s*\(\s*\$by\s*\)", re.IGNORECASE)
_FUNCTION = re.compile(r"\b(rate|increase|changes|delta)\s*\(")
_RANGE = re.compile(r"\[\s*((?:[0-9.]+(?:ms|[smhdwy]))+)\s*(?::[^\]]*)?\]")
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

    @property
    def longest(self) -> Window:
        return max([self.usual, *(window for window, _ in self.others)])

    @property
    def shortest(self) -> Window:
        return min([self.usual, *(window for window, _ in self.others)])

    def only(self, jobs: Collection[str]) -> Windows:
        """Those of some jobs alone; where none of these has the usual one, that of most of them is the usual one."""
        others = {window: tuple(job for job in mine if job in jobs) for window, mine in self.others}
        others = {window: mine for window, mine in others.items() if mine}
        if sum(map(len, others.values())) < len(jobs):
            return Windows(self.usual, tuple(others.items()))
        usual = max(others, key=lambda window: (len(others[window]), window))
        return Windows(usual, tuple((window, mine) for window, mine in others.items() if window != usual))

    def at_least(self, seconds: float) -> Windows:
        """The same, where shorter ones are as long as that."""
        least = Window(seconds)
        usual = max(self.usual, least)
        return Windows(usual, tuple((max(one, least), jobs) for one, jobs in self.others if max(one, least) != usual))


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
    in_ratios
        Whether rates are only divided by each other: what is common to them makes no difference then.
    names_histograms
        Whether labels of native histograms can be made of others; where not, names are made of what comes out of them.
    """

    windows: Windows
    replicas: tuple[str, ...] = field(default=())
    is_victoria: bool = False
    names_histograms: bool = True
    in_ratios: bool = False


def compiled(template: str, naming: Naming, dialect: Dialect) -> str:
    """The query of a template; its series have the label ``service_name`` and those that are named beside ``$by``."""
    query = without_comments(template)
    query = filled_in(query, {"by": "$by", "window": "$window"})  # with or without braces it is the same
    if not is_balanced(query):  # it is sent as it is, so that the server says what is wrong
        return filled(query, naming, dialect.windows.usual.seconds)
    query = _in_front(_windowed(query, dialect.windows))
    is_native = bool(_NATIVE.search(masked(query)))
    if not _is_by_name(query) or (is_native and not dialect.names_histograms):
        query = _as_written(query, naming)
    else:
        # of native histograms there is no max; those of a pair are about the same
        alike = f"{'avg' if is_native else 'max'} without ({', '.join(map(label, dialect.replicas))})"
        query = _named(query, naming, alike if dialect.replicas else "")
    if dialect.is_victoria:
        query = _as_prometheus_does(query, dialect.in_ratios)
    return filled_in(query, {"by": SERVICE})


def filled(template: str, naming: Naming, window: float) -> str:
    """The template with labels and window and nothing else: what the user wrote, as a server may be asked it."""
    return filled_in(template, {"by": naming.by, "window": duration(window)})


def duration(seconds: float) -> str:
    """A duration in PromQL.

    >>> duration(60.0), duration(0.5)
    ('60s', '500ms')
    """
    return f"{seconds * 1000:.0f}ms" if seconds % 1 else f"{seconds:.0f}s"


def _is_by_name(query: str) -> bool:
    """Whether something in it is aggregated by ``$by``; elsewhere this stands for labels that are only compared."""
    return bool(_BEFORE.search(masked(query)))


def _as_written(query: str, naming: Naming) -> str:
    """A query that leaves the labels of a name in its series."""
    return f"max by ({SERVICE}) ({naming.named(filled_in(query, {'by': naming.by}))})"


def _in_front(query: str) -> str:
    """``sum(x) by ($by)`` as ``sum by ($by) (x)``."""
    while found := _AFTER.search(masked(query)):
        begin = opening(query, found.start())
        operator = re.search(r"\w+\s*$", query[:begin])
        if operator is None:
            return query
        labels, inner = query[found.start(1) : found.end(1)], query[begin + 1 : found.start()]
        before, after = query[: operator.start()], query[found.end() :]
        query = f"{before}{operator[0].strip()} by ({labels}) ({inner}){after}"
    return query


def _named(query: str, naming: Naming, alike: str) -> str:
    """Names made within the innermost aggregations by ``$by``: what is under one name is aggregated as one thing."""
    done, at, text = [], 0, masked(query)
    while found := _BEFORE.search(text, at):
        end = closing(query, found.end() - 1)
        operator, labels = found[1], query[found.start(2) : found.end(2)]
        parameters, inner = last_argument(query[found.end() : end])
        done.append(query[at : found.start()])
        if _is_by_name(inner):
            done.append(f"{operator} by ({labels}) ({parameters}{_named(inner, naming, alike)})")
        else:
            inner = filled_in(inner, {"by": naming.by})
            done.append(_aggregated(operator, labels, parameters, f"{alike} ({inner})" if alike else inner, naming))
        at = end + 1
    return "".join(done) + query[at:]


def _aggregated(operator: str, labels: str, parameters: str, inner: str, naming: Naming) -> str:
    second = _SUMMED.get(operator.lower())
    if second is None or parameters:
        return f"{operator} by ({labels}) ({parameters}{naming.named(inner)})"
    raw = filled_in(labels, {"by": naming.by})
    return f"{second} by ({labels}) ({naming.named(f'{operator} by ({raw}) ({inner})')})"


def _windowed(query: str, windows: Windows) -> str:
    """Each function over ``[$window]`` over the window of the job that a series is of."""
    if _BY_ITSELF.search(_WINDOW.sub("", masked(query))):  # what is compared with a window has to be of that window
        windows = Windows(windows.longest)
    at = 0
    while found := _WINDOW.search(masked(query), at):
        begin, end, function = _call(query, found.start())
        if not function or not windows.others:
            text = windows.usual.of(function)
            query, at = query[: found.start()] + text + query[found.end() :], found.start() + len(text)
            continue
        head, tail = query[begin : found.start()], query[found.end() : end + 1]
        every = [job for _, jobs in windows.others for job in jobs]
        variants = [f"{_with(head, match('job', '!~', any_of(every)))}{windows.usual.of(function)}{tail}"]
        variants += [
            f"{_with(head, match('job', '=~', any_of(jobs)))}{window.of(function)}{tail}"
            for window, jobs in windows.others
        ]
        text = f"({' or '.join(variants)})"
        query, at = query[:begin] + text + query[end + 1 :], begin + len(text)
    return filled_in(query, {"window": duration(windows.usual.seconds)})


def _as_prometheus_does(query: str, in_ratios: bool) -> str:
    """A query that VictoriaMetrics answers as Prometheus does.

    Of its own functions a rate goes on until the window of a series that has ended is over, and what has just begun
    has changed. Those it has for Prometheus's way leave out the time from the last sample before the window to the
    first in it: n samples are n - 1 steps, so the rate is as much larger. Where rates are only divided by each other
    this makes no difference, and costs the server ten times as much as the rate alone.
    """
    for found in reversed([*_FUNCTION.finditer(masked(query))]):  # a function in another one comes first
        name, at = found[1], found.end()
        if name != "rate":
            query = f"{query[: found.start()]}{name}_prometheus({query[at:]}"
            continue
        end = closing(query, at - 1)
        ranges = [*_RANGE.finditer(masked(query), at, end)]
        if not ranges:  # MetricsQL takes its own step then
            continue
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(ranges[-1][1]))
        inner = query[at:end]
        steps = "" if in_ratios else f" / (1 - 1 / count_over_time({inner}))"
        text = f"(increase_prometheus({inner}){steps} / {seconds:g})"
        query = query[: found.start()] + text + query[end + 1 :]
    return query


def _with(head: str, matcher: str) -> str:
    """What ends with a selector, with one matcher more."""
    head = head.rstrip()
    if not head.endswith("}"):
        return f"{head}{{{matcher}}}"
    matchers = head[:-1].rstrip()
    return f"{matchers}{'' if matchers[-1] in '{,' else ','}{matcher}}}"


def _call(query: str, at: int) -> tuple[int, int, str]:
    """Where the call of a function begins and ends that a range at `at` is in, and its name; empty where none is."""
    begin = opening(query, at)
    while begin >= 0:
        if name := re.search(r"(\w+)\s*$", query[:begin]):
            return name.start(), closing(query, begin), name[1]
        begin = opening(query, begin)  # of parentheses around the range alone
    return at, at, ""
