"""The dashboard as ``panel serve`` shows it: the page of whoever the gate let in."""

from __future__ import annotations

import logging
from typing import Any

import panel as pn

from observatory.access.gate import VISITOR, Access, Arrival, Visitor, gate_of
from observatory.access.readers import reader_for
from observatory.errors import ForbiddenError, NotSignedInError
from observatory.runtime import Runtime
from observatory.runtime.current import current
from observatory.views.page import Page, query_of, wants_dark

log = logging.getLogger(__name__)


def show_page() -> None:
    """Show the page in the session that runs this, or why it cannot be shown."""
    runtime = current()
    try:
        reader = reader_for(runtime, visitor_of(runtime, pn.state.curdoc.session_context.request))
        Page(reader, query_of(pn.state.session_args), dark=wants_dark(pn.state.cookies)).servable()
    except (NotSignedInError, ForbiddenError) as error:
        pn.pane.Alert(str(error), alert_type="warning").servable(title="CloudWatch Observatory")


def visitor_of(runtime: Runtime, request: Any) -> Visitor:
    """Whom the gate let in with a request; where a server runs without one, it is asked here.

    Raises
    ------
    NotSignedInError, ForbiddenError
    """
    found: Visitor | None = getattr(request, VISITOR, None)
    if found is not None:
        return found
    log.warning(
        "this server was started without the gate that guards its other handlers: install the package again, "
        "or start it with `observatory serve`"
    )
    gate, arrival = gate_of(runtime), Arrival.of("GET", request.headers.get, request.remote_ip)
    gate.look(arrival, Access.READ)
    return gate.identify(arrival)
