"""What every destination is: how it is set up, what it takes, and what it says when it does not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from observatory.model import TRANSITIONS, EventKind, Incident
from observatory.notifications.message import Message

O = TypeVar("O", bound="Options")  # noqa: E741


class Options(BaseModel):
    """What a kind of destination takes, besides what all take."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Late(Enum):
    """What becomes of messages that could not be sent in time, or are too many."""

    SUMMED_UP = "people read them: one message stands for all"
    LATEST = "it holds a state: of each incident only the last counts"
    EACH = "it keeps a record: each is sent, however late"


class Destination(ABC, Generic[O]):
    """Somewhere messages go.

    Parameters
    ----------
    name
        As in the settings.
    settings
        What the kind takes.

    Attributes
    ----------
    options
        The class of `settings`.
    late
        What becomes of messages that are late or too many.
    defaults
        Transitions it is told of where the settings name none.
    every
        How often `refresh` is called; None: never.
    """

    options: ClassVar[type[Options]] = Options
    late: ClassVar[Late] = Late.SUMMED_UP
    defaults: ClassVar[Sequence[EventKind]] = TRANSITIONS
    every: timedelta | None = None

    def __init__(self, name: str, settings: O) -> None:
        self.name = name
        self.settings = settings

    @abstractmethod
    def send(self, message: Message) -> None:
        """Deliver one message; a second time with the same key must do no harm.

        Raises
        ------
        DeliveryError
            It was not taken, for now or for good.
        """

    def refresh(self, active: Sequence[Incident], now: datetime) -> None:
        """Tell again what goes on, where a receiver forgets what it does not hear again. Raises DeliveryError."""

    @property
    def where(self) -> str:
        """Where it goes, for people, without secrets."""
        return ""

    @property
    def takes_picture(self) -> bool:
        """Whether its messages may come with a picture; none is drawn otherwise."""
        return False

    def close(self) -> None:
        """Let go of connections."""
