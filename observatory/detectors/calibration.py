"""The alarm line, calibrated on rows that were held back."""

from __future__ import annotations

import numpy as np

from observatory.catalog import FloatArray

HELD_BACK = 0.3
ALARMS_PER_ROW = 1e-4  # about one a week at one row a minute


def alarm_line(held_back: FloatArray, least: float = 3.0) -> float:
    """Score that about one in `ALARMS_PER_ROW` rows exceeds, by an exponential tail beyond the 90 % quantile."""
    start = float(np.quantile(held_back, 0.9))
    excess = held_back[held_back > start] - start
    slope = float(excess.mean()) if len(excess) else 0.5
    slope = max(slope, 0.1 if least else 0.05 * abs(start))
    return float(max(start + slope * np.log(0.1 / ALARMS_PER_ROW), least))
