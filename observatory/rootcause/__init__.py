"""The likeliest cause of an incident: which service, and by which evidence.

>>> import numpy as np, pandas as pd
>>> index = pd.date_range("2026-01-01", periods=120, freq="60s", tz="UTC")
>>> noise = np.random.default_rng(7).normal(0, 0.01, (120, 2))
>>> web = pd.DataFrame({"latency_p95": 0.2 + noise[:, 0]}, index=index)
>>> db = pd.DataFrame({"latency_p95": 0.1 + noise[:, 1], "cpu_usage": 0.5}, index=index)
>>> web.iloc[110:] += 1.0
>>> db.iloc[110:] += 1.0
>>> [service for service, score in rank({"web": web, "db": db}, index[110], index[119], [("web", "db")])]
['db', 'web']
"""

from __future__ import annotations

from observatory.rootcause.options import CLEAR, Options
from observatory.rootcause.ranking import rank, suspects
from observatory.rootcause.suspect import Contribution, Suspect

__all__ = ["CLEAR", "Contribution", "Options", "Suspect", "rank", "suspects"]
