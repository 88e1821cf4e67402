"""Alerts of others: they come in as Alertmanager and Grafana send them, and are part of incidents."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, g, request

from observatory.access.gate import Access
from observatory.annotations.alerts import receive
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.schemas import alerts as schemas
from observatory.api.schemas.requests import AlertsQuery, AlertsSent

TAG = {"name": "alerts", "description": "Alerts of your own rules, as evidence of incidents."}
MOST_NAMED = 20
routes = APIBlueprint("alerts", __name__, url_prefix="/api/alerts", tag=TAG)


@routes.get("")
@access(Access.READ)
@routes.input(AlertsQuery, location="query")
@routes.output(schemas.Alerts)
@routes.doc(operation_id="listAlerts", responses={404: "There is no such service."})
def alerts(query_data: AlertsQuery) -> Response:
    """Alerts of others, the newest first"""
    query, reader = query_data, context.reader()
    now = reader.clock()
    start, end = context.time_range(query.start, query.end)
    names = None if query.service is None else [reader.store.service(query.service).name]
    found = reader.store.alerts.read(start, end, names, None if query.firing else query.limit)
    shown = [schemas.Alert.of(one, now) for one in found if one.is_firing(now) or not query.firing]
    return context.answer(schemas.Alerts(alerts=shown[: query.limit]))


@routes.post("")
@access(Access.WRITE)
@routes.input(AlertsSent, location="query")
@routes.input(schemas.AlertMessage)
@routes.output(schemas.AlertsTaken)
@routes.doc(operation_id="sendAlerts")
def send(query_data: AlertsSent, json_data: schemas.AlertMessage) -> Response:
    """Send alerts

    Takes what the webhook of an Alertmanager or a contact point of Grafana sends, and the list of a Prometheus. An
    alert about a service here is a symptom of an incident until it is resolved. What is sent again changes nothing.
    """
    operator = context.operator()
    store, now = operator.store, operator.clock()
    names = [service.name for service in store.services()]
    found = receive(request.get_json(), str(g.caller), now, names, store.names.rules(), query_data.label)
    store.alerts.write(found.alerts)
    unmatched = [schemas.UnmatchedAlert(name=one.name, labels=dict(one.labels)) for one in found.unmatched[:MOST_NAMED]]
    g.detail = f"{len(found.alerts)} alerts, {len(found.unmatched)} of no service here"
    return context.answer(
        schemas.AlertsTaken(taken=len(found.alerts), ours=found.own, left_out=found.left_out, unmatched=unmatched)
    )
