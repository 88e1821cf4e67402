"""Feedback: what people say of anomalies, and what they say was missed."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from observatory.access.gate import Access
from observatory.annotations.feedback import give_feedback
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.schemas.health import Feedback
from observatory.api.schemas.requests import FeedbackGiven
from observatory.model import Verdict

TAG = {"name": "feedback", "description": "What people say of anomalies: truth that detectors are judged by."}
routes = APIBlueprint("feedback", __name__, url_prefix="/api/feedback", tag=TAG)


@routes.post("")
@access(Access.WRITE)
@routes.input(FeedbackGiven)
@routes.output(Feedback, status_code=201)
@routes.doc(operation_id="giveFeedback", responses={404: "There is no such service, or it had no anomaly then."})
def give(json_data: FeedbackGiven) -> Response:
    """Say that an anomaly was right or a false alarm, or that a span was missed

    A later verdict on the same anomaly, or on a missed span with the same start, replaces the earlier one.
    """
    operator, said = context.operator(), json_data
    given = give_feedback(
        operator.store,
        said.service_name,
        Verdict(said.verdict),
        context.point_in_time("started_at", said.started_at),
        operator.clock(),
        ended_at=None if said.ended_at is None else context.point_in_time("ended_at", said.ended_at),
        detector=said.detector,
        note=said.note,
    )
    return context.answer(Feedback.model_validate(given), status=201)
