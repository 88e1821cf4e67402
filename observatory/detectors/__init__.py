"""Detectors: one file each, registered by name, all behind one small interface.

To add one, write a module here that registers a `Detector`, or name it in another package's entry
point of the group ``observatory.detectors``.
"""

from __future__ import annotations

from typing import Any

from observatory.detectors.base import Detector, Scores, StreamingDetector, StreamState, shares_of
from observatory.errors import ConfigError
from observatory.registry import Registry

__all__ = ["DETECTORS", "Detector", "Scores", "StreamState", "StreamingDetector", "make_detector", "shares_of"]

DETECTORS: Registry[type[Detector]] = Registry("detector", "observatory.detectors")


def make_detector(name: str, **parameters: Any) -> Detector:
    """A new detector by name; ``pyod:COPOD`` is PyOD's model of that name.

    Raises
    ------
    UnknownPluginError, ConfigError
        No detector of that name; it does not take those parameters.
    """
    base, _, model = name.partition(":")
    if model:
        parameters["model"] = model
    kind = DETECTORS.get(base if model else name)
    try:
        return kind(**parameters)
    except TypeError as error:
        raise ConfigError(f"detector {name!r} cannot be made: {error}") from None
