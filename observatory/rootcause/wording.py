"""What was found out about a service, in words and parts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from observatory.catalog import METRICS
from observatory.rootcause.evidence import worst_rows
from observatory.rootcause.judging import Judged
from observatory.rootcause.options import LARGEST, LEAST_ROWS, Options
from observatory.rootcause.signals import SYMPTOMS, signal_of
from observatory.rootcause.suspect import Contribution, Suspect

SYMPTOM_BLAME = 0.5
"""A symptom is blamed where no resource or event is half as unusual."""
LOOK_BACK_ROWS = 10
"""Rows before the incident in which its onset is looked for: alarms come late."""
LEAST_ONSET = 3.0
AFFECTED = 1.0
"""Strength from which a service counts as affected."""
MOST_NAMES = 3
LEAST_POINTS = 0.05
"""Neighbours that pass on less are summed up in one part."""
WALK_WORDS = {False: "passed on along its calls", True: "stays here: nobody it calls is more suspicious"}
STANDING_WORDS = {
    "new": "first seen in the incident",
    "stopped": "stopped reporting during the incident",
    "silent": "no requests reported during the incident",
}


def describe(judged: Judged, service: int, options: Options) -> Suspect:
    """The suspect with its parts; their points add up to its score."""
    blamed = _blamed(judged, service)
    parts = [*_own_parts(judged, service, options), *_moved_parts(judged, service)]
    return Suspect(
        judged.windows[service].service,
        float(judged.walk.scores[service]),
        None if blamed is None else judged.windows[service].metrics[blamed],
        0.0 if blamed is None else float(judged.evidence[service].deviation[blamed]),
        None if blamed is None else _onset(judged, service, blamed),
        tuple(sorted(parts, key=lambda part: -part.points)),
        tuple(_remarks(judged, service)),
    )


def _own_parts(judged: Judged, service: int, options: Options) -> Iterable[Contribution]:
    seen, found = judged.windows[service], judged.evidence[service]
    for column, points in judged.parts[service]:
        metric = seen.metrics[column]
        yield Contribution("metric", points, _metric_words(judged, service, column, options), metric=metric)
    if found.standing != "present":
        yield Contribution("reporting", found.extra, STANDING_WORDS[found.standing])
    yield from judged.known[service]


def _moved_parts(judged: Judged, service: int) -> Iterable[Contribution]:
    """What neighbours passed to the service, and what the service passed on."""
    walk = judged.walk
    came = walk.targets == service
    from_neighbours: dict[int, float] = {}
    for source, points in zip(walk.sources[came], walk.moved[came], strict=True):
        from_neighbours[int(source)] = from_neighbours.get(int(source), 0.0) + float(points)
    callees, rest = set(judged.graph.callees_of(service)), 0.0
    for source, points in sorted(from_neighbours.items(), key=lambda item: (-item[1], item[0])):
        if points < LEAST_POINTS:
            rest += points
            continue
        name = judged.windows[source].service
        words = f"its callee {name} is suspicious" if source in callees else f"its caller {name} points to it"
        yield Contribution("neighbour", points, words, service=name)
    if rest:
        yield Contribution("neighbour", rest, "other callers and callees")
    passed = float(judged.walk.scores[service] - judged.own[service]) - sum(from_neighbours.values())
    if len(walk.sources) and abs(passed) > 0:
        yield Contribution("walk", passed, WALK_WORDS[passed > 0])


def _blamed(judged: Judged, service: int) -> int | None:
    """The column of the metric to blame."""
    strength = judged.evidence[service].strength
    if not strength.max(initial=0) > 0:
        return None
    metrics = judged.windows[service].metrics
    weights = [SYMPTOM_BLAME if signal_of(metric) in SYMPTOMS else 1.0 for metric in metrics]
    return int(np.argmax(strength * np.array(weights)))


def _onset(judged: Judged, service: int, column: int) -> pd.Timestamp | None:
    """The first of two rows in succession beyond three spreads, and beyond half of the typical deviation."""
    seen, scale, found = judged.windows[service], judged.scales[service], judged.evidence[service]
    first = max(0, seen.history.shape[1] - LOOK_BACK_ROWS)
    values = np.concatenate([seen.history[column], seen.incident[column]])[first:]
    sign = 1.0 if found.rising[column] else -1.0
    outside = sign * (values - scale.median[column]) / scale.spread[column] > max(
        LEAST_ONSET, 0.5 * abs(found.deviation[column])
    )
    both = np.flatnonzero(outside[:-1] & outside[1:])
    return seen.times[first + int(both[0])] if len(both) else None


def _metric_words(judged: Judged, service: int, column: int, options: Options) -> str:
    """As ``CPU rose to 0.9 cores from a usual 0.1 cores (8.2 spreads)``."""
    seen, found = judged.windows[service], judged.evidence[service]
    name, rising = seen.metrics[column], bool(found.rising[column])
    values = np.sort(seen.incident[column][np.isfinite(seen.incident[column])])
    rows = worst_rows(len(values), options.share)
    now = float(values[-rows:].mean() if rising else values[:rows].mean())
    usual, far = float(judged.scales[service].median[column]), abs(float(found.deviation[column]))
    out = f"{far:.1f} spreads" if far < 0.9 * LARGEST else "far outside all it has shown"
    known = METRICS.get(name)
    label = known.label if known else name
    show = known.show if known else "{:.4g}".format
    return f"{label} {'rose' if rising else 'fell'} to {show(now)} from a usual {show(usual)} ({out})"


def _remarks(judged: Judged, service: int) -> Iterable[str]:
    affected = [
        judged.windows[caller].service
        for caller in judged.graph.callers_of(service)
        if judged.evidence[caller].strength.max(initial=0) > AFFECTED
    ]
    if affected and judged.walk.scores[service] > AFFECTED:
        more = f" and {len(affected) - MOST_NAMES} more" if len(affected) > MOST_NAMES else ""
        yield f"callers {', '.join(affected[:MOST_NAMES])}{more} are affected too"
    explained = judged.explained[service]
    if explained:
        by = sorted(explained, key=lambda callee: (-explained[callee], callee))[:MOST_NAMES]
        yield f"largely explained by its callee {', '.join(judged.windows[callee].service for callee in by)}"
    elif (
        judged.graph.callees_of(service)
        and judged.evidence[service].strength.max(initial=0) > AFFECTED
        and judged.scales[service].values.max(initial=0) >= LEAST_ROWS
    ):
        yield "no callee explains it"
