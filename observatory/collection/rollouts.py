"""When a service moved to another version, told from what is seen of its instances.

Instances are replaced one by one, come and go, and are not always seen: a roll-out is one change, however long two
versions are there side by side; one that is taken back is another; an instance that is away for a while is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from observatory.model.running import MarkKind, Running, Sighting

ROLL_OUT = timedelta(minutes=30)
"""Instances that were started within this time were started together."""
AWAY = timedelta(minutes=15)
"""A value that nobody had for so long is gone."""
SIDE_BY_SIDE = timedelta(hours=1)
"""Values that are there together for so long stay so: no roll-out takes longer."""
ALONE = timedelta(days=1)
"""Of values that were there side by side, one that was alone for so long is what the service has."""
MOST_VALUES = 20
"""A mark with more values at once is no version."""
JITTER = 5.0
"""Start times are computed, and differ a little each time [s]."""


@dataclass(frozen=True, slots=True)
class Move:
    """A mark that moved to another value, `before` it had another; `last` is when it had moved the time before."""

    service_name: str
    kind: MarkKind
    mark: str
    at: datetime
    before: str
    after: str
    last: datetime | None


def follow(known: Running | None, seen: Sighting, source: str) -> tuple[Running, Move | None]:
    """What is known after a sighting, and the move that it shows; the first sighting of a mark shows none."""
    if seen.kind is MarkKind.STARTED:
        return _follow_starts(known, seen, source)
    values = seen.values[:MOST_VALUES]
    if known is None:
        target = values[0] if len(values) == 1 else ""
        seen_now = dict.fromkeys(values, seen.at)
        of = (seen.service_name, source, seen.kind, seen.mark)
        return Running(*of, target, values, seen_now, since=seen.at), None
    if not values or len(seen.values) > MOST_VALUES:  # an outage changes nothing
        return replace(known, current=()), None
    remembered = dict(known.last_seen) | dict.fromkeys(known.current, seen.at)
    if known.target:  # of values side by side none is forgotten
        remembered = {value: at for value, at in remembered.items() if seen.at - at < AWAY or value == known.target}
    new = sorted(set(values) - remembered.keys())
    remembered |= dict.fromkeys(values, seen.at)
    is_mixed = not known.target or (_are_side_by_side(known, values, seen.at) and not new)
    after = replace(known, current=values, last_seen=remembered)
    if is_mixed:
        return _follow_mixed(after, new, values, seen)
    if new:
        return _moved(after, new[-1], seen.at)
    if known.target in values:
        return replace(after, lost_at=None), None
    lost_at = known.lost_at or seen.at
    if seen.at - lost_at < AWAY:
        return replace(after, lost_at=lost_at), None
    return _moved(after, sorted(values)[-1], lost_at)


def _are_side_by_side(known: Running, values: tuple[str, ...], at: datetime) -> bool:
    return len(known.current) > 1 and len(values) > 1 and known.since is not None and at - known.since >= SIDE_BY_SIDE


def _follow_mixed(
    after: Running, new: list[str], values: tuple[str, ...], seen: Sighting
) -> tuple[Running, Move | None]:
    """Which of several values are there says nothing; one that was never there does."""
    after = replace(after, target="", lost_at=None)
    if new:
        moved, move = _moved(after, new[-1], seen.at)
        return replace(moved, target=""), move
    if len(values) > 1:
        return replace(after, since=seen.at), None
    if after.since is not None and seen.at - after.since >= ALONE:
        return replace(after, target=values[0], last_seen={values[0]: seen.at}, since=seen.at), None
    return after, None


def _moved(after: Running, target: str, at: datetime) -> tuple[Running, Move]:
    newest = sorted(after.last_seen.items(), key=lambda item: item[1])[-MOST_VALUES:]
    moved = replace(after, target=target, last_seen=dict(newest), since=at, lost_at=None, changed_at=at)
    of = (after.service_name, after.kind, after.mark)
    return moved, Move(*of, at, after.target, target, after.changed_at)


def _follow_starts(known: Running | None, seen: Sighting, source: str) -> tuple[Running, Move | None]:
    """All instances were started anew where the oldest is younger than the newest of before.

    ``target`` is the newest start of before. What is older than a roll-out belongs to it: more instances alone are no
    restart, and those that are replaced one by one over a day are none either.
    """
    oldest, newest = float(seen.values[0]), float(seen.values[-1])
    if known is None:
        of = (seen.service_name, source, seen.kind, seen.mark)
        return Running(*of, seen.values[-1], seen.values, since=seen.at), None
    before, last = float(known.target), float(known.current[-1])
    if last < seen.at.timestamp() - ROLL_OUT.total_seconds():
        before = max(before, last)
    after = replace(known, current=seen.values, target=f"{before:.0f}")
    if oldest <= before + JITTER:
        return after, None
    at = datetime.fromtimestamp(oldest, UTC)
    moved = replace(after, target=f"{newest:.0f}", since=at, changed_at=at)
    return moved, Move(seen.service_name, seen.kind, seen.mark, at, "", "", known.changed_at)
