"""Changes that sources show: told by those that know them, found in what is seen running by those that do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from observatory.annotations.changes import LONGEST_SUMMARY, LONGEST_VERSION, SAME_WITHIN, same_change
from observatory.collection.names import is_excluded
from observatory.collection.rollouts import Move, follow
from observatory.model import Change, ChangeKind, Failure, NameRules, change_id
from observatory.model.running import MarkKind, Running
from observatory.sources import ChangesSource, RunningSource, Source
from observatory.store import Store
from observatory.times import floor_to

AT_ONCE, OF_THE_PAST = timedelta(hours=2), timedelta(days=1)
"""So much is looked at in one piece, exactly where it is new, and roughly where it is past."""
ALIGNED = 60.0
"""Looks begin and end at multiples of this [s], so that one that is repeated finds the same times."""
RESTARTED_WITHIN = timedelta(hours=1)
"""Restarts that follow each other so soon are one: what crashes again and again is not changed again and again."""
SAYS_MOST = tuple(MarkKind)
Piece = tuple[datetime, datetime]
_KINDS = {MarkKind.STARTED: ChangeKind.RESTART, MarkKind.SIDECAR: ChangeKind.CONFIG}
_STRONGER = (ChangeKind.DEPLOYMENT, ChangeKind.CONFIG, ChangeKind.RESTART)
"""What is found of one change; a deployment also starts pods anew."""


def read_changes(source: Source, store: Store, start: datetime, end: datetime, failures: list[Failure]) -> list[Change]:
    """Keep the changes of a source since it was last looked at, or since `start` where it never was or long ago.

    Returns those that are new, or of which more is known; what was refused is added to `failures`.

    Raises
    ------
    SourceError
        It does not answer; it is looked at from the same time on again.
    """
    until = store.running.looked_until(source.name)
    first = max(start, until) if until else start
    if isinstance(source, ChangesSource):
        found = _named(source.changes(first, end), store.names.rules())
        kept = _keep_told(store, found)
        store.running.look_from(source.name, end)
        return kept
    if not isinstance(source, RunningSource):
        return []
    known = {_key(one): one for one in store.running.read(source.name)}
    kept = []
    for begin, last in _pieces(first, end, AT_ONCE):
        kept += _find(source, store, known, (begin, last), failures)
        store.running.write(known.values())
        store.running.look_from(source.name, last)
    return kept


def backfill_changes(
    source: Source | RunningSource, store: Store, start: datetime, end: datetime, failures: list[Failure]
) -> list[Change]:
    """Keep the changes that a source had in the past; what was last seen of it stays as it is. Raises as above."""
    if isinstance(source, ChangesSource):
        return _keep_told(store, _named(source.changes(start, end), store.names.rules()))
    if not isinstance(source, RunningSource):
        return []
    known: dict[tuple[str, ...], Running] = {}
    return [
        change for piece in _pieces(start, end, OF_THE_PAST) for change in _find(source, store, known, piece, failures)
    ]


def _pieces(start: datetime, end: datetime, length: timedelta) -> Iterable[Piece]:
    begin, last = floor_to(start, ALIGNED), floor_to(end, ALIGNED)
    while begin < last:
        until = min(begin + length, last)
        yield begin, until
        begin = until


def _key(one: Running) -> tuple[str, ...]:
    return one.service_name, one.kind, one.mark


def _named(changes: Iterable[Change], rules: NameRules) -> list[Change]:
    return [
        replace(one, service_name=rules.name_of(one.service_name))
        for one in changes
        if not is_excluded(one.service_name, rules)
    ]


def _keep_told(store: Store, changes: Sequence[Change]) -> list[Change]:
    """Those that are not known yet, by their id or by another report."""
    if not changes:
        return []
    first, last = min(one.at for one in changes), max(one.at for one in changes)
    names = {one.service_name for one in changes}
    near = store.changes.read(first - SAME_WITHIN, last + SAME_WITHIN, sorted(names))
    new = []
    for one in changes:
        mine = [other for other in near if other.service_name == one.service_name]
        if all(other.id != one.id for other in mine) and same_change(one, mine) is None:
            new.append(one)
            near.append(one)
    store.changes.write(new)
    return new


def _find(
    source: RunningSource,
    store: Store,
    known: dict[tuple[str, ...], Running],
    piece: Piece,
    failures: list[Failure],
) -> list[Change]:
    """The changes in a piece of time; `known` follows."""
    answer = source.running(*piece, frozenset(store.service_names()))
    failures += [Failure(f"changes of {source.name}: {one.what}", one.error) for one in answer.failures]
    moves = []
    for seen in answer.sightings:
        key = (seen.service_name, seen.kind, seen.mark)
        known[key], move = follow(known.get(key), seen, source.name)
        if move is not None:
            moves.append(move)
    if not moves:
        return []
    moves.sort(key=lambda move: (move.at, SAYS_MOST.index(move.kind), move.service_name, move.mark))
    first, last = moves[0].at - RESTARTED_WITHIN, moves[-1].at + RESTARTED_WITHIN
    near: dict[str, list[Change]] = {}
    for one in store.changes.read(first, last, sorted({move.service_name for move in moves})):
        near.setdefault(one.service_name, []).append(one)
    changed: dict[str, Change] = {}
    for move in moves:
        mine = near.setdefault(move.service_name, [])
        part_of = _part_of(move, mine)
        change = _made(move, source.name) if part_of is None else _more(part_of, move)
        if change != part_of:
            changed[change.id] = change
            near[move.service_name] = [*(one for one in mine if one is not part_of), change]
    store.changes.write(changed.values())
    return list(changed.values())


def _part_of(move: Move, near: Sequence[Change]) -> Change | None:
    """The change that a move belongs to, the latest first; not one that the same mark was part of already."""
    for one in sorted(near, key=lambda one: one.at, reverse=True):
        within = SAME_WITHIN
        if move.kind is MarkKind.STARTED:
            within = RESTARTED_WITHIN if one.kind is ChangeKind.RESTART else SAME_WITHIN
        elif move.last is not None and move.last >= one.at:
            continue
        if one.kind in _STRONGER and abs(one.at - move.at) <= within:
            return one
    return None


def _made(move: Move, source: str) -> Change:
    kind, version = _KINDS.get(move.kind, ChangeKind.DEPLOYMENT), _version(move)
    identity = change_id(move.service_name, move.at, kind, version, move.after)
    return Change(identity, move.service_name, move.at, kind, version, _summary(move), source=source)


def _more(known: Change, move: Move) -> Change:
    """`known` with what a move adds; what people said of it stays, and that pods were started adds nothing."""
    if move.kind is MarkKind.STARTED:
        return known
    kind = min(known.kind, _KINDS.get(move.kind, ChangeKind.DEPLOYMENT), key=_STRONGER.index)
    version = known.version or _version(move)
    says_more = (kind, version) != (known.kind, known.version) or not known.summary
    summary = _summary(move) if says_more and not known.url else known.summary
    return replace(known, kind=kind, at=min(known.at, move.at), version=version, summary=summary)


def _version(move: Move) -> str:
    """What runs now: a version as the service tells it, or the tag of its image; not that of what runs beside it."""
    if move.kind is MarkKind.VERSION:
        return move.after[:LONGEST_VERSION]
    return tag_of(move.after)[:LONGEST_VERSION] if move.kind is MarkKind.IMAGE else ""


def _summary(move: Move) -> str:
    if move.kind is MarkKind.STARTED:
        return f"all {move.mark} were started anew"
    what = {
        MarkKind.VERSION: f"version {move.after}",
        MarkKind.IMAGE: f"image {move.after}",
        MarkKind.SIDECAR: f"image of {move.mark}: {move.after}",
        MarkKind.REVISION: f"new pods, of ReplicaSet {move.after.rpartition('/')[2]}",
    }[move.kind]
    before = move.before if move.kind is MarkKind.VERSION else tag_of(move.before)
    return f"{what}, before {before}"[:LONGEST_SUMMARY] if before and move.kind is not MarkKind.REVISION else what


def tag_of(image: str) -> str:
    """The tag of an image, or the start of its digest; empty where it has neither.

    >>> tag_of("eu.gcr.io:5000/shop/cart:1.4.2"), tag_of("cart@sha256:0123456789abcdef"), tag_of("localhost:5000/cart")
    ('1.4.2', '0123456789ab', '')
    """
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or digest.rpartition(":")[2][:12]
