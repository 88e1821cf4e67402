"""All services of an incident judged: evidence, explained symptoms, own scores, and the walk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from observatory.errors import InvalidInputError
from observatory.rootcause.evidence import Evidence, weigh
from observatory.rootcause.explaining import explain
from observatory.rootcause.graph import CallGraph
from observatory.rootcause.options import Options
from observatory.rootcause.scale import Scale, scales
from observatory.rootcause.signals import signal_of
from observatory.rootcause.suspect import Contribution
from observatory.rootcause.walk import Walk, walk
from observatory.rootcause.window import FloatArray, Window, span, window

Graph = Iterable[tuple[str, str]]
Known = Mapping[str, Sequence[Contribution]]


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything the ranking found out, services by name; lists and arrays have one entry a service.

    Attributes
    ----------
    parts
        For each service (column of the metric, points), a metric for each kind of signal, the most points first.
    own
        Score of each service by itself, shape (services,).
    explained
        For each service, which callees explain how much of a symptom of it.
    order
        Services from the likeliest cause down.
    """

    windows: list[Window]
    scales: list[Scale]
    evidence: list[Evidence]
    parts: list[list[tuple[int, float]]]
    known: list[tuple[Contribution, ...]]
    own: FloatArray
    explained: list[dict[int, float]]
    graph: CallGraph
    walk: Walk
    order: list[int]


def judge_services(
    frames: Mapping[str, pd.DataFrame], start: object, end: object, graph: Graph | None, known: Known, options: Options
) -> Judged:
    """Judge the services of `frames`; raises InvalidInputError for times and frames that cannot be used."""
    first, last = span(start, end)
    named = {str(name): frame for name, frame in frames.items()}
    services = sorted(named)  # sums of floats depend on their order
    windows = [window(service, named[service], first, last) for service in services]
    scaled = scales(windows, options.pool)
    evidence = [weigh(seen, scale, first, last, options) for seen, scale in zip(windows, scaled, strict=True)]
    calls = CallGraph.among(services, graph or ())
    left, explained = explain(windows, evidence, calls, options.explained)
    parts = [_parts(seen.metrics, strength, options.decay) for seen, strength in zip(windows, left, strict=True)]
    besides = [_known(service, known) for service in services]
    own = np.array(
        [
            sum(points for _, points in mine) + found.extra + sum(part.points for part in more)
            for mine, found, more in zip(parts, evidence, besides, strict=True)
        ],
        dtype=float,
    )
    walked = walk(own, calls, options)
    order = sorted(range(len(services)), key=lambda service: (-walked.scores[service], services[service]))
    return Judged(windows, scaled, evidence, parts, besides, own, explained, calls, walked, order)


def _parts(metrics: tuple[str, ...], strength: FloatArray, decay: float) -> list[tuple[int, float]]:
    """The strongest metric of each kind of signal; the second kind counts half, the third a quarter, and so on.

    Metrics of one kind say the same thing again (three quantiles of latency), those of another confirm it.
    """
    best: dict[str, int] = {}
    for column, metric in enumerate(metrics):
        signal = signal_of(metric)
        kind = "error" if signal == "success" else signal
        if strength[column] > 0 and (kind not in best or strength[column] > strength[best[kind]]):
            best[kind] = column
    columns = sorted(best.values(), key=lambda column: (-strength[column], metrics[column]))
    return [(column, float(strength[column]) * decay**place) for place, column in enumerate(columns)]


def _known(service: str, known: Known) -> tuple[Contribution, ...]:
    parts = tuple(known.get(service, ()))
    for part in parts:
        if not 0 <= part.points < float("inf"):
            raise InvalidInputError(f"what is known of {service!r} has {part.points} points: give 0 or more")
    return parts
