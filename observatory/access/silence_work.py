"""Silences that are made, extended and ended from a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from observatory.access.page_work import PageWork
from observatory.analysis.silence_preview import Preview, preview
from observatory.annotations.drafting import parse_draft, parse_moment
from observatory.annotations.silences import end_silence, extend_silence, make_silence
from observatory.errors import InvalidInputError
from observatory.model import Silence
from observatory.runtime.reader import Operator, Reader

FIELDS = ("start", "end", "lasts", "cron", "duration", "timezone", "effect")
"""Texts of a form, as `observatory.annotations.drafting` understands them."""
LISTS = ("services", "severities", "metrics")
LONGEST = 1000


def make(person: PageWork, form: Mapping[str, Any], address: str = "") -> Silence:
    """Make the silence of a form.

    Raises
    ------
    NotSignedInError, ForbiddenError, TooManyRequestsError, InvalidInputError
        They may not, or not so often; what is wrong with the form. Nothing is kept.
    """
    said = checked(form)

    def work(operator: Operator, who: str, now: datetime) -> Silence:
        made = make_silence(parse_draft(now=now, **said), who, now, operator.store.metrics)
        operator.store.silences.write([made])
        return made

    return person.do("add silence", lambda made: made.id, work, address)


def look_ahead(reader: Reader, form: Mapping[str, Any]) -> Preview:
    """What the silence of a form would have hidden; the reason may still be missing. Raises InvalidInputError."""
    said, now = checked(form), reader.clock()
    made = make_silence(parse_draft(now=now, **said | {"reason": "preview"}), "preview", now, reader.store.metrics)
    return preview(reader.store, made, now)


def extend(person: PageWork, silence_id: str, end: str, address: str = "") -> Silence:
    """Give a silence another end. Raises as `make`, and NotFoundError, ConflictError."""

    def work(operator: Operator, _: str, now: datetime) -> Silence:
        return extend_silence(operator.store.silences, silence_id, parse_moment(end, now, "end"), now)

    return person.do("extend silence", silence_id, work, address, f"to {end[:40]}")


def end(person: PageWork, silence_id: str, address: str = "") -> Silence:
    """End a silence now. Raises as `extend`."""
    return person.do(
        "end silence",
        silence_id,
        lambda operator, who, now: end_silence(operator.store.silences, silence_id, who, now),
        address,
    )


def checked(form: Mapping[str, Any]) -> dict[str, Any]:
    """A form that a browser sent, which may be anything; raises InvalidInputError."""
    said: dict[str, Any] = {"reason": _text(form, "reason")}
    for name in FIELDS:
        if text := _text(form, name):
            said[name] = text
    for name in LISTS:
        said[name] = _texts(form, name)
    return said


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST or not _is_whole(value):
        raise InvalidInputError(f"{name}: give a text of at most {LONGEST} characters")
    return value.strip()


def _texts(form: Mapping[str, Any], name: str) -> Sequence[str]:
    value = form.get(name, [])
    if not isinstance(value, list) or len(value) > LONGEST or not all(isinstance(one, str) for one in value):
        raise InvalidInputError(f"{name}: give a list of at most {LONGEST} texts")
    if not all(map(_is_whole, value)):
        raise InvalidInputError(f"{name}: a text has half of a letter in it, which cannot be kept: type it again")
    return [one.strip() for one in value if one.strip()]


def _is_whole(text: str) -> bool:
    """Whether it can be kept: no half of a letter."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
