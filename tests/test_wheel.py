"""The package as a user installs it: built as a wheel, in an environment of its own, away from the repository."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
import requests
from packaging.requirements import Requirement
from support.servers import free_port, wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment that has the wheel, and what it depends on from the environment of the tests.

    The dependencies are seen through a path: the editable install of the repository is not, for it is a ``.pth`` file.
    """
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    venv.create(folder / "env", with_pip=True)
    scripts = folder / "env" / "bin"
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    wheel = folder / built.stdout.split()[-1]
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", str(wheel)]
    subprocess.run([scripts / "python", *install], cwd=folder, check=True)
    return scripts


def environment(folder: Path, **settings: object) -> dict[str, str]:
    """Templates of nbconvert lie beside the dependencies, in a folder that a path to them does not name."""
    data = Path(sys.prefix) / "share" / "jupyter"
    chosen = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "JUPYTER_PLATFORM_DIRS": "1", "JUPYTER_PATH": str(data)}
    return chosen | {f"OBSERVATORY_{name}": str(value) for name, value in settings.items()}


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [installed / "observatory", *words],
        cwd=folder,
        env=environment(folder, DEMO_DAYS=0.25),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_package_comes_from_the_wheel_and_not_from_the_repository(installed: Path, tmp_path: Path) -> None:
    command = [installed / "python", "-c", "import observatory; print(observatory.__file__)"]
    place = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(place.strip()).is_relative_to(installed.parent)


def test_help_is_shown(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "--help")
    assert done.returncode == 0, done.stderr
    assert "backfill" in done.stdout


def test_a_notebook_runs(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "run", "collect", "-p", "store", "demo", "-o", "report")
    assert done.returncode == 0, done.stderr
    cells = json.loads((tmp_path / "report" / "collect.ipynb").read_text())["cells"]
    assert any(cell.get("outputs") for cell in cells)
    assert (tmp_path / "report" / "collect.html").is_file()


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [installed / "observatory", "serve", "--port", str(port)],
            cwd=tmp_path,
            env=environment(tmp_path, DEMO_DAYS=0.25, DETECTOR="seasonal"),  # the default is compiled for half a minute
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.servers
def test_the_dashboard_and_the_api_are_served(served: str, tmp_path: Path) -> None:
    wait_until(lambda: answers(f"{served}/readyz"), 240, "the server", lambda: (tmp_path / "log").read_text())
    page = requests.get(f"{served}/observatory", timeout=30)
    assert page.status_code == 200
    assert "shop/checkout" in page.text
    assert requests.get(f"{served}/api/health/summary", timeout=30).json()["services"]


def test_every_package_that_is_imported_comes_with_the_wheel() -> None:
    extras = PROJECT["optional-dependencies"]
    brought = closure(
        [*PROJECT["dependencies"], *(one for name, extra in extras.items() if name != "test" for one in extra)]
    )
    owners = packages_distributions()
    missing = set()
    for path in (ROOT / "observatory").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            tops = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"observatory"}
            missing |= {top for top in tops if not {canonical(owner) for owner in owners.get(top, [])} & brought}
    assert missing == set()


def canonical(name: str) -> str:
    return name.lower().replace("_", "-")


def closure(lines: list[str]) -> set[str]:
    """Names of the packages that these requirements bring, and those that they bring in turn."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in lines]
    while waiting:
        one = waiting.pop()
        if canonical(one.name) in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(canonical(one.name))
        waiting += map(Requirement, distribution(one.name).requires or [])
    return found
