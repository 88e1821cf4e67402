"""A health score as the table of its arithmetic."""

from __future__ import annotations

from typing import Any

from observatory.model import Health
from observatory.views.components.base import Component, module


class ScoreTable(Component):
    """Parts, weights, values and points; caps and coverage under it."""

    _esm = module("score.js")
    _sheets = ("score.css",)


def score_table(health: Health | None) -> dict[str, Any]:
    """What the table draws. Points add up to the score, unless a cap holds it down."""
    if health is None:
        return {"parts": [], "score": None, "band": "unknown", "coverage": 0, "caps": [], "reason": "", "sum": ""}
    judged = sum(part.weight for part in health.parts if part.value is not None)
    total = sum(part.points for part in health.parts)
    return {
        "parts": [
            {
                "name": part.name,
                "weight": f"{part.weight:g}",
                "value": None if part.value is None else round(part.value, 2),
                "points": "–" if part.value is None else f"{part.points:.1f}",
                "best": "–" if part.value is None else f"{100 * part.weight / judged:.3g}",
                "detail": part.detail,
            }
            for part in health.parts
        ],
        "score": health.score,
        "band": str(health.band),
        "coverage": health.coverage,
        "caps": list(health.caps),
        "reason": health.reason,
        "sum": f"{total:.1f}" if judged else "–",
    }
