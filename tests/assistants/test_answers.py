"""Answers are short, strict JSON, and say what they left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from support.hostile import TEXTS, obeyed

from observatory.assistants.answers import LARGEST, LONGEST_TEXT, Answer, Rows, page


def test_rows_that_do_not_fit_are_left_out_and_counted() -> None:
    rows = [{"service": f"shop/{number}", "what": "x" * 300} for number in range(200)]
    text = Answer({"at": "now"}, Rows("rows", rows, 500, "ask for less")).text()
    answer = json.loads(text)
    assert len(text) <= LARGEST
    shown = len(answer["rows"])
    assert 40 < shown < 70
    assert answer["left_out"] == f"rows: {shown} of 500 shown: ask for less"


def test_of_several_lists_the_longest_gives_way() -> None:
    short, long = [{"n": number} for number in range(5)], ["x" * 350] * 100
    answer = json.loads(Answer({}, Rows("short", short, 5, "-"), Rows("long", long, 100, "ask")).text())
    assert len(answer["short"]) == 5
    assert answer["left_out"].startswith("long: ")


def test_an_answer_that_is_whole_says_nothing_of_what_was_left_out() -> None:
    assert "left_out" not in json.loads(Answer({}, page("rows", [1, 2], 2, "-")).text())
    assert json.loads(Answer({}, page("rows", [1, 2, 3], 2, "ask")).text()) == {
        "rows": [1, 2],
        "left_out": "rows: 2 shown, there are more: ask",
    }


def test_numbers_times_and_what_is_not_known() -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 999, tzinfo=UTC)
    facts = {"pi": 3.14159265, "nan": float("nan"), "inf": float("inf"), "at": at, "none": None, "yes": True, "n": 7}
    text = Answer(facts).text()
    assert json.loads(text) == {
        "pi": 3.142,
        "nan": None,
        "inf": None,
        "at": "2026-03-01T12:00:00Z",
        "none": None,
        "yes": True,
        "n": 7,
    }


@pytest.mark.parametrize("hostile", TEXTS, ids=range(len(TEXTS)))
def test_a_hostile_text_is_one_string_and_hides_nothing(hostile: str) -> None:
    text = Answer({"a": hostile}, Rows(hostile, [{hostile: hostile}], 2, hostile)).text()
    answer = json.loads(text)
    assert set(answer) == {"a", "left_out", *(set(answer) - {"a", "left_out"})}
    assert len(answer) == 3
    assert obeyed(text) == []
    assert obeyed(answer["a"]) == []
    assert "\n" not in text
    assert "\n" not in answer["a"]


def test_a_long_text_is_cut_and_says_so() -> None:
    (shown,) = json.loads(Answer({"note": "y" * 10_000}).text()).values()
    assert len(shown) < LONGEST_TEXT + 50
    assert shown.endswith("… (10000 characters in all)")
