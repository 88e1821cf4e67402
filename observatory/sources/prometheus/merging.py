"""From the answers of several families to one value a service: the family that knows it best is believed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from observatory.model import SERVICE
from observatory.sources.prometheus.answers import FloatArray, Series
from observatory.sources.prometheus.plan import FAMILY, Plan
from observatory.sources.prometheus.presets.templates import QUANTILES

BoolArray = npt.NDArray[np.bool_]
COARSE_RATIO, COARSE_WIDTH = 2.5, 0.05
"""A bucket whose ends are further apart than this, as a ratio and in seconds, tells no quantile."""


def arranged(metric: str, series: Sequence[Series], plan: Plan) -> list[list[Series]]:
    """Series in groups: the first has those that are believed, the next those that fill in where they say nothing.

    A quantile that lies in a coarse bucket is left out: it says where the bucket ends, and nothing of the service.
    """
    order = {key: number for number, key in enumerate(plan.rank(metric))}
    bounds = plan.bounds if metric in QUANTILES else {}
    ends = [bounds.get(one.labels.get(FAMILY, ""), {}).get(one.labels.get(SERVICE, ""), ()) for one in series]
    by_service: dict[str, list[tuple[float, int, Series]]] = defaultdict(list)
    for one, of_one in zip(_of_known_values(series, ends), ends, strict=True):
        if one is not None:
            place = order.get(one.labels.get(FAMILY, ""), len(order))
            by_service[one.labels.get(SERVICE, "")].append((-len(of_one), place, one))
    groups: list[list[Series]] = []
    for found in by_service.values():
        found.sort(key=lambda item: item[:2])
        depth: dict[str, int] = {}
        for _, _, one in found:  # series of one family and service are of one group: that there are two is worth a word
            key = one.labels.get(FAMILY, "")
            at = depth.setdefault(key, len(depth))
            while len(groups) <= at:
                groups.append([])
            groups[at].append(one)
    return groups


def _of_known_values(series: Sequence[Series], ends: Sequence[tuple[float, ...]]) -> list[Series | None]:
    """Series with their known values alone, and None for those that had values and know none.

    Done for all with the same buckets at once: a live answer is thousands of series of one value.
    """
    whole = np.concatenate([np.empty(0), *(one.values for one in series)])
    stops = np.cumsum([len(one.values) for one in series], dtype=np.int64)
    starts = stops - [len(one.values) for one in series]
    alike: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for number, of_one in enumerate(ends):
        alike[of_one].append(number)
    for of_some, numbers in alike.items():
        if of_some:
            cells = np.concatenate([np.arange(starts[number], stops[number]) for number in numbers])
            whole[cells] = without_artefacts(whole[cells], of_some)
    known = ~np.isnan(whole)
    counts = np.diff(np.concatenate([[0], np.cumsum(known)])[np.concatenate([[0], stops])])
    found: list[Series | None] = []
    for one, start, stop, count in zip(series, starts.tolist(), stops.tolist(), counts.tolist(), strict=True):
        if count == stop - start:
            found.append(one)
        elif count:
            mine = known[start:stop]
            found.append(Series(one.labels, one.times[mine], whole[start:stop][mine]))
        else:
            found.append(None)
    return found


def without_artefacts(values: FloatArray, ends: Sequence[float]) -> FloatArray:
    """Quantiles [s] without those that lie in a coarse bucket; `ends` are the buckets' upper ends [s]."""
    upper = np.asarray(ends)
    at = np.searchsorted(upper, values)  # NaN comes last, and stays
    high = upper[np.minimum(at, len(upper) - 1)]
    low = np.where(at > 0, upper[np.maximum(at, 1) - 1], 0.0)
    return np.where((at < len(upper)) & _is_coarse(low, high), np.nan, values)


def coarse_ends(ends: Sequence[float]) -> list[tuple[float, float]]:
    """The buckets [s] in which a quantile says nothing, as their lower and upper ends."""
    buckets = np.array([[0.0, *ends[:-1]], ends], dtype=float)
    return [(float(low), float(high)) for low, high in buckets[:, _is_coarse(*buckets)].T]


def _is_coarse(low: FloatArray, high: FloatArray) -> BoolArray:
    """Whether buckets from `low` to `high` [s] are too wide to tell a quantile: same shape."""
    return (high > COARSE_RATIO * low * (1 + 1e-9)) & (high - low > COARSE_WIDTH)


def coarse_services(plan: Plan) -> Mapping[str, tuple[float, ...]]:
    """Services whose finest histogram has a coarse bucket, with its ends [s]."""
    finest: dict[str, tuple[float, ...]] = {}
    for bounds in plan.bounds.values():
        for name, ends in bounds.items():
            if len(ends) > len(finest.get(name, ())):
                finest[name] = ends
    return {name: ends for name, ends in finest.items() if coarse_ends(ends)}
