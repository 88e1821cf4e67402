"""A store with rows in every table, and what it gives back: for backups, checks, and stores of older versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from observatory.catalog import METRICS
from observatory.model import (
    Anomaly,
    Change,
    ChangeKind,
    Cycle,
    Delivery,
    DeliveryState,
    Effect,
    Evidence,
    ExternalAlert,
    Failure,
    Fault,
    Feedback,
    Incident,
    IncidentChanges,
    IncidentEvent,
    IncidentState,
    LikelyCause,
    OutboxEntry,
    Reason,
    Remark,
    Run,
    RunStatus,
    Service,
    Severity,
    Silence,
    Symptom,
    Verdict,
)
from observatory.model.running import MarkKind, Running
from observatory.store import Store
from observatory.store.tables.audit import AuditEntry
from observatory.store.tables.fetches import Question
from observatory.store.tables.keys import StoredKey
from observatory.store.tables.notifications import OutboxTable
from observatory.store.tables.states import KeptState

START = datetime(2026, 1, 31, 22, tzinfo=UTC)
MONTH = datetime(2026, 2, 1, tzinfo=UTC)
"""What was sampled before can be archived."""
NOW = datetime(2026, 2, 1, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)

SERVICES = [
    Service("shop/cart", "eu", "buy", "1", 0.999, 0.25, 4.0, 2.0**30, 3.0),
    Service("shop/it's – ünïcode"),
]
CALLS = [("shop/cart", "shop/it's – ünïcode")]
ANOMALY = Anomaly(
    "shop/cart",
    START,
    START + HOUR,
    START,
    True,
    Severity.HIGH,
    3.5,
    "multiscale",
    "shop/cart: slow",
    (
        Evidence("latency_p99", 4.1, 0.3, 0.2, 0.4, 0.75, "up"),
        Evidence("request_rate", 0.0, 5.0, 4.0, 6.0, 0.25, "down"),
    ),
)
FAULT = Fault("shop/cart", "memory_leak", START, NOW, ("memory_usage", "restart_count"), "shop/cart")
FEEDBACK = Feedback("shop/cart", Verdict.FALSE_ALARM, START, START + HOUR, NOW, "multiscale", "a rehearsal")
CHANGES = [
    Change(
        "c1", "shop/cart", START, ChangeKind.DEPLOYMENT, "v2 – ünï", "it's <b>out</b>", "https://ci.example/1", "ci"
    ),
    Change("c2", "shop/cart", START + HOUR, ChangeKind.RESTART),
]
RUNNING = [
    Running(
        "shop/cart", "eu", MarkKind.IMAGE, "web", "x:2", ("x:1", "x:2"), {"x:1": START, "x:2": NOW}, NOW, NOW, START
    )
]
CYCLE = Cycle(NOW, 1.5, 2, 2, 1, (Failure("error_rate", "bad query"),), ("partial",), 4)
QUESTION = Question("eu", "a digest", ("shop/cart",), 60.0)
REMARK = Remark("eu", NOW - HOUR, NOW - HOUR, "a store is away")
STATES = [KeptState("shop/cart", "multiscale", "version 1", NOW, NOW, bytes(range(32)) + b"'\0")]
KEYS = [StoredKey("k1", "ci", "reader", ("shop/*", "a,b"), "00ff", "ab" * 8, START, NOW + HOUR)]
AUDIT = [AuditEntry("r1", NOW, "key:ci", "127.0.0.1", "POST /api/feedback", "shop/cart", "403", "it's not yours")]
DELIVERY = Delivery(
    "on-call", "0a3f9c1d2b4e", 3, "worse", START, DeliveryState.FAILED, NOW, NOW, 4, "it's gone – ünï", "s1"
)
ALERT = ExternalAlert(
    "f00d",
    START,
    "shop/cart",
    "it's slow",
    Severity.HIGH,
    "p99 – ünï",
    "https://prometheus.example/graph",
    "key:am",
    NOW,
    NOW + HOUR,
    NOW,
    {"service": "cart", "pod": "it's"},
)
SILENCE = Silence(
    "s1",
    "it's <b>swapped</b>",
    "key:ann",
    NOW,
    START,
    NOW + HOUR,
    ("shop/*", "it's – ünïcode"),
    (Severity.LOW,),
    ("cpu_usage",),
    Effect.TELL_NOBODY,
    "0 2 * * *",
    HOUR / 2,
    "Europe/Berlin",
    "settings",
    "backup",
    ("0a3f9c1d2b4e",),
    "key:bob",
)
RUN = Run(
    "run-1",
    "backfill",
    START,
    NOW,
    RunStatus.FAILED,
    "runs/run-1",
    "me:1",
    {"days": 1.5},
    "hourly",
    START,
    NOW,
    3,
    "no",
)


def sampled() -> pd.DataFrame:
    """A sample an hour of two services; some metrics are missing in some."""
    at = pd.date_range(START, periods=5, freq="1h")
    frames = []
    for number, service in enumerate(SERVICES):
        frame = pd.DataFrame({"service_name": service.name, "timestamp": at})
        for place, (metric, row) in enumerate(METRICS.items()):
            is_new = not row.common  # a store of the version before has none of these
            frame[metric] = [None if is_new or place == hour else number + place / 8 + hour for hour in range(len(at))]
        frames.append(frame.astype(dict.fromkeys(METRICS, float)))
    return pd.concat(frames, ignore_index=True)


def fill(store: Store) -> None:
    """Rows in every table but those of archived files and of names: see `archive` and `rename`."""
    store.register(SERVICES)
    store.write_calls(CALLS)
    store.write_samples(sampled())
    store.write_anomalies([ANOMALY])
    store.write_faults([FAULT])
    store.feedback.write([FEEDBACK])
    store.changes.write(CHANGES)
    store.running.write(RUNNING)
    store.running.look_from("eu", NOW)
    store.write_cycle(CYCLE)
    store.write_note("source", "eu")
    store.fetches.record(QUESTION, START, START + HOUR, 2, ["slow"], NOW)
    store.remarks.record(REMARK.source, REMARK.start, [REMARK.text])
    store.states.write(STATES)
    for key in KEYS:
        store.keys.add(key)
    store.audit.add(AUDIT)
    assert store.leases.take("worker", "me:1", NOW, HOUR)
    assert store.runs.begin(RUN)
    store.schedulers.seen("me:1", START, NOW)
    store.notifications.settle([DELIVERY])
    store.silences.write([SILENCE])
    store.alerts.write([ALERT])
    store.maintain(NOW)


def archive(store: Store) -> None:
    """Move the samples of the first month to the archive."""
    assert len(store.archive.move(MONTH)) == 1


def rename(store: Store) -> None:
    """Rows in the tables about names: a service came, got another name, and is gone; the others are as they were."""
    store.register([Service("shop/former")])
    store.names.rename("shop/former", "shop/later", NOW)
    store.names.remove(["shop/later"], NOW, exclude=["shop/later"])


def open_incident(store: Store) -> Incident:
    """An incident with a cause and a timeline."""
    symptom = Symptom("shop/cart", START, NOW, True, Severity.HIGH, "multiscale", "shop/cart: slow")
    reason = Reason("metric", 4.0, "errors rose", "error_rate")
    cause = LikelyCause("shop/it's – ünïcode", 4.0, True, "errors rose", "error_rate", START, (reason,))
    state = IncidentState.ACKNOWLEDGED
    incident = Incident(
        "0a3f9c1d2b4e",
        state,
        Severity.HIGH,
        Severity.HIGH,
        NOW,
        NOW,
        (symptom,),
        (cause,),
        NOW,
        "key:ann",
        "ann's team",
    )
    event = IncidentEvent(incident.id, NOW, "note", "it's <b>slow</b>\n🔥", "key:ann", "shop/cart")
    store.incidents.update(NOW, lambda _: IncidentChanges((incident,), (event, event)))
    outbox = OutboxTable(store._database)
    store._database.transaction(lambda session: outbox.put(session, OutboxEntry(incident.id, 9, "opened", NOW)))
    return incident


def values(store: Store) -> dict[str, Any]:
    """What a store gives back of what `fill` wrote, by table."""
    return {
        "services": store.services(),
        "calls": store.calls(),
        "anomalies": store.anomalies(),
        "faults": store.faults(),
        "feedback": store.feedback.read(),
        "changes": store.changes.read(),
        "running": (store.running.read("eu"), store.running.looked_until("eu")),
        "cycles": store.cycles(),
        "notes": store.note("source"),
        "fetches": store.fetches.done(QUESTION),
        "remarks": store.remarks.about("eu", START, NOW),
        "states": store.states.read("multiscale"),
        "keys": store.keys.all(),
        "audit": store.audit.read(START),
        "lease": [store.leases.take("worker", holder, NOW, HOUR) for holder in ("another", "me:1")],
        "runs": store.runs.last(),
        "schedulers": store.schedulers.alive(NOW),
        "alerts": store.alerts.read(),
        "silences": store.silences.read(),
        "deliveries": store.notifications.log(),
        "watermark": store.watermarks.get("rollup"),
    }


WRITTEN = {
    "services": SERVICES,
    "calls": CALLS,
    "anomalies": [ANOMALY],
    "faults": [FAULT],
    "feedback": [FEEDBACK],
    "changes": CHANGES,
    "running": (RUNNING, NOW),
    "cycles": [CYCLE],
    "notes": "eu",
    "fetches": [(START, START + HOUR)],
    "remarks": [Remark("eu", START, START + HOUR, "slow"), REMARK],
    "states": STATES,
    "keys": KEYS,
    "audit": AUDIT,
    "lease": [False, True],
    "runs": [RUN],
    "schedulers": {"me:1": NOW},
    "alerts": [ALERT],
    "silences": [SILENCE],
    "deliveries": [DELIVERY],
    "watermark": NOW,
}
"""What `values` gives of a store that lost nothing."""
