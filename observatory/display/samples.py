"""What the command line and the notebooks print: small frames with values as people read them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime, timedelta

import pandas as pd

from observatory.catalog import METRICS, metric
from observatory.frames import Listing
from observatory.health.overview import Overview, ServiceStatus
from observatory.model.samples import SERVICE, Anomaly, Failure, Fault, Feedback, Health, Run
from observatory.schedule import Job
from observatory.sources.prometheus.survey import Found
from observatory.store import Store
from observatory.store.tables.audit import AuditEntry
from observatory.store.tables.keys import StoredKey

HEALTH_METRICS = ("request_rate", "error_rate", "latency_p95", "cpu_usage")
TIME = "%Y-%m-%d %H:%M"


def health_table(overview: Overview) -> pd.DataFrame:
    """A row a service, the worst first: score, band, coverage, the values of its card, and why."""
    rows = [
        {
            "service": status.name,
            "health": "?" if status.health.score is None else str(status.health.score),
            "band": str(status.health.band),
            "coverage": f"{status.health.coverage} %",
        }
        | {METRICS[name].label: METRICS[name].show(status.latest[name]) for name in HEALTH_METRICS}
        | {"why": status.open_anomalies[0].message if status.open_anomalies else status.health.reason}
        for status in overview.services
    ]
    labels = [METRICS[name].label for name in HEALTH_METRICS]
    columns = ["service", "health", "band", "coverage", *labels, "why"]
    return Listing(rows, columns=columns, nothing="no services yet: run `observatory collect`")


def arithmetic_table(health: Health) -> pd.DataFrame:
    """A row a part of the score: weight, value (0–1), points, and what it was judged by."""
    rows = [
        (
            part.name,
            part.weight,
            None if part.value is None else round(part.value, 3),
            round(part.points, 1),
            part.detail,
        )
        for part in health.parts
    ]
    return pd.DataFrame(rows, columns=["part", "weight", "value", "points", "judged by"])


def anomaly_table(anomalies: Iterable[Anomaly]) -> pd.DataFrame:
    """A row an anomaly: when, how long, severity, score, what happened."""
    rows = [
        {
            "service": anomaly.service_name,
            "started": anomaly.started_at.strftime(TIME),
            "minutes": round((anomaly.ended_at - anomaly.started_at).total_seconds() / 60) + 1,
            "open": anomaly.is_open,
            "severity": str(anomaly.severity),
            "score": round(anomaly.score, 1),
            "message": anomaly.message,
        }
        for anomaly in anomalies
    ]
    columns = ["service", "started", "minutes", "open", "severity", "score", "message"]
    return Listing(rows, columns=columns, nothing="nothing was unusual")


def evidence_table(anomaly: Anomaly | None) -> pd.DataFrame:
    """A row an affected metric: actual, typical, bounds, share of the score; of no anomaly none."""
    rows = [
        {
            "metric": metric(item.metric).label,
            "actual": metric(item.metric).show(item.actual),
            "typical": metric(item.metric).show(item.typical),
            "lower": metric(item.metric).show(item.lower),
            "upper": metric(item.metric).show(item.upper),
            "share": f"{item.share:.0%}",
        }
        for item in (anomaly.evidence if anomaly else ())
    ]
    nothing = "several metrics are unusual together, none by itself" if anomaly else "nothing was unusual"
    return Listing(rows, columns=["metric", "actual", "typical", "lower", "upper", "share"], nothing=nothing)


def fault_table(faults: Iterable[Fault]) -> pd.DataFrame:
    """A row a labelled fault."""
    rows = [
        {
            "service": fault.service_name,
            "kind": fault.kind,
            "started": fault.start.strftime(TIME),
            "ended": fault.end.strftime(TIME),
            "root cause": fault.root_cause,
        }
        for fault in faults
    ]
    return pd.DataFrame(rows, columns=["service", "kind", "started", "ended", "root cause"])


def feedback_table(given: Iterable[Feedback]) -> pd.DataFrame:
    """A row a verdict."""
    rows = [
        {
            "service": one.service_name,
            "verdict": str(one.verdict),
            "started": one.started_at.strftime(TIME),
            "ended": one.ended_at.strftime(TIME),
            "detector": one.detector,
            "given": one.given_at.strftime(TIME),
            "note": one.note,
        }
        for one in given
    ]
    return pd.DataFrame(rows, columns=["service", "verdict", "started", "ended", "detector", "given", "note"])


def service_table(services: Iterable[ServiceStatus], samples: Mapping[Hashable, int]) -> pd.DataFrame:
    """A row a registered service: the number of its samples, the time of the newest, and whether it still reports."""
    rows = [
        {
            "service": status.name,
            "source": status.service.source,
            "team": status.service.team or "",
            "tier": status.service.tier or "",
            "samples": samples.get(status.name, 0),
            "newest": f"{status.at:{TIME}}" if status.at else "",
            "state": status.state,
        }
        for status in sorted(services, key=lambda status: status.name)
    ]
    return pd.DataFrame(rows, columns=["service", "source", "team", "tier", "samples", "newest", "state"])


def survey_table(found: Iterable[Found]) -> pd.DataFrame:
    """A row a preset: its services, one of them, and for each metric how many have a value; a dot where it has none."""
    rows = [
        {
            "preset": preset.preset,
            "services": len(preset.services),
            "example": preset.services[0] if preset.services else "–",
        }
        | {
            name: "refused" if name in preset.refused else str(preset.series[name]) if name in preset.series else "·"
            for name in METRICS
        }
        for preset in found
    ]
    return pd.DataFrame(rows, columns=["preset", "services", "example", *METRICS])


def key_table(keys: Iterable[StoredKey], now: datetime) -> pd.DataFrame:
    """A row an API key: what it may do, and whether it still may."""
    rows = [
        {
            "id": key.id,
            "name": key.name,
            "role": key.role,
            "services": ", ".join(key.services),
            "state": "revoked"
            if key.revoked_at
            else "expired"
            if key.expires_at and key.expires_at <= now
            else "valid",
            "created": key.created_at.strftime(TIME),
            "expires": key.expires_at.strftime(TIME) if key.expires_at else "never",
            "last used": key.last_used_at.strftime(TIME) if key.last_used_at else "never",
        }
        for key in keys
    ]
    return pd.DataFrame(rows, columns=["id", "name", "role", "services", "state", "created", "expires", "last used"])


def audit_table(entries: Iterable[AuditEntry]) -> pd.DataFrame:
    """A row an entry of the audit log."""
    columns = ["at", "who", "address", "action", "target", "result", "detail"]
    rows = [[f"{e.at:%Y-%m-%d %H:%M:%S}", e.who, e.address, e.action, e.target, e.result, e.detail] for e in entries]
    return pd.DataFrame(rows, columns=columns)


def failure_table(failures: Iterable[Failure]) -> pd.DataFrame:
    """A row a failure: what did not work, and why."""
    rows = [(failure.what, failure.error) for failure in failures]
    return Listing(rows, columns=["what", "error"], nothing="nothing failed")


def run_table(runs: Iterable[Run], now: datetime) -> pd.DataFrame:
    """A row a run of a notebook: when, which job and notebook, how it went and how long it took, where it is."""
    rows = [
        {
            "started": run.started_at.strftime("%Y-%m-%d %H:%M:%S"),
            "job": run.job,
            "notebook": run.notebook,
            "status": str(run.status),
            "seconds": round(((run.ended_at or now) - run.started_at).total_seconds(), 1),
            "error": f"cell {run.failed_cell}: {run.error}" if run.failed_cell and run.error else run.error,
            "folder": run.folder,
        }
        for run in runs
    ]
    return pd.DataFrame(rows, columns=["started", "job", "notebook", "status", "seconds", "error", "folder"])


def job_table(jobs: Iterable[Job], store: Store, now: datetime) -> pd.DataFrame:
    """A row a job of the schedule: what and when, the next time, how the last run went."""
    rows = []
    for job in jobs:
        due, last = job.cadence.after(now), next(iter(store.runs.last(1, job=job.name)), None)
        rows.append(
            {
                "job": job.name,
                "notebook": job.settings.notebook,
                "when": str(job.cadence),
                "next (UTC)": f"{due:%Y-%m-%d %H:%M:%S}" if due else "never",
                "last": f"{last.status} {last.started_at:%Y-%m-%d %H:%M:%S}" if last else "not yet",
            }
        )
    return pd.DataFrame(rows, columns=["job", "notebook", "when", "next (UTC)", "last"])


def sample_table(store: Store, now: datetime, since: timedelta = timedelta(hours=1)) -> pd.DataFrame:
    """A row a service with its newest sample, values as people read them."""
    latest = store.latest(now - since)
    columns = {METRICS[name].label: [METRICS[name].show(value) for value in latest[name]] for name in METRICS}
    return Listing(columns, index=latest.index, nothing=f"no samples since {now - since:{TIME}} UTC")


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


def coverage_table(coverage: pd.DataFrame, most: int = 40) -> pd.DataFrame:
    """A row a service, the least complete first, shares in per cent; beyond `most` services only their median."""
    shares = (coverage * 100).round(1)
    shares = shares.loc[shares.mean(axis=1).sort_values(kind="stable").index]
    if len(shares) > most:
        rest = shares.iloc[most:]
        shares = pd.concat([shares.iloc[:most], rest.median().round(1).to_frame(f"… {len(rest)} more (median)").T])
    shown = shares.map(lambda share: f"{share:g} %").reset_index(names=SERVICE)
    return Listing(shown, nothing="no services, or no time in which samples were expected")


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
    return Listing(rows, columns=["from", "to", "missing", "services"], nothing="no gaps")
