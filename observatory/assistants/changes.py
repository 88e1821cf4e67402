"""Changes: what was done to services."""

from __future__ import annotations

from observatory.assistants.answers import Answer, Rows
from observatory.assistants.arguments import ANY, Changes, time_range
from observatory.assistants.lookup import chosen
from observatory.model import Change
from observatory.runtime.reader import Reader


def changes(reader: Reader, asked: Changes) -> Answer:
    """Deployments and other changes in a range of time, the newest first."""
    start, end = time_range(reader, asked.start, asked.end)
    read = reader.store.changes.read(start, end, chosen(reader.store, asked.service))
    found = sorted(
        (one for one in read if asked.kind in (ANY, one.kind)), key=lambda one: (-one.at.timestamp(), one.id)
    )
    narrow = "name a service or a kind, ask for less time (start, end), or raise limit"
    rows = [_row(change) for change in found[: asked.limit]]
    return Answer({"start": start, "end": end}, Rows("changes", rows, len(found), narrow))


def _row(change: Change) -> dict[str, object]:
    facts = {
        "service": change.service_name,
        "at": change.at,
        "kind": change.kind,
        "version": change.version,
        "summary": change.summary,
        "url": change.url,
        "known_from": change.source,
    }
    return {name: value for name, value in facts.items() if value != ""}
