"""A notebook as a page that stands by itself: no code unless it is wanted, no scripts, and nothing is fetched."""

from __future__ import annotations

import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

from observatory.logs import quiet
from observatory.notebooks.scriptless import clean_html, make_scriptless

COPY = "application/vnd.holoviews_load.v0+json"
TEMPLATE = "observatory-report.html.j2"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'"
)
"""What a report may do, also where it is opened as a file: draw itself."""
LAYOUT = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}
<meta http-equiv="Content-Security-Policy" content="POLICY">
<meta name="referrer" content="no-referrer">
{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css -%}
{{ super() }}
<style>
  body { background: var(--jp-layout-color0); }
  main { max-width: 1120px; margin: 0 auto; padding: 12px 24px 48px; }
  .jp-RenderedHTMLCommon { max-width: 100%; }
  .jp-Notebook .jp-Cell { padding: 2px 0; }
  .jp-OutputArea-output { overflow-x: auto; }
  .jp-OutputArea-output pre { white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere; }
  .jp-Cell .jp-RenderedHTMLCommon :is(th, td) { text-align: left; vertical-align: top; }
</style>
{%- endblock -%}
""".replace("POLICY", POLICY)


def write_report(notebook: Any, path: Path, *, code: bool = False) -> None:
    """Write `notebook` (an `nbformat` node) as HTML to `path`; with its `code`, or only what came of it."""
    from jinja2 import DictLoader, pass_context
    from nbconvert import HTMLExporter

    class Report(HTMLExporter):  # type: ignore[misc]
        @pass_context
        def markdown2html(self, context: Any, source: str) -> str:
            """Markdown may hold HTML."""
            return clean_html(super().markdown2html(context, source))

    notebook = deepcopy(notebook)
    make_scriptless(notebook)
    exporter = Report(
        extra_loaders=[DictLoader({TEMPLATE: LAYOUT})],
        template_file=TEMPLATE,
        exclude_input=not code,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    with quiet("traitlets"), warnings.catch_warnings():  # it wants texts beside pictures that have them above
        warnings.simplefilter("ignore", UserWarning)  # of outputs that only a notebook can show
        html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": _title(notebook, path.stem)}})
    path.write_text(html, encoding="utf-8")


def drop_copies(notebook: Any) -> bool:
    """Take out the scripts that are in `notebook` twice: Panel writes them for its extension of JupyterLab as well.

    What is left is shown by JupyterLab, too. Says whether there were any.
    """
    found = False
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        data = output.get("data", {})
        if COPY in data and data[COPY] == data.get("application/javascript"):
            del data[COPY]
            found = True
    return found


def _title(notebook: Any, otherwise: str) -> str:
    first = notebook.cells[0].source.splitlines() if notebook.cells else []
    return first[0].removeprefix("# ").strip() if first and first[0].startswith("# ") else otherwise
