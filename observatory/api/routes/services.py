"""Services: which there are, and what is known about them."""

from __future__ import annotations

from datetime import datetime

from apiflask import APIBlueprint
from flask import Response, g

from observatory.access.gate import Access
from observatory.analysis.call_graph import call_graph
from observatory.api import context, rows
from observatory.api.middleware.authorization import access
from observatory.api.paging import next_page, page_of, place
from observatory.api.schemas.requests import GraphQuery, Merging, Registration, RemovalQuery, Renaming, ServicesQuery
from observatory.api.schemas.responses import Graph, NameRules, Removed, Service, ServicePage
from observatory.model import SERVICE, Overlap
from observatory.runtime.reader import Operator
from observatory.runtime.services import register_service
from observatory.store.reader import StoreReader

TAG = {"name": "services", "description": "Which services there are, and what they are held against."}
NO_SERVICE = "There is no such service."
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
    services = [Service.of(status, *kept.get(status.name, (0, None)), reader.settings) for status in page_]
    following = next_page(cursor, query_data.limit, format=rows.kept(query_data.format))
    if query_data.format == "rows":
        return rows.answer(map(rows.of_service, services), following)
    return context.answer(ServicePage(services=services, total=len(statuses), next=following))


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
    return context.answer(_service(operator, service.name), status=201 if is_new else 200)


@routes.get("/services/names")
@access(Access.READ)
@routes.output(NameRules)
@routes.doc(operation_id="listNames")
def list_names() -> Response:
    """Which services have another name, and which are excluded

    In the order in which it was said.
    """
    return context.answer(NameRules.model_validate(context.reader().store.names.rules()))


@routes.get("/services/graph")
@access(Access.READ)
@routes.input(GraphQuery, location="query")
@routes.output(Graph)
@routes.doc(operation_id="getGraph", responses={404: NO_SERVICE})
def graph(query_data: GraphQuery) -> Response:
    """Who calls whom

    All of it, or what is around one service. What is outside of all services (users, databases, hosts) is there as
    such, and nothing is reached through it. Calls that were not seen for a week are left out.
    """
    found = call_graph(context.reader().store, query_data.service, query_data.hops, query_data.all)
    return context.answer(Graph.of(found))


@routes.post("/services/<name:service>/rename")
@access(Access.WRITE)
@routes.input(Renaming)
@routes.output(Service)
@routes.doc(operation_id="renameService", responses={404: NO_SERVICE, 409: "There is a service of the new name."})
def rename(service: str, json_data: Renaming) -> Response:
    """Give a service another name

    It keeps its samples, anomalies and what was learned of it, and gets what its source has of it later. The name of
    before still finds it.
    """
    operator = context.operator()
    g.detail = f"to {json_data.new_name}"
    operator.store.names.rename(service, json_data.new_name, operator.clock())
    return context.answer(_service(operator, json_data.new_name))


@routes.post("/services/<name:service>/merge")
@access(Access.WRITE)
@routes.input(Merging)
@routes.output(Service)
@routes.doc(operation_id="mergeService", responses={404: NO_SERVICE, 409: "Samples of both overlap."})
def merge(service: str, json_data: Merging) -> Response:
    """Make a service part of another

    The answer is the service that stays. Where both say something (facts, verdicts), what was said of that one stays.
    """
    operator = context.operator()
    g.detail = f"into {json_data.into}, overlap: {json_data.overlap}"
    operator.store.names.merge([service], json_data.into, operator.clock(), Overlap(json_data.overlap))
    return context.answer(_service(operator, json_data.into))


@routes.delete("/services/<name:service>")
@access(Access.WRITE)
@routes.input(RemovalQuery, location="query")
@routes.output(Removed)
@routes.doc(operation_id="removeService", responses={404: NO_SERVICE})
def remove(service: str, query_data: RemovalQuery) -> Response:
    """Remove a service and all there is of it

    This cannot be taken back. It stays away until it is registered again, unless `exclude` is false.
    """
    operator = context.operator()
    g.detail = "excluded" if query_data.exclude else "may come back"
    operator.store.names.remove([service], operator.clock(), [service] if query_data.exclude else [])
    return context.answer(Removed(service_name=service, excluded=query_data.exclude))


def _service(operator: Operator, name: str) -> Service:
    status = next(status for status in operator.overview().services if status.name == name)
    return Service.of(status, *_kept(operator.store).get(name, (0, None)), operator.settings)


def _kept(store: StoreReader) -> dict[str, tuple[int, datetime | None]]:
    """By service, the number of its samples and the time of the newest."""
    rows = store.sample_counts().reset_index().to_dict("records")
    return {row[SERVICE]: (int(row["samples"]), row["last"].to_pydatetime()) for row in rows}
