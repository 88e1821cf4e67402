"""Any PyOD model by name, ``pyod:COPOD``, on time-aware features and calibrated as the others are.

A feature a metric and kind: how far the sample lies from its band for the time of day (for known metrics only on
the bad side), the mean of that over five rows, and its change over five rows. The model is fitted on three quarters
of the history and the alarm line set on the quarter held back; then it is fitted on all of it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import warnings
from typing import Any, Self

import numpy as np
import pandas as pd

from observatory.catalog import FloatArray
from observatory.detectors import DETECTORS
from observatory.detectors.bands import MINIMUM, Bands
from observatory.detectors.base import Detector, Scores, shares_of
from observatory.detectors.calibration import HELD_BACK, alarm_line
from observatory.errors import ConfigError, NotEnoughDataError

WINDOW = 5
MOST = 4_000
"""Rows a model is fitted on: evenly spaced ones of a longer history, for many models cost the square."""
MOST_ALONE = 1_000
"""The same for models whose scores depend on the batch, so that each row is scored by itself."""
FAR = 20.0


@DETECTORS.register("pyod")
class PyodModel(Detector):
    """One model of PyOD.

    Parameters
    ----------
    model
        Name of the class in ``pyod.models``, in any case: ``"COPOD"``, ``"KNN"``, ``"HBOS"``.
    seed
        Passed as ``random_state`` to models that take one.
    parameters
        Of the model.

    Raises
    ------
    ConfigError
        PyOD has no such model, it needs a library that is not installed, or it takes no such parameter.
    """

    minimum_samples = 2 * MINIMUM

    def __init__(self, model: str = "KNN", seed: int = 0, **parameters: Any) -> None:
        kind = _model(model)
        if "random_state" in inspect.signature(kind).parameters:
            parameters.setdefault("random_state", seed)
        try:
            kind(**parameters)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"detector 'pyod:{model}' cannot be made: {error}") from None
        self.model, self.parameters = kind.__name__, parameters
        self.bands = Bands()

    def fit(self, history: pd.DataFrame) -> Self:
        """Calibrate on held-back rows, then fit on all; see `Detector.fit`."""
        if len(history) < self.minimum_samples:
            raise NotEnoughDataError(len(history), self.minimum_samples, f"pyod:{self.model}")
        self.bands = Bands().fit(history)
        features = self._features(history)
        self._used = np.ptp(features, axis=0) > 1e-9
        self._fitted: Any = None
        if not self._used.any():
            return self  # nothing ever changed: nothing can be compared
        features = features[:, self._used]
        cut = int(len(features) * (1 - HELD_BACK))
        self._fitted, self._alone = self._fit(features[:cut])
        held_back = self._raw(_spread(features[cut:], MOST_ALONE if self._alone else MOST))
        self._middle = float(np.median(held_back))
        self._line = max(alarm_line(held_back - self._middle, least=0.0), 1e-9)
        self._fitted, _ = self._fit(features)
        return self

    def score(self, frame: pd.DataFrame) -> Scores:
        """Score `frame`; ten rows of context are enough."""
        features = self._features(frame)
        total = np.zeros(len(frame))
        if self._fitted is not None and len(frame):
            total = np.maximum((self._raw(features[:, self._used]) - self._middle) / self._line, 0.0)
        metrics = len(self.bands.metrics)
        size = np.abs(features).reshape(len(frame), 3, metrics).max(axis=1)
        size = np.where(total[:, None] > 0, size, 0.0)
        parts = pd.DataFrame(size, index=frame.index, columns=list(self.bands.metrics))
        shares = shares_of(parts.reindex(columns=frame.columns, fill_value=0.0))
        return Scores(pd.Series(total, index=frame.index, name="score"), shares)

    def _features(self, frame: pd.DataFrame) -> FloatArray:
        """Shape (n, 3 × metrics)."""
        now = np.clip(self.bands.signed(frame).to_numpy(), -FAR, FAR)
        padded = np.vstack([np.repeat(now[:1], WINDOW, axis=0), now])
        sums = np.cumsum(padded, axis=0)
        mean = (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW
        return np.hstack([now, mean, now - padded[: len(now)]])

    def _fit(self, features: FloatArray) -> tuple[Any, bool]:
        model = self._made(_spread(features, MOST))
        pair = features[-2:]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            together = np.asarray(model.decision_function(pair), dtype=float)
            alone = np.array([float(np.ravel(model.decision_function(row[None]))[0]) for row in pair])
        if np.allclose(together, alone, equal_nan=True):
            return model, False
        return self._made(_spread(features, MOST_ALONE)), True

    def _made(self, features: FloatArray) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # models warn of constant columns and of their own defaults
            return _model(self.model)(**self.parameters).fit(features)

    def _raw(self, features: FloatArray) -> FloatArray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self._alone:
                rows = [np.ravel(self._fitted.decision_function(row[None]))[0] for row in features]
                found = np.array(rows, dtype=float)
            else:
                found = np.asarray(self._fitted.decision_function(features), dtype=float)
        return np.asarray(np.nan_to_num(found, nan=0.0, posinf=1e9, neginf=-1e9))


def _spread(rows: FloatArray, most: int) -> FloatArray:
    """At most so many rows, evenly spaced and with the last."""
    step = -(-len(rows) // most)
    return rows[::-1][::step][::-1]


def _model(name: str) -> Any:
    """The class called `name` in ``pyod.models``."""
    from pyod import models

    names = [module.name for module in pkgutil.iter_modules(models.__path__)]
    wanted = name.lower().replace("_", "")
    place = next((module for module in names if module.replace("_", "") == wanted), None)
    if place is None:
        known = ", ".join(sorted(n for n in names if not n.startswith(("base", "_", "pyg", "ts"))))
        raise ConfigError(f"detector 'pyod:{name}': PyOD has no model of that name; it has {known}")
    try:
        module = importlib.import_module(f"pyod.models.{place}")
    except ImportError as error:
        raise ConfigError(f"detector 'pyod:{name}': {error.name or error} is not installed") from None
    found = next((kind for key, kind in vars(module).items() if key.lower() == wanted and inspect.isclass(kind)), None)
    if found is None:
        raise ConfigError(f"detector 'pyod:{name}': pyod.models.{place} has no class of that name")
    return found
