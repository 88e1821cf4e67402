"""The audit log, for administrators."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from observatory.access import authenticator_of
from observatory.access.gate import Access
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.middleware.rate_limits import slow
from observatory.api.schemas.requests import AuditQuery
from observatory.api.schemas.responses import AuditPage

TAG = {"name": "audit", "description": "Who did what."}
routes = APIBlueprint("audit", __name__, url_prefix="/api", tag=TAG)


@routes.get("/audit")
@access(Access.ADMIN)
@slow
@routes.input(AuditQuery, location="query")
@routes.output(AuditPage)
@routes.doc(operation_id="listAudit")
def audit(query_data: AuditQuery) -> Response:
    """Writes and refused accesses, the newest first"""
    query, runtime = query_data, context.context().runtime
    authenticator_of(runtime).audit.flush()
    since, _ = context.time_range(query.start, "now")
    found = runtime.store.audit.read(since, query.who, query.refused, query.limit)
    return context.answer(AuditPage.model_validate({"entries": found}))
