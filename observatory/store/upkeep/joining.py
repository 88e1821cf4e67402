"""Rows of services that get another name, in every table of one transaction; see `observatory.store.sql.names`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from observatory.catalog import Metric
from observatory.errors import ConflictError
from observatory.model import SERVICE, Overlap
from observatory.store.engine.homes.base import Session
from observatory.store.sql import names, schema
from observatory.store.sql.combining import combining
from observatory.store.sql.literals import Row
from observatory.store.tables.base import Table
from observatory.store.tables.calls import CallTable
from observatory.store.tables.every import TABLES
from observatory.store.tables.names import ArchivedNameTable
from observatory.store.tables.rollups import ROLLUPS, RollupTable
from observatory.store.tables.samples import HOUR, SampleTable, floor_hour
from observatory.store.tables.services import ServiceTable
from observatory.store.tables.states import StateTable
from observatory.store.tables.watermarks import WatermarkTable


@dataclass(frozen=True, slots=True)
class Overlapping:
    """Times at which several services have a sample that are to become one."""

    times: int
    first: datetime
    last: datetime
    example: str

    def __str__(self) -> str:
        return (
            f"samples of the services that would become {self.example!r} overlap at {self.times} times from "
            f"{self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC"
        )


def batch_of(becomes: Mapping[str, str | None], counts: Mapping[str, Row]) -> pd.DataFrame:
    """A batch of services by what they become, given the number of their samples, and the time of the first.

    Those that stay come first in place, and then those with the most samples; so that what was learned of most
    samples goes on, `learned` is a place by samples alone.
    """

    def by_samples(name: str) -> tuple[int, str, str]:
        row = counts.get(name)
        return (-int(row["samples"]), str(row["first"]), name) if row else (0, "", name)

    learned = {name: place for place, name in enumerate(sorted(becomes, key=by_samples))}
    stays_first = sorted(becomes, key=lambda name: (becomes[name] != name, learned[name]))
    places = {name: place for place, name in enumerate(stays_first)}
    return pd.DataFrame(
        {
            SERVICE: pd.Series(list(becomes), dtype="string"),
            "becomes": pd.Series(list(becomes.values()), dtype="string"),
            "place": [places[name] for name in becomes],
            "learned": [learned[name] for name in becomes],
        }
    )


def join_services(session: Session, batch: str, overlap: Overlap, catalog: Mapping[str, Metric]) -> None:
    """Give the services of a batch their new names in every table.

    Raises
    ------
    ConflictError
        Samples overlap, and `overlap` refuses that.
    """
    overlapping = _overlapping(session, names.overlaps(batch))
    found = overlapping or _overlapping(session, names.overlapping_rollups(batch))
    if found and overlap is Overlap.REFUSE:
        raise ConflictError(
            f"{found}: say what is to count then, `combine` (one sample of both) or `keep` (one of them)"
        )
    metrics = list(session.read(schema.NUMBERS, [SampleTable.name])["column_name"])
    _join_samples(session, batch, overlap, combining(catalog, metrics), overlaps=overlapping is not None)
    for table in ROLLUPS:
        _join_rollups(session, table, batch, metrics)
    if overlapping:
        _summarise_again(session, batch, overlapping, metrics)
    facts = [column.name for column in ServiceTable.columns if column.name != SERVICE]
    _replace(session, ServiceTable, SERVICE, batch, lambda copy: names.join_services(copy, batch, facts))
    for other in TABLES:
        if other not in (SampleTable, ServiceTable, *ROLLUPS):
            _rename_in(session, other, batch)
    _execute(session, [names.close_older_anomalies(batch), names.forget_own_calls(batch)])


def remove_services(session: Session, batch: str, gone: Sequence[str]) -> None:
    """Remove the rows of the services of a batch from every table, and their names from those of others."""
    for table in TABLES:
        for column in table.service_columns:
            is_its_own = column == SERVICE or table is CallTable
            mark = table.service_marks.get(column)
            if is_its_own:
                session.execute(names.delete_rows(table.name, column, batch, mark))
            else:
                session.execute(names.blank(table.name, column, batch))
    _execute(session, ArchivedNameTable.renaming(batch))
    session.execute(names.FORGET_FETCHES, {"asked": [json.dumps([name]) for name in gone]})


def _join_samples(
    session: Session, batch: str, overlap: Overlap, metrics: Mapping[str, str], *, overlaps: bool
) -> None:
    copy = _copy_name()
    if overlaps:
        session.execute(names.join_samples(copy, batch, metrics, combine=overlap is Overlap.COMBINE))
    session.execute(names.rename_samples(batch))
    _execute(session, ArchivedNameTable.renaming(batch))
    if overlaps:  # they hide those in the archive
        _execute(session, [*names.replace_samples(copy), names.drop(copy)])


def _join_rollups(session: Session, table: type[RollupTable], batch: str, metrics: Sequence[str]) -> None:
    _replace(session, table, SERVICE, batch, lambda copy: names.join_rollups(copy, table.name, batch, metrics))


def _summarise_again(session: Session, batch: str, found: Overlapping, metrics: Sequence[str]) -> None:
    rolled_up = WatermarkTable.read(session, "rollup")
    if rolled_up is None or found.first >= rolled_up:
        return
    span = [floor_hour(found.first), min(rolled_up, floor_hour(found.last) + HOUR)]
    for table in ROLLUPS:
        table.refresh(session, batch, metrics, span)


def _rename_in(session: Session, table: type[Table], batch: str) -> None:
    order = "b.learned" if table is StateTable else "b.place"
    for column in table.service_columns:
        if column in table.keys:
            _join_rows(session, table, column, batch, order)
        else:
            session.execute(names.rename_values(table.name, column, batch))


def _join_rows(session: Session, table: type[Table], column: str, batch: str, order: str) -> None:
    _replace(
        session,
        table,
        column,
        batch,
        lambda copy: names.join_rows(
            copy, table.name, column, table.keys, batch, order, table.service_marks.get(column), table.joined
        ),
    )


def _replace(session: Session, table: type[Table], column: str, batch: str, joined: Callable[[str], str]) -> None:
    """Make a copy of the rows by their new names, and put it in their place."""
    copy = _copy_name()
    replacing = names.replace_rows(copy, table.name, column, batch, table.service_marks.get(column))
    _execute(session, [joined(copy), *replacing, names.drop(copy)])


def _overlapping(session: Session, sql: str) -> Overlapping | None:
    row = session.rows(sql)[0]
    return Overlapping(row["times"], row["first"], row["last"], row["example"]) if row["times"] else None


def _copy_name() -> str:
    return f"copy_{secrets.token_hex(6)}"


def _execute(session: Session, texts: Iterable[str]) -> None:
    for text in texts:
        session.execute(text)
