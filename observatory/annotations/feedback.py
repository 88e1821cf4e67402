"""Feedback: a person says of an anomaly that it was right or a false alarm, or labels a span that was missed."""

from __future__ import annotations

from datetime import datetime

from observatory.errors import InvalidInputError, NotFoundError
from observatory.model import Anomaly, Feedback, Verdict
from observatory.store.reader import OperatorStore, StoreReader


def give_feedback(
    store: OperatorStore,
    service: str,
    verdict: Verdict,
    started_at: datetime,
    now: datetime,
    *,
    ended_at: datetime | None = None,
    detector: str | None = None,
    note: str = "",
) -> Feedback:
    """Keep a verdict.

    Parameters
    ----------
    store
        Where the service and its anomalies are, and the verdict goes.
    service
        A registered service.
    verdict
        What is said.
    started_at
        Of an anomaly: any moment of it. Of a missed span: its start.
    now
        When it is said.
    ended_at
        Of a missed span: its end. An anomaly brings its own.
    detector
        Whose anomaly, where several have one at that time.
    note
        Why, in words.

    Raises
    ------
    UnknownServiceError, NotFoundError
        There is no such service; it had no anomaly then.
    InvalidInputError
        An end is missing, before the start, or given for an anomaly; the span lies in the future; a detector must
        be named.
    """
    name = store.service(service).name
    if verdict is Verdict.MISSED:
        if ended_at is None or ended_at < started_at:
            raise InvalidInputError("ended_at: a missed span needs an end that is not before its start")
        if started_at > now:
            raise InvalidInputError(f"started_at = {started_at.isoformat()}: lies in the future")
        if detector:
            raise InvalidInputError(f"detector = {detector!r}: what was missed is no detector's, leave it out")
        given = Feedback(name, verdict, started_at, ended_at, now, note=note)
    else:
        if ended_at is not None:
            raise InvalidInputError("ended_at: an anomaly has an end of its own, give one only for what was missed")
        anomaly = _anomaly(store, name, started_at, detector)
        given = Feedback(name, verdict, anomaly.started_at, anomaly.ended_at, now, anomaly.detector, note)
    store.feedback.write([given])
    return given


def _anomaly(store: StoreReader, service: str, at: datetime, detector: str | None) -> Anomaly:
    """The anomaly of a service at a moment."""
    found = [a for a in store.anomalies(at, at, [service]) if detector in (None, a.detector)]
    detectors = sorted({a.detector for a in found})
    if len(detectors) > 1:
        raise InvalidInputError(
            f"detector: several have an anomaly of {service} then, name one: {', '.join(detectors)}"
        )
    if not found:
        whose = f" of {detector}" if detector else ""
        raise NotFoundError(
            f"no anomaly{whose} of {service} at {at.isoformat()}: give a moment of one that is listed, "
            "or say that a span was missed"
        )
    return found[0]
