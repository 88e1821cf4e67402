"""The kept state of many services: advanced by new rows in one pass, and stored as bytes."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from observatory.catalog import METRICS, FloatArray, metric
from observatory.detectors.base import RowScores
from observatory.detectors.multiscale import layout
from observatory.detectors.multiscale.options import Options
from observatory.errors import InvalidInputError

VERSION = 2
DAY = 86_400.0
LEAST_PERIOD = 24.0
_TRANSFORMS = {"identity": 0.0, "log": 1.0, "sqrt": 2.0}
_DIRECTIONS = {"up": 1.0, "down": -1.0, "both": 0.0}


class Fleet:
    """What is known about some services that share their metrics: a `StreamState`.

    Parameters
    ----------
    metrics
        Names of the columns; a metric that a service does not report is NaN there and costs nothing.
    interval
        Usual time between rows [s].
    options
        Of the method, for research: see `observatory.detectors.multiscale.options.Options`.

    Examples
    --------
    >>> fleet = Fleet(["queue_length"], interval=60)
    >>> times = pd.date_range("2026-01-01", periods=200, freq="60s", tz="UTC")
    >>> values = np.r_[np.sin(np.arange(199.0)), 40.0][:, None]
    >>> scores = fleet.advance(["mail"] * 200, values, times).scores
    >>> bool(scores[-1] > scores[:-1].max())
    True
    >>> Fleet.from_bytes(fleet.to_bytes()).services
    ('mail',)
    """

    def __init__(self, metrics: Sequence[str], interval: float, **options: float) -> None:
        if not len(metrics):
            raise InvalidInputError("metrics: name one at least")
        self.metrics = tuple(str(name) for name in metrics)
        self.period = max(LEAST_PERIOD, DAY / interval)
        self.options = options
        self._rows: dict[str, int] = {}
        self._states: FloatArray = np.zeros((0, layout.size(len(self.metrics))))
        self._room = self._states

    @property
    def services(self) -> tuple[str, ...]:
        """Names, in the order in which they came."""
        return tuple(self._rows)

    @property
    def nbytes(self) -> int:
        """Memory of the state."""
        return int(self._states.nbytes)

    @property
    def fingerprint(self) -> str:
        """Version, metrics and parameters: the state of a service fits fleets in which these are the same."""
        facts = [VERSION, self._states.shape[1], self.period, list(self.metrics), dict(sorted(self.options.items()))]
        return json.dumps(facts)

    def samples(self, service: str) -> int:
        """Rows of `service` learned from so far."""
        row = self._rows.get(service)
        return 0 if row is None else int(self._states[row, layout.AGE])

    def advance(self, services: Sequence[str], values: FloatArray, times: pd.DatetimeIndex) -> RowScores:
        """See `StreamState.advance`."""
        from observatory.detectors.multiscale import kernel

        self._admit(services, kernel)
        count = len(values)
        owners = np.fromiter((self._rows[name] for name in services), dtype=np.int64, count=count)
        rows = np.ascontiguousarray(values, dtype=np.float64)
        scores, evidence = np.zeros(count), np.zeros((count, len(self.metrics)))
        traffic = self.metrics.index("request_rate") if "request_rate" in self.metrics else -1
        kernel.advance(
            self._states,
            owners,
            rows,
            _specs(self.metrics),
            traffic,
            _clocks(times),
            Options(**self.options),
            scores,
            evidence,
            np.zeros((count, layout.VOTES)),
        )
        return RowScores(scores, evidence)

    def forget(self, services: Iterable[str]) -> None:
        """Drop what is known about `services`."""
        gone = set(services)
        kept = [name for name in self._rows if name not in gone]
        self._hold(self._states[[self._rows[name] for name in kept]])
        self._rows = {name: row for row, name in enumerate(kept)}

    def with_metrics(self, metrics: Sequence[str]) -> Fleet:
        """The same services with other columns: known ones keep what they learned, new ones begin."""
        from observatory.detectors.multiscale import kernel

        other = Fleet(metrics, DAY / self.period, **self.options)
        other._admit(self._rows, kernel)
        old, new = self._states, other._states
        new[:, : layout.METRICS] = old[:, : layout.METRICS]
        places = [self.metrics.index(name) if name in self.metrics else None for name in other.metrics]
        for to, source in enumerate(places):
            if source is not None:
                new[:, _metric(to)] = old[:, _metric(source)]
        known = [(to, source) for to, source in enumerate(places) if source is not None]
        into, out_of = _matrices(new, len(other.metrics)), _matrices(old, len(self.metrics))
        for to, source in known:
            for to2, source2 in known:
                into[:, :, to, to2] = out_of[:, :, source, source2]
        return other

    def copy(self) -> Fleet:
        """An independent copy."""
        other = Fleet(self.metrics, DAY / self.period, **self.options)
        other._rows = dict(self._rows)
        other._hold(self._states.copy())
        return other

    def dump(self, services: Iterable[str]) -> dict[str, bytes]:
        """The state of each of `services` as bytes, for a fleet that is made the same way."""
        return {name: zlib.compress(self._states[self._rows[name]].tobytes(), 1) for name in services}

    def load(self, states: Mapping[str, bytes]) -> None:
        """Take over what `dump` gave.

        Raises
        ------
        InvalidInputError
            Not such bytes; nothing was taken over.
        """
        try:
            rows = [np.frombuffer(zlib.decompress(state)) for state in states.values()]
        except (zlib.error, ValueError) as error:
            raise InvalidInputError(f"detector state cannot be read: {error}") from None
        if any(len(row) != self._states.shape[1] for row in rows):
            raise InvalidInputError("detector state cannot be read: it is of another size")
        from observatory.detectors.multiscale import kernel

        self._admit(states, kernel)
        for name, row in zip(states, rows, strict=True):
            self._states[self._rows[name]] = row

    def to_bytes(self) -> bytes:
        """All of the state, versioned; `from_bytes` brings it back."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            version=np.array([VERSION, self._states.shape[1]]),
            period=np.array([self.period]),
            metrics=np.array(self.metrics, dtype=np.str_),
            services=np.array(self.services, dtype=np.str_),
            states=self._states,
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, **options: float) -> Self:
        """The fleet that `to_bytes` wrote.

        Raises
        ------
        InvalidInputError
            Not such bytes, or those of another version: learn from the history again.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as parts:
                version = parts["version"]
                fleet = cls([str(name) for name in parts["metrics"]], DAY / float(parts["period"][0]), **options)
                if version[0] != VERSION or version[1] != layout.size(len(fleet.metrics)):
                    raise InvalidInputError(f"detector state of version {version[0]}: must be {VERSION}")
                fleet._rows = {str(name): row for row, name in enumerate(parts["services"])}
                fleet._hold(np.ascontiguousarray(parts["states"]))
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise InvalidInputError(f"detector state cannot be read: {error}") from None
        return fleet

    def _admit(self, services: Iterable[str], kernel: Any) -> None:
        new = [name for name in dict.fromkeys(services) if name not in self._rows]
        if not new:
            return
        fresh = np.zeros(self._states.shape[1])
        kernel.start(fresh, len(self.metrics), self.period)
        known, count = len(self._rows), len(self._rows) + len(new)
        self._rows.update(zip(new, range(known, count), strict=True))
        if count > len(self._room):  # room to grow: services often come one by one
            room = np.empty((max(count, known * 3 // 2), len(fresh)))
            room[:known] = self._states
            self._room = room
        self._room[known:count] = fresh
        self._states = self._room[:count]

    def _hold(self, states: FloatArray) -> None:
        self._room = self._states = states


def _clocks(times: pd.DatetimeIndex) -> FloatArray:
    """Share of the UTC day that has passed at each time."""
    seconds = times.as_unit("ns").asi8 // 1_000_000 % int(DAY * 1000)
    return np.asarray(seconds / (DAY * 1000), dtype=np.float64)


def _specs(metrics: Sequence[str]) -> FloatArray:
    """What the catalogue says of each metric: transform, smallest deviations, direction, needs traffic."""
    rows = [metric(name) for name in metrics]
    return np.array(
        [
            (
                _TRANSFORMS[row.transform],
                row.min_absolute,
                row.min_relative,
                _DIRECTIONS[row.worse] if row.name in METRICS else 0.0,
                float(row.needs_traffic),
            )
            for row in rows
        ]
    )


def _metric(place: int) -> slice:
    return slice(layout.METRICS + place * layout.METRIC, layout.METRICS + (place + 1) * layout.METRIC)


def _matrices(states: FloatArray, metrics: int) -> FloatArray:
    """Views of covariance and inverse: (services, 2, metrics, metrics)."""
    first = layout.METRICS + metrics * layout.METRIC
    return states[:, first:].reshape(len(states), 2, metrics, metrics)
