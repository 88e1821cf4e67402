"""Silences of the settings: kept in the store like any other, so that whoever reads it knows of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from observatory.annotations.silences import Draft, ended_at, make_silence
from observatory.config.silences import SilenceSettings
from observatory.errors import InvalidInputError, NotFoundError
from observatory.model import Silence
from observatory.store.reader import OperatorStore

SOURCE = "settings"


def follow_settings(store: OperatorStore, settings: Mapping[str, SilenceSettings], now: datetime) -> None:
    """Make what is new in the settings, and end what is there no more, or was changed.

    One that somebody ended by hand stays so, until its table is changed.

    Raises
    ------
    InvalidInputError
        Some cannot be; the message names their tables. All others are made.
    """
    known = {one.id: one for one in store.silences.read(now) if one.source == SOURCE}
    wanted = {_id_of(name, table): (name, table) for name, table in settings.items()}
    gone = [one for one in known.values() if one.id not in wanted and one.ends_at > now]
    if gone:
        store.silences.write(ended_at(one, SOURCE, now) for one in gone)
    refused = []
    for silence_id, (name, table) in wanted.items():
        if silence_id in known or table.end <= now or _was_made(store, silence_id):
            continue
        try:
            store.silences.write([_made(silence_id, name, table, store.metrics, now)])
        except InvalidInputError as error:
            refused.append(f"[silences.{name}] {error}")
    if refused:
        raise InvalidInputError("; ".join(refused))


def _was_made(store: OperatorStore, silence_id: str) -> bool:
    """Whether it was there once: somebody ended it by hand."""
    try:
        store.silences.get(silence_id)
    except NotFoundError:
        return False
    return True


def _made(silence_id: str, name: str, table: SilenceSettings, metrics: Sequence[str], now: datetime) -> Silence:
    draft = Draft(
        table.services,
        table.reason,
        table.start or now,
        table.end,
        table.severities,
        table.metrics,
        table.effect,
        table.cron,
        table.length,
        table.timezone,
    )
    return replace(make_silence(draft, table.by, now, metrics, SOURCE), id=silence_id, origin=name)


def _id_of(name: str, table: SilenceSettings) -> str:
    """Of the same name and table always the same."""
    return "s" + hashlib.sha256(f"{name}\0{table.model_dump_json()}".encode()).hexdigest()[:12]
