"""Elasticsearch and OpenSearch: a document for each transition, by the bulk API."""

from __future__ import annotations

import json
import re
from typing import Any, Self

from pydantic import Field, SecretStr, model_validator

from observatory.errors import DeliveryError
from observatory.integrations import INTEGRATIONS
from observatory.integrations.base import Late
from observatory.integrations.http import HttpDestination, HttpOptions, as_object
from observatory.notifications.message import Message
from observatory.notifications.payload import as_payload

THERE_ALREADY = 409
BUSY = frozenset({429, 502, 503, 504})
_INDEX = re.compile(r"[a-z0-9][a-z0-9._-]{0,200}")


class ElasticsearchOptions(HttpOptions):
    """Where it is, and into which index or data stream."""

    index: str = Field("observatory-incidents", description="Index or data stream.")
    api_key: SecretStr | None = Field(None, description="Encoded API key, in place of a user and password.")

    @model_validator(mode="after")
    def _index_can_be(self) -> Self:
        if not _INDEX.fullmatch(self.index):
            raise ValueError(f"index = {self.index!r}: lower-case letters, digits, and . _ - after the first")
        return self


@INTEGRATIONS.register("elasticsearch")
class Elasticsearch(HttpDestination[ElasticsearchOptions]):
    """One document a message; its id is the key, so that a second attempt adds none."""

    options = ElasticsearchOptions
    late = Late.EACH

    def send(self, message: Message) -> None:
        """See `Destination.send`."""
        headers = {"Content-Type": "application/x-ndjson"}
        if self.settings.api_key is not None:
            headers["Authorization"] = f"ApiKey {self.settings.api_key.get_secret_value()}"
        answer = self.post("/_bulk", data=bulk(message, self.settings.index), headers=headers)
        told = as_object(answer)
        if "items" not in told:
            raise DeliveryError(f"{self.where} did not answer as Elasticsearch does")
        for item in told["items"] if told.get("errors") else ():
            result: dict[str, Any] = next(iter(item.values()), {})
            status = int(result.get("status") or 0)
            if status >= 400 and status != THERE_ALREADY:
                error = result.get("error") or {}
                why = error.get("reason") if isinstance(error, dict) else error
                raise DeliveryError(f"{self.where} answered {status}: {why}", is_final=status not in BUSY)


def bulk(message: Message, index: str) -> bytes:
    """Two lines: a data stream takes only ``create``. Names are those of the Elastic Common Schema."""
    payload = as_payload(message)
    document = {
        "@timestamp": payload["at"],
        "message": message.title,
        "log": {"level": str(message.severity)},
        "event": {"kind": "alert", "action": message.kind, "id": message.key, "provider": "cloudwatch-observatory"},
        "service": {"name": payload.get("origin")},
        "observatory": payload,
    }
    lines = ({"create": {"_index": index, "_id": message.key}}, document)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
