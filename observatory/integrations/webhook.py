"""A webhook of your own, signed as Standard Webhooks says (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, model_validator

from observatory.errors import DeliveryError
from observatory.integrations import INTEGRATIONS
from observatory.integrations.base import Late
from observatory.integrations.http import HttpDestination, HttpOptions, secret_of
from observatory.notifications.message import Message
from observatory.notifications.payload import as_payload

PREFIX = "whsec_"
SHORTEST = 24
"""Bytes that a secret must have."""
LARGEST = 20_000
"""Bytes of a payload that receivers must take."""


class WebhookOptions(HttpOptions):
    """Where it goes, and the secret that its receiver checks the signature with."""

    secret: SecretStr | None = Field(
        None, description="Secret of the signature: `whsec_` and base64 of 24 to 64 bytes."
    )
    secret_file: Path | None = Field(None, description="File with it.")

    @model_validator(mode="after")
    def _secret_can_be(self) -> Self:
        if self.secret is not None and self.secret_file is not None:
            raise ValueError("secret and secret_file are both set: keep one")
        if self.secret is not None:
            key_of(self.secret.get_secret_value())
        return self


@INTEGRATIONS.register("webhook")
class Webhook(HttpDestination[WebhookOptions]):
    """One POST a message: ``{"type": "incident.opened", "timestamp": …, "data": {…}}``."""

    options = WebhookOptions
    late = Late.EACH

    def send(self, message: Message) -> None:
        """See `Destination.send`."""
        body = payload(message)
        headers = {"Content-Type": "application/json", "webhook-id": message.key}
        text = secret_of(self.settings.secret, self.settings.secret_file, "secret_file")
        stamp = str(int(time.time()))  # receivers refuse what seems old: it is that of this attempt
        headers["webhook-timestamp"] = stamp
        if text:
            try:
                headers["webhook-signature"] = signature(key_of(text), message.key, stamp, body)
            except ValueError as error:
                raise DeliveryError(f"{self.settings.secret_file}: {error}") from None
        self.post(data=body, headers=headers)


def payload(message: Message) -> bytes:
    """The body: JSON of less than 20 kB; what makes it longer is left out."""
    data: dict[str, Any] = as_payload(message)
    while True:
        whole = {"type": f"incident.{message.kind}", "timestamp": data["at"], "data": data}
        body = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
        if len(body) < LARGEST:
            return body
        for name in ("symptoms", "services", "causes", "facts"):
            if len(data.get(name) or ()) > 1:
                data[name] = data[name][: len(data[name]) // 2]
                data["is_cut"] = True
                break
        else:
            data["title"] = str(data["title"])[: len(str(data["title"])) // 2]


def key_of(secret: str) -> bytes:
    """The bytes of a secret. Raises ValueError, which does not repeat it."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"the secret of the webhook begins with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        raise ValueError(f"the secret of the webhook is not base64 after {PREFIX}") from None
    if len(key) < SHORTEST:
        raise ValueError(f"the secret of the webhook has {len(key)} bytes: it needs {SHORTEST} or more")
    return key


def signature(key: bytes, identity: str, stamp: str, body: bytes) -> str:
    """The signature ``v1,…`` of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body.

    Examples
    --------
    >>> key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    digest = hmac.new(key, b".".join((identity.encode(), stamp.encode(), body)), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
