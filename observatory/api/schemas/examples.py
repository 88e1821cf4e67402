"""Examples of the document at ``/api/openapi.json``. A test holds them against the models."""

from __future__ import annotations

from typing import Any

SERVICE = "shop/checkout"

REGISTRATION: dict[str, Any] = {
    "service_name": SERVICE,
    "team": "buying",
    "tier": "1",
    "objective": 0.999,
    "latency_target": 0.4,
    "cpu_limit": 4.0,
    "memory_limit": 4294967296.0,
    "desired_pods": 4.0,
}

RENAMING: dict[str, Any] = {"new_name": "shop/payment"}

MERGING: dict[str, Any] = {"into": "shop/payment", "overlap": "combine"}

NAMES: dict[str, Any] = {
    "rules": [
        {"kind": "rename", "pattern": "checkout", "becomes": SERVICE, "made_at": "2026-03-02T09:15:00Z"},
        {"kind": "exclude", "pattern": "shop/old-*", "becomes": "", "made_at": "2026-03-02T09:15:00Z"},
    ]
}

SERVICES: dict[str, Any] = {
    "services": [
        {
            **REGISTRATION,
            "source": "prometheus",
            "samples": 10080,
            "last_sample_at": "2026-03-02T09:15:00Z",
            "state": "judged",
            "learning": None,
        }
    ],
    "total": 12,
    "next": "/api/services?limit=1&cursor=WyJzaG9wL2NoZWNrb3V0Il0",
}

GRAPH: dict[str, Any] = {
    "service": "shop/payments",
    "nodes": [
        {"name": "api.acquirer.example", "type": "external"},
        {"name": "shop/checkout", "type": "service"},
        {"name": "shop/payments", "type": "service"},
    ],
    "calls": [
        {
            "caller": "shop/checkout",
            "caller_type": "service",
            "callee": "shop/payments",
            "callee_type": "service",
            "kinds": ["istio", "service graph"],
            "sources": ["prometheus"],
            "first_seen": "2026-02-11T08:05:00Z",
            "last_seen": "2026-03-02T09:15:00Z",
        },
        {
            "caller": "shop/payments",
            "caller_type": "service",
            "callee": "api.acquirer.example",
            "callee_type": "external",
            "kinds": ["istio"],
            "sources": ["prometheus"],
            "first_seen": "2026-02-11T08:05:00Z",
            "last_seen": "2026-03-02T09:15:00Z",
        },
    ],
}

SUMMARY: dict[str, Any] = {
    "at": "2026-03-02T09:15:07Z",
    "updated_at": "2026-03-02T09:15:00Z",
    "source": "prometheus",
    "counts": {"healthy": 10, "degraded": 1, "poor": 0, "critical": 1, "unknown": 0},
    "open_anomalies": 1,
    "anomalies_24h": 2,
    "last_cycle": {
        "started_at": "2026-03-02T09:15:00Z",
        "seconds": 0.42,
        "services": 12,
        "samples": 12,
        "anomalies": 1,
        "failures": [],
        "warnings": [],
        "skipped": 0,
    },
    "skipped_24h": 0,
    "services": [
        {
            "service_name": SERVICE,
            "score": 39,
            "band": "critical",
            "coverage": 100,
            "reason": "",
            "caps": ["availability at its bad bound: at most 39"],
            "parts": [
                {
                    "name": "availability",
                    "weight": 40,
                    "value": 0.0,
                    "points": 0.0,
                    "detail": "errors 5 %, burning the budget 50× as fast as allowed",
                },
                {"name": "latency", "weight": 25, "value": 1.0, "points": 25.0, "detail": "p95 240 ms, target 400 ms"},
                {
                    "name": "saturation",
                    "weight": 15,
                    "value": 1.0,
                    "points": 15.0,
                    "detail": "CPU at 31% of its limit",
                },
                {"name": "stability", "weight": 10, "value": 1.0, "points": 10.0, "detail": "0 restarts"},
                {"name": "anomaly", "weight": 10, "value": 0.0, "points": 0.0, "detail": "open anomaly: critical"},
            ],
            "metrics": {
                "request_rate": 120.5,
                "error_rate": 0.05,
                "latency_p50": 0.08,
                "latency_p95": 0.24,
                "latency_p99": 0.61,
                "cpu_usage": 1.24,
                "memory_usage": 1610612736.0,
                "restart_count": 0.0,
                "pod_count": None,
            },
            "at": "2026-03-02T09:15:00Z",
            "stale": False,
            "inactive": False,
            "learning": None,
            "open_anomalies": 1,
            "anomalies_24h": 2,
            "silences": [],
        }
    ],
    "total": 1,
    "next": None,
}

