"""The search finds what people type, and shows the best first."""

from __future__ import annotations

import pytest

from observatory.help.search import PER_TOPIC, SHOWN, SNIPPET, mark, search, words_of
from observatory.help.topics import Section, Topic, topics


def first(question: str, places: int = 3) -> list[str]:
    return [f"{hit.topic.name}#{hit.section.anchor}" for hit in search(question)[:places]]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("token", "access#json-web-tokens"),
        ("TLS", "access#https-and-proxies"),
        ("https", "access#https-and-proxies"),
        ("SSL certificate", "access#https-and-proxies"),
        ("cron", "schedule#cron"),
        ("backfill", "history#"),
        ("api key", "access#api-keys"),
        ("password", "access#passwords"),
        ("how do I add a password?", "access#passwords"),
        ("backup", "store#back-up-and-restore"),
        ("retention", "store#what-it-keeps-and-for-how-long"),
        ("threshold", "detection#"),
        ("csv", "import#"),
        ("too many alarms", "troubleshooting#too-many-anomalies"),
        ("health score", "health#health-score"),
        ("OBSERVATORY_SENSITIVITY", "detection#tune-it"),
        ("--num-procs", "operation#several-servers"),
        ("other machines reach it, and nobody could sign in: make a key first", "troubleshooting#nobody-could-sign-in"),
        ("systemd", "schedule#systemd"),
        ("curl", "api#curl"),
        ("upgrade", "upgrade#upgrade"),
    ],
)
def test_what_a_person_types_leads_to_the_section_about_it(question: str, expected: str) -> None:
    assert [place for place in first(question) if place.startswith(expected)]


def test_every_page_is_found_by_its_title() -> None:
    for page in topics()[1:]:
        assert page.name in [hit.topic.name for hit in search(page.title)[:3]], page.name


def sections(*pages: tuple[str, str]) -> tuple[Topic, ...]:
    return (Topic("index", "", "# Help\n\nPages."), *(Topic(name, "", text) for name, text in pages))


def test_a_title_counts_more_than_a_heading_and_a_heading_more_than_text(monkeypatch: pytest.MonkeyPatch) -> None:
    made = sections(
        ("text", "# One\n\nA kiwi, a kiwi, a kiwi, a kiwi and another kiwi."),
        ("heading", "# Two\n\nFruit.\n\n## The kiwi\n\nGreen."),
        ("title", "# Kiwi\n\nFruit."),
    )
    monkeypatch.setattr("observatory.help.search.topics", lambda: made)
    assert [hit.topic.name for hit in search("kiwi")] == ["title", "heading", "text"]


def test_words_need_not_be_written_as_in_the_page() -> None:
    assert first("PASSWORDS") == first("password")
    assert first("passw", 1) == first("password", 1)
    assert "test" not in [piece for piece, matches in mark("latest", words_of("test")) if matches]


def test_a_snippet_shows_the_words_marked() -> None:
    hit = search("checksum")[0]
    text = "".join(piece for piece, _ in hit.snippet)
    assert [piece for piece, matches in hit.snippet if matches] == ["checksum"]
    assert text.startswith("… ")
    assert len(text) <= SNIPPET + 4


def test_marked_pieces_together_are_the_text() -> None:
    text = "Keys: a key, OBSERVATORY_KEY and a monkey"
    assert list(mark(text, words_of("key"))) == [
        ("Keys", True),
        (": a ", False),
        ("key", True),
        (", OBSERVATORY_", False),
        ("KEY", True),
        (" and a monkey", False),
    ]


def test_where_no_section_has_all_words_those_with_some_are_shown() -> None:
    hits = search("password xyzzy")
    assert hits[0].section.anchor == "passwords"
    assert {hit.missing for hit in hits} == {("xyzzy",)}
    assert all(not hit.missing for hit in search("password file"))


@pytest.mark.parametrize("question", ["", "   ", "?!", "xyzzy", "*", "(", "\\", "[a-"])
def test_nothing_is_found_for_nothing(question: str) -> None:
    assert [hit for hit in search(question) if "xyzzy" in question or not question.strip(" ?!*(\\")] == []


def test_a_list_stays_short_and_no_page_fills_it() -> None:
    hits = search("observatory")
    assert len(hits) == SHOWN
    assert max(sum(hit.topic is page for hit in hits) for page in topics()) == PER_TOPIC


def test_a_section_without_text_can_be_found_by_its_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observatory.help.search.topics", lambda: sections(("a", "# A\n\n## Kiwi\n\n## B\n")))
    (hit,) = search("kiwi")
    assert (hit.section, hit.snippet) == (Section("kiwi", "Kiwi", 2, ()), ())
