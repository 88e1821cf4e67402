"""The log of the server itself: what would have been told to whom, before anybody is."""

from __future__ import annotations

import logging

from observatory.integrations import INTEGRATIONS
from observatory.integrations.base import Destination, Late, Options
from observatory.notifications.message import Message
from observatory.plain import plain

log = logging.getLogger("observatory.notify")


@INTEGRATIONS.register("log")
class Log(Destination[Options]):
    """A line in the server's log for each message."""

    late = Late.EACH

    def send(self, message: Message) -> None:
        """See `Destination.send`."""
        log.info("%s: %s", self.name, plain(message.title, keep=""))

    @property
    def where(self) -> str:
        """See `Destination.where`."""
        return "the server's log"
