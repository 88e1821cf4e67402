"""The documentation in a browser: Swagger UI from a package, so that no other machine is asked for anything."""

from __future__ import annotations

from importlib.resources import files

from apiflask import APIBlueprint
from flask import Response

from observatory.access.gate import Access
from observatory.api.middleware.authorization import access
from observatory.api.problems import Problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CloudWatch Observatory: REST API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = """\
SwaggerUIBundle({
  url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null, displayRequestDuration: true,
  presets: [SwaggerUIBundle.presets.apis],
});
"""

routes = APIBlueprint("docs", __name__, url_prefix="/api", enable_openapi=False)


@routes.get("/docs")
@access(Access.PUBLIC)
def page() -> Response:
    """The page."""
    return _shown(PAGE, "text/html")


@routes.get("/docs/<file>")
@access(Access.PUBLIC)
def asset(file: str) -> Response:
    """What the page is made of."""
    if file == "start.js":
        return _shown(START, "text/javascript")
    if file not in ASSETS:
        raise Problem(404, f"there is no file {file[:80]!r}: the page is at /api/docs")
    return _shown((files("flask_swagger_ui") / "dist" / file).read_bytes(), ASSETS[file])


def _shown(content: str | bytes, mimetype: str) -> Response:
    return Response(content, mimetype=mimetype, headers={"Content-Security-Policy": POLICY})
