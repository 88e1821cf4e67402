"""What Panel hands to a notebook, made safe to stand in a page, and what stands for it where no script may run."""

from __future__ import annotations

from functools import cache
from typing import Any

import panel as pn
from panel.io import notebook as panel_notebook

from observatory.config.environment import is_for_a_report
from observatory.notebooks.scriptless import STILL, as_image


@cache
def guard_scripts() -> None:
    """Have Panel escape what it writes into scripts of a notebook, also for what users make with it themselves.

    Panel 1.9.4 puts the data of a view as JSON into an inline script and leaves ``</script>`` in it as it is
    (`panel.io.notebook.render_model`): a service of such a name would end the script and begin one of its own.
    """
    serialize = panel_notebook.serialize_json

    def serialize_escaped(*arguments: Any, **options: Any) -> str:
        return str(serialize(*arguments, **options)).replace("<", "\\u003c")

    panel_notebook.serialize_json = serialize_escaped


@cache
def add_stills() -> None:
    """Give what is shown a still where a report is made of the notebook: reports have no scripts."""
    if not is_for_a_report():
        return
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        for shown in (pn.viewable.MimeRenderMixin, pn.viewable.Viewer):
            shell.display_formatter.mimebundle_formatter.for_type(shown, with_still)


def with_still(shown: Any) -> Any:
    """The bundle of something that Panel shows, with a still of it, if there is one."""
    made = shown._repr_mimebundle_()
    if not made:
        return made
    data, metadata = made if isinstance(made, tuple) else (made, {})
    still = still_of(shown)
    return (data | {STILL: still} if still else data), metadata


def still_of(shown: Any) -> str:
    """The same as HTML without scripts; empty where there is no such thing."""
    own = getattr(shown, "still", None)
    if own is not None:
        return str(own())
    return _drawn(shown.object) if isinstance(shown, pn.pane.HoloViews) else ""


def _drawn(plot: Any) -> str:
    """A HoloViews object as matplotlib draws it."""
    import holoviews as hv
    import holoviews.plotting.mpl

    picture, _ = hv.renderer("matplotlib").instance(fig="svg")(plot, fmt="svg")
    return as_image(picture)
