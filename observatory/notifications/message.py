"""What a person is told: one transition of an incident in the words that are needed at three in the morning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from observatory.model import Delivery, EventKind, Incident, IncidentEvent, IncidentState, Link, Severity, Symptom
from observatory.times import TIME, whole_minutes

MessageKind = EventKind | Literal["summary", "test"]

MOST_SYMPTOMS, MOST_CHANGES, MOST_SERVICES = 5, 3, 8
LONGEST_FACT = 600
"""Longer texts of one fact are cut, for receivers refuse what is too long."""
VERBS: dict[str, str] = {
    "worse": "Worse",
    "better": "Better",
    "acknowledged": "Acknowledged",
    "resolved": "Resolved",
    "reopened": "Back again",
    "merged": "Merged",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a message: what it is about, and what is said."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is handed to a destination.

    Attributes
    ----------
    key
        Identifies it over all attempts.
    at
        When it happened.
    title
        One line that says it all.
    facts
        The rest, the most important first.
    severity
        Of the incident then; of a summary, the worst.
    incident
        As it is now; None for a summary or a test.
    link
        Where people see more; empty where no public address is set.
    links
        Where other programs show more, such as logs.
    picture
        Of the worst metric, as PNG; None where there is none, or the destination takes none.
    """

    key: str
    kind: MessageKind
    at: datetime
    title: str
    facts: tuple[Fact, ...]
    severity: Severity
    incident: Incident | None = None
    link: str = ""
    picture: bytes | None = None
    links: tuple[Link, ...] = ()

    @property
    def text(self) -> str:
        """All of it as plain text, a line a fact."""
        lines = [self.title, *(f"{fact.name}: {fact.text}" for fact in self.facts)]
        more = [f"{link.title}: {link.url}" for link in self.links]
        return "\n".join([*lines, self.link, *more] if self.link else [*lines, *more])

    @property
    def is_over(self) -> bool:
        """Whether it says that an incident ended."""
        return self.kind in ("resolved", "merged")


def compose(
    delivery: Delivery,
    incident: Incident,
    events: Sequence[IncidentEvent],
    now: datetime,
    public_url: str = "",
    merged_into: Incident | None = None,
    links: Sequence[Link] = (),
) -> Message:
    """The message about one transition.

    Parameters
    ----------
    delivery
        The transition, and whom it goes to.
    incident
        As it is now: what became known since belongs to the message.
    events
        Its timeline.
    now
        The time.
    public_url
        Where people reach the dashboard; empty: nowhere.
    merged_into
        What it became part of.
    links
        Where other programs show more.
    """
    said = [event for event in events if event.kind == delivery.kind and event.at == delivery.happened_at]
    severity = incident.peak if delivery.kind in ("resolved", "merged") else incident.severity
    facts = [
        Fact("Since", _since(incident, delivery, now)),
        *_out_of_band(incident),
        *_likeliest(incident),
        *_changed(events),
        *_reaches(incident),
        *_said(said),
        Fact("Incident", delivery.incident_id),
    ]
    if merged_into is not None:
        facts = [Fact("Part of", f"{merged_into.title} (incident {merged_into.id})"), *facts[-1:]]
    return Message(
        delivery.key,
        delivery.kind,
        delivery.happened_at,
        _title(delivery.kind, incident, severity, said, merged_into),
        tuple(Fact(fact.name, shortened(fact.text, LONGEST_FACT)) for fact in facts),
        severity,
        incident,
        link_to(public_url, merged_into or incident),
        links=tuple(links),
    )


def summary(deliveries: Sequence[Delivery], incidents: Sequence[Incident], now: datetime, why: str) -> Message:
    """One message in place of many.

    Parameters
    ----------
    deliveries
        What it stands for.
    incidents
        Those that they are about, as they are now.
    now
        The time.
    why
        Why they were not told one by one.
    """
    active = sorted((one for one in incidents if one.is_active), key=lambda one: (one.severity.rank, one.started_at))
    ended = sorted((one for one in incidents if not one.is_active), key=lambda one: (one.peak.rank, one.started_at))
    first, last = min(one.happened_at for one in deliveries), max(one.happened_at for one in deliveries)
    going_on = f"{len(active)} {'goes' if len(active) == 1 else 'go'} on" if active else "none goes on"
    noun = "incident" if len(incidents) == 1 else "incidents"
    facts = [Fact("Why", why), Fact("From", f"{first:{TIME}} to {last:{TIME}}")]
    facts += [Fact(str(one.severity), one.title) for one in active[:MOST_SERVICES]]
    facts += _more(len(active), "go on")
    facts += [Fact("over", f"{one.title} ({_lasted(one)})") for one in ended[:MOST_SYMPTOMS]]
    worst = min((one.severity if one.is_active else one.peak for one in incidents), key=lambda one: one.rank)
    key = f"summary-{deliveries[0].key}-{deliveries[-1].key}-{len(deliveries)}"
    title = f"{len(incidents):,} {noun} in {len(deliveries):,} changes: {going_on}"
    shown = tuple(Fact(fact.name, shortened(fact.text, LONGEST_FACT)) for fact in facts)
    return Message(key, "summary", now, title, shown, worst)


