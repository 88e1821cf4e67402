"""The dashboard as ``panel serve`` shows it: the page of whoever opened the session."""

from __future__ import annotations

import panel as pn

from observatory.access.session import reader_of_session
from observatory.errors import ForbiddenError, NotSignedInError
from observatory.runtime.current import current
from observatory.views.page import Page, query_of, wants_dark


def show_page() -> None:
    """Show the page in the session that runs this, or why it cannot be shown."""
    try:
        reader = reader_of_session(current())
        Page(reader, query_of(pn.state.session_args), dark=wants_dark(pn.state.cookies)).servable()
    except (NotSignedInError, ForbiddenError) as error:
        pn.pane.Alert(str(error), alert_type="warning").servable(title="CloudWatch Observatory")
