"""The dashboard: `panel serve dashboards/observatory.py`, or better `observatory serve`."""

import sys
from pathlib import Path

import panel as pn

# The server puts this file's folder first on the path, where it would hide the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).parent.resolve()]

from observatory.access.session import runtime_of_session  # noqa: E402
from observatory.errors import ForbiddenError, NotSignedInError  # noqa: E402
from observatory.runtime.current import current  # noqa: E402
from observatory.views.page import Page, query_of, wants_dark  # noqa: E402

try:
    runtime = runtime_of_session(current())
    Page(runtime, query_of(pn.state.session_args), dark=wants_dark(pn.state.cookies)).servable()
except (NotSignedInError, ForbiddenError) as error:
    pn.pane.Alert(str(error), alert_type="warning").servable(title="CloudWatch Observatory")
