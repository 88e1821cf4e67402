"""Made-up history as OpenMetrics text: counters, histograms and gauges of services whose truth is known.

Every series is sampled at `times`; where a service is away, or a value is NaN, that is said by the tests' own hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Value = Callable[[int], float]
"""What a series is at a time [s since the epoch]."""
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass
class Family:
    """A metric's type, and its samples as lines."""

    kind: str
    lines: list[str] = field(default_factory=list)


class Exposition:
    """Lines by metric family, as promtool wants them: a family's lines together."""

    def __init__(self, times: Sequence[int]) -> None:
        self._times = times
        self._families: dict[str, Family] = {}

    def counter(
        self, name: str, labels: Mapping[str, str], rate: float, times: Iterable[int] | None = None, **more: int
    ) -> None:
        """A counter ``name_total`` that grows by `rate` a second; from `reset` on it begins again at 0."""
        self._add("counter", name, "_total", labels, _growing(rate, self._times[0], more.get("reset")), times)

    def gauge(self, name: str, labels: Mapping[str, str], value: Value, times: Iterable[int] | None = None) -> None:
        """A gauge."""
        self._add("gauge", name, "", labels, value, times)

    def histogram(
        self, name: str, labels: Mapping[str, str], rate: float, slow: float = 0.0, times: Iterable[int] | None = None
    ) -> None:
        """Requests at `rate` a second, spread evenly from 0 to 0.1 s; the share `slow` evenly from 0.5 to 1 s."""
        chosen = list(times or self._times)
        for bound in (*BOUNDS, math.inf):
            share = (1 - slow) * min(1.0, bound / 0.1) + slow * min(1.0, max(0.0, bound - 0.5) / 0.5)
            le = "+Inf" if bound == math.inf else f"{bound:g}"
            self._add(
                "histogram", name, "_bucket", {**labels, "le": le}, _growing(rate * share, self._times[0]), chosen
            )
        self._add("histogram", name, "_count", labels, _growing(rate, self._times[0]), chosen)
        self._add("histogram", name, "_sum", labels, _growing(rate * 0.05, self._times[0]), chosen)

    def open_metrics(self) -> str:
        """The text, with its end."""
        parts = [f"# TYPE {name} {family.kind}\n{''.join(family.lines)}" for name, family in self._families.items()]
        return "".join(parts) + "# EOF\n"

    def prometheus(self) -> str:
        """The same with times in milliseconds, as VictoriaMetrics imports it."""
        lines = [line.rsplit(" ", 1) for family in self._families.values() for line in family.lines]
        return "".join(f"{sample} {int(at) * 1000}\n" for sample, at in lines)

    def _add(
        self, kind: str, name: str, suffix: str, labels: Mapping[str, str], value: Value, times: Iterable[int] | None
    ) -> None:
        text = ",".join(f'{label}="{_escaped(word)}"' for label, word in labels.items())
        lines = self._families.setdefault(name, Family(kind)).lines
        lines += [f"{name}{suffix}{{{text}}} {value(at)!r} {at}\n" for at in (self._times if times is None else times)]


def _growing(rate: float, start: int, reset: int | None = None) -> Value:
    def value(at: int) -> float:
        return rate * (at - (reset if reset is not None and at >= reset else start))

    return value


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
