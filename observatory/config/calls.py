"""Who calls whom, as people write it down: table ``[calls]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from observatory.config.types import Names
from observatory.model import LONGEST_NAME, Call, End, is_usable_name

OUTSIDE = tuple(f"{end}:" for end in (End.USER, End.DATABASE, End.EXTERNAL))
"""What stands before the name of something that is no service."""
KIND = "settings"
MOST_CALLS = 10_000


def checked_calls(calls: dict[str, Names]) -> dict[str, Names]:
    """The table, if each of its calls can be; raises ValueError with what to do."""
    for caller, callees in calls.items():
        for name in (caller, *callees):
            is_a, text = end_of(name)
            if not is_usable_name(text):
                raise ValueError(
                    f"{name[:LONGEST_NAME]!r} is no name of a service: give 1 to {LONGEST_NAME} printable characters, "
                    f"or {', '.join(OUTSIDE)} and the name of something outside"
                )
            if is_a is End.USER and name != caller:
                raise ValueError(f"{caller!r} calls {name!r}: users call services, and are not called")
        if not callees:
            raise ValueError(f"{caller!r} calls nothing: name the services it calls, or remove the line")
        if caller in callees:
            raise ValueError(f"{caller!r} calls itself: remove it from its own list")
        if end_of(caller)[0] is not End.SERVICE and any(end_of(name)[0] is not End.SERVICE for name in callees):
            raise ValueError(f"{caller!r} and what it calls are both outside: one of them must be a service")
    count = sum(map(len, calls.values()))
    if count > MOST_CALLS:
        raise ValueError(f"{count} calls are too many: at most {MOST_CALLS}, let metrics or a Jaeger tell the others")
    return calls


def told_calls(calls: Mapping[str, Sequence[str]]) -> list[Call]:
    """The calls of the table, by the names given there."""
    found = []
    for caller, callees in calls.items():
        for callee in dict.fromkeys(callees):
            (caller_is, a), (callee_is, b) = end_of(caller), end_of(callee)
            found.append(Call(a, b, KIND, KIND, caller_is=caller_is, callee_is=callee_is))
    return found


def end_of(text: str) -> tuple[End, str]:
    """What an end is, and its name: ``database:orders`` is no service.

    >>> end_of("shop/cart"), end_of("database:orders")
    ((<End.SERVICE: 'service'>, 'shop/cart'), (<End.DATABASE: 'database'>, 'orders'))
    """
    kind, colon, name = text.partition(":")
    return (End(kind), name) if kind + colon in OUTSIDE else (End.SERVICE, text)
