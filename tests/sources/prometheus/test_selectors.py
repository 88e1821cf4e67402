"""Names, labels and strings of PromQL, whatever they hold."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.parsing import not_understood

from observatory.sources.prometheus.selectors import any_of, label, match, quoted, select
from observatory.sources.prometheus.syntax import is_balanced, masked

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(TEXTS)
def test_a_string_is_one_whatever_it_holds(text: str) -> None:
    assert set(masked(quoted(text))) == {'"'}
    assert json.loads(quoted(text)) == text


@given(st.lists(TEXTS, min_size=1, max_size=5), TEXTS)
def test_a_pattern_matches_just_its_values(values: list[str], other: str) -> None:
    pattern = re.compile(any_of(values))
    assert all(pattern.fullmatch(value) for value in values)
    assert bool(pattern.fullmatch(other)) == (other in values)


@given(TEXTS.filter(bool), TEXTS, TEXTS)
def test_a_selector_is_balanced_whatever_its_names_are(name: str, of: str, value: str) -> None:
    assert is_balanced(select(name, match(of or "a", "=", value)))


@pytest.mark.servers
def test_a_prometheus_understands_strings_and_patterns_of_any_text() -> None:
    texts = [
        "",
        'a"b',
        "a\\b",
        "two\nlines",
        "tab\t",
        "null\x00",
        "\x1b",
        "\x7f",
        "ü",
        "🔥",
        "a b-c.d|e(f",
        "$1",
        "`'",
        "#",
    ]
    queries = {repr(text): select("up", match("a", "=", text), match("b", "=~", any_of([text, "x"]))) for text in texts}
    assert not_understood(queries) == {}


def test_names_that_only_prometheus_3_has_are_in_quotes() -> None:
    assert select("http.requests", match("http.route", "=", "/")) == '{"http.requests","http.route"="/"}'
    assert select("up", "") == "up"
    assert label("a:b") == '"a:b"'