ANOMALIES: dict[str, Any] = {
    "start": "2026-03-01T09:15:07Z",
    "end": "2026-03-02T09:15:07Z",
    "anomalies": [
        {
            "service_name": SERVICE,
            "started_at": "2026-03-02T09:02:00Z",
            "ended_at": "2026-03-02T09:15:00Z",
            "peak_at": "2026-03-02T09:09:00Z",
            "is_open": True,
            "severity": "critical",
            "score": 4.7,
            "detector": "ensemble",
            "message": "errors 5 %, typically 0.1 %",
            "metrics": ["error_rate"],
            "evidence": [
                {
                    "metric": "error_rate",
                    "actual": 0.05,
                    "typical": 0.001,
                    "lower": 0.0,
                    "upper": 0.006,
                    "share": 1.0,
                    "direction": "up",
                }
            ],
        }
    ],
    "next": None,
}

FEEDBACK_GIVEN: dict[str, Any] = {
    "service_name": SERVICE,
    "verdict": "false_alarm",
    "started_at": "2026-03-02T09:05:00Z",
    "note": "load test",
}

FEEDBACK: dict[str, Any] = {
    "service_name": SERVICE,
    "verdict": "false_alarm",
    "started_at": "2026-03-02T09:02:00Z",
    "ended_at": "2026-03-02T09:15:00Z",
    "detector": "ensemble",
    "note": "load test",
    "given_at": "2026-03-02T10:00:00Z",
}

INCIDENT: dict[str, Any] = {
    "id": "0a3f9c1d2b4e",
    "state": "acknowledged",
    "title": "shop/payments: errors 5 %, typically 0.1 %; also shop/checkout",
    "severity": "critical",
    "peak": "critical",
    "services": ["shop/payments", SERVICE],
    "suspects": ["shop/payments"],
    "started_at": "2026-03-02T09:01:00Z",
    "ended_at": "2026-03-02T09:15:00Z",
    "is_open": True,
    "opened_at": "2026-03-02T09:02:00Z",
    "changed_at": "2026-03-02T09:15:00Z",
    "acknowledged_at": "2026-03-02T09:06:10Z",
    "acknowledged_by": "key:ann",
    "assignee": "payments team",
    "resolved_at": None,
    "resolved_by": "",
    "merged_into": None,
    "anomalies": 2,
    "message": "shop/payments: errors 5 %, typically 0.1 %",
}

CHANGE_REPORTED: dict[str, Any] = {
    "service_name": SERVICE,
    "kind": "deployment",
    "version": "1.4.2",
    "summary": "Round prices as the bank does",
    "url": "https://github.com/acme/checkout/actions/runs/4711",
}

CHANGE: dict[str, Any] = {
    "id": "c5d1f0a9be3c7246",
    **CHANGE_REPORTED,
    "at": "2026-03-02T09:01:30Z",
    "source": "key:github",
}

COMPARED: dict[str, Any] = {
    **CHANGE,
    "start": "2026-03-02T08:31:30Z",
    "end": "2026-03-02T09:15:00Z",
    "differences": [
        {
            "metric": "latency_p95",
            "before": 0.31,
            "after": 0.92,
            "expected": 0.3,
            "noise": 0.06,
            "more_than_noise": True,
            "worse": True,
        }
    ],
}

CHANGES: dict[str, Any] = {
    "start": "2026-03-01T09:15:07Z",
    "end": "2026-03-02T09:15:07Z",
    "changes": [CHANGE],
    "next": None,
}

ALERTS_SENT: dict[str, Any] = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "CartIsSlow", "service": "cart", "namespace": "shop", "severity": "warning"},
            "annotations": {"summary": "p99 over 2 s for 10 min"},
            "startsAt": "2026-03-02T09:01:30Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://prometheus.example/graph?g0.expr=up",
        }
    ],
}

ALERT: dict[str, Any] = {
    "fingerprint": "c4a1d5b0f37a92e6",
    "service_name": "shop/cart",
    "name": "CartIsSlow",
    "severity": "medium",
    "summary": "p99 over 2 s for 10 min",
    "started_at": "2026-03-02T09:01:30Z",
    "ended_at": None,
    "is_firing": True,
    "url": "https://prometheus.example/graph?g0.expr=up",
    "sender": "key:alertmanager",
    "labels": {"alertname": "CartIsSlow", "service": "cart", "namespace": "shop", "severity": "warning"},
}

LINKS: dict[str, Any] = {
    "service_name": SERVICE,
    "start": "2026-03-02T08:15:07Z",
    "end": "2026-03-02T09:15:07Z",
    "links": [{"title": "Traces", "url": "https://jaeger.example/search?service=checkout&limit=20"}],
    "traces": [
        {
            "at": "2026-03-02T09:01:12Z",
            "seconds": 4.2,
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "links": [{"title": "Traces", "url": "https://jaeger.example/trace/4bf92f3577b34da6a3ce929d0e0e4736"}],
        }
    ],
    "note": "",
}

SILENCE_ASKED: dict[str, Any] = {
    "services": ["shop/*"],
    "reason": "The database moves to new disks",
    "lasts": "2h",
}

