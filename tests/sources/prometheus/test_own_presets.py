"""Presets that the settings make or change."""

from __future__ import annotations

import pytest

from observatory.config.sources import PresetSettings
from observatory.errors import ConfigError
from observatory.sources.prometheus.presets import PRESETS, configured


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "otel",
            {"queries": {"latency": "up"}},
            r"\[preset.otel\] has a query for unknown metric 'latency': choose from",
        ),
        ("mine", {"labels": ("app",)}, r"\[preset.mine\] is new .*: give it labels and queries"),
        ("mine", {"queries": {"pod_count": "up"}}, r"\[preset.mine\] is new"),
        ("otel", {"labels": ('job") or vector(1',)}, r"\[preset.otel\]: labels = .*, which is no name of a label"),
        ("my own", {}, r"\[preset.my own\]: a preset's name has letters"),
    ],
)
def test_a_preset_that_cannot_be_used_is_named(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configured({name: PresetSettings(**settings)})


def test_without_changes_the_presets_are_those_there_are() -> None:
    assert configured({}) == PRESETS
