"""The REST API as one WSGI application over a runtime."""

from __future__ import annotations

from apiflask import APIFlask

from observatory import __version__
from observatory.api import context, openapi, problems
from observatory.api.middleware import authorization, cors, delivery, rate_limits, request_log
from observatory.api.middleware import metrics as request_metrics
from observatory.api.routes import (
    alerts,
    audit,
    changes,
    collect,
    docs,
    events,
    feedback,
    health,
    incidents,
    links,
    metrics,
    monitoring,
    notifications,
    runs,
    services,
    silences,
    system,
)
from observatory.runtime import Runtime
from observatory.runtime.startup import Startup

SUBJECTS = (
    services,
    health,
    incidents,
    alerts,
    links,
    metrics,
    collect,
    feedback,
    changes,
    silences,
    notifications,
    runs,
    events,
    system,
    monitoring,
    audit,
    docs,
)


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
    app.config["AUTO_SERVERS"] = False  # the document would name the machine of whoever asks first
    app.config["VALIDATION_ERROR_STATUS_CODE"] = problems.INVALID.status
    app.config["VALIDATION_ERROR_DESCRIPTION"] = "A parameter or a field cannot be used; `errors` names each."
    app.description = openapi.DESCRIPTION
    app.spec_callback = openapi.polish
    context.install(app, context.Context(runtime, startup))
    delivery.install(app, int(runtime.settings.max_answer * 1e6))
    request_metrics.install(app)
    problems.install(app)
    for subject in SUBJECTS:
        app.register_blueprint(subject.routes)
    request_log.install(app)
    cors.install(app, runtime.settings.cors_origins)
    authorization.install(app)
    rate_limits.install(app, runtime.settings.slow_queries)
    app.extensions["openapi"] = openapi.Document(app)
    return app
