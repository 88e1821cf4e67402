"""Colours and shapes: one place for style sheets and figures.

Every colour of text keeps a contrast of at least 4.5 to the surfaces it stands on (WCAG AA); a test holds this.
Style sheets use ``light-dark()``, so they follow ``color-scheme`` of the page; figures get a palette.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Palette = Mapping[str, str]

_DARK = {
    "page": "#0b0f16",
    "surface": "#131924",
    "raised": "#1b2331",
    "line": "#293345",
    "ink": "#e9eef7",
    "soft": "#aab5c8",
    "faint": "#8793a8",
    "accent": "#82b1ff",
    "healthy": "#41d392",
    "degraded": "#f0b43c",
    "poor": "#ff9257",
    "critical": "#ff7080",
    "unknown": "#9aa6ba",
    "low": "#6cb6f5",
}
_LIGHT = {
    "page": "#f3f5f9",
    "surface": "#ffffff",
    "raised": "#eef2f8",
    "line": "#d9e0ea",
    "ink": "#131a28",
    "soft": "#465267",
    "faint": "#5d697e",
    "accent": "#1d5bcb",
    "healthy": "#08734a",
    "degraded": "#835600",
    "poor": "#ab3f08",
    "critical": "#c01a36",
    "unknown": "#556176",
    "low": "#1766ad",
}
PALETTES: Mapping[str, Palette] = MappingProxyType({"dark": _DARK, "light": _LIGHT})

SEVERITY_COLOUR = {"critical": "critical", "high": "poor", "medium": "degraded", "low": "low"}
"""Name of a severity's colour in a palette."""

FONT = "Inter, system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
"""Inter comes with the page, so that numbers line up on every machine; what it lacks the system has."""


def palette(dark: bool) -> Palette:
    """The colours of the dark or the light page."""
    return PALETTES["dark" if dark else "light"]


def variables() -> str:
    """The palettes as custom properties for a style sheet: ``--ink`` and so on."""
    colours = "".join(f"--{name}:light-dark({_LIGHT[name]},{_DARK[name]});" for name in _DARK)
    severities = "".join(f"--severity-{name}:var(--{colour});" for name, colour in SEVERITY_COLOUR.items())
    return f":host,:root{{--font:{FONT};--bokeh-base-font:var(--font);{colours}{severities}}}"


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
