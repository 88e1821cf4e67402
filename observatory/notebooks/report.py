"""A notebook as a page that stands by itself: no code unless it is wanted, and nothing is fetched from anywhere."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from observatory.logs import quiet

COPY = "application/vnd.holoviews_load.v0+json"
TEMPLATE = "observatory-report.html.j2"
LAYOUT = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
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
"""


def write_report(notebook: Any, path: Path, *, code: bool = False) -> None:
    """Write `notebook` (an `nbformat` node) as HTML to `path`; with its `code`, or only what came of it."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
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