def trial_message(name: str, who: str, now: datetime, public_url: str = "") -> Message:
    """A message that only shows that a destination works."""
    facts = (Fact("Destination", name), Fact("Sent by", _name(who)), Fact("At", f"{now:{TIME}} UTC"))
    title = "A test: nothing is wrong, and this is where incidents will be told"
    return Message(f"test-{name}-{int(now.timestamp())}", "test", now, title, facts, Severity.LOW, link=public_url)


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, with a mark where it was cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def link_to(public_url: str, incident: Incident) -> str:
    """Where people look at an incident and work on it; empty where no public address is known."""
    return f"{public_url.rstrip('/')}/?incident={quote(incident.id)}" if public_url else ""


def _title(
    kind: EventKind,
    incident: Incident,
    severity: Severity,
    said: Sequence[IncidentEvent],
    merged_into: Incident | None,
) -> str:
    verb = VERBS.get(kind, "")
    if kind == "merged" and merged_into is not None:
        return f"Merged into incident {merged_into.id} · {merged_into.title}"
    if kind == "resolved":
        return f"{verb} after {_lasted(incident)} · {incident.title}"
    if kind == "acknowledged" and said and said[-1].who:
        return f"{verb} by {_name(said[-1].who)} · {incident.title}"
    if kind in ("worse", "better"):
        return f"{verb}, now {severity} · {incident.title}"
    words = [verb, str(severity).upper(), incident.title]
    return " · ".join(word for word in words if word)


def _since(incident: Incident, delivery: Delivery, now: datetime) -> str:
    started = f"{incident.started_at:{TIME}} UTC"
    if incident.state is IncidentState.RESOLVED:
        return f"{started}, lasted {_lasted(incident)}"
    return f"{started}, for {_minutes(incident.started_at, max(now, delivery.happened_at))}"


def _lasted(incident: Incident) -> str:
    return _minutes(incident.started_at, max(incident.ended_at, incident.started_at))


def _minutes(start: datetime, end: datetime) -> str:
    minutes = whole_minutes(start, end)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 48 * 60 else f"{minutes // 1440} days"


def _out_of_band(incident: Incident) -> list[Fact]:
    """What is out of its band and by how much, of each service the worst; what goes on before what is over."""
    worst: dict[str, Symptom] = {}
    for one in sorted(incident.symptoms, key=lambda one: (not one.is_open, one.severity.rank, one.started_at)):
        worst.setdefault(one.service_name, one)
    shown = list(worst.values())[:MOST_SYMPTOMS]
    return [Fact(f"{one.service_name} ({one.severity})", one.sentence) for one in shown] + _more(
        len(worst), "services", MOST_SYMPTOMS
    )


def _likeliest(incident: Incident) -> list[Fact]:
    if not incident.causes:
        return []
    first = incident.causes[0]
    doubt = "" if first.is_clear else "no clear suspect; perhaps "
    return [Fact("Likeliest cause", f"{doubt}{first.service_name}: {first.words}")]


def _changed(events: Sequence[IncidentEvent]) -> list[Fact]:
    changes = [event for event in events if event.kind == "change"]
    return [Fact("Changed before", event.text) for event in changes[:MOST_CHANGES]]


def _reaches(incident: Incident) -> list[Fact]:
    names = incident.services
    if len(names) < 2:
        return []
    more = f" and {len(names) - MOST_SERVICES} more" if len(names) > MOST_SERVICES else ""
    return [Fact("Reaches", f"{len(names)} services: {', '.join(names[:MOST_SERVICES])}{more}")]


def _said(said: Iterable[IncidentEvent]) -> list[Fact]:
    return [Fact(_name(event.who), event.text) for event in said if event.who and event.text]


def _more(count: int, what: str, shown: int = MOST_SERVICES) -> list[Fact]:
    return [Fact("more", f"{count - shown} more {what}")] if count > shown else []


def _name(who: str) -> str:
    """``key:ann`` is Ann to people."""
    return who.partition(":")[2] or who
