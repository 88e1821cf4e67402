"""Settings as somebody may see them who sees some services only."""

from __future__ import annotations

from observatory.config import Settings

SHOWN = (
    "delay",
    "detector",
    "inactive_hours",
    "interval",
    "latency_target",
    "links",
    "max_window_days",
    "metrics_services",
    "minimum_samples",
    "objective",
    "refresh",
    "sensitivity",
    "training_days",
    "window",
    "worker",
)
"""Settings that name no person, no secret, and no service but in patterns of links. Others have their defaults."""


def shown(settings: Settings) -> Settings:
    """`settings` with what is in `SHOWN`, and nothing else: what is added to them is closed until it is listed."""
    return Settings.model_construct(**{name: getattr(settings, name) for name in SHOWN})
