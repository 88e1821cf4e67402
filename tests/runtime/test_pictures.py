"""Pictures of incidents: of the worst metric, only where they are taken, and never in a message's way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.destinations import Recorder, an_incident, happens, told
from support.incidents import NOON
from support.mail import MailServer
from support.shop import shop

from observatory.model import Anomaly, Incident, Symptom
from observatory.notifications.picture import Course
from observatory.runtime import Runtime, pictures
from observatory.runtime.hand_out import hand_out, note_destinations
from observatory.runtime.pictures import Pictures
from observatory.runtime.sending import Lane
from observatory.store import open_store


@pytest.fixture(scope="module")
def filled() -> Iterator[Runtime]:
    runtime = shop()
    runtime.prepare()
    yield runtime
    runtime.close()


def of(anomaly: Anomaly, **changed: Any) -> Incident:
    symptom = Symptom(
        anomaly.service_name, anomaly.started_at, anomaly.ended_at, False, anomaly.severity, anomaly.detector, "x"
    )
    return replace(an_incident(), symptoms=(replace(symptom, **changed),))


@pytest.mark.slow
def test_the_metric_that_is_worst_is_drawn_from_before_the_trouble_on(
    filled: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    anomaly = filled.store.anomalies()[0]
    incident, now = of(anomaly), filled.clock()
    drawing = Pictures(filled.store, filled.settings)
    picture = drawing.of(incident, now)
    assert picture is not None
    assert picture.startswith(b"\x89PNG")
    courses: list[Course] = []
    monkeypatch.setattr(pictures, "draw", lambda course: courses.append(course) or b"")
    drawing.of(incident, now)
    (course,) = courses
    assert (course.service_name, course.metric) == (anomaly.service_name, anomaly.metrics[0])
    assert course.began_at == anomaly.started_at
    assert course.at[0] < anomaly.started_at < course.at[-1] <= anomaly.ended_at + timedelta(minutes=30)
    assert course.lower is not None
    assert len(course.at) == len(course.actual) == len(course.lower)
    worst = anomaly.evidence[0].actual
    assert course.actual.min() <= worst <= course.actual.max()


@pytest.mark.slow
def test_where_the_health_score_is_what_is_wrong_the_metric_farthest_out_is_drawn(
    filled: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    anomaly = next(one for one in filled.store.anomalies() if one.metrics[0] == "error_rate")
    courses: list[Course] = []
    monkeypatch.setattr(pictures, "draw", lambda course: courses.append(course) or b"")
    Pictures(filled.store, filled.settings).of(of(anomaly, detector="health"), filled.clock())
    assert [course.metric for course in courses] == ["error_rate"]


@pytest.mark.slow
def test_without_samples_or_an_anomaly_there_is_no_picture(filled: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    drawing = Pictures(filled.store, filled.settings)
    anomaly = filled.store.anomalies()[0]
    calm = replace(of(anomaly).symptoms[0], detector="health", started_at=filled.clock() - timedelta(minutes=3))
    assert drawing.of(replace(an_incident(), symptoms=(calm,)), filled.clock()) is None, "nothing is out of its band"
    assert drawing.of(replace(an_incident(), symptoms=()), filled.clock()) is None
    assert drawing.of(an_incident(), filled.clock()) is None
    assert not caplog.records


@pytest.mark.slow
def test_a_picture_that_cannot_be_drawn_is_logged_and_left_out(
    filled: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(course: Course) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(pictures, "draw", broken)
    assert Pictures(filled.store, filled.settings).of(of(filled.store.anomalies()[0]), filled.clock()) is None
    assert "incident a is told without a picture" in caplog.text


@pytest.mark.slow
def test_the_demo_mails_its_fault_with_a_picture() -> None:
    with MailServer() as server:
        runtime = shop(demo_days=0.5, notify={"mail": {"kind": "apprise", "url": server.address()}})
        with contextlib.closing(runtime):
            runtime.prepare()
            runtime.go_live()
            runtime.notifier.step()
            while not server.mails:
                assert runtime.clock.forward(minutes=1) < NOON + timedelta(hours=1)  # type: ignore[attr-defined]
                runtime.cycle()
                runtime.notifier.step()
    first = server.mails[0]
    assert first["Subject"].startswith("CRITICAL · shop/payments: ")
    (picture,) = [part.get_content() for part in first.walk() if part.get_content_maintype() == "image"]
    assert picture.startswith(b"\x89PNG")


class Pictured(Recorder):
    @property
    def takes_picture(self) -> bool:
        return self.name == "takes"


def test_a_picture_is_drawn_only_where_one_is_taken() -> None:
    drawn: list[str] = []

    def draw(incident: Incident, now: object) -> bytes:
        drawn.append(incident.id)
        return b"picture"

    with open_store(":memory:") as store:
        recorders = [Pictured("takes"), Pictured("takes none")]
        destinations = {one.name: told(one) for one in recorders}
        note_destinations(store, destinations, NOON - timedelta(days=1))
        lanes = [Lane(store, one, draw=draw) for one in destinations.values()]
        for minute, kind in enumerate(("opened", "acknowledged", "resolved")):
            happens(store, an_incident(), kind, minute)  # type: ignore[arg-type]
            hand_out(store, destinations, NOON + timedelta(minutes=minute))
            for lane in lanes:
                lane.send_due(NOON + timedelta(minutes=minute))
    taken = [[(one.kind, one.picture) for one in recorder.taken] for recorder in recorders]
    assert taken == [
        [("opened", b"picture"), ("acknowledged", None), ("resolved", b"picture")],
        [("opened", None), ("acknowledged", None), ("resolved", None)],
    ]
    assert drawn == ["a", "a"]
