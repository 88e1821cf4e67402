"""Reports of notebooks that were run: pages, which the browser keeps apart from everything else."""

from __future__ import annotations

from pathlib import Path

from apiflask import APIBlueprint
from flask import Response

from observatory.access.gate import Access
from observatory.api import context
from observatory.api.middleware.authorization import access
from observatory.api.problems import Problem
from observatory.notebooks.report import POLICY
from observatory.notebooks.run import files_of

TAG = {"name": "runs", "description": "Notebooks that were run."}
routes = APIBlueprint("runs", __name__, url_prefix="/api", tag=TAG)

APART = f"{POLICY}; frame-ancestors 'none'; sandbox"
"""A report is kept apart from everything: no script runs in it, whoever wrote it, and it leads itself nowhere."""


@routes.get("/runs/<run_id>/report")
@access(Access.READ)
@routes.doc(operation_id="getReport", responses={200: "A page that stands by itself.", 404: "There is none."})
def report(run_id: str) -> Response:
    """The report of a run

    As HTML. Only reports under the server's own folder of runs are handed out.
    """
    run = context.reader().store.runs.get(run_id)
    page = files_of(run)[1].resolve() if run is not None and run.folder else None
    if page is None or not _lies_in(page, context.context().runtime.settings.runs) or not page.is_file():
        raise Problem(404, f"there is no report of a run {run_id!r} here")
    return Response(page.read_bytes(), headers={"Content-Security-Policy": APART}, mimetype="text/html")


def _lies_in(page: Path, folder: Path) -> bool:
    return page.is_relative_to(folder.resolve())
