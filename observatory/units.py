"""Units: values in base units, as people read them."""

from __future__ import annotations

import math


def show(value: float | None, unit: str) -> str:
    """A value in its base unit for people: ``"4.1 s"``, ``"12 %"``, ``"512 MB"``; a dash where it is not known.

    >>> show(0.0812, "s")
    '81.2 ms'
    """
    if value is None or not math.isfinite(value):
        return "–"
    return _SHOW.get(unit, _show_number)(float(value), unit)


def _three_digits(value: float) -> str:
    """Three significant digits; what is too small to matter is 0."""
    if abs(value) < 1e-4:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _show_number(value: float, unit: str) -> str:
    return f"{_three_digits(value)} {unit}".rstrip()


def _show_seconds(value: float, unit: str) -> str:
    if abs(value) < 1:
        return f"{_three_digits(value * 1000)} ms"
    for name, size in (("days", 86400), ("h", 3600)):
        if abs(value) >= 2 * size:
            return f"{_three_digits(value / size)} {name}"
    return f"{_three_digits(value)} s"


def _show_ratio(value: float, unit: str) -> str:
    return f"{_three_digits(value * 100)} %"


def _show_bytes(value: float, unit: str) -> str:
    for name, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value) >= size:
            return f"{_three_digits(value / size)} {name}"
    return f"{_three_digits(value)} B"


_SHOW = {"s": _show_seconds, "ratio": _show_ratio, "bytes": _show_bytes}
