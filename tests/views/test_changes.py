"""The page of a service lists its changes, and each opens to what its metrics did before and after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.hostile import TEXTS
from views.conftest import NOW
from views.test_views import data_of

from observatory.analysis.before_after import before_after
from observatory.config import Settings
from observatory.model import Change, ChangeKind, Service
from observatory.runtime import Runtime
from observatory.views import changes
from observatory.views.changes import ChangeSection, change_list, details, item
from observatory.views.service import Drilldown
from observatory.views.session.state import State

PAY = "shop/payments"


def change(key: str, minutes_ago: float, **facts: Any) -> Change:
    at = NOW - timedelta(minutes=minutes_ago)
    return Change(key, facts.pop("service", PAY), at, ChangeKind.DEPLOYMENT, **{"version": "1.4.2"} | facts)


def values(end: datetime, minutes: int, rise: int) -> pd.DataFrame:
    """A day and more of two metrics, of which the errors rise in the last minutes."""
    at = pd.date_range(end=end, periods=minutes, freq="1min")
    noise = np.random.default_rng(7).normal(1, 0.05, (minutes, 2))
    errors = 0.01 * noise[:, 0]
    errors[-rise:] *= 10
    return pd.DataFrame({"service_name": PAY, "timestamp": at, "error_rate": errors, "cpu_usage": 0.2 * noise[:, 1]})


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    found = Runtime(Settings(store=":memory:", worker=False, interval=60), clock=lambda: NOW)
    found.store.register([Service(PAY), Service("shop/cart")])
    found.store.write_samples(values(NOW, 1500, 45))
    found.store.changes.write(
        [
            change("done", 45, summary="faster", source="key:ci", url="https://git.example/1"),
            change("fresh", 2),
            change("old", 3000),
        ]
    )
    yield found
    found.close()


def drawn(view: Any) -> dict[str, Any]:
    (data,) = data_of(view, "ChangeList")
    return data


def test_the_page_of_a_service_lists_its_changes_of_the_range_the_newest_first(runtime: Runtime) -> None:
    shown = drawn(Drilldown(runtime, State(service=PAY)))
    assert (shown["away"], shown["note"]) == (False, "2 changes in the last 24 hours")
    assert [one["id"] for one in shown["items"]] == ["fresh", "done"]
    assert shown["items"][1] == {
        "id": "done",
        "kind": "deployment",
        "version": "1.4.2",
        "summary": "faster",
        "when": "08:30 UTC",
        "ago": "45 min ago",
        "source": "key:ci",
        "url": "https://git.example/1",
    }
    assert drawn(Drilldown(runtime, State(service="shop/cart")))["note"] == "none in the last 24 hours"
    assert drawn(Drilldown(runtime, State(service="shop/none")))["away"]


def test_nothing_is_compared_before_a_change_is_opened(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = changes.before_after
    monkeypatch.setattr(changes, "before_after", lambda *given: asked.append(given[2]) or real(*given))
    state = State(service=PAY)
    view = Drilldown(runtime, state)
    assert (asked, drawn(view)["details"]) == ([], None)
    view._changes._on_message({"change": "done"})
    assert (asked, drawn(view)["details"]["id"]) == (["done"], "done")
    assert state.query() == f"service={PAY}&change=done"
    view._changes._on_message({"change": ""})
    assert drawn(view)["details"] is None
    for message in (None, "done", {"change": 7}):
        view._changes._on_message(message)
    assert asked == ["done"]


def test_before_and_after_say_what_is_more_than_noise_in_words(runtime: Runtime) -> None:
    shown = details(before_after(runtime.store, runtime.settings, "done", NOW), NOW)
    assert shown["note"] == "The 30 min before it against the 30 min after it. 1 metric differs by more than noise."
    errors, cpu = shown["rows"]
    assert (errors["metric"], errors["kind"], errors["verdict"]) == ("errors", "worse", "worse: more than its noise")
    assert errors["difference"].startswith("+")
    assert (cpu["kind"], cpu["verdict"]) == ("noise", "not more than its noise")
    assert " ± " in cpu["expected"]


def test_what_cannot_be_judged_yet_says_why(runtime: Runtime) -> None:
    shown = details(before_after(runtime.store, runtime.settings, "fresh", NOW), NOW)
    assert shown["rows"] == []
    assert shown["note"] == "It cannot be judged yet: in the 2 min since then there were too few samples."
    shown = details(before_after(runtime.store, runtime.settings, "old", NOW), NOW)
    assert shown["note"] == "It cannot be judged: there are too few samples before or after it."


def test_a_service_that_is_new_has_values_and_no_verdicts(runtime: Runtime) -> None:
    new = values(NOW, 60, 20).assign(service_name="shop/cart")
    runtime.store.write_samples(new)
    runtime.store.changes.write([change("new", 20, service="shop/cart")])
    shown = details(before_after(runtime.store, runtime.settings, "new", NOW), NOW)
    assert {row["kind"] for row in shown["rows"]} == {"unknown"}
    assert {row["expected"] for row in shown["rows"]} == {""}
    assert "telling a difference from noise takes some hours of history" in shown["note"]


def test_a_link_opens_a_change_that_is_older_than_the_range(runtime: Runtime) -> None:
    shown = drawn(Drilldown(runtime, State(service=PAY, change="old")))
    assert [one["id"] for one in shown["items"]] == ["fresh", "done", "old"]
    assert (shown["opened"], shown["details"]["id"]) == ("old", "old")


def test_one_that_is_not_there_is_said_and_one_of_another_service_is_closed_with_it(runtime: Runtime) -> None:
    assert "no change 'none'" in drawn(Drilldown(runtime, State(service=PAY, change="none")))["error"]
    state = State(service=PAY, change="done")
    view = Drilldown(runtime, state)
    state.service = "shop/cart"
    assert (state.change, drawn(view)["details"]) == ("", None)


def test_a_fresh_change_is_compared_again_with_each_look_and_one_that_is_done_is_not(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = changes.before_after
    monkeypatch.setattr(changes, "before_after", lambda *given: asked.append(given[2]) or real(*given))
    runtime.store.changes.write([change("over", 90)])
    for key in ("fresh", "over"):
        view = ChangeSection(runtime, State(service=PAY, change=key))
        runtime.store.write_note("anything", key)  # what is read is shared until the store changes
        view._state.param.trigger("overview")
    assert asked == ["fresh", "fresh", "over"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", " https://x", "//outside.invalid"])
def test_only_addresses_of_the_web_become_links(url: str) -> None:
    assert item(change("a", 5, url=url), NOW)["url"] == ""


def test_there_is_a_limit_and_hostile_texts_are_data() -> None:
    many = [change(str(n), n, summary=text, version=text, source=text) for n, text in enumerate(TEXTS)]
    shown = change_list(PAY, many, "the last day", NOW)
    assert [one["summary"] for one in shown["items"]] == list(TEXTS[: changes.LISTED])
    more = [change(str(n), n) for n in range(changes.LISTED + 3)]
    shown = change_list(PAY, more, "the last day", NOW)
    assert (len(shown["items"]), shown["left_out"]) == (changes.LISTED, 3)
    assert shown["note"] == f"{changes.LISTED + 3} changes in the last day"
