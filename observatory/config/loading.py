"""Settings from file, environment and arguments, and clear words on what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from observatory.config.location import PREFIX, config_file
from observatory.config.settings import Settings
from observatory.errors import ConfigError
from observatory.suggest import did_you_mean

SETTINGS_HELP = "`observatory help settings` lists them all"


def load_settings(**overrides: Any) -> Settings:
    """Settings from file, environment and `overrides`.

    Raises
    ------
    ConfigError
        Naming each setting that is wrong, its value and what was expected.
    """
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = [dict(problem) for problem in error.errors() if problem["type"] != "default_factory_not_called"]
        lines = [_explain(problem) for problem in problems]
        raise ConfigError("\n".join(lines)) from None
    except OSError as error:
        raise ConfigError(f"cannot read {error.filename}: {error.strerror}") from None
    except ValueError as error:  # TOMLDecodeError, and a variable that is no JSON
        raise ConfigError(f"cannot read the settings ({config_file()} and {PREFIX}*): {error}") from None


def _refuse_unknown_variables() -> None:
    """A mistyped variable would be ignored in silence."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    for name in os.environ:
        if name.startswith(PREFIX) and name.split("__")[0] not in known:
            hint = did_you_mean(name, known, SETTINGS_HELP)
            raise ConfigError(f"unknown setting {name}: {hint}")
    named = os.environ.get(f"{PREFIX}CONFIG")
    if named and not Path(named).is_file():
        raise ConfigError(f"{PREFIX}CONFIG names {named!r}, which is no file")


def _explain(problem: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown setting {where!r} in {config_file()}: {SETTINGS_HELP}"
    secret = any(word in where for word in ("token", "password", "s3", "headers", "secret"))
    value = "" if secret or isinstance(problem["input"], dict) else f" = {problem['input']!r}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not where:
        return f"settings: {message} (see {PREFIX}* and {config_file()})"
    variable = f"{PREFIX}{str(problem['loc'][0]).upper()}"
    return f"setting {where}{value}: {message} (set it with {variable} or in {config_file()})"
