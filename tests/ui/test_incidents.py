"""A person works on an incident in the browser, and who looks at another page sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import requests
from playwright.sync_api import Page, expect
from support.hostile import TEXTS
from support.hostile_browser import is_harmless, texts_of
from ui.conftest import PATIENCE, served
from ui.test_dashboard import open_page

from observatory.access.authentication import authenticator_of
from observatory.access.permissions import Role
from observatory.config import Settings
from observatory.model import (
    Incident,
    IncidentChanges,
    IncidentEvent,
    IncidentState,
    LikelyCause,
    Reason,
    Service,
    Severity,
    Symptom,
)
from observatory.runtime import Runtime
from observatory.store import Store, open_store

pytestmark = pytest.mark.ui
expect.set_options(timeout=PATIENCE)

SERVICES, OTHERS = ("shop/db", "shop/web"), ("eu/db", "eu/web")
PLAIN, HOSTILE = "1111aaaa2222", "3333bbbb4444"


def _fill(store: Store, now: datetime) -> None:
    """Services with samples: no history of the demo is made then, which would have incidents of its own."""
    names = (*SERVICES, *OTHERS)
    store.register([Service(name, "demo") for name in names])
    at = pd.date_range(end=now, periods=60, freq="1min")
    store.write_samples(
        pd.concat([pd.DataFrame({"service_name": name, "timestamp": at, "cpu_usage": 0.2}) for name in names])
    )


def _incident(key: str, now: datetime, services: tuple[str, str] = SERVICES, text: str = "errors 12 %") -> Incident:
    start = now - timedelta(minutes=20)
    symptoms = tuple(
        Symptom(name, start, now, True, Severity.HIGH, "multiscale", f"{name}: {text}") for name in services
    )
    reasons = (Reason("metric", 4.0, text), Reason("calls", 1.0, f"its caller {services[1]} points to it"))
    blamed = (LikelyCause(services[0], 5.0, True, text, onset=start, reasons=reasons),)
    return Incident(key, IncidentState.OPEN, Severity.HIGH, Severity.HIGH, start, start, symptoms, blamed)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A workbench with two incidents; people of one speak in hostile texts."""
    folder, now = tmp_path_factory.mktemp("incidents"), datetime.now(UTC)
    with open_store(str(folder / "shop.duckdb")) as store:
        _fill(store, now)
        store.write_calls([(SERVICES[1], SERVICES[0])], now)
        said = [IncidentEvent(HOSTILE, now - timedelta(minutes=5), "note", text, text) for text in TEXTS]
        found = _incident(PLAIN, now), _incident(HOSTILE, now, OTHERS, TEXTS[0])
        store.incidents.update(now, lambda _: IncidentChanges(found, tuple(said)))
    with served(folder, ["observatory", "serve"], WORKER="false", INTERVAL=300) as url:
        yield url


def _strip(page: Page, server: str, query: str = "") -> None:
    open_page(page, f"{server}/observatory{query}")
    expect(page.locator(f"[data-key='{PLAIN}']")).to_be_visible()


