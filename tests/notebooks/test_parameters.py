"""What a notebook is told fits its `parameters` cell, or is refused with the list of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from observatory.errors import InvalidInputError, NotFoundError
from observatory.notebooks.catalog import find, names
from observatory.notebooks.parameters import check, describe, parameters_of
from observatory.notebooks.run import Task


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("how", "1", "1"),
        ("ids", "[1, 2]", [1, 2]),
        ("share", "1", 1.0),
        ("share", "1e-1", 0.1),
        ("until", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("flag", "true", True),
        ("plain", "4", 4),
    ],
)
def test_text_becomes_a_value_of_the_type(trial: Path, name: str, text: str, value: Any) -> None:
    found = parameters_of(trial)[name].check(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "value"), [("ids", "1"), ("ids", ["a"]), ("share", "much"), ("flag", "3"), ("plain", "x"), ("how", 1)]
)
def test_a_value_of_another_type_is_refused_with_the_list(trial: Path, name: str, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=rf"parameter {name} = .*is wanted\nparameters of trial:\n  how: str"):
        check("trial", parameters_of(trial), {name: value})


def test_an_unknown_name_is_refused_with_what_is_close_to_it(trial: Path) -> None:
    with pytest.raises(InvalidInputError, match="unknown parameter 'shore': did you mean share"):
        check("trial", parameters_of(trial), {"shore": 1})


def test_the_list_has_types_defaults_and_help(trial: Path) -> None:
    text = describe("trial", parameters_of(trial))
    assert "  until: str | None = None" in text
    assert text.endswith("Without a type")


def test_a_type_that_is_not_known_takes_anything(tmp_path: Path, trial: Path) -> None:
    trial.write_text(trial.read_text().replace("bool", "__import__('os').system('false')"))
    assert parameters_of(trial)["flag"].check("3") == 3


def test_a_notebook_is_found_by_name_or_by_path(trial: Path) -> None:
    assert find("explore") == find("explore.ipynb")
    assert find(str(trial)) == trial
    assert "collect" in names()


@pytest.mark.parametrize(
    ("name", "hint"), [("explor", "did you mean explore"), ("x", "choose one of"), ("no/x.ipynb", "no such file")]
)
def test_an_unknown_notebook_is_named_with_those_there_are(name: str, hint: str) -> None:
    with pytest.raises(NotFoundError, match=hint):
        find(name)


def test_a_broken_file_is_no_notebook(tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text("{")
    with pytest.raises(InvalidInputError, match=r"x.ipynb cannot be read as a notebook"):
        parameters_of(tmp_path / "x.ipynb")


def test_a_notebook_with_a_store_is_told_that_of_the_settings_unless_given_another() -> None:
    assert Task.of("collect", {}).parameters["store"] == "settings"
    assert Task.of("collect", {"store": "demo"}).parameters["store"] == "demo"
