"""A metric is one row of the catalogue: with `queue_depth` added it is collected, stored, detected on and served."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.exposition import text
from support.servers import FaultyServer, Prometheus, Request, wait_until

import observatory

ROW = """
    Metric(
        "queue_depth",
        "queue",
        "",
        worse="up",
        transform="log",
        min_absolute=5.0,
        min_relative=0.5,
        queries={"process": "sum by ($by) (queue_depth)"},
    ),
)
"""

STORY = """
import json, sys
from datetime import datetime, timedelta, UTC
import numpy as np, pandas as pd
from observatory.api.app import create_app
from observatory.config import Settings
from observatory.runtime import Runtime
from observatory.times import floor_to

now = floor_to(datetime.now(UTC), 10) + timedelta(seconds=10)
clock = lambda: now
settings = Settings(prometheus_url=sys.argv[1], store=sys.argv[2], worker=False, interval=10, detector="seasonal")
runtime = Runtime(settings, clock=clock)
times = pd.date_range(end=now - timedelta(seconds=10), periods=600, freq="10s").as_unit("us")
usual = 10 + np.random.default_rng(7).normal(0, 1, len(times))
runtime.store.write_samples(pd.DataFrame({"service_name": "broker", "timestamp": times, "queue_depth": usual}))
for _ in range(12):
    cycle = runtime.cycle()
    now += timedelta(seconds=10)
client = create_app(runtime).test_client()
history = client.get("/api/metrics/history?service=broker&metric=queue_depth&start=-1m&end=now").get_json()
anomalies = client.get("/api/health/anomalies?service=broker&start=-1h").get_json()["anomalies"]
document = client.get("/api/openapi.json").get_json()
print(json.dumps({
    "failures": [failure.error for failure in cycle.failures],
    "values": history["metrics"]["queue_depth"],
    "metrics": [anomaly["metrics"] for anomaly in anomalies],
    "messages": [anomaly["message"] for anomaly in anomalies],
    "documented": "queue_depth" in json.dumps(document),
}))
runtime.close()
"""


@pytest.mark.servers
def test_a_metric_added_as_one_row_is_collected_stored_detected_on_and_served(tmp_path: Path) -> None:
    package = tmp_path / "observatory"
    shutil.copytree(Path(observatory.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    catalog = package / "catalog.py"
    before, after = catalog.read_text().split("\n)\n\nMETRICS", 1)
    catalog.write_text(before + ROW + "\nMETRICS" + after)

    def metrics(request: Request):
        return text(queue_depth=500)

    with FaultyServer(choose=metrics) as exporter:
        targets = {"broker": exporter.url.removeprefix("http://")}
        with Prometheus(targets) as prometheus:
            wait_until(lambda: exporter.requests, 20, "a scrape", prometheus.log)
            done = subprocess.run(
                [sys.executable, "-c", STORY, prometheus.url, str(tmp_path / "store.duckdb")],
                cwd=tmp_path,
                env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["failures"] == []
    assert set(told["values"]) == {500.0}
    assert ["queue_depth"] in told["metrics"]
    assert any("queue 500" in message for message in told["messages"]), told["messages"]
    assert told["documented"]
