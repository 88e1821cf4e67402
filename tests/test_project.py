"""The files a newcomer meets agree with each other."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"duckdb": "python-duckdb", "matplotlib": "matplotlib-base"}
PIP_ONLY = "duckdb-extension-"
ADDRESS = re.compile(r"https?://|file:|--(extra-)?index-url|--find-links|--hash")


def requirements(lines: list[str]) -> dict[str, Requirement]:
    return {r.name.lower().replace("_", "-"): r for r in map(Requirement, lines)}


def test_conda_environment_has_the_packages_and_versions_of_the_project() -> None:
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = requirements([entry for entry in entries if isinstance(entry, str)])
    assert {"pip": ["-e ."]} in entries
    assert conda.pop("python").specifier == Requirement(f"python{PROJECT['requires-python']}").specifier
    conda.pop("pip")
    packages = {n: r for n, r in requirements(PROJECT["dependencies"]).items() if not n.startswith(PIP_ONLY)}
    wanted = {CONDA_NAMES.get(name, name): str(requirement.specifier) for name, requirement in packages.items()}
    assert {name: str(requirement.specifier) for name, requirement in conda.items()} == wanted


def test_lock_pins_every_dependency_within_its_bounds() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    locked = requirements([line for line in lines if line and not line.startswith("#")])
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    outside = [line for line in extras if not line.startswith(PROJECT["name"])]
    for name, wanted in requirements(PROJECT["dependencies"] + outside).items():
        (pin,) = locked[name].specifier
        assert pin.operator == "=="
        assert wanted.specifier.contains(Version(pin.version)), name


def test_lock_holds_versions_only() -> None:
    assert not ADDRESS.search((ROOT / "requirements.lock").read_text())


def test_every_dependency_is_bounded() -> None:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    outside = [line for line in extras if not line.startswith(PROJECT["name"])]
    found = requirements(PROJECT["dependencies"] + outside).values()
    assert [one.name for one in found if "<" not in str(one.specifier)] == []


def hashed(name: str) -> dict[str, int]:
    """Pins of a file of hashes, as the lock has them, and how many hashes each has."""
    found: dict[str, int] = {}
    for line in (ROOT / name).read_text().splitlines():
        if line.startswith("    --hash=sha256:"):
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
            found[list(found)[-1]] += 1
        else:
            found[line.removesuffix("\\").strip()] = 0
    return found


def test_every_package_of_the_lock_has_its_hashes() -> None:
    locked = {line.strip() for line in (ROOT / "requirements.lock").read_text().splitlines()}
    everything, running = hashed(".ci/requirements-test.hashes"), hashed(".ci/requirements.hashes")
    hint = "run .ci/lock"
    assert {line for line, hashes in (everything | running).items() if hashes == 0} == set(), hint
    assert set(everything) == locked, hint
    assert set(running) <= locked, hint
    names = requirements(list(running))
    assert {name for name in requirements(PROJECT["dependencies"]) if name not in names} == set(), hint
    assert "hatchling" in names
    assert not {"schemathesis", "mypy", "ruff"} & set(names)


@pytest.mark.parametrize("script", ["start.sh", ".ci/run", ".ci/lock"])
def test_scripts_are_executable_and_parse(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_start_explains_itself_and_refuses_what_it_does_not_know() -> None:
    shown = subprocess.run([str(ROOT / "start.sh"), "--help"], capture_output=True, text=True, check=True).stdout
    assert "./start.sh test" in shown
    assert "OBSERVATORY_PROMETHEUS_URL" in shown
    refused = subprocess.run([str(ROOT / "start.sh"), "--frobnicate"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "unknown option --frobnicate" in refused.stderr


def test_start_refuses_a_port_that_is_none_before_anything_is_installed() -> None:
    command = [str(ROOT / "start.sh")]
    refused = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], "PORT": "http"}
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "start.sh: PORT=http is no port: give a number, as in PORT=8080 ./start.sh\n"


def test_ci_calls_the_test_command_of_the_readme() -> None:
    assert "./start.sh test" in (ROOT / ".ci" / "run").read_text()
    assert "./start.sh test" in (ROOT / "README.md").read_text()


def test_an_installed_package_has_the_notebooks_where_they_are_looked_for() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"notebooks": "observatory/_notebooks"}
    assert '"_notebooks"' in (ROOT / "observatory" / "notebooks" / "catalog.py").read_text()
