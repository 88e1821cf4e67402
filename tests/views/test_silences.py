"""The view of silences: what is silenced, and a form that makes one with the rights of whoever looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.hostile import TEXTS
from support.servers import wait_until
from support.silences import a_silence
from views.conftest import NOW
from views.test_views import data_of

from observatory.access.permissions import Caller, Role, Scope
from observatory.access.scoped import scoped
from observatory.config import Settings
from observatory.model import Effect, Service
from observatory.runtime import Runtime
from observatory.runtime.reader import Reader
from observatory.views import VIEWS
from observatory.views.service import _note as service_note
from observatory.views.session.state import State

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
FORM = {"services": ["shop/*"], "reason": "new disks", "lasts": "2h"}


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    found = Runtime(Settings(store=":memory:", worker=False), clock=lambda: NOW)
    found.store.register([Service("shop/pay"), Service("shop/cart")])
    yield found
    found.close()


class Desk:
    """The view, and what a browser sends to it."""

    def __init__(self, reader: Reader, **chosen: str) -> None:
        self.view = VIEWS.get("silences")(reader, State(view="silences", **chosen))
        self.asked = 0

    @property
    def data(self) -> dict[str, Any]:
        (data,) = data_of(self.view, "SilenceDesk")
        return data

    def ask(self, verb: object, silence: object = "", form: object = FORM) -> dict[str, Any]:
        """What the page is answered."""
        self.asked += 1
        self.view._on_message({"do": verb, "silence": silence, "form": form, "ask": self.asked})
        wait_until(lambda: (self.data["answer"] or {}).get("ask") == self.asked, 30, "an answer")
        answer: dict[str, Any] = self.data["answer"]
        return answer


def shown(reader: Reader) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = Desk(reader).data["items"]
    return items


def test_what_is_silenced_is_shown_with_who_why_and_until_when(runtime: Runtime) -> None:
    runtime.store.silences.write(
        [
            a_silence("shop/*", starts_at=NOW - HOUR, ends_at=NOW + HOUR),
            a_silence(id="s2", starts_at=NOW - 3 * HOUR, ends_at=NOW - HOUR, ended_by="key:bob"),
            a_silence(
                id="s3",
                starts_at=NOW - HOUR,
                ends_at=NOW + 30 * 24 * HOUR,
                cron="0 2 * * *",
                duration=HOUR,
                source="settings",
                origin="backup",
            ),
        ]
    )
    data = Desk(runtime).data
    first, again = sorted(data["items"], key=lambda one: one["id"])
    assert (first["covers"], first["effect"]) == ("shop/*", "tell nobody")
    assert (first["state"], first["left"]) == ("active", "1 h left")
    assert (first["reason"], first["by"], first["source"]) == ("maintenance", "key:ann", "")
    assert (again["state"], again["again"]) == ("pending", "0 2 * * * UTC, 1 h each")
    assert again["source"] == "settings backup"
    assert [(one["id"], one["ended_by"]) for one in data["ended"]] == [("s2", "key:bob")]
    assert data["services"] == ["shop/cart", "shop/pay"]


def test_one_is_previewed_made_extended_and_ended_from_the_page(runtime: Runtime) -> None:
    desk = Desk(runtime)
    assert desk.ask("preview")["error"] == ""
    assert desk.data["preview"]["services"] == ["shop/cart", "shop/pay"]
    assert runtime.store.silences.read() == []
    assert desk.ask("add")["said"].startswith("Silenced until ")
    (made,) = runtime.store.silences.read()
    assert (made.services, made.reason, made.ends_at) == (("shop/*",), "new disks", NOW + 2 * HOUR)
    wait_until(lambda: [one["id"] for one in desk.data["items"]] == [made.id], 30, "the new one")
    desk.ask("extend", made.id, {"end": "+4h"})
    assert runtime.store.silences.get(made.id).ends_at == NOW + 4 * HOUR
    assert desk.ask("end", made.id, {})["said"].startswith("It is over")
    assert "was over at" in desk.ask("end", made.id, {})["error"]


@pytest.mark.parametrize(
    ("verb", "silence", "form", "said"),
    [
        ("add", "", FORM | {"reason": ""}, "say why"),
        ("add", "", FORM | {"services": "shop/*"}, "give a list"),
        ("add", "", FORM | {"services": [1]}, "give a list"),
        ("add", "", FORM | {"lasts": {"a": 1}}, "give a text"),
        ("add", "", FORM | {"reason": "x" * 2000}, "at most 1000"),
        ("add", "", FORM | {"services": ["\ud800"]}, "half of a letter"),
        ("add", "", FORM | {"metrics": ["nope"]}, "there is no 'nope'"),
        ("add", "", None, "load the page again"),
        ("end", 7, {}, "give the id"),
        ("end", "nope", {}, "there is no silence 'nope'"),
        ("extend", "s1", {}, "say until when"),
        ("delete", "s1", {}, "cannot be done to a silence"),
        ({"a": []}, "s1", {}, "cannot be done to a silence"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    runtime: Runtime, verb: object, silence: object, form: object, said: str
) -> None:
    runtime.store.silences.write([a_silence(starts_at=NOW - HOUR, ends_at=NOW + HOUR)])
    assert said in Desk(runtime).ask(verb, silence, form)["error"]
    assert runtime.store.silences.read() == [a_silence(starts_at=NOW - HOUR, ends_at=NOW + HOUR)]


def test_who_may_only_look_sees_why_and_makes_none(runtime: Runtime) -> None:
    looking = scoped(runtime, Caller("key", "1", "ann", Role.VIEWER, Scope.of(["shop/cart"])))
    desk = Desk(looking)
    assert "needs the role operator" in desk.data["person"]["refusal"]
    assert "needs the role operator" in desk.ask("add")["error"]
    assert runtime.store.silences.read() == []


def test_hostile_texts_are_shown_as_they_are(runtime: Runtime) -> None:
    texts = [text for text in TEXTS if text.isprintable() and text.strip() == text and text]
    runtime.store.silences.write(
        a_silence(text, id=f"s{number}", reason=text, starts_at=NOW - HOUR, ends_at=NOW + HOUR)
        for number, text in enumerate(texts)
    )
    assert {one["reason"] for one in shown(runtime)} == set(texts)


def test_a_link_fills_the_form(runtime: Runtime) -> None:
    assert Desk(runtime, silencing="shop/cart,shop/pay").data["wanted"] == "shop/cart,shop/pay"


def test_what_is_silenced_says_so_on_its_card_and_its_page(runtime: Runtime) -> None:
    runtime.store.silences.write([a_silence("shop/cart", starts_at=NOW - HOUR, ends_at=NOW + HOUR)])
    (cards,) = [one for one in VIEWS.get("health")(runtime, State())._layout.objects if hasattr(one, "cards")]
    overview = runtime.overview()
    (cart,) = [one for one in overview.services if one.name == "shop/cart"]
    words = "silenced until 2026-03-02 10:15 UTC by key:ann: maintenance"
    assert service_note(replace(cart, at=NOW)) == f"no samples yet; {words}"
    unjudged = replace(cart.silences[0], silence=replace(cart.silences[0].silence, effect=Effect.DO_NOT_JUDGE))
    assert service_note(replace(cart, at=NOW, is_stale=False, silences=(unjudged,))) == f"not judged, {words}"
    facts: Mapping[str, str] = {one["service"]: one["facts"] for one in cards.cards}
    assert facts == {"shop/cart": "shop · silenced", "shop/pay": "shop"}
