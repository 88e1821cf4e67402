"""Secrets among the parameters of a notebook: its kernel is given them, and nothing that is kept or shown has them.

>>> masked({"url": "http://me:hunter2@prometheus:9090", "password": "x", "hours": 6})
{'url': 'http://***@prometheus:9090', 'password': '***', 'hours': 6}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from observatory.logs import HIDDEN, PATTERNS

SECRET = re.compile(r"(^|_)(password|passwd|secret|token|api_?key|credentials?)($|_)", re.IGNORECASE)
"""Names of parameters whose values are secret, whatever they look like."""
PLACE = "OBSERVATORY_HIDDEN_"
"""How the names begin of the variables by which a kernel is given secrets."""


def masked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters` as they may be kept and shown."""
    return {name: _masked(name, value) for name, value in parameters.items()}


def secrets_in(parameters: Mapping[str, Any]) -> list[str]:
    """The texts to hide, the longest first."""
    return sorted({text for name, value in parameters.items() for text in _secrets(name, value)}, key=len, reverse=True)


def hide(found: Any, secrets: list[str]) -> Any:
    """`found`, which may be a text or what JSON and notebooks are made of, without any of `secrets`."""
    if isinstance(found, str):
        for secret in secrets:
            found = found.replace(secret, HIDDEN)
        return found
    if isinstance(found, dict):
        for name in found:
            found[name] = hide(found[name], secrets)
    elif isinstance(found, list):
        found[:] = [hide(item, secrets) for item in found]
    return found


@dataclass(frozen=True, slots=True)
class Handover:
    """How a kernel is given parameters: `shown` as papermill writes them down, `hidden` by its environment."""

    shown: dict[str, Any]
    hidden: dict[str, str]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Handover:
        """Hand over `parameters`: those with a secret through the environment."""
        shown = masked(parameters)
        hidden: dict[str, str] = {}
        for name, value in parameters.items():
            if shown[name] != value:
                place = f"{PLACE}{len(hidden)}"
                hidden[place] = json.dumps(value)
                shown[name] = Elsewhere(shown[name], place)
        return cls(shown, hidden)


class Elsewhere(str):
    """A value that a kernel takes from its environment; as text it is what may be shown."""

    __slots__ = ("place",)
    place: str

    def __new__(cls, value: Any, place: str) -> Elsewhere:
        """The value as it may be shown, and the variable that has it."""
        made = super().__new__(cls, value if isinstance(value, str) else json.dumps(value))
        made.place = place
        return made

    def __deepcopy__(self, memo: object) -> Elsewhere:
        """Itself, as for any text."""
        return self

    @property
    def code(self) -> str:
        """Python that reads it, once: what the notebook starts has it no more."""
        return f'__import__("json").loads(__import__("os").environ.pop("{self.place}"))  # {self}'


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return HIDDEN if value and SECRET.search(name) else PATTERNS.sub(HIDDEN, value)
    if isinstance(value, dict):
        return {key: _masked(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(name, inner) for inner in value]
    return value


def _secrets(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        found = [value] if value and SECRET.search(name) else PATTERNS.findall(value)
        for text in found:
            yield text
            _, colon, password = text.partition(":")
            if colon and f"://{text}@" in value:  # a password may be told without its user
                yield password
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets(str(key), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(name, inner)
