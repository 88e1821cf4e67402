"""Silences and what they hide, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from observatory.analysis.silence_preview import Preview
from observatory.annotations.occurrences import next_span, span_at, state_at
from observatory.model import Silence
from observatory.times import TIME

COLUMNS = ("id", "state", "since", "until", "covers", "effect", "again", "why", "by", "from")


def silence_table(silences: Iterable[Silence], now: datetime) -> pd.DataFrame:
    """A line a silence, with `COLUMNS`; times are those at which it is in force now, or will be next."""
    return pd.DataFrame([_row(one, now) for one in silences], columns=list(COLUMNS))


def hidden_table(found: Preview) -> pd.DataFrame:
    """What a silence would have hidden, a line an incident."""
    rows = [
        {
            "incident": one.incident.id,
            "began": f"{one.incident.started_at:{TIME}}",
            "severity": str(one.incident.peak),
            "hidden": "all of it" if one.is_whole else f"{one.messages} of {one.of} messages",
            "what": one.incident.title,
        }
        for one in found.hidden
    ]
    return pd.DataFrame(rows, columns=["incident", "began", "severity", "hidden", "what"])


def again(silence: Silence) -> str:
    """When it comes again, for people; empty where it does not."""
    if silence.duration is None:
        return ""
    hours = silence.duration.total_seconds() / 3600
    length = f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"
    return f"{silence.cron} {silence.timezone}, {length} each"


def _row(one: Silence, now: datetime) -> dict[str, str]:
    since, until = span_at(one, now) or next_span(one, now) or (one.starts_at, one.ends_at)
    return {
        "id": one.id,
        "state": f"ended by {one.ended_by}" if one.ended_by else state_at(one, now),
        "since": f"{since:{TIME}}",
        "until": f"{until:{TIME}}",
        "covers": one.covered,
        "effect": one.effect.words,
        "again": again(one),
        "why": one.reason,
        "by": one.created_by,
        "from": f"{one.source} {one.origin}".strip() if one.source == "settings" else one.source,
    }
