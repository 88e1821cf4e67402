"""The dashboard's views in a notebook: what the page needs is inlined, and what is shown follows the store."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import panel as pn

from observatory.errors import InvalidInputError
from observatory.runtime.reader import Reader
from observatory.views import VIEWS
from observatory.views.notebook.bundles import add_stills, guard_scripts
from observatory.views.notebook.printed import printed
from observatory.views.service import Drilldown
from observatory.views.session.live import live
from observatory.views.session.state import State


@cache
def load_views() -> None:
    """Put Panel's scripts into the notebook; inline, so that no request leaves the machine."""
    guard_scripts()
    add_stills()
    pn.extension(inline=True)


@cache
def load_plots() -> None:
    """The same for HoloViews, before anything is drawn: `hv.extension` would fetch its scripts from elsewhere."""
    load_views()
    import holoviews as hv
    import holoviews.plotting.bokeh

    hv.Store.set_current_backend("bokeh")


def live_view(runtime: Reader, name: str, choices: Mapping[str, Any]) -> Any:
    """The view called `name`, or the drill-down of the service of that name.

    It is read again every `refresh` seconds where the clock runs.

    Raises
    ------
    InvalidInputError
        One of the `choices` is none.
    """
    load_views()
    is_view = name in VIEWS
    try:
        state = State(**({"view": name} if is_view else {"service": name}) | dict(choices))
    except (TypeError, ValueError) as wrong:
        known = ", ".join(parameter for parameter in State.param if parameter != "name")
        raise InvalidInputError(f"a view cannot be shown like that: {wrong}; there are {known}") from None
    overview, error = live(runtime).read()
    state.param.update(overview=overview, error=error)
    shown: Any = VIEWS.get(name)(runtime, state) if is_view else Drilldown(runtime, state)
    shown.still = lambda: printed(runtime, name, state)
    if runtime.is_live:
        pn.state.add_periodic_callback(_refresh(runtime, state), period=round(1000 * runtime.settings.refresh))
    return shown


def _refresh(runtime: Reader, state: State) -> Any:
    def refresh() -> None:
        overview, error = live(runtime).read()
        state.param.update(overview=overview or state.overview, error=error)

    return refresh
