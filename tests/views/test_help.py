"""The Help view shows the page that the state names, or what was found, and takes only what fits from a browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from views.test_views import data_of

from observatory.help.topics import topics
from observatory.runtime import Runtime
from observatory.views import VIEWS, view_names
from observatory.views.help import LONGEST_SEARCH, Help, help_data, link_to
from observatory.views.session.state import State


def drawn(**choices: Any) -> dict[str, Any]:
    return help_data(State(view="help", **choices))


def test_it_is_the_last_tab() -> None:
    assert view_names()[-1] == "help"


def test_it_begins_with_the_index_beside_the_list_of_all_pages(shop: Runtime) -> None:
    (data,) = data_of(VIEWS.get("help")(shop, State(view="help")), "HelpPages")
    assert [entry["name"] for group in data["groups"] for entry in group["topics"]] == [t.name for t in topics()]
    assert [group["title"] for group in data["groups"]][:2] == ["", "Set up"]
    assert "New here?" in data["page"]["html"]
    assert data["found"] is None


@pytest.mark.parametrize("page", topics(), ids=lambda page: page.name)
def test_every_page_is_shown_with_its_sections_and_the_pages_beside_it(page: Any) -> None:
    shown = drawn(help_page=page.name)["page"]
    assert f'<h1 id="{page.sections[0].anchor}"' in shown["html"]
    assert [entry["anchor"] for entry in shown["contents"]] == [s.anchor for s in page.sections if s.level == 2]
    assert (shown["previous"] is None) == (page is topics()[0])
    assert (shown["next"] is None) == (page is topics()[-1])


def test_links_between_pages_stay_in_the_view() -> None:
    assert link_to("access", "api-keys") == {
        "href": "?view=help&page=access&at=api-keys",
        "data-say": json.dumps({"help_page": "access", "help_section": "api-keys", "help_search": ""}),
    }
    html = drawn(help_page="commands")["page"]["html"]
    assert 'href="?view=help&amp;page=access&amp;at=api-keys"' in html


def test_a_link_leads_where_its_address_leads() -> None:
    link, state = link_to("access", "api-keys"), State()
    state.follow(link["href"])
    assert state.view == "help"
    assert json.loads(link["data-say"]) == {
        name: getattr(state, name) for name in ("help_page", "help_section", "help_search")
    }


def test_what_is_found_leads_to_its_section() -> None:
    found = drawn(help_search="api key")["found"]
    best = found["items"][0]
    assert (best["page"], best["href"]) == ("Access", "?view=help&page=access&at=api-keys")
    assert [list(piece) for piece in best["title"]] == [["API", True], [" ", False], ["keys", True]]
    assert found["summary"] == f"{len(found['items'])} sections found"


def test_a_search_that_finds_a_page_leads_to_its_beginning() -> None:
    best = drawn(help_search="upgrade")["found"]["items"][0]
    assert (best["page"], best["href"]) == ("", "?view=help&page=upgrade")


def test_it_says_when_nothing_is_found_and_when_only_some_words_are() -> None:
    assert drawn(help_search=" xyzzy ")["found"] == {"summary": "Nothing found for “xyzzy”", "hint": "", "items": []}
    found = drawn(help_search="password xyzzy")["found"]
    assert found["summary"] == "No section has all of these words"
    assert {item["missing"] for item in found["items"]} == {"xyzzy"}


def test_a_long_search_is_cut() -> None:
    assert drawn(help_search="x" * 10_000)["found"]["summary"] == f"Nothing found for “{'x' * LONGEST_SEARCH}”"


def test_a_page_that_is_not_there_says_so() -> None:
    data = drawn(help_page="acces")
    assert data["page"] is None
    assert "did you mean access" in data["error"]


def test_a_view_follows_what_the_browser_chooses_and_takes_nothing_else(shop: Runtime) -> None:
    state = State(view="help")
    view = Help(shop, state)
    view._pages._handle_msg({"help_page": "access", "help_section": "limits", "service": "shop/cart"})
    (data,) = data_of(view, "HelpPages")
    assert (data["name"], data["at"]) == ("access", "limits")
    assert state.service == ""
    view._pages._handle_msg({"help_search": ["token"]})
    assert state.help_search == ""


def test_guides_that_cannot_be_read_are_said(shop: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise OSError("disk gone")

    monkeypatch.setattr("observatory.views.help.search", fail)
    monkeypatch.setattr("observatory.views.help.live", lambda _: _Alone())
    (data,) = data_of(Help(shop, State(view="help")), "HelpPages")
    assert data["error"] == "OSError: disk gone"


class _Alone:
    """Reads at once, and shares nothing with other tests."""

    def once(self, _: object, work: Any) -> Any:
        from concurrent.futures import Future

        future: Future[object] = Future()
        try:
            future.set_result(work())
        except OSError as error:
            future.set_exception(error)
        return future
