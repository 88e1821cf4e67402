"""PromQL as a text: its strings and comments, where parentheses end, what stands for something, what is said twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

_STRING = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`'
_STRINGS = re.compile(_STRING, re.DOTALL)
_STRINGS_AND_COMMENTS = re.compile(rf"({_STRING})|#[^\n]*", re.DOTALL)


def masked(query: str) -> str:
    """`query` with nothing but quotes in its strings, so that what is found in it is found at the same place.

    >>> masked('up{a=")"}')
    'up{a=\"\"\"}'
    """
    return _STRINGS.sub(lambda found: '"' * len(found[0]), query)


def without_comments(query: str) -> str:
    """`query` as it may be put into another: a comment at its end would go on there.

    >>> without_comments('up{a="#1"} # all of "them"')
    'up{a="#1"} '
    """
    return _STRINGS_AND_COMMENTS.sub(lambda found: found[1] or "", query)


def filled_in(query: str, values: Mapping[str, str]) -> str:
    """`query` with values for names such as ``$by`` or ``${by}``; what is in strings stays.

    >>> filled_in('sum by ($by) (x{a="$by"})', {"by": "job"})
    'sum by (job) (x{a="$by"})'
    """
    names = "|".join(values)
    parts, at = [], 0
    for found in re.finditer(rf"\$(?:({names})\b|\{{({names})\}})", masked(query)):
        parts += [query[at : found.start()], values[found[1] or found[2]]]
        at = found.end()
    return "".join([*parts, query[at:]])


def is_balanced(query: str) -> bool:
    """Whether every parenthesis, brace and bracket is closed by its like."""
    still_open = []
    for sign in re.findall(r"[(){}\[\]]", masked(query)):
        if sign in _CLOSED_BY:
            still_open.append(_CLOSED_BY[sign])
        elif not still_open or still_open.pop() != sign:
            return False
    return not still_open


def closing(query: str, opening: int) -> int:
    """Where the parenthesis ends that opens at `opening`."""
    depth = 0
    for at, sign in _parentheses(query, opening):
        depth += 1 if sign == "(" else -1
        if not depth:
            return at
    return len(query)


def opening(query: str, end: int) -> int:
    """Where the parenthesis opens that is still open at `end`; -1 where none is."""
    stack: list[int] = []
    for at, sign in _parentheses(query[:end]):
        if sign == "(":
            stack.append(at)
        elif stack:
            stack.pop()
    return stack[-1] if stack else -1


def last_argument(arguments: str) -> tuple[str, str]:
    """What is in front of the last of a function's arguments, with its comma, and the last.

    >>> last_argument('0.9, sum by (le, job) (x{a="b,c"})')
    ('0.9,', ' sum by (le, job) (x{a="b,c"})')
    """
    depth, after = 0, 0
    for found in re.finditer(r"[(){}\[\],]", masked(arguments)):
        if found[0] == ",":
            after = after if depth else found.end()
        else:
            depth += 1 if found[0] in _CLOSED_BY else -1
    return arguments[:after], arguments[after:]


def said_once(query: str) -> str:
    """`query` in MetricsQL, with what it says more than once defined in front of it: it is half as long then.

    >>> said_once("(sum by (job) (requests_total{code='500'})) / (sum by (job) (requests_total{code='500'}) > 0)")
    "WITH (part_0 = sum by (job) (requests_total{code='500'})) (part_0) / (part_0 > 0)"
    """
    parts: list[str] = []
    while repeated := [one for one, times in Counter(_aggregations(query)).items() if times > 1]:
        longest = max(repeated, key=len)
        query = query.replace(longest, f"part_{len(parts)}")
        parts.append(f"part_{len(parts)} = {longest}")
    return f"WITH ({', '.join(parts)}) {query}" if parts else query


def _aggregations(query: str) -> Iterator[str]:
    for found in _AGGREGATION.finditer(masked(query)):
        yield query[found.start() : closing(query, found.end() - 1) + 1]


_AGGREGATION = re.compile(r"\b[a-z]+ by \([^()]*\) \(")
_CLOSED_BY = {"(": ")", "{": "}", "[": "]"}


def _parentheses(query: str, start: int = 0) -> Iterator[tuple[int, str]]:
    return ((found.start(), found[0]) for found in re.finditer(r"[()]", masked(query)) if found.start() >= start)
