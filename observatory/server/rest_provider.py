"""What Panel finds of us when it starts a server: the REST API, and the gate.

Panel loads its entry points ``panel.io.rest`` with ``panel serve``. With them the server that shows the dashboard is
behind the gate also where nobody named a plug-in of ours: ``panel serve dashboards/observatory.py``. Servers of other
programs are left as they are. ``--rest-provider observatory`` serves the API beside the page.
"""

from __future__ import annotations

from typing import Any

from observatory.server.install import harden

harden(everything=False)


def routes(files: list[str], endpoint: str) -> list[Any]:
    """The routes of the API, as Panel asks for them; they are where they always are, whatever `endpoint` says."""
    from observatory.api import plugin

    found: list[Any] = plugin.ROUTES
    return found
