"""`observatory help` shows the guides in a terminal."""

from __future__ import annotations

import pytest
from support.commands import Call, caller

from observatory.help.topics import topics


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller(monkeypatch, capsys)


def test_without_a_topic_every_page_is_listed_with_what_it_is_for(run: Call) -> None:
    code, out, _ = run("help")
    assert code == 0
    assert all(f"  {page.name:<17}{page.summary}\n" in out for page in topics()[1:])
    assert out.index("Set up") < out.index("getting-started") < out.index("Operate") < out.index("upgrade")


@pytest.mark.parametrize("words", [["api"], ["REST", "API"], ["API"]])
def test_a_topic_is_shown_by_its_name_or_title(run: Call, words: list[str]) -> None:
    code, out, _ = run("help", *words)
    assert code == 0
    assert out.splitlines()[0].strip() == "REST API"
    assert "GET /api/health/summary" in out
    assert "](" not in out


def test_other_words_are_searched_for(run: Call) -> None:
    code, out, _ = run("help", "revoke", "key")
    assert code == 0
    assert "access  API keys\n" in out
    assert "`observatory help access` shows the first of these pages." in out


def test_where_no_section_has_all_words_it_says_so(run: Call) -> None:
    assert run("help", "password", "xyzzy")[1].startswith("No section has all of these words; these have some:\n")


def test_a_verb_leads_to_its_options(run: Call) -> None:
    assert run("help", "serve")[1].startswith("`observatory serve --help` shows the options of this verb.\n")


def test_words_of_no_page_fail_with_the_way_out(run: Call) -> None:
    code, out, err = run("help", "xyzzy")
    assert (code, out) == (1, "")
    assert err == "error: the guides say nothing about 'xyzzy': `observatory help` lists the pages\n"
