"""Examples in docstrings run, and print what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import observatory

pytestmark = pytest.mark.slow

ROOT = Path(observatory.__file__).parent


def modules_with_examples() -> list[str]:
    paths = [path for path in ROOT.rglob("*.py") if ">>> " in path.read_text()]
    parts = [path.relative_to(ROOT.parent).with_suffix("").parts for path in sorted(paths)]
    return [".".join(part for part in module if part != "__init__") for module in parts]


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_print_what_they_say(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0
