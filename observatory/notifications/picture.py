"""A small picture of the metric that is worst: its course, its band, and when the trouble began."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from observatory.catalog import metric
from observatory.plain import plain

FloatArray = NDArray[np.float64]

WIDE, HIGH, DOTS = 6.0, 2.0, 100
"""Size [inches], and dots an inch: 600 × 200 pixels."""
INK, SOFT, LINE, BAND, TROUBLE = "#1f2430", "#5c6370", "#2457c5", "#2e9e6b", "#d13438"
GROUND = "#ffffff"
"""It is opaque, so that the picture is the same on a dark page."""
FONT = "DejaVu Sans"
"""Comes with matplotlib."""
_LOCK = threading.Lock()
"""Figures of their own do not make matplotlib safe in several threads: its fonts are shared."""


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one metric, in its base unit.

    Attributes
    ----------
    service_name, metric
        What it is the course of.
    began_at
        When the trouble began.
    at, actual
        Times and values, of shape ``(n,)``; what is missing is NaN.
    typical, lower, upper
        What was expected then, of shape ``(n,)``; None while too little is known.
    """

    service_name: str
    metric: str
    began_at: datetime
    at: Sequence[datetime]
    actual: FloatArray
    typical: FloatArray | None = None
    lower: FloatArray | None = None
    upper: FloatArray | None = None


def draw(course: Course) -> bytes:
    """A picture as PNG, for light and dark pages. Nothing of matplotlib's global state is used or changed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    kind = metric(course.metric)
    times = np.array([date2num(at) for at in course.at])
    began = float(date2num(course.began_at))
    with _LOCK:
        figure = Figure(figsize=(WIDE, HIGH), dpi=DOTS, layout="constrained", facecolor=GROUND)
        canvas = FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.set_facecolor(GROUND)
        if course.lower is not None and course.upper is not None:
            axes.fill_between(times, course.lower, course.upper, color=BAND, alpha=0.25, lw=0)
        if course.typical is not None:
            axes.plot(times, course.typical, color=BAND, lw=0.9, ls="--")
        axes.plot(times, course.actual, color=LINE, lw=1.4)
        axes.axvline(began, color=TROUBLE, lw=1.2)
        first, last = min(float(times[0]), began), max(float(times[-1]), began)
        axes.set_xlim(first, last + 0.01 * (last - first or 1.0))  # what began just now is seen too
        axes.set_ylim(0, _top(course))
        title = f"{kind.label} · {_drawable(course.service_name)} · from {course.began_at.astimezone(UTC):%H:%M} UTC"
        axes.set_title(title, loc="left", fontsize=9, color=INK, fontfamily=FONT, parse_math=False)
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(lambda value, place: kind.show(value))
        locator = AutoDateLocator(tz=UTC)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
        axes.tick_params(labelsize=8, colors=SOFT, labelfontfamily=FONT)
        axes.xaxis.get_offset_text().set(fontsize=8, color=SOFT, fontfamily=FONT)
        axes.grid(axis="y", color=SOFT, alpha=0.2, lw=0.5)
        axes.spines[["top", "right"]].set_visible(False)
        page = io.BytesIO()
        canvas.print_png(page, metadata={"Software": None})
    return page.getvalue()


def _top(course: Course) -> float:
    """The highest value of the axis; it has some height where all is zero."""
    shown = [course.actual] if course.upper is None else [course.actual, course.upper]
    values = np.concatenate(shown)
    finite = values[np.isfinite(values)]
    highest = float(finite.max()) if len(finite) else 0.0
    return highest * 1.1 if highest > 0 else 1.0


def _drawable(name: str, most: int = 48) -> str:
    """A name in letters that the font has."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont(FONT))
    text = plain(name, keep="")
    return "".join(one if font.get_char_index(ord(one)) else "?" for one in text[:most]) + "…" * (len(text) > most)
