"""Plug-ins are found by name, in this package and in others."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from observatory import registry
from observatory.errors import UnknownPluginError
from observatory.registry import Registry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "plugged"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from observatory.registry import Registry\nTHINGS = Registry('thing', 'plugged')\n"
    )
    (folder / "one.py").write_text("from plugged import THINGS\nTHINGS.register('one')(1)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "plugged"
    for name in [module for module in sys.modules if module.split(".")[0] == "plugged"]:
        del sys.modules[name]


def things() -> Registry[int]:
    from plugged import THINGS

    return THINGS


def test_a_module_beside_the_others_is_found(package: str) -> None:
    assert list(things()) == ["one"]
    assert things().get("one") == 1


def test_an_unknown_name_lists_the_known_ones(package: str) -> None:
    with pytest.raises(UnknownPluginError, match="unknown thing 'two': choose one of one"):
        things().get("two")


def test_nothing_is_imported_before_it_is_asked_for(package: str) -> None:
    things()
    assert "plugged.one" not in sys.modules


def test_another_package_adds_its_own_by_entry_point(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("length", "os.path:sep", package)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == package else [])
    assert things().get("length") == "/"
