"""Alerts of others come in as Alertmanager and Grafana send them, and are kept under the services they are about.

Both formats of an Alertmanager are understood: that of its webhook, which Grafana's contact points have too, and the
list of alerts that a Prometheus sends to it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from observatory.errors import InvalidInputError
from observatory.integrations.alertmanager_silences import ALERT
from observatory.model import ExternalAlert, NameRules, Severity

LABELS = (
    "service_name",
    "service",
    "app_kubernetes_io_name",
    "app",
    "application",
    "deployment",
    "statefulset",
    "daemonset",
    "cronjob",
    "job_name",
    "workload",
    "horizontalpodautoscaler",
    "destination_workload",
    "destination_service_name",
    "exported_service",
    "exported_container",
    "exported_pod",
    "container",
    "pod",
    "exported_job",
    "job",
)
"""Labels that may name a service, the surest first."""
_POD = re.compile(r"(.+?)(?:-[0-9a-f]{6,10}-[a-z0-9]{5}|-[a-z0-9]{5}|-\d{1,4})")
"""What a pod is called after: a Deployment, a DaemonSet or a StatefulSet."""
NAMESPACES = ("service_namespace", "exported_namespace", "namespace", "kubernetes_namespace", "kube_namespace")
"""Labels that may name its namespace; what is exported is of the thing itself, not of the exporter that tells of it."""
SEVERITIES = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
    "disaster": Severity.CRITICAL,
    "p1": Severity.CRITICAL,
    "error": Severity.HIGH,
    "high": Severity.HIGH,
    "major": Severity.HIGH,
    "p2": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "warn": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "minor": Severity.MEDIUM,
    "p3": Severity.MEDIUM,
    "low": Severity.LOW,
    "p4": Severity.LOW,
    "none": None,
    "info": None,
    "informational": None,
    "notice": None,
    "p5": None,
}
"""What people write into the label ``severity``; None only informs."""
USUAL = Severity.MEDIUM
"""Of an alert that says nothing of it, or something that nobody knows."""
LASTS = timedelta(hours=25)
"""A webhook tells what goes on again every few hours, at the latest every day: what it tells no more is over."""
MOST = 10_000
LONGEST_TEXT, LONGEST_LABEL, MOST_LABELS = 1000, 500, 100
AHEAD = timedelta(hours=1)
"""So far ahead a clock may be that an alert began by."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of the alerts of one message; `unmatched` are about no service that is known, `own` are ours."""

    alerts: tuple[ExternalAlert, ...]
    own: int
    left_out: int

    @property
    def unmatched(self) -> list[ExternalAlert]:
        """Alerts that no service was found for."""
        return [one for one in self.alerts if not one.service_name]


def receive(
    body: Any, sender: str, now: datetime, services: Iterable[str], rules: NameRules, labels: Sequence[str] = ()
) -> Received:
    """The alerts of a message, which are kept nowhere yet.

    Parameters
    ----------
    body
        JSON as Alertmanager's webhook, a contact point of Grafana, or a Prometheus sends it.
    sender
        Who sends it.
    now
        The time.
    services, rules
        The services there are, and what others are called here.
    labels
        Labels that name the service, before those that usually do.

    Raises
    ------
    InvalidInputError
        It is none of these, or an alert in it is none; nothing of it is taken.
    """
    raw, left_out = _alerts_in(body)
    finder = ServiceFinder(services, rules, labels)
    found, own = [], 0
    for place, one in enumerate(raw):
        try:
            alert = _alert(one, sender, now, finder)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"alerts[{place}]: {_said(error)}") from None
        if alert.name.startswith(ALERT):
            own += 1
        else:
            found.append(alert)
    return Received(tuple(found), own, left_out)


class ServiceFinder:
    """Finds the service that labels are about."""

    def __init__(self, services: Iterable[str], rules: NameRules, labels: Sequence[str] = ()) -> None:
        self._known = set(services)
        self._rules = rules
        self._labels = (*labels, *(one for one in LABELS if one not in labels))
        self._by_end: dict[str, str | None] = {}
        for name in self._known:
            end = name.rpartition("/")[2]
            self._by_end[end] = None if end in self._by_end else name

    def find(self, labels: Mapping[str, str]) -> str:
        """Its name here; empty where there is none, or where it may be more than one."""
        spaces = [labels[name] for name in NAMESPACES if labels.get(name)]
        for label in self._labels:
            value = labels.get(label, "")
            if label in ("pod", "exported_pod") and (named := _POD.fullmatch(value)):
                value = named[1]
            if not value:
                continue
            for candidate in (*(f"{space}/{value}" for space in spaces), value):
                name = self._rules.name_of(candidate)
                if name in self._known:
                    return name
            if not spaces and (only := self._by_end.get(value)):
                return only
        return ""


