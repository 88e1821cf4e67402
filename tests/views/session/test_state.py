"""The state is what the URL says, and takes nothing from a browser that does not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.catalog import METRICS
from observatory.model import Severity
from observatory.views.session.state import QUERY, RADAR_SPANS, SHOW, SPANS, State

CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "view": st.sampled_from(["health", "radar", "silences", "runs", "help"]),
        "service": st.text(min_size=1),
        "span": st.sampled_from(list(SPANS)),
        "search": st.text(min_size=1),
        "show": st.sampled_from(SHOW),
        "radar_span": st.sampled_from(RADAR_SPANS),
        "severities": st.lists(st.sampled_from([str(s) for s in Severity]), unique=True, max_size=4),
        "metric": st.sampled_from(["", *METRICS]),
        "help_page": st.text(min_size=1),
        "help_section": st.text(min_size=1),
        "help_search": st.text(min_size=1),
    },
)


def test_what_is_not_chosen_is_not_in_the_url() -> None:
    assert State().query() == ""


@pytest.mark.slow
@given(CHOICES)
def test_a_shared_url_leads_to_the_same_choices(choices: dict[str, object]) -> None:
    sender, receiver = State(**choices), State()
    receiver.follow(sender.query())
    assert {name: getattr(receiver, name) for name in QUERY} == {name: getattr(sender, name) for name in QUERY}


def test_a_url_is_readable() -> None:
    state = State(service="shop/cart", span="6h", severities=["critical", "high"])
    assert state.query() == "service=shop/cart&range=6h&severity=critical,high"


@pytest.mark.parametrize("query", ["range=2y", "severity=awful", "show=<script>", "metric=nope&since=1s", "&&=&x=1"])
def test_a_url_that_makes_no_sense_is_the_default(query: str) -> None:
    state = State(span="7d")
    state.follow(f"?{query}")
    assert state.query() == ""


def test_going_back_takes_choices_away() -> None:
    state = State(service="shop/cart", search="x")
    state.follow("")
    assert (state.service, state.search) == ("", "")


@pytest.mark.parametrize(
    "message",
    [
        None,
        "service",
        ["service"],
        {"service": 5},
        {"service": None},
        {"span": "forever"},
        {"severities": "critical"},
        {"severities": [{}]},
        {"overview": {}},
        {"window": [1, 2]},
        {"name": "x"},
    ],
)
def test_a_message_that_does_not_fit_changes_nothing(message: object) -> None:
    state = State()
    before = state.param.values()
    state.accept(message, ["service", "span", "severities", "overview", "window"])
    assert state.param.values() == before


def test_only_what_a_component_may_change_is_taken_over() -> None:
    state = State()
    state.accept({"search": "cart", "service": "shop/cart"}, ["search"])
    assert (state.search, state.service) == ("cart", "")


@pytest.mark.parametrize("change", [{"service": "b"}, {"span": "1h"}])
def test_another_service_or_range_ends_the_zoom(change: dict[str, str]) -> None:
    state = State(service="a")
    state.window = (1, 2)
    state.param.update(**change)
    assert state.window is None
