"""Other systems that are told of incidents: one file each, registered by name, all behind one small interface.

To add one, write a module here that registers a `Destination`, or name it in another package's entry point of the
group ``observatory.integrations``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from observatory.config.notify import NotifySettings
from observatory.errors import ConfigError, UnknownPluginError
from observatory.integrations.base import Destination, Late, Options
from observatory.registry import Registry
from observatory.suggest import did_you_mean

__all__ = ["INTEGRATIONS", "Destination", "Late", "Options", "make_destination", "make_destinations"]

INTEGRATIONS: Registry[type[Destination[Any]]] = Registry("kind of destination", "observatory.integrations")


def make_destinations(settings: Mapping[str, NotifySettings]) -> dict[str, Destination[Any]]:
    """Every destination of the settings, by name. Raises ConfigError."""
    return {name: make_destination(name, table) for name, table in settings.items()}


def make_destination(name: str, settings: NotifySettings) -> Destination[Any]:
    """The destination of one table ``[notify.NAME]``.

    Raises
    ------
    ConfigError
        There is no such kind, or it does not take what is set. No value is repeated, for it may be secret.
    """
    try:
        kind = INTEGRATIONS.get(settings.kind or name)
    except UnknownPluginError as error:
        raise ConfigError(f"[notify.{name}] kind: {error}") from None
    try:
        options = kind.options.model_validate(settings.options.get_secret_value())
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)
        told = "; ".join(_told(kind.options, [str(part) for part in one["loc"]], one["msg"]) for one in wrong)
        raise ConfigError(f"[notify.{name}] {told}") from None
    return kind(name, options)


def _told(options: type[Options], place: list[str], message: str) -> str:
    field = ".".join(place)
    if field and place[0] not in options.model_fields:
        known = [*NotifySettings.model_fields, *options.model_fields]
        return f"{field}: there is no such setting{did_you_mean(field, known)}"
    words = message.removeprefix("Value error, ")
    return f"{field}: {words}" if field else words
