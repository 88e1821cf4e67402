"""An incident that ends gets a report, made by papermill beside the server, and its timeline says where it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.incidents import Told, symptom
from support.servers import wait_until
from support.shop import NOON

from observatory.config import Settings
from observatory.incidents import actions
from observatory.model import IncidentChanges, IncidentEvent, Service
from observatory.notebooks.run import files_of
from observatory.runtime.incident_reports import IncidentReports
from observatory.store import Store, open_store

PATIENCE = 180
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A file with an incident that goes on, in an empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    with open_store(str(tmp_path / "x.duckdb")) as opened:
        opened.register([Service("shop/cart")])
        told = Told()
        told.step(0, symptom("shop/cart", -10, 0))
        opened.incidents.update(NOON, lambda _: IncidentChanges((told.only,)))
        yield opened


def settings(store: Store, **more: str) -> Settings:
    return Settings(store=store.url, worker=False, **more)


def end_it(store: Store) -> str:
    (incident,) = store.incidents.read()
    store.incidents.change(incident.id, lambda held: actions.resolve(held, "key:ann", NOON + MINUTE))
    return incident.id


def reports_of(store: Store, incident: str) -> list[IncidentEvent]:
    return [event for event in store.incidents.events(incident) if event.kind == "report"]


@pytest.mark.slow
def test_one_that_ends_gets_a_report_that_its_timeline_leads_to(store: Store) -> None:
    reports = IncidentReports(store, settings(store, incident_reports="high"))
    reports.follow(NOON)
    key = end_it(store)

    def is_there() -> bool:
        reports.follow(NOON + 2 * MINUTE)
        return bool(reports_of(store, key))

    wait_until(is_there, PATIENCE, "the report")
    (event,) = reports_of(store, key)
    (run,) = store.runs.last(5, notebook="incident_report")
    assert event.text == f"report: /api/runs/{run.id}/report"
    page = files_of(run)[1]
    assert page.is_relative_to(Path("runs").absolute())
    assert "shop/cart" in page.read_text()
    reports.follow(NOON + 3 * MINUTE)
    reports.close()
    assert len(store.runs.last(5)) == 1, "one report is enough"


def test_what_was_less_bad_or_ended_before_the_start_gets_none(store: Store) -> None:
    strict, late = (IncidentReports(store, settings(store, incident_reports=least)) for least in ("critical", "low"))
    strict.follow(NOON)
    end_it(store)
    strict.follow(NOON + 2 * MINUTE)
    late.follow(NOON + 2 * MINUTE)
    late.follow(NOON + 3 * MINUTE)
    assert not Path("runs").exists()


def test_without_the_setting_there_are_none(store: Store) -> None:
    reports = IncidentReports(store, settings(store))
    reports.follow(NOON)
    end_it(store)
    reports.follow(NOON + 2 * MINUTE)
    assert not Path("runs").exists()


@pytest.mark.slow
def test_a_report_that_cannot_be_made_is_said_and_not_tried_for_ever(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBSERVATORY_INTERVAL", "often")  # what the process beside cannot use
    chosen = Settings.model_validate({"store": store.url, "incident_reports": "low", "interval": 60})
    reports = IncidentReports(store, chosen)
    reports.follow(NOON)
    key = end_it(store)

    def is_said() -> bool:
        reports.follow(NOON + 2 * MINUTE)
        return bool(reports_of(store, key))

    wait_until(is_said, PATIENCE, "the failure to be said")
    (event,) = reports_of(store, key)
    assert event.text.startswith("the report could not be made: see ")
    assert "interval" in Path(event.text.partition("see ")[2]).read_text()
    reports.follow(NOON + 3 * MINUTE)
    assert len(list(Path("runs").iterdir())) == 1
    reports.close()
