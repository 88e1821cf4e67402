"""Silences of an Alertmanager as ours, and ours as those of an Alertmanager.

Ours become matchers on the alerts that we send there, and on no other. Of theirs those are of interest that match
alerts that we send there. A mark in the comment tells ours apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from observatory.annotations.in_force import InForce
from observatory.errors import DeliveryError
from observatory.model import is_pattern
from observatory.times import rfc3339

ALERT = "ObservatoryIncident"
"""The name of the alerts that we send."""
MARK = re.compile(r"\[observatory ([as][0-9a-f]+) (\S+)\]")
"""At the end of the comment of ours: its id, and since when it is in force this time."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; a pattern (RE2) is one for the whole value."""

    name: str
    value: str
    is_regex: bool
    is_equal: bool

    def matches(self, value: str) -> bool:
        """Whether a label has a value that it asks for; a label that is missing is an empty one."""
        found = bool(re.fullmatch(self.value, value)) if self.is_regex else self.value == value
        return found is self.is_equal


@dataclass(frozen=True, slots=True)
class TheirSilence:
    """A silence as an Alertmanager has it; `mark` is that of ours, empty where it is theirs."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    is_over: bool
    mark: str

    def covers(self, labels: Mapping[str, str]) -> bool:
        """Whether it silences an alert with these labels."""
        return all(matcher.matches(labels.get(matcher.name, "")) for matcher in self.matchers)

    def wants(self, label: str) -> bool:
        """Whether it asks for a label."""
        return any(matcher.name == label for matcher in self.matchers)


def silence_of(raw: Mapping[str, Any]) -> TheirSilence:
    """A silence of the API, version 2; raises DeliveryError where it is none, or a pattern is not understood."""
    try:
        matchers = tuple(
            Matcher(str(one["name"]), str(one["value"]), bool(one["isRegex"]), bool(one.get("isEqual", True)))
            for one in raw["matchers"]
        )
        for matcher in matchers:
            if matcher.is_regex:
                re.compile(matcher.value)
        comment = str(raw.get("comment", ""))
        mark = MARK.search(comment)
        return TheirSilence(
            str(raw["id"]),
            matchers,
            _time(raw["startsAt"]),
            _time(raw["endsAt"]),
            str(raw.get("createdBy", "")),
            comment,
            raw["status"]["state"] == "expired",
            mark[0] if mark else "",
        )
    except (KeyError, TypeError, ValueError, re.error) as error:
        known = str(raw.get("id", "")) if isinstance(raw, Mapping) else ""
        raise DeliveryError(f"silence {known!r:.60} is not understood: {error}") from None


def mark_of(one: InForce) -> str:
    """What tells a silence of ours, this time that it is in force."""
    return f"[observatory {one.silence.id} {rfc3339(one.since)}]"


def silence_for(one: InForce, replacing: str = "") -> dict[str, Any] | None:
    """One of ours as the API takes it; None where its alerts cannot be told apart by labels.

    `replacing` is the id there of the one that it takes the place of.
    """
    if one.silence.severities or one.silence.metrics:
        return None  # they are no labels: what changes is no part of what an alert is
    matchers = [_matcher("alertname", [ALERT])]
    if "*" not in one.silence.services:
        matchers.append(_matcher("service", one.silence.services))
    if one.silence.incidents:
        matchers.append(_matcher("incident", one.silence.incidents))
    body = {
        "matchers": matchers,
        "startsAt": rfc3339(one.since),
        "endsAt": rfc3339(one.until),
        "createdBy": one.silence.created_by,
        "comment": f"{one.silence.reason} {mark_of(one)}",
    }
    return {"id": replacing, **body} if replacing else body


def regex_of(patterns: Sequence[str]) -> str:
    """Shell patterns as one pattern (RE2) for the whole text.

    >>> regex_of(["shop/*", "pay.v[!12]"])
    'shop/.*|pay\\\\.v[^12]'
    """
    return "|".join(map(_regex, patterns))


def _regex(pattern: str) -> str:
    parts, place = [], 0
    while place < len(pattern):
        letter = pattern[place]
        closing = pattern.find("]", place + 2) if letter == "[" else -1
        if closing > 0:
            inside = pattern[place + 1 : closing].replace("\\", "\\\\")
            parts.append(f"[^{inside[1:]}]" if inside[0] == "!" else f"[{inside}]")
            place = closing
        else:
            parts.append({"*": ".*", "?": "."}.get(letter) or re.sub(r"([\\.+()|\[\]{}^$])", r"\\\1", letter))
        place += 1
    return "".join(parts)


def _matcher(name: str, values: Iterable[str]) -> dict[str, Any]:
    texts = list(values)
    is_regex = len(texts) > 1 or is_pattern(texts[0])
    return {"name": name, "value": regex_of(texts) if is_regex else texts[0], "isRegex": is_regex, "isEqual": True}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