SILENCE: dict[str, Any] = {
    "id": "s4f09b7a1c2de",
    "state": "active",
    "services": ["shop/*"],
    "severities": [],
    "metrics": [],
    "effect": "tell_nobody",
    "reason": "The database moves to new disks",
    "created_by": "key:ann",
    "created_at": "2026-03-02T09:15:07Z",
    "start": "2026-03-02T09:15:07Z",
    "end": "2026-03-02T11:15:07Z",
    "cron": "",
    "duration": None,
    "timezone": "UTC",
    "next_start": "2026-03-02T09:15:07Z",
    "next_end": "2026-03-02T11:15:07Z",
    "source": "people",
    "ended_by": "",
}

SILENCE_PREVIEW: dict[str, Any] = {
    "start": "2026-02-23T09:15:07Z",
    "end": "2026-03-02T09:15:07Z",
    "summary": "It covers 2 services. In the last 7 days it would have hidden 1 of 3 incidents: 2 messages.",
    "services": ["shop/checkout", "shop/payments"],
    "incidents": 3,
    "messages": 2,
    "hidden": [
        {
            "id": INCIDENT["id"],
            "title": INCIDENT["title"],
            "severity": "high",
            "started_at": "2026-03-01T22:10:00Z",
            "messages": 2,
            "of": 2,
        }
    ],
}

INCIDENTS: dict[str, Any] = {
    "start": "2026-03-01T09:15:07Z",
    "end": "2026-03-02T09:15:07Z",
    "incidents": [INCIDENT],
    "next": None,
}

INCIDENT_DETAILS: dict[str, Any] = INCIDENT | {
    "links": [{"title": "Logs", "url": "https://kibana.example/app/discover"}],
    "silenced_by": None,
    "silenced_until": None,
    "symptoms": [
        {
            "service_name": "shop/payments",
            "started_at": "2026-03-02T09:01:00Z",
            "ended_at": "2026-03-02T09:15:00Z",
            "is_open": True,
            "severity": "critical",
            "detector": "multiscale",
            "message": "shop/payments: errors 5 %, typically 0.1 %",
        }
    ],
    "causes": [
        {
            "service_name": "shop/payments",
            "score": 9.4,
            "is_clear": True,
            "metric": "error_rate",
            "onset": "2026-03-02T09:01:00Z",
            "words": "errors rose to 5 % from a usual 0.1 % (48.2 spreads)",
            "reasons": [
                {
                    "kind": "metric",
                    "points": 9.4,
                    "words": "errors rose to 5 % from a usual 0.1 % (48.2 spreads)",
                    "metric": "error_rate",
                    "service": None,
                }
            ],
        }
    ],
    "timeline": [
        {
            "at": "2026-03-02T09:02:00Z",
            "kind": "opened",
            "who": "",
            "service_name": None,
            "text": "shop/payments: errors 5 %, typically 0.1 %",
        },
        {
            "at": "2026-03-02T09:06:10Z",
            "kind": "acknowledged",
            "who": "key:ann",
            "service_name": None,
            "text": "looking at the database",
        },
    ],
    "similar": [
        {
            "id": "5c1e0d7a9b32",
            "title": "shop/payments: p95 latency 3.2 s, typically 200–400 ms; also shop/checkout",
            "started_at": "2026-02-11T14:20:00Z",
            "likeness": 0.75,
            "notes": ["it was the new connection pool: rolled back"],
        }
    ],
}

SAID: dict[str, Any] = {"note": "looking at the database"}
INCIDENT_NOTE: dict[str, Any] = {"text": "it was the new connection pool: rolled back"}
ASSIGNMENT: dict[str, Any] = {"assignee": "payments team"}

HISTORY: dict[str, Any] = {
    "service_name": SERVICE,
    "start": "2026-03-02T09:13:00Z",
    "end": "2026-03-02T09:15:00Z",
    "step": 60.0,
    "resolution": "raw",
    "timestamp": ["2026-03-02T09:13:00Z", "2026-03-02T09:14:00Z", "2026-03-02T09:15:00Z"],
    "metrics": {"request_rate": [118.2, 119.9, 120.5], "error_rate": [0.048, None, 0.05]},
    "expected": None,
    "remarks": [
        {"start": "2026-03-02T09:14:00Z", "end": "2026-03-02T09:15:00Z", "text": "latency_p95: a store did not answer"}
    ],
}

COLLECTED: dict[str, Any] = {
    "service_name": SERVICE,
    "at": "2026-03-02T09:15:07Z",
    "samples": 1,
    "queries": 9,
    "seconds": 0.12,
    "failures": [],
    "warnings": ["latency_p95: no series for shop/checkout"],
}

PROBLEM: dict[str, Any] = {
    "type": "urn:problem-type:observatory:invalid-input",
    "title": "A value cannot be used",
    "status": 400,
    "detail": "limit = '-1': Input should be greater than or equal to 1",
    "instance": "/api/health/anomalies",
    "errors": [{"name": "limit", "value": "-1", "reason": "Input should be greater than or equal to 1"}],
}
