"""Calls that people write down, and clear words on what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from observatory.config import load_settings
from observatory.config.calls import told_calls
from observatory.errors import ConfigError
from observatory.model import Call, End


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_calls_are_read_from_the_file_with_what_is_outside(empty_folder: Path) -> None:
    (empty_folder / "observatory.toml").write_text(
        '[calls]\n"shop/checkout" = ["shop/cart", "database:orders", "shop/cart"]\n"user:web" = ["shop/checkout"]\n'
    )
    kind = ("settings", "settings")
    assert told_calls(load_settings().calls) == [
        Call("shop/checkout", "shop/cart", *kind),
        Call("shop/checkout", "orders", *kind, callee_is=End.DATABASE),
        Call("web", "shop/checkout", *kind, caller_is=End.USER),
    ]


def test_a_circle_is_fine() -> None:
    assert load_settings(calls={"a": ["b"], "b": ["a"]}).calls == {"a": ("b",), "b": ("a",)}


def test_a_variable_has_them_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_CALLS", '{"shop/web": ["shop/cart"]}')
    assert load_settings().calls == {"shop/web": ("shop/cart",)}


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ({"a": ["a"]}, "setting calls: 'a' calls itself"),
        ({"a": []}, "'a' calls nothing"),
        ({"": ["b"]}, "'' is no name of a service: give 1 to 200 printable characters"),
        ({"a": ["b\n"]}, r"'b\\n' is no name"),
        ({"a": ["database:"]}, "'database:' is no name"),
        ({"a": ["user:x"]}, "'a' calls 'user:x': users call services"),
        ({"user:x": ["external:y"]}, "'user:x' and what it calls are both outside"),
        ({"a": 7}, r"setting calls\.a = 7"),
        ({"a": [str(number) for number in range(10_001)]}, "10001 calls are too many"),
    ],
    ids=["self", "nothing", "empty", "line", "no name", "user", "both outside", "number", "many"],
)
def test_what_cannot_be_is_refused_with_the_reason(calls: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(calls=calls)
