"""Who is told of incidents, what was sent to them, and to try it: for administrators."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, g

from observatory.access.gate import Access
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.middleware.rate_limits import slow
from observatory.api.schemas import notifications as schemas
from observatory.api.schemas.requests import NotificationsQuery
from observatory.model import DeliveryState
from observatory.notifications.message import trial_message

TAG = {"name": "notifications", "description": "Who is told of incidents, and what was sent to them."}
routes = APIBlueprint("notifications", __name__, url_prefix="/api/notifications", tag=TAG)


@routes.get("")
@access(Access.ADMIN)
@routes.input(NotificationsQuery, location="query")
@routes.output(schemas.Notifications)
@routes.doc(operation_id="listNotifications")
def notifications(query_data: NotificationsQuery) -> Response:
    """Destinations, and what was sent to them, the newest first"""
    query, runtime = query_data, context.context().runtime
    states = list(query.state) or None
    deliveries = runtime.store.notifications.log(query.destination, states, query.incident, query.limit)
    counts = {(one.destination, one.state): one.deliveries for one in runtime.store.notifications.counts()}
    destinations = [
        schemas.Destination(
            name=name,
            kind=told.kind,
            goes_to=told.destination.where,
            enabled=told.settings.enabled,
            services=list(told.settings.services),
            severity=told.settings.severity,
            on=list(told.on),
            sent=counts.get((name, DeliveryState.SENT), 0),
            waiting=counts.get((name, DeliveryState.WAITING), 0),
            failed=counts.get((name, DeliveryState.FAILED), 0),
            error=runtime.notifier.lanes[name].error or runtime.silence_syncs.errors.get(name, ""),
        )
        for name, told in runtime.notifier.told.items()
    ]
    shown = [schemas.Delivery.model_validate(one) for one in deliveries]
    return context.answer(schemas.Notifications(destinations=destinations, deliveries=shown))


@routes.post("/test")
@access(Access.ADMIN)
@slow
@routes.input(schemas.NotificationTest)
@routes.output(schemas.NotificationTested)
@routes.doc(operation_id="testNotification", responses={404: "There is no such destination.", 502: "It is not taken."})
def test(json_data: schemas.NotificationTest) -> Response:
    """Send a test message now, past quiet hours and filters"""
    runtime, name = context.context().runtime, json_data.destination
    told = runtime.notifier.of(name)
    message = trial_message(name, str(g.caller), runtime.clock(), str(runtime.settings.public_url or ""))
    told.destination.send(message)
    return context.answer(schemas.NotificationTested(destination=name, goes_to=told.destination.where))


@routes.post("/retry")
@access(Access.ADMIN)
@routes.input(schemas.NotificationRetry)
@routes.output(schemas.NotificationsRetried)
@routes.doc(operation_id="retryNotifications", responses={404: "There is no such destination."})
def retry(json_data: schemas.NotificationRetry) -> Response:
    """Have what was given up sent again"""
    runtime, asked = context.context().runtime, json_data
    runtime.notifier.of(asked.destination)
    count = runtime.store.notifications.retry(asked.destination, runtime.clock(), asked.incident)
    runtime.notifier.wake()
    return context.answer(schemas.NotificationsRetried(destination=asked.destination, count=count))
