"""Loki: an entry for each transition, by its push API.

Labels are few and never change, for each set of labels is a stream; the service, the incident and the like are
structured metadata.
"""

from __future__ import annotations

import json
import re
from typing import Self

from pydantic import Field, SecretStr, model_validator

from observatory.integrations import INTEGRATIONS
from observatory.integrations.base import Late
from observatory.integrations.http import HttpDestination, HttpOptions
from observatory.notifications.message import Message, shortened
from observatory.notifications.payload import as_payload

APP = "cloudwatch-observatory"
MOST_LABELS = 14
LONGEST_LINE = 200_000
LONGEST_VALUE = 1_000
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class LokiOptions(HttpOptions):
    """Where Loki is, and which labels its streams have."""

    labels: dict[str, str] = Field(default_factory=dict, description="Labels besides `app`, such as `env`.")
    tenant: SecretStr | None = Field(None, description="Sent as `X-Scope-OrgID`.")

    @model_validator(mode="after")
    def _labels_can_be(self) -> Self:
        wrong = [name for name in self.labels if not _LABEL.fullmatch(name) or name == "app"]
        if wrong:
            raise ValueError(f"labels: {wrong[0]!r} is taken, or no name of letters, digits and _")
        if len(self.labels) > MOST_LABELS:
            raise ValueError(f"labels: {len(self.labels)} are more than the {MOST_LABELS} that Loki takes")
        return self


@INTEGRATIONS.register("loki")
class Loki(HttpDestination[LokiOptions]):
    """Entries of the stream ``{app="cloudwatch-observatory"}``; Loki keeps equal ones once."""

    options = LokiOptions
    late = Late.EACH

    def send(self, message: Message) -> None:
        """See `Destination.send`."""
        headers = {"X-Scope-OrgID": self.settings.tenant.get_secret_value()} if self.settings.tenant else {}
        self.post("/loki/api/v1/push", body=push(message, self.settings.labels), headers=headers)


def push(message: Message, labels: dict[str, str]) -> dict[str, object]:
    """The request for one message."""
    line = json.dumps(as_payload(message), ensure_ascii=False)
    if len(line) > LONGEST_LINE:
        line = json.dumps({"title": shortened(message.title, LONGEST_VALUE), "is_cut": True}, ensure_ascii=False)
    facts = {"kind": message.kind, "severity": str(message.severity), "key": message.key}
    if message.incident is not None:
        facts |= {"incident": message.incident.id, "service": message.incident.origin}
    metadata = {name: shortened(text, LONGEST_VALUE) for name, text in facts.items() if text}
    stream = {"app": APP, **labels}
    nanoseconds = str(int(message.at.timestamp() * 1e6) * 1000)
    return {"streams": [{"stream": stream, "values": [[nanoseconds, line, metadata]]}]}
