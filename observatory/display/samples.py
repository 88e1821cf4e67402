"""Samples, coverage, gaps and imports as tables."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from observatory.catalog import METRICS, metric, present
from observatory.frames import ReadableFrame
from observatory.model import SERVICE, TIMESTAMP
from observatory.store.reader import StoreReader
from observatory.times import TIME


def sample_table(store: StoreReader, now: datetime, since: timedelta = timedelta(hours=1)) -> pd.DataFrame:
    """A row a service with its newest sample, values as people read them."""
    latest = store.latest(now - since)
    names = present(METRICS, lambda name: bool(latest[name].notna().any()))
    columns = {METRICS[name].label: [METRICS[name].show(value) for value in latest[name]] for name in names}
    return ReadableFrame(columns, index=latest.index, nothing=f"no samples since {now - since:{TIME}} UTC")


def import_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """A row a metric of a file: where it was, its unit there, number and range of its values as people read them."""
    rows = [
        {
            "metric": row["metric"],
            "from": row["column"],
            "unit": row["unit"] or "–",
            "values": row["known"],
            "lowest": metric(row["metric"]).show(row["low"]),
            "median": metric(row["metric"]).show(row["middle"]),
            "highest": metric(row["metric"]).show(row["high"]),
        }
        for row in metrics.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=["metric", "from", "unit", "values", "lowest", "median", "highest"])


def series_table(series: pd.DataFrame, most: int = 20) -> pd.DataFrame:
    """A row a series of a file: what it is called there, and what it is here; beyond `most` only their number."""
    shown = series.head(most).replace({"unit": {"": "–"}}).rename(columns={"series": "series in the file"})
    if len(series) > most:
        shown.loc[most] = [f"… {len(series) - most:,} more", "", "", ""]
    return shown


def preview_table(samples: pd.DataFrame) -> pd.DataFrame:
    """Samples as they are stored, values as people read them."""
    shown = pd.DataFrame(
        {"service": samples[SERVICE], "time (UTC)": samples[TIMESTAMP].dt.strftime("%Y-%m-%d %H:%M:%S")}
    )
    for name in samples.columns.drop([SERVICE, TIMESTAMP]):
        shown[name] = [metric(name).show(value) for value in samples[name]]
    return shown


def coverage_table(coverage: pd.DataFrame, most: int = 40) -> pd.DataFrame:
    """A row a service, the least complete first, shares in per cent; beyond `most` services only their median."""
    shares = (coverage[present(coverage.columns, lambda name: bool(coverage[name].any()))] * 100).round(1)
    shares = shares.loc[shares.mean(axis=1).sort_values(kind="stable").index]
    if len(shares) > most:
        rest = shares.iloc[most:]
        shares = pd.concat([shares.iloc[:most], rest.median().round(1).to_frame(f"… {len(rest)} more (median)").T])
    shown = shares.map(lambda share: f"{share:g} %").reset_index(names=SERVICE)
    return ReadableFrame(shown, nothing="no services, or no time in which samples were expected")


def gap_table(gaps: pd.DataFrame, most: int = 20) -> pd.DataFrame:
    """A row a gap, the largest first: from, to, points missing, and whom it concerns."""
    rows = [
        {
            "from": f"{gap.first:%Y-%m-%d %H:%M:%S}",
            "to": f"{gap.last:%Y-%m-%d %H:%M:%S}",
            "missing": gap.missing,
            "services": gap.example if gap.services == 1 else f"{gap.services} (such as {gap.example})",
        }
        for gap in gaps.head(most).itertuples()
    ]
    if len(gaps) > most:
        rows.append({"from": f"… {len(gaps) - most} more", "to": "", "missing": "", "services": ""})
    return ReadableFrame(rows, columns=["from", "to", "missing", "services"], nothing="no gaps")
