"""Messages about unknown names say which was probably meant."""

from __future__ import annotations

import pytest

from observatory.suggest import closest, did_you_mean

KNOWN = ["shop/cart", "shop/checkout", "cpu_usage"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("shop/crat", "did you mean shop/cart?"),
        ("checkout", "did you mean shop/checkout?"),
        ("CPU_Usage", "did you mean cpu_usage?"),
        ("cpu", "did you mean cpu_usage?"),
        ("nothing like it", "look elsewhere"),
        ("", "look elsewhere"),
    ],
)
def test_the_closest_name_is_asked_for(name: str, hint: str) -> None:
    assert did_you_mean(name, KNOWN, "look elsewhere") == hint


def test_several_come_the_closest_first_as_they_are_written() -> None:
    assert closest("shop/CHECKOUT", KNOWN, most=3) == ["shop/checkout", "shop/cart"]
    assert did_you_mean("shop/checkou", KNOWN, most=2) == "did you mean shop/checkout, shop/cart?"


def test_without_names_there_is_no_question() -> None:
    assert did_you_mean("a", []) == ""
