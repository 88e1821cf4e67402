"""The tree of errors is drawn as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from observatory import errors
from observatory.errors import ObservatoryError


def drawn(kind: type[ObservatoryError], before: str = "") -> Iterator[str]:
    """Lines of the tree of the errors below a class that the package itself has."""
    below = [one for one in kind.__subclasses__() if one.__module__ == errors.__name__]
    for one in below:
        is_last = one is below[-1]
        yield f"{before}{'└── ' if is_last else '├── '}{one.__name__}"
        yield from drawn(one, before + ("    " if is_last else "│   "))


def test_the_docstring_draws_every_error_under_its_base() -> None:
    shown = re.findall(r"^    ([│├└─ ]*\w+)", errors.__doc__ or "", flags=re.MULTILINE)
    assert shown == [ObservatoryError.__name__, *drawn(ObservatoryError)]
