"""PromQL as a text: strings, comments, parentheses and arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.sources.prometheus.syntax import (
    closing,
    filled_in,
    is_balanced,
    last_argument,
    masked,
    opening,
    without_comments,
)

TEXTS = st.text(st.sampled_from("ab(){}[]\"'`,\\#\n$ "), max_size=30)


@given(TEXTS)
def test_a_masked_query_is_as_long_and_the_same_outside_strings(query: str) -> None:
    hidden = masked(query)
    assert len(hidden) == len(query)
    assert all(one in (other, '"') for one, other in zip(hidden, query, strict=True))


@given(TEXTS, TEXTS)
def test_what_is_in_a_string_does_not_count(before: str, text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert is_balanced(f"f({quoted})")
    assert without_comments(f"f({quoted})") == f"f({quoted})"
    assert filled_in(f"f({quoted}, $by)", {"by": "job"}) == f"f({quoted}, job)"
    assert last_argument(f"{quoted}, x") == (f"{quoted},", " x")


@pytest.mark.parametrize(
    ("query", "is_whole"),
    [
        ("sum(x)", True),
        ("sum(x", False),
        ("x)", False),
        (")x(", False),
        ("x{a='b'}[5m]", True),
        ("x{a='b'", False),
        ("x[5m", False),
        ("x{(})", False),
        ("", True),
    ],
)
def test_a_query_is_balanced_where_everything_is_closed_by_its_like(query: str, is_whole: bool) -> None:
    assert is_balanced(query) is is_whole


def test_parentheses_belong_together() -> None:
    query = 'f(g(x{a="("}), h())'
    assert closing(query, 1) == len(query) - 1
    assert query[opening(query, query.index("x")) :].startswith("(x")
    assert opening(query, len(query)) == -1
    assert opening("a) b", 4) == -1


def test_a_comment_ends_with_its_line() -> None:
    assert without_comments("a # (b\n + c # d") == "a \n + c "


def test_only_whole_names_are_filled_in() -> None:
    assert filled_in("$by $byte ${by} $1 ${1} $$", {"by": "job"}) == "job $byte job $1 ${1} $$"