def test_an_incident_is_worked_on_and_a_second_page_sees_it(page: Page, server: str) -> None:
    _strip(page, server)
    other = page.context.new_page()
    _strip(other, server, f"?incident={PLAIN}")
    theirs = other.locator(f"[data-key='{PLAIN}']")
    expect(theirs.get_by_role("button", name="Acknowledge")).to_be_visible()

    ours = page.locator(f"[data-key='{PLAIN}']")
    unfold = ours.get_by_role("button", name=f"Details of incident {PLAIN}")
    expect(unfold).to_have_attribute("aria-expanded", "false")
    unfold.focus()
    page.keyboard.press("Enter")
    expect(unfold).to_have_attribute("aria-expanded", "true")
    expect(ours.get_by_text("shop/web → shop/db")).to_be_visible()
    expect(ours.get_by_text("its caller shop/web points to it")).to_be_visible()
    note = ours.get_by_role("textbox", name="Note")
    note.fill("looking at <b>the pool</b>")
    ours.get_by_role("button", name="Acknowledge").press("Enter")
    expect(ours.get_by_role("status")).to_have_text("You acknowledged it.")
    expect(ours.get_by_role("status")).to_be_focused()  # its button is gone
    expect(note).to_have_value("")
    expect(ours.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(theirs.get_by_text("looking at <b>the pool</b>")).to_be_visible()

    theirs.get_by_role("textbox", name="Note").fill("half a thought")
    note.fill("it was the new pool")
    note.press("Control+Enter")
    expect(theirs.get_by_text("it was the new pool")).to_be_visible()
    ours.get_by_role("textbox", name="Assign").fill("payments team")
    page.keyboard.press("Enter")
    expect(theirs.locator(".more")).to_contain_text("with payments team")
    ours.get_by_role("button", name="Resolve").click()
    expect(theirs.get_by_role("button", name="Reopen")).to_be_visible()
    expect(theirs.get_by_role("textbox", name="Note")).to_have_value("half a thought")
    events = requests.get(f"{server}/api/incidents/{PLAIN}", timeout=30).json()["timeline"]
    assert [(one["kind"], one["text"]) for one in events] == [
        ("acknowledged", "looking at <b>the pool</b>"),
        ("note", "it was the new pool"),
        ("assigned", "to payments team"),
        ("resolved", ""),
    ]
    is_harmless(page)


def test_a_refusal_stands_at_the_incident_and_what_was_typed_stays(page: Page, server: str) -> None:
    _strip(page, server, f"?incident={PLAIN}")
    ours = page.locator(f"[data-key='{PLAIN}']")
    note = ours.get_by_role("textbox", name="Note")
    long = "x" * 10_001
    note.fill(long)
    ours.get_by_role("button", name="Add note").click()
    expect(ours.get_by_role("status")).to_have_text("Not done: the note has 10001 characters: at most 10000 are kept")
    expect(note).to_have_value(long)
    note.fill("x" * 2_000_000)  # more than a message may have
    ours.get_by_role("button", name="Add note").click()
    expect(ours.get_by_role("status")).to_contain_text("at most 10000 characters are kept")
    note.fill("a draft")
    page.get_by_role("button", name=f"Details of incident {HOSTILE}").click()
    expect(note).to_have_count(0)
    page.get_by_role("button", name=f"Details of incident {PLAIN}").click()
    expect(note).to_have_value("a draft")


def test_hostile_texts_are_text(page: Page, server: str) -> None:
    _strip(page, server, f"?incident={HOSTILE}")
    expect(page.locator(".timeline li")).to_have_count(len(TEXTS))
    drawn = texts_of(page)
    unchanged = [text for text in TEXTS if not set(text) & set("\r\x00")]  # which no page can hold
    assert [json.dumps(text) for text in unchanged if text not in drawn] == []
    is_harmless(page)


@pytest.mark.parametrize("width", [800, 1024, 1440])
def test_no_width_needs_sideways_scrolling(page: Page, server: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    _strip(page, server, f"?incident={HOSTILE}")
    expect(page.locator(".timeline")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_may_only_look_sees_no_buttons_and_why(page: Page, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    runtime = Runtime(Settings(store=str(tmp_path / "shop.duckdb"), worker=False))
    _fill(runtime.store, now)
    runtime.store.incidents.update(now, lambda _: IncidentChanges((_incident(PLAIN, now),)))
    _, vera = authenticator_of(runtime).keys.create("vera", Role.VIEWER, ["shop/*"])
    _, omar = authenticator_of(runtime).keys.create("omar", Role.OPERATOR, ["shop/*"])
    runtime.close()
    with served(tmp_path, ["observatory", "serve"], WORKER="false", INTERVAL=300) as url:
        page.goto(f"{url}/observatory?incident={PLAIN}")
        page.get_by_label("API key").fill(vera)
        page.keyboard.press("Enter")
        expect(page.get_by_text("this needs the role operator, and 'vera' has the role viewer")).to_be_visible()
        expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
        expect(page.locator(".incidents :is([data-do], textarea)")).to_have_count(0)
        page.goto(f"{url}/logout")
        page.goto(f"{url}/observatory?incident={PLAIN}")
        page.get_by_label("API key").fill(omar)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Take it").click()
        expect(page.locator(".more")).to_contain_text("with omar")
        expect(page.get_by_role("button", name="Take it")).to_have_count(0)
        page.get_by_role("button", name="To nobody").click()
        expect(page.locator(".more")).not_to_contain_text("omar")
        expect(page.locator(".timeline")).to_contain_text("assigned to nobody by key:omar")


def test_services_of_an_incident_are_silenced_from_it(page: Page, server: str) -> None:
    _strip(page, server, f"?incident={HOSTILE}")
    page.locator(f"[data-key='{HOSTILE}']").get_by_role("button", name="Silence …").click()
    form = page.get_by_label("Silence something")
    services = form.get_by_role("combobox", name="Services")
    expect(services).to_have_value(",".join(OTHERS))
    form.get_by_role("textbox", name="Why").fill("<b>new</b> disks")
    page.keyboard.press("Enter")
    expect(form.get_by_text("It covers 2 services.")).to_be_visible()
    form.get_by_role("button", name="Silence", exact=True).click()
    expect(form.get_by_role("status").first).to_contain_text("Silenced until ")
    listed = page.locator(".silence", has_text="<b>new</b> disks")
    expect(listed).to_contain_text("in force")
    expect(services).to_have_value("")

    _strip(page, server, f"?incident={HOSTILE}")
    told = page.locator(f"[data-key='{HOSTILE}']").get_by_text("Nobody is told: silenced until ")
    expect(told).to_contain_text("<b>new</b> disks")
    told.get_by_role("button", name="Silences").click()
    listed.get_by_role("button", name="End silence").click()
    expect(form.get_by_role("status").first).to_have_text("It is over. What still goes on is told.")
    expect(page.get_by_text("Nothing is silenced")).to_be_visible()
    page.get_by_text("1 ended in the last 7 days").click()
    expect(listed).to_contain_text("ended by open:anybody")
    is_harmless(page)
