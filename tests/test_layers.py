"""Imports go down the floors and never in a circle, and nothing heavy is imported before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import observatory

ROOT = Path(observatory.__file__).parent
PACKAGE = "observatory"

FLOORS = (
    {"errors", "registry", "suggest", "times", "units", "frames", "plain", "private", "process"},
    {"catalog"},
    {"model"},
    {"config", "detectors"},
    {"logs", "sources", "store", "compute"},
    {"collection", "detection", "incidents", "annotations", "rootcause", "notifications", "integrations"},
    {"health"},
    {"analysis", "evaluation", "notebooks"},
    {"schedule", "runtime"},
    {"display", "access", "help"},
    {"views", "api", "server", "assistants"},
    {"workbench", "cli"},
)
"""From the ground up: a unit of the package imports what is below it, or beside it on the same floor."""
STRANGERS = ({"sources", "store", "detectors"}, {"views", "api"})
"""Units of one floor that do not know each other."""
HEAVY = ("pandas", "pyod", "sklearn", "panel", "holoviews", "bokeh", "papermill", "duckdb", "requests", "apiflask")

FOR_ASSISTANTS = ("mcp", "uvicorn", "starlette")
FOR_NOTEBOOKS = ("holoviews", "matplotlib", "sklearn", "pyod", "observatory.evaluation", "papermill", "IPython")
FOR_HELP = ("markdown_it",)
FOR_MESSAGES = ("apprise",)


def module_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join((PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imported(path: Path, known: set[str]) -> set[str]:
    """Modules of `known` that a file imports anywhere, also inside functions and for types only."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return (found & known) - {PACKAGE}


def graph_of(root: Path) -> dict[str, set[str]]:
    """What each module of the package imports of it."""
    paths = {module_of(path, root): path for path in sorted(root.rglob("*.py"))}
    return {name: imported(path, set(paths)) - {name} for name, path in paths.items() if name != PACKAGE}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, if there is one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def unit(module: str) -> str:
    """``observatory.store.sql.samples`` belongs to ``store``."""
    return module.split(".")[1]


def upward(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Imports of a higher floor."""
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    return [
        (module, other)
        for module, others in graph.items()
        for other in sorted(others)
        if unit(module) in floor and floor[unit(module)] < floor[unit(other)]
    ]


GRAPH = graph_of(ROOT)


def test_every_unit_has_a_floor() -> None:
    units = {unit(module) for module in GRAPH} - {"__main__"}
    assert units == set().union(*FLOORS)


def test_imports_only_go_down() -> None:
    assert upward(GRAPH) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(GRAPH) == []


def package(folder: Path, files: dict[str, str]) -> dict[str, set[str]]:
    """The graph of a small package with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return graph_of(folder)


@pytest.mark.parametrize(
    "files",
    [
        {"times.py": "from observatory.units import show", "units.py": "import observatory.times"},
        {
            "a.py": "from observatory.b import c",
            "b.py": "def f():\n    from observatory.d import e",
            "d.py": "from observatory import a",
        },
        {
            "store/__init__.py": "",
            "store/x.py": "from observatory.store import y",
            "store/y.py": "from observatory.store.x import f",
        },
    ],
    ids=["two files", "three, one inside a function", "within a folder"],
)
def test_a_circle_put_in_by_hand_is_seen(tmp_path: Path, files: dict[str, str]) -> None:
    assert circle(package(tmp_path, files))


def test_an_import_of_a_higher_floor_is_seen(tmp_path: Path) -> None:
    files = {
        "errors.py": "def f():\n    from observatory.store.x import y",
        "store/x.py": "from observatory.errors import f",
    }
    assert upward(package(tmp_path, files)) == [("observatory.errors", "observatory.store.x")]


def test_sources_store_and_detectors_do_not_know_each_other_nor_do_views_and_api() -> None:
    crossing = [
        (module, other)
        for module, others in GRAPH.items()
        for other in others
        for group in STRANGERS
        if {unit(module), unit(other)} <= group and unit(module) != unit(other)
    ]
    assert crossing == []


def test_nothing_heavy_is_imported_by_the_package_or_by_help() -> None:
    code = "import sys, observatory, observatory.cli; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {*HEAVY, *FOR_ASSISTANTS} & set(loaded)


@pytest.mark.slow
def test_a_picture_for_a_report_needs_nothing_of_the_dashboard() -> None:
    code = "import sys, observatory.views.notebook.stills; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"panel", "bokeh", "holoviews"} & set(loaded) == set()


@pytest.mark.slow
def test_the_page_imports_nothing_that_only_notebooks_help_and_detectors_of_their_own_need() -> None:
    code = """
import sys
from observatory.config import Settings
from observatory.runtime import Runtime
from observatory.views.page import Page

runtime = Runtime(Settings(store=":memory:", worker=False))
for view in ("health", "radar", "runs"):
    Page(runtime, f"view={view}")
runtime.close()
print(*sys.modules)
"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {*FOR_NOTEBOOKS, *FOR_HELP, *FOR_MESSAGES} & set(loaded) == set()


def test_only_config_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]
    assert {reader.split("/")[0] for reader in readers} == {"config"}
