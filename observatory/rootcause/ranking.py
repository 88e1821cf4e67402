"""The likeliest cause of an incident first."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from observatory.rootcause.judging import Graph, Known, judge_services
from observatory.rootcause.options import DEFAULTS, Options
from observatory.rootcause.suspect import Suspect
from observatory.rootcause.wording import describe

NOTHING_KNOWN: Known = {}


def rank(
    frames: Mapping[str, pd.DataFrame],
    start: object,
    end: object,
    graph: Graph | None = None,
    *,
    options: Options = DEFAULTS,
) -> list[tuple[str, float]]:
    """Services with their scores, from the likeliest cause of an incident down.

    Parameters
    ----------
    frames
        A frame a service: a UTC ``DatetimeIndex`` (or a column ``timestamp``; times without a zone are UTC) and
        numeric columns, a day of history and the incident. Services may have different rows and columns.
    start, end
        The incident, both included. No row after `end` is read.
    graph
        Calls as (caller, callee). Names without a frame, calls to itself and circles are fine.
    options
        What can be varied in research.

    Returns
    -------
    Every service of `frames` once. Equal scores are in the order of names.

    Raises
    ------
    InvalidInputError
        A time cannot be used, or a frame has rows and no times.
    """
    judged = judge_services(frames, start, end, graph, NOTHING_KNOWN, options)
    return [(judged.windows[service].service, float(judged.walk.scores[service])) for service in judged.order]


def suspects(
    frames: Mapping[str, pd.DataFrame],
    start: object,
    end: object,
    graph: Graph | None = None,
    *,
    known: Known = NOTHING_KNOWN,
    options: Options = DEFAULTS,
) -> list[Suspect]:
    """As `rank`, with the evidence of each service, in words and in points that add up to its score.

    Parameters
    ----------
    frames, start, end, graph, options
        As for `rank`, and the same is raised.
    known
        What speaks against a service beside its metrics, such as a deployment just before; points of 0 or more.
    """
    judged = judge_services(frames, start, end, graph, known, options)
    return [describe(judged, service, options) for service in judged.order]
