"""Alertmanager, by version 2 of its API: an alert for each service of an incident, told again while it goes on.

Alertmanager forgets what it is not told again, and all alerts when it restarts. Every member of a cluster is told,
for they do not hand alerts on to each other. Labels are what an alert is: what changes stands in annotations.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import Field, model_validator

from observatory.config.types import Names
from observatory.errors import DeliveryError
from observatory.integrations import INTEGRATIONS
from observatory.integrations.alertmanager_silences import ALERT
from observatory.integrations.base import Late
from observatory.integrations.http import MOST_READ, Answer, HttpDestination, HttpOptions, is_address
from observatory.model import EventKind, Incident, Symptom
from observatory.notifications.message import Message
from observatory.times import rfc3339

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
LASTS = 4 * EVERY
"""An alert that is not told again for so long is over: what Prometheus does."""
API = "/api/v2/alerts"
SILENCES = "/api/v2/silences"
MOST_SILENCES = 1 << 24
"""Bytes of silences that are read."""
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
OWN_LABELS = ("alertname", "incident", "service")


class AlertmanagerOptions(HttpOptions):
    """Where the members of a cluster are, and labels to route by."""

    urls: Names = Field((), description="Addresses of every member of a cluster, in place of `url`.")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels of every alert, to route by.")
    silences: Literal["none", "ours", "theirs", "both"] = Field(
        "none", description="Which silences are kept in step: ours are made there, theirs here."
    )

    fallback: ClassVar[str] = "http://127.0.0.1:9093"

    @model_validator(mode="after")
    def _is_understood(self) -> Self:
        if self.urls and (self.url or self.url_file):
            raise ValueError("urls and url are both set: keep one")
        for address in self.urls:
            if not is_address(address):
                raise ValueError("urls holds what is no address such as http://host:9093")
        for name in self.labels:
            if not _LABEL.fullmatch(name) or name in OWN_LABELS:
                raise ValueError(f"labels: {name!r} is taken, or no name of letters, digits and _")
        return self


@INTEGRATIONS.register("alertmanager")
class Alertmanager(HttpDestination[AlertmanagerOptions]):
    """Alerts ``ObservatoryIncident{incident, service}``."""

    options = AlertmanagerOptions
    late = Late.LATEST
    defaults: ClassVar[tuple[EventKind, ...]] = ("opened", "worse", "better", "reopened", "resolved")
    every = EVERY

    def send(self, message: Message) -> None:
        """See `Destination.send`."""
        now = datetime.now(UTC)
        if message.incident is None:
            self._tell([trial_alert(message, self.settings.labels, now)])
        elif alerts := list(alerts_of(message.incident, self.settings.labels, now, message)):
            self._tell(alerts)

    def refresh(self, active: Sequence[Incident], now: datetime) -> None:
        """See `Destination.refresh`."""
        if alerts := [alert for one in active for alert in alerts_of(one, self.settings.labels, now)]:
            self._tell(alerts)

    def silences(self) -> list[dict[str, Any]]:
        """All silences there, as the API has them, of the first member that answers. Raises DeliveryError."""
        text = self._ask_any("GET", SILENCES, most=MOST_SILENCES).text
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise DeliveryError(f"{self.where}: its silences are not understood, or over {MOST_SILENCES >> 20} MiB")
        return [one for one in found if isinstance(one, dict)]

    def add_silence(self, body: Mapping[str, Any]) -> None:
        """Make a silence there, or change the one whose ``id`` it has. Raises DeliveryError."""
        self._ask_any("POST", SILENCES, body)

    def end_silence(self, silence_id: str) -> None:
        """End a silence there; one that is not there is none. Raises DeliveryError."""
        try:
            self._ask_any("DELETE", f"{SILENCES.removesuffix('s')}/{quote(silence_id, safe='')}")
        except DeliveryError as error:
            if " answered 404" not in str(error) and "expired" not in str(error):
                raise

    @property
    def where(self) -> str:
        """See `Destination.where`."""
        return ", ".join(self._host(address) for address in self._members())

    def _members(self) -> Sequence[str]:
        return self.settings.urls or (self._address(),)

    def _ask_any(self, method: str, path: str, body: object = None, most: int = MOST_READ) -> Answer:
        """The answer of the first member that gives one; raises what the last said."""
        failure = DeliveryError("it has no member")
        for member in self._members():
            base = member.rstrip("/").removesuffix(API).rstrip("/")
            try:
                return self.post(url=f"{base}{path}", method=method, body=body, most=most)
            except DeliveryError as error:
                failure = error
        raise failure

    def _tell(self, alerts: Sequence[dict[str, Any]]) -> None:
        """Tell every member; one that is away hears it with the next refresh."""
        failures = []
        members = self._members()
        for member in members:
            try:
                self._tell_one(member, alerts)
            except DeliveryError as error:
                failures.append(error)
        if len(failures) == len(members):
            raise failures[0]
        for failure in failures:
            log.warning("%s: a member of the cluster was not told: %s", self.name, failure)

    def _tell_one(self, member: str, alerts: Sequence[dict[str, Any]]) -> None:
        """One request; where it is refused the good ones were taken all the same, and the bad one is named."""
        base = member if member.rstrip("/").endswith(API) else f"{member.rstrip('/')}{API}"
        try:
            self.post(url=base, data=json.dumps(alerts).encode(), headers={"Content-Type": "application/json"})
        except DeliveryError as error:
            if not error.is_final or len(alerts) == 1:
                raise
            refused = []
            for alert in alerts:
                try:
                    self.post(url=base, data=json.dumps([alert]).encode(), headers={"Content-Type": "application/json"})
                except DeliveryError as one:
                    if not one.is_final:
                        raise
                    refused.append(f"{alert['labels']['service']}: {one}")
            if refused:
                raise DeliveryError("; ".join(refused[:3]), is_final=True) from None


def alerts_of(
    incident: Incident, labels: dict[str, str], now: datetime, message: Message | None = None
) -> Iterable[dict[str, Any]]:
    """An alert for each service of an incident."""
    first: dict[str, Symptom] = {}
    for symptom in incident.symptoms:
        first.setdefault(symptom.service_name, symptom)
    ends = now + LASTS if incident.is_active else min(now, incident.resolved_at or now)
    facts = {fact.name: fact.text for fact in message.facts} if message is not None else {}
    for service, symptom in first.items():
        worst = min(
            (one for one in incident.symptoms if one.service_name == service), key=lambda one: one.severity.rank
        )
        annotations = {
            "summary": incident.title,
            "description": f"{service}: {worst.sentence}",
            "severity": str(incident.severity if incident.is_active else incident.peak),
        }
        if incident.causes:
            cause = incident.causes[0]
            annotations["likeliest_cause"] = f"{cause.service_name}: {cause.words}"
        if changed := facts.get("Changed before"):
            annotations["changed"] = changed
        alert: dict[str, Any] = {
            "labels": {**labels, "alertname": ALERT, "incident": incident.id, "service": service},
            "annotations": annotations,
            "startsAt": rfc3339(min(symptom.started_at, ends)),
            "endsAt": rfc3339(ends),
        }
        if message is not None and message.link:
            alert["generatorURL"] = message.link
        yield alert


def trial_alert(message: Message, labels: dict[str, str], now: datetime) -> dict[str, Any]:
    """An alert that is over in a minute."""
    return {
        "labels": {**labels, "alertname": f"{ALERT}Test", "incident": message.key, "service": "test"},
        "annotations": {"summary": message.title, "severity": str(message.severity)},
        "startsAt": rfc3339(now),
        "endsAt": rfc3339(now + EVERY),
    }
