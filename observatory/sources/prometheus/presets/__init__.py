"""Presets: how exporters name things, and which labels name a service.

A preset says what of it a server has, as families of series with a query template a metric. Adding one is a function
with a row in one of the modules here. The first preset that knows a metric of a service gives its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from observatory.catalog import METRICS, Metric
from observatory.config.sources import PresetSettings
from observatory.errors import ConfigError
from observatory.sources.prometheus.presets import checks, http, kubernetes, meshes, processes, proxies
from observatory.sources.prometheus.presets.preset import Preset
from observatory.sources.prometheus.selectors import LEGACY_LABEL

_ROWS = (
    *meshes.PRESETS,
    *http.PRESETS,
    *proxies.PRESETS,
    *checks.PRESETS,
    *kubernetes.PRESETS,
    *processes.PRESETS,
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ROWS}
"""By name, the one that is asked first in front."""

FORMER = {"native": "otel"}
"""Names that presets had before, and where what they read is now."""


def configured(changes: Mapping[str, PresetSettings], catalog: Mapping[str, Metric] = METRICS) -> dict[str, Preset]:
    """The presets there are with the settings' own in front, and those they change in their place.

    Raises
    ------
    ConfigError
        Naming the table and what cannot be used.
    """
    own, known = {}, dict(PRESETS)
    for called, change in changes.items():
        name = FORMER.get(called, called)
        where = f"[preset.{name}]"
        if not re.fullmatch(r"[\w-]+", name):
            raise ConfigError(f"{where}: a preset's name has letters, digits, - and _ only")
        for metric in change.queries:
            if metric not in catalog:
                raise ConfigError(
                    f"{where} has a query for unknown metric {metric!r}: choose from {', '.join(catalog)}"
                )
        for label in change.labels or ():
            if not LEGACY_LABEL.fullmatch(label):
                raise ConfigError(f"{where}: labels = {label!r}, which is no name of a label")
        facts = {key: value for key, value in change.model_dump(exclude={"queries"}).items() if value is not None}
        old = known.get(name)
        if old:
            if change.labels is None:  # its own renames are about its own labels
                facts["rename"] = (*old.rename, *(change.rename or ()))
            else:
                facts = {"rename": (), **facts}
            known[name] = replace(
                old, **facts, queries=dict(change.queries), is_own=True, has_own_labels=change.labels is not None
            )
        elif not change.labels or not change.queries:
            raise ConfigError(f"{where} is new (there is none of that name to change): give it labels and queries")
        else:
            facts = {"description": "from the settings", **facts}
            own[name] = Preset(name, queries=dict(change.queries), is_own=True, has_own_labels=True, **facts)
    return {**own, **known}


def chosen(names: Sequence[str], presets: Mapping[str, Preset] = PRESETS) -> list[Preset]:
    """The presets called `names`, or all of them.

    Raises
    ------
    ConfigError
        A preset of that name does not exist.
    """
    names = [FORMER.get(name, name) for name in names]
    for name in names:
        if name not in presets:
            raise ConfigError(f"unknown preset {name!r} in setting presets: choose from {', '.join(presets)}")
    return [presets[name] for name in names] if names else list(presets.values())
