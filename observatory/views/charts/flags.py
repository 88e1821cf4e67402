"""What is shown of changes in charts: when each was, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from observatory.model import Change
from observatory.views.components.theme import FONT

COLUMNS = ("service", "time", "title", "text", "told", "low", "high")
FLAG_SIZE = 9
FLAGS_AT = 0.965
"""Of the height: flags are just below the upper edge."""
DASHES = [4, 3]
# Bokeh escapes what it puts in for @columns.
TOOLTIP = f"""<div style="max-width:360px;font:13px/1.45 {FONT}"><b>@title</b><br>@text
<div style="opacity:.75">@told</div></div>"""


def flags(changes: Iterable[Change]) -> dict[str, list[Any]]:
    """Columns of what is drawn of changes, in plots of any kind."""
    data: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for change in changes:
        title = change.title
        row = (
            change.service_name,
            pd.Timestamp(change.at).tz_convert(None),  # Bokeh draws times without a zone as they are: UTC here
            title[:1].upper() + title[1:],
            change.summary if change.summary != title else "",
            f"{change.at:%b} {change.at.day}, {change.at:%H:%M:%S} UTC" + (f" · {change.source}" * bool(change.source)),
            (change.service_name, -0.42),
            (change.service_name, 0.42),
        )
        for name, value in zip(COLUMNS, row, strict=True):
            data[name].append(value)
    return data
