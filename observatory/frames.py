"""Tables that say in a sentence that they are empty, in place of a row of headings."""

from __future__ import annotations

from html import escape
from typing import Any, ClassVar

import pandas as pd


class ReadableFrame(pd.DataFrame):
    """A data frame that is shown as the sentence `nothing` where it has no rows.

    What is made from it (a selection, a copy) is a plain frame again.
    """

    _metadata: ClassVar[list[str]] = ["nothing"]

    def __init__(self, data: Any, *, nothing: str, **words: Any) -> None:
        super().__init__(data, **words)  # type: ignore[call-arg]
        self.nothing = nothing

    def __repr__(self) -> str:
        return self.nothing if self.empty else super().__repr__()

    def _repr_html_(self) -> str | None:
        return f"<p>{escape(self.nothing)}</p>" if self.empty else super()._repr_html_()  # type: ignore[misc]
