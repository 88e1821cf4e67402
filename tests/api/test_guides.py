"""Every example of the guides that asks the API runs against a real server."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import requests
from api.conftest import make_runtime
from api.test_plugin import Server
from support.guides import guides, page

from observatory.api.app import create_app

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
def runtime():
    made = make_runtime()
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(runtime):
    server = Server(runtime)
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


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
    document = create_app(runtime).extensions["openapi"]
    rows = [line for line in page("api").text.splitlines() if line.startswith("| `")]
    missing = [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if not any(f"`{method.upper()} {path.replace('{', '<').replace('}', '>')}`" in row for row in rows)
    ]
    assert missing == []


def test_metrics_in_alerts_and_tables_are_those_that_are_exposed(address):
    exposed = requests.get(f"{address}/metrics", timeout=30).text
    named = set(re.findall(r"\bobservatory_[a-z_]+", page("operation").text))
    assert len(named) >= 8
    assert [name for name in sorted(named) if not re.search(rf"^# TYPE {name} ", exposed, re.MULTILINE)] == []
