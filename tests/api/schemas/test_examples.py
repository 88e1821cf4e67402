"""Every example of the README runs against a real server."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from api.conftest import make_runtime
from api.test_plugin import Server

from observatory.api import plugin

README = (Path(__file__).parents[3] / "README.md").read_text()
SECTION = README.partition("## REST API")[2].partition("### Access")[0]
ADDRESS = "http://127.0.0.1:5006"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


COMMANDS = [line for block in blocks("bash") for line in block.splitlines()]


@pytest.fixture(scope="module")
def address():
    runtime = make_runtime()
    server = Server(plugin.routes(runtime))
    yield f"http://127.0.0.1:{server.port}"
    server.stop()
    runtime.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_curl_command_of_the_readme_works(address, command):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    assert ADDRESS in command
    command = command.replace(ADDRESS, address).replace("curl ", "curl -sS --fail-with-body ", 1)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


def test_the_python_of_the_readme_works(address, capsys):
    (code,) = blocks("python")
    exec(compile(code.replace(ADDRESS, address), "README.md", "exec"), {})
    assert "shop/" in capsys.readouterr().out
