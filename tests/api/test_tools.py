"""Tools of others against the real application: a fuzzer that reads its document, and a generated client."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import schemathesis
from api.conftest import make_runtime
from api.test_plugin import Server
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.api import strict

from observatory.access import Role, authenticator_of
from observatory.api.app import create_app

pytestmark = pytest.mark.slow

CASES = int(os.environ.get("SCHEMATHESIS_CASES", "8"))
"""For each operation, with and without a key; more for a thorough run."""
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


@pytest.fixture(scope="module")
def fuzzed():
    runtime = make_runtime()
    _, text = authenticator_of(runtime).keys.create("fuzzer", Role.ADMIN, ["*"])
    yield create_app(runtime), {"Authorization": f"Bearer {text}"}
    runtime.close()


@pytest.mark.parametrize("with_key", [True, False], ids=["with a key", "without"])
def test_a_fuzzer_meets_no_fault_and_nothing_undocumented(fuzzed, with_key, record_property):
    app, key = fuzzed
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]
    count = 0

    def tried(operation):
        @settings(
            max_examples=CASES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def call(case):
            nonlocal count
            count += 1
            response = case.call(headers=(key if with_key else {}) | {"Accept-Encoding": "identity"})
            case.validate_response(response, checks=CHECKS)
            public = operation.definition.raw["security"] == []
            assert with_key or public or response.status_code in (401, 403, 405)

        call()

    for operation in operations:
        if operation.definition.raw["operationId"] != "streamEvents":
            tried(operation)
    assert count >= len(operations)
    record_property("cases", count)


@pytest.fixture(scope="module")
def generated(fuzzed, tmp_path_factory):
    """The package that openapi-python-client makes of the document."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(fuzzed[0].test_client().get("/api/openapi.json").data)
    command = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--path", "openapi.json"]
    (folder / "config.yml").write_text("post_hooks: []\npackage_name_override: observatory_client\n")
    command += ["--config", "config.yml", "--meta", "none", "--output-path", "observatory_client", "--fail-on-warning"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    importlib.import_module("observatory_client.models")
    yield importlib.import_module("observatory_client")
    sys.path.remove(str(folder))


def test_a_generated_client_reads_and_registers(generated, fuzzed):
    def call(name):
        return importlib.import_module(f"observatory_client.api.{name}").sync

    server = Server(fuzzed[0].extensions["observatory"].runtime)
    key = fuzzed[1]["Authorization"].removeprefix("Bearer ")
    try:
        with generated.AuthenticatedClient(base_url=f"http://127.0.0.1:{server.port}", token=key) as client:
            body = generated.models.Registration(service_name="made/by-client", team="tools")
            made = call("services.register_service")(client=client, body=body)
            assert (made.service_name, made.team, made.state) == ("made/by-client", "tools", "waiting")
            summary = call("health.get_health_summary")(client=client)
            assert "made/by-client" in [service.service_name for service in summary.services]
            service = summary.services[0].service_name
            history = call("metrics.get_history")(client=client, service=service, start="-1h")
            assert len(history.timestamp) == len(history.metrics.additional_properties["cpu_usage"])
    finally:
        server.stop()


def test_operation_ids_stay(reader):
    """Clients are generated from them: a change here breaks programs of others."""
    document = strict(reader.get("/api/openapi.json"))
    found = {o["operationId"]: f"{m.upper()} {p}" for p, item in document["paths"].items() for m, o in item.items()}
    assert found == {
        "listServices": "GET /api/services",
        "registerService": "POST /api/services/register",
        "listNames": "GET /api/services/names",
        "getGraph": "GET /api/services/graph",
        "renameService": "POST /api/services/{service}/rename",
        "mergeService": "POST /api/services/{service}/merge",
        "removeService": "DELETE /api/services/{service}",
        "getHealthSummary": "GET /api/health/summary",
        "listAnomalies": "GET /api/health/anomalies",
        "listIncidents": "GET /api/incidents",
        "getIncident": "GET /api/incidents/{incident_id}",
        "acknowledgeIncident": "POST /api/incidents/{incident_id}/acknowledge",
        "assignIncident": "POST /api/incidents/{incident_id}/assign",
        "noteIncident": "POST /api/incidents/{incident_id}/note",
        "resolveIncident": "POST /api/incidents/{incident_id}/resolve",
        "reopenIncident": "POST /api/incidents/{incident_id}/reopen",
        "getHistory": "GET /api/metrics/history",
        "collectService": "POST /api/collect/{service}",
        "giveFeedback": "POST /api/feedback",
        "listChanges": "GET /api/changes",
        "getChange": "GET /api/changes/{change_id}",
        "reportChange": "POST /api/changes",
        "getLinks": "GET /api/links",
        "listAlerts": "GET /api/alerts",
        "sendAlerts": "POST /api/alerts",
        "listSilences": "GET /api/silences",
        "makeSilence": "POST /api/silences",
        "previewSilence": "POST /api/silences/preview",
        "getSilence": "GET /api/silences/{silence_id}",
        "extendSilence": "PATCH /api/silences/{silence_id}",
        "endSilence": "DELETE /api/silences/{silence_id}",
        "listNotifications": "GET /api/notifications",
        "testNotification": "POST /api/notifications/test",
        "retryNotifications": "POST /api/notifications/retry",
        "streamEvents": "GET /api/events",
        "listAudit": "GET /api/audit",
        "getReport": "GET /api/runs/{run_id}/report",
        "getMetrics": "GET /metrics",
        "getOpenapi": "GET /api/openapi.json",
        "getLiveness": "GET /healthz",
        "getReadiness": "GET /readyz",
    }
