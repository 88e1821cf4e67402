"""A sign of life after each cycle, for services that alert when it stays away: Healthchecks, Dead Man's Snitch."""

from __future__ import annotations

import logging
import threading

from pydantic import SecretStr

from observatory.errors import ConfigError, DeliveryError
from observatory.integrations.http import HttpDestination, HttpOptions, is_address
from observatory.notifications.message import Message

log = logging.getLogger(__name__)


class Heartbeat(HttpDestination[HttpOptions]):
    """Asks for an address after each cycle, in a thread: one that hangs holds up no cycle.

    Parameters
    ----------
    url
        The address, which is a secret.

    Raises
    ------
    ConfigError
        It is none.
    """

    def __init__(self, url: SecretStr) -> None:
        if not is_address(url.get_secret_value()):
            raise ConfigError("heartbeat_url is no address such as https://hc-ping.com/… (OBSERVATORY_HEARTBEAT_URL)")
        super().__init__("heartbeat", HttpOptions.model_validate({"url": url}))
        self.error = ""
        """Why the last one was not taken; empty once one was."""
        self._thread: threading.Thread | None = None

    def beat(self) -> None:
        """Send one, unless the one before is still on its way."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._beat, name="observatory-heartbeat", daemon=True)
            self._thread.start()

    def send(self, message: Message) -> None:
        """Nobody is told of anything by it."""

    def close(self) -> None:
        """See `Destination.close`; the one on its way is waited for."""
        if self._thread is not None:
            self._thread.join(self.settings.timeout)
        super().close()

    def _beat(self) -> None:
        try:
            self.post(method="GET")
            self.error = ""
        except DeliveryError as error:
            if not self.error:
                log.warning("the heartbeat was not taken: %s", error)
            self.error = str(error)
