"""The REST API as one WSGI application over a runtime."""

from __future__ import annotations

from apiflask import APIFlask

from observatory import __version__
from observatory.api import context as wire
from observatory.api import openapi
from observatory.api import problems as errors
from observatory.api.middleware import authorization as access
from observatory.api.middleware import cors as sharing
from observatory.api.middleware import delivery
from observatory.api.middleware import rate_limits as limits
from observatory.api.middleware import request_log as journal
from observatory.api.routes import audit, collect, docs, feedback, health, incidents, metrics, runs, services, system
from observatory.api.routes import events as stream
from observatory.api.routes import monitoring as exposition
from observatory.runtime import Runtime
from observatory.runtime.startup import Startup

SUBJECTS = (services, health, incidents, metrics, collect, feedback, runs, stream, system, exposition, audit, docs)


def create_app(runtime: Runtime, startup: Startup | None = None) -> APIFlask:
    """The application over `runtime`; `startup` tells readiness how starting goes.

    Raises
    ------
    TypeError
        A route forgot to declare its access.
    """
    app = APIFlask(
        __name__,
        title=openapi.TITLE,
        version=__version__,
        spec_path=None,  # a route of ours serves it
        docs_path=None,  # its pages load from a CDN
        json_errors=False,
        static_folder=None,  # type: ignore[arg-type]
    )
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["VALIDATION_ERROR_STATUS_CODE"] = errors.INVALID.status
    app.config["VALIDATION_ERROR_DESCRIPTION"] = "A parameter or a field cannot be used; `errors` names each."
    app.description = openapi.DESCRIPTION
    app.spec_callback = openapi.polish
    wire.install(app, wire.Context(runtime, startup))
    delivery.install(app, int(runtime.settings.max_answer * 1e6))
    exposition.install(app)
    errors.install(app)
    for subject in SUBJECTS:
        app.register_blueprint(subject.routes)
    journal.install(app)
    sharing.install(app)
    access.install(app)
    limits.install(app, runtime.settings.slow_queries)
    app.extensions["openapi"] = app.spec
    return app
