"""Services by name or pattern, as callers may see them."""

from __future__ import annotations

from observatory.errors import InvalidInputError
from observatory.model import covers, is_pattern
from observatory.store.reader import StoreReader


def chosen(store: StoreReader, text: str) -> list[str] | None:
    """The service called `text`, or those that it covers as a pattern; None for all where it is empty.

    Raises
    ------
    UnknownServiceError, InvalidInputError
        There is no such service; the pattern covers none.
    """
    if not text:
        return None
    known = [service.name for service in store.services()]
    if text in known or not is_pattern(text):
        return [store.service(text).name]  # it may have had this name
    found = [name for name in known if covers(text, name)]
    if not found:
        raise InvalidInputError(f"service = {text!r}: the pattern covers none of the {len(known)} services")
    return found
