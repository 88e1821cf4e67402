"""Imports only go down the layers, and nothing heavy is imported before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import observatory

ROOT = Path(observatory.__file__).parent

LAYERS: dict[str, int] = {
    "errors": 0,
    "registry": 0,
    "listing": 0,
    "sections": 1,
    "promql": 0,
    "config": 1,
    "catalog": 1,
    "model": 1,
    "times": 1,
    "logs": 1,
    "cadence": 1,
    "sources": 2,
    "store": 2,
    "detectors": 2,
    "collect": 3,
    "backfill": 3,
    "importing": 3,
    "detect": 3,
    "health": 3,
    "evaluation": 3,
    "feedback": 3,
    "incidents": 3,
    "doctor": 4,
    "judging": 4,
    "history": 4,
    "overview": 4,
    "pipeline": 4,
    "worker": 4,
    "turn": 4,
    "runtime": 4,
    "explore": 4,
    "incident_report": 4,
    "notebooks": 4,
    "schedule": 4,
    "tables": 4,
    "access": 4,
    "views": 5,
    "api": 5,
    "beside": 6,
    "serve": 6,
    "workbench": 6,
    "lab": 6,
    "cli": 6,
}
STRANGERS = ({"sources", "store", "detectors"}, {"views", "api"})
HEAVY = ("pandas", "pyod", "sklearn", "panel", "holoviews", "bokeh", "papermill", "duckdb", "requests", "apiflask")


def unit(module: str) -> str:
    """``observatory.store.sql.tables`` belongs to ``store``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports() -> list[tuple[str, str, str]]:
    """Every import inside the package as (file, importing unit, imported unit)."""
    found = []
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module]
                if node.module == "observatory":
                    modules = [f"observatory.{alias.name}" for alias in node.names]
            found += [
                (str(path.relative_to(ROOT)), name, unit(m))
                for m in modules
                if m.split(".")[0] == "observatory" and unit(m) in LAYERS
            ]
    return found


def test_every_module_has_a_layer() -> None:
    names = {path.stem if path.is_file() else path.name for path in ROOT.iterdir() if path.suffix in ("", ".py")}
    assert names - {"__init__", "__main__", "__pycache__"} == set(LAYERS)


def test_imports_only_go_down_the_layers() -> None:
    upwards = [(file, target) for file, name, target in imports() if LAYERS.get(name, 99) < LAYERS[target]]
    assert upwards == []


def test_sources_store_and_detectors_do_not_know_each_other_nor_do_views_and_api() -> None:
    crossing = [
        (file, target)
        for file, name, target in imports()
        for group in STRANGERS
        if name in group and target in group and name != target
    ]
    assert crossing == []


def test_nothing_heavy_is_imported_by_the_package_or_by_help() -> None:
    code = "import sys, observatory, observatory.cli; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(HEAVY) & set(loaded)


def test_only_config_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]
    assert readers == ["config.py"]
