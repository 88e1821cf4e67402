"""Names that were probably meant, for messages about unknown ones."""

from __future__ import annotations

from collections.abc import Iterable

LIKENESS = 0.5
"""Share of letters that must agree, from 0 to 1."""


def closest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """Those of `known` that are most like `name`, in whatever case, the closest first."""
    import difflib  # only when something went wrong

    by_lower = {one.lower(): one for one in known}
    return [by_lower[found] for found in difflib.get_close_matches(name.lower(), by_lower, most, LIKENESS)]


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "", most: int = 1) -> str:
    """A question that names the closest of `known`, or `otherwise` where none is close.

    >>> did_you_mean("shop/crat", ["shop/cart", "shop/email"])
    'did you mean shop/cart?'
    >>> did_you_mean("latency", ["up"], "choose from up")
    'choose from up'
    """
    found = closest(name, known, most)
    return f"did you mean {', '.join(found)}?" if found else otherwise