def _alerts_in(body: Any) -> tuple[Sequence[Any], int]:
    if isinstance(body, Mapping):
        alerts, cut = body.get("alerts"), body.get("truncatedAlerts", 0)
    else:
        alerts, cut = body, 0
    if not isinstance(alerts, list):
        raise InvalidInputError(
            "the body has no list of alerts: send it as the webhook of an Alertmanager or of Grafana does, or the list "
            "that a Prometheus sends"
        )
    if len(alerts) > MOST:
        raise InvalidInputError(f"alerts: {len(alerts)} are too many, send at most {MOST} at a time")
    return alerts, cut if isinstance(cut, int) and cut > 0 else 0


def _alert(raw: Any, sender: str, now: datetime, finder: ServiceFinder) -> ExternalAlert:
    if not isinstance(raw, Mapping):
        raise TypeError("is no object")
    labels, annotations = _texts(raw.get("labels"), "labels"), _texts(raw.get("annotations") or {}, "annotations")
    if not labels:
        raise ValueError("labels: has none")
    starts = _time(raw.get("startsAt"), "startsAt") or now
    if starts > now + AHEAD:
        raise ValueError(f"startsAt = {starts.isoformat()}: lies in the future")
    ends = _time(raw.get("endsAt"), "endsAt")
    status = raw.get("status")
    is_over = status == "resolved" if isinstance(status, str) else ends is not None and ends <= now
    return ExternalAlert(
        fingerprint=_fingerprint(raw, labels),
        started_at=min(starts, now),
        service_name=finder.find(labels),
        name=_line(labels.get("alertname", "") or "unnamed"),
        severity=_severity(labels),
        summary=_line(annotations.get("summary") or annotations.get("message") or annotations.get("description", "")),
        url=_address(raw.get("generatorURL")),
        sender=sender,
        seen_at=now,
        expires_at=ends if ends is not None and ends > now and not is_over else now + LASTS,
        ended_at=min(ends or now, now) if is_over else None,
        labels=labels,
    )


def _texts(given: Any, what: str) -> dict[str, str]:
    if not isinstance(given, Mapping) or len(given) > MOST_LABELS:
        raise TypeError(f"{what}: must be an object with at most {MOST_LABELS} texts")
    for name, value in given.items():
        if not isinstance(value, str):
            raise TypeError(f"{what}.{name}: must be a text")
    return {_line(name)[:LONGEST_LABEL]: _line(value) for name, value in given.items()}


def _fingerprint(raw: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """What identifies it, whoever sends it: its labels."""
    given = raw.get("fingerprint")
    if isinstance(given, str) and 0 < len(given) <= 64 and given.isalnum():
        return given
    facts = "\0".join(f"{name}\0{labels[name]}" for name in sorted(labels))
    return hashlib.sha256(facts.encode("utf-8", "replace")).hexdigest()[:16]


def _severity(labels: Mapping[str, str]) -> Severity | None:
    text = (labels.get("severity") or labels.get("priority") or "").strip().lower()
    return SEVERITIES.get(text, USUAL)


def _time(given: Any, what: str) -> datetime | None:
    """A time; None where it is missing, or is the zero that Go writes for a missing one."""
    if given is None or given == "":
        return None
    if not isinstance(given, str):
        raise TypeError(f"{what}: must be RFC 3339")
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{what} = {given!r:.60}: must be RFC 3339") from None
    if found.tzinfo is None:
        raise ValueError(f"{what} = {given!r:.60}: needs a zone, such as Z")
    return None if found.year <= 1970 else found.astimezone(UTC)


def _address(given: Any) -> str:
    text = given if isinstance(given, str) else ""
    usable = text.startswith(("http://", "https://")) and text.isprintable() and len(text) <= 2 * LONGEST_TEXT
    return text if usable and "@" not in text.partition("//")[2].partition("/")[0] else ""


def _line(text: str) -> str:
    """A text in one line, without what nobody sees."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return "".join(letter for letter in line if letter.isprintable())[:LONGEST_TEXT]


def _said(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
