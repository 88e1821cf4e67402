"""Collect: a sample of one service, now."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from observatory.access.gate import Access
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.middleware.rate_limits import slow
from observatory.api.schemas.responses import Collected

TAG = {"name": "collect", "description": "Collecting out of turn."}
routes = APIBlueprint("collect", __name__, url_prefix="/api/collect", tag=TAG)


@routes.post("/<name:service>")
@access(Access.WRITE)
@slow
@routes.output(Collected)
@routes.doc(
    operation_id="collectService",
    responses={
        404: "There is no such service.",
        502: "The metrics source cannot be reached, or refused.",
        504: "The metrics source did not answer in time.",
    },
)
def collect(service: str) -> Response:
    """Collect one service now

    `service` is its name, as in `shop/checkout`; the slash may stand as it is. A metric that could not be had
    is a failure in the answer, and the others are stored.
    """
    report = context.operator().collect(service)
    return context.answer(Collected.of(service, report))
