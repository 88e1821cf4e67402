"""Units a file may be in: those people name in options, and those that exports write behind each number."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

UNITS: Mapping[str, Mapping[str, float]] = {
    "s": {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60},
    "ratio": {"ratio": 1, "%": 0.01, "percent": 0.01},
    "bytes": {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
    "cores": {"cores": 1, "millicores": 1e-3},
    "req/s": {"req/s": 1, "req/min": 1 / 60},
}
"""Units a file may have, by the base unit they become."""
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
COUNTER = "counter"
"""Said of a series that only grows: its rate per second is stored."""
COUNT = "count"
"""Said of a series whose values count what happened in each of its periods: they are divided by the period."""
COUNTED = ("req/s", "cores")
"""Base units that are the rate of a counter: of requests, and of seconds of CPU."""

DECLARED: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("seconds", "second", "s"), ("s", "s")),
    **dict.fromkeys(("milliseconds", "millisecond", "ms"), ("s", "ms")),
    **dict.fromkeys(("microseconds", "microsecond", "us"), ("s", "us")),
    **dict.fromkeys(("nanoseconds", "nanosecond", "ns"), ("s", "ns")),
    **dict.fromkeys(("percent", "%"), ("ratio", "%")),
    **dict.fromkeys(("bytes", "byte"), ("bytes", "bytes")),
    **dict.fromkeys(("kibibyte",), ("bytes", "KiB")),
    **dict.fromkeys(("mebibyte",), ("bytes", "MiB")),
    **dict.fromkeys(("gibibyte",), ("bytes", "GiB")),
    **dict.fromkeys(("count/second", "request/second", "hit/second"), ("req/s", "req/s")),
    **dict.fromkeys(("request/minute", "hit/minute"), ("req/s", "req/min")),
    **dict.fromkeys(("count", "request", "hit"), ("req/s", COUNT)),
}
"""Units that CloudWatch and Datadog say their series have (in lower case), as base unit and unit."""

_PREFIXES = {"": 1.0, "K": 1e3, "k": 1e3, "M": 1e6, "Mil": 1e6, "B": 1e9, "Bil": 1e9, "G": 1e9}
_RATES = {
    **dict.fromkeys(("req/s", "reqps", "rps", "r/s", "reqs/s", "requests/s", "hits/s", "ops/s", "ops", "cps"), 1.0),
    **dict.fromkeys(("req/m", "req/min", "reqpm", "rpm", "requests/min", "hits/min", "ops/m", "cpm"), 1 / 60),
}
_WRITTEN: Mapping[str, Mapping[str, float]] = {
    "s": {
        **dict.fromkeys(("ns",), 1e-9),
        **dict.fromkeys(("µs", "μs", "us"), 1e-6),
        **dict.fromkeys(("ms",), 1e-3),
        **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
        **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
        **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    },
    "ratio": {"%": 0.01, "percent": 0.01},
    "bytes": {
        "B": 1.0,
        "bytes": 1.0,
        "byte": 1.0,
        "kB": 1e3,
        "KB": 1e3,
        "MB": 1e6,
        "GB": 1e9,
        "TB": 1e12,
        "KiB": 2.0**10,
        "MiB": 2.0**20,
        "GiB": 2.0**30,
        "TiB": 2.0**40,
    },
    "cores": {"cores": 1.0, "core": 1.0, "m": 1e-3, "mcores": 1e-3, "millicores": 1e-3},
    "req/s": {f"{p} {unit}".strip(): size * factor for p, size in _PREFIXES.items() for unit, factor in _RATES.items()},
}
"""Units as exports write them behind a number, such as ``1.20 K req/s``: what makes the number the base unit."""


@cache
def written(base: str) -> Mapping[str, float]:
    """Factors of the units that may stand behind a value which becomes `base`."""
    return _WRITTEN.get(base, {})


@cache
def shortened(base: str) -> Mapping[str, float]:
    """Factors of a prefix alone (``1.2 K``), which counts have; of bytes it may be 1,000 or 1,024."""
    return {name: size for name, size in _PREFIXES.items() if name} if base in ("", "req/s") else {}
