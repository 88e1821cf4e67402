"""Services: which there are, and what is known about them."""

from __future__ import annotations

from datetime import datetime

from apiflask import APIBlueprint
from flask import Response

from observatory.api import context
from observatory.api.middleware.authorization import Access, access
from observatory.api.paging import next_page, page_of, place
from observatory.api.schemas.requests import Registration, ServicesQuery
from observatory.api.schemas.responses import Service, ServicePage
from observatory.model import SERVICE
from observatory.runtime.services import register_service
from observatory.store.reader import StoreReader

TAG = {"name": "services", "description": "Which services there are, and what they are held against."}
routes = APIBlueprint("services", __name__, url_prefix="/api", tag=TAG)


@routes.get("/services")
@access(Access.READ)
@routes.input(ServicesQuery, location="query")
@routes.output(ServicePage)
@routes.doc(operation_id="listServices")
def list_services(query_data: ServicesQuery) -> Response:
    """Services by name

    Each with what it is held against, how many samples of it are stored, and whether it can be judged yet.
    """
    reader = context.reader()
    kept = _kept(reader.store)
    statuses = sorted(reader.overview().services, key=lambda status: status.name)
    page_, cursor = page_of(statuses, lambda status: (status.name,), place(query_data.cursor, str), query_data.limit)
    page = ServicePage(
        services=[Service.of(status, *kept.get(status.name, (0, None)), reader.settings) for status in page_],
        total=len(statuses),
        next=next_page(cursor, query_data.limit),
    )
    return context.answer(page)


@routes.post("/services/register")
@access(Access.WRITE)
@routes.input(Registration)
@routes.output(Service, status_code=201, description="The service is new.")
@routes.doc(operation_id="registerService", responses={200: "The service was known; new facts were added."})
def register(json_data: Registration) -> Response:
    """Register a service, or add facts

    It can be called again safely. A fact left out, or null, keeps the value it has.
    """
    operator = context.operator()
    service, is_new = register_service(
        operator, json_data.service_name, **json_data.model_dump(exclude={"service_name"})
    )
    status = next(status for status in operator.overview().services if status.name == service.name)
    registered = Service.of(status, *_kept(operator.store).get(service.name, (0, None)), operator.settings)
    return context.answer(registered, status=201 if is_new else 200)


def _kept(store: StoreReader) -> dict[str, tuple[int, datetime | None]]:
    """By service, the number of its samples and the time of the newest."""
    rows = store.sample_counts().reset_index().to_dict("records")
    return {row[SERVICE]: (int(row["samples"]), row["last"].to_pydatetime()) for row in rows}
