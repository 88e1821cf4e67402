"""Every example of the guides that asks the API runs against a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
import requests
import yaml
from api.conftest import NOW, make_runtime, samples
from api.test_plugin import Server
from support.guides import guides, page

from observatory.access import Role, authenticator_of
from observatory.api.app import create_app
from observatory.api.routes.monitoring import expected_ranges
from observatory.model import Service
from observatory.store.tables.states import KeptState

ADDRESS = "http://127.0.0.1:5006"
COMMANDS = [
    line
    for guide in guides()
    for block in guide.blocks
    if block.language == "bash"
    for line in block.text.splitlines()
    if line.startswith("curl ")
]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    made = make_runtime(str(tmp_path_factory.mktemp("store") / "observatory.duckdb"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(runtime):
    server = Server(runtime)
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_curl_command_of_the_guides_works(address, command):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    assert ADDRESS in command
    command = command.replace(ADDRESS, address).replace("curl ", "curl -sS --fail-with-body ", 1)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


def test_the_python_of_the_guide_works(address, capsys):
    (code,) = [block.text for block in page("api").blocks if block.language == "python"]
    exec(compile(code.replace(ADDRESS, address), "api.md", "exec"), {})
    assert "shop/" in capsys.readouterr().out


def test_every_route_has_a_place_in_the_table(runtime):
    document = create_app(runtime).extensions["openapi"]()
    rows = [line for line in page("api").text.splitlines() if line.startswith("| `")]
    missing = [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if not any(f"`{method.upper()} {path.replace('{', '<').replace('}', '>')}`" in row for row in rows)
    ]
    assert missing == []


def test_metrics_in_alerts_and_tables_are_those_that_are_exposed(address, runtime):
    requests.get(f"{address}/metrics", timeout=30)
    expected_ranges(runtime).wait()
    few = samples().query("service_name == 'shop/cart'").tail(5).assign(service_name="shop/new")
    runtime.store.register([Service("shop/new", "demo")])
    runtime.store.write_samples(few)
    runtime.store.states.write([KeptState("shop/cart", runtime.settings.detector, "f", NOW, NOW, b"x")])
    exposed = requests.get(f"{address}/metrics", timeout=30).text
    named = set(re.findall(r"\bobservatory_[a-z0-9_]+", page("operation").text))
    assert len(named) >= 25
    assert [name for name in sorted(named) if not re.search(rf"^# TYPE {name} ", exposed, re.MULTILINE)] == []


# -- steps of pipelines that report a deployment -------------------------------------------------


@pytest.fixture(scope="module")
def guarded():
    """A server with a key for pipelines, its address, and the key."""
    made = make_runtime()
    _, key = authenticator_of(made).keys.create("pipeline", Role.OPERATOR, ["shop/*"])
    server = Server(made)
    yield made, f"http://127.0.0.1:{server.port}", key
    server.stop()
    made.close()


GITHUB, GITLAB, ARGO = (yaml.safe_load(block.text) for block in page("changes").blocks if block.language == "yml")
PIPELINES = {
    "github": (
        GITHUB[0]["run"],
        {"GITHUB_SHA": "9fceb02d0ae598e95dc970b74767f19372d61af8", "GITHUB_SERVER_URL": "https://github.example"},
    ),
    "gitlab": (
        GITLAB["report-deployment"]["script"][0],
        {
            "CI_PIPELINE_CREATED_AT": "2026-03-02T09:05:00Z",
            "CI_COMMIT_SHORT_SHA": "9fceb02d",
            "CI_PIPELINE_URL": "https://gitlab.example/7",
        },
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_step_of_a_pipeline_reports_the_deployment_once(guarded, pipeline):
    made, address, key = guarded
    script, variables = PIPELINES[pipeline]
    for _ in range(2):
        done = subprocess.run(
            ["sh", "-c", script],
            env={"PATH": os.environ["PATH"], "WORKBENCH_URL": address, "WORKBENCH_KEY": key, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    kept = made.store.changes.read(services=["shop/checkout"])
    assert [one.source for one in kept] == ["key:pipeline"]  # that of the other pipeline is of the same commit


def test_the_template_of_argo_cd_reports_the_deployment(guarded):
    made, address, key = guarded
    webhook = yaml.safe_load(ARGO["template.change"])["webhook"]["observatory"]
    service = yaml.safe_load(ARGO["service.webhook.observatory"])
    facts = {
        ".app.spec.destination.namespace": "shop",
        ".app.metadata.name": "payments",
        ".app.status.operationState.startedAt": "2026-03-02T09:01:00Z",
        ".app.status.operationState.operation.sync.revision": "9fceb02d0ae598e95dc970b74767f19372d61af8",
        ".context.argocdUrl": "https://argocd.example",
    }
    body = re.sub(r"\{\{(.+?)\}\}", lambda found: facts[found[1]], webhook["body"])
    headers = {one["name"]: one["value"].replace("$observatory-key", key) for one in service["headers"]}
    answer = requests.request(webhook["method"], address + webhook["path"], data=body, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    (kept,) = made.store.changes.read(services=["shop/payments"])
    assert (kept.at.isoformat(), kept.url) == (
        "2026-03-02T09:01:00+00:00",
        "https://argocd.example/applications/payments",
    )
