"""What somebody may do: a role, over the services that their patterns cover.

>>> Scope.of(["payments/*"]).covers("payments/api")
True
>>> Role.OPERATOR.includes(Role.VIEWER)
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import Self

from observatory.errors import InvalidInputError

LONGEST_PATTERN = 200
MOST_PATTERNS = 100


class Role(StrEnum):
    """Each includes those before it: viewers read, operators also register and collect, admins also see the audit."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)

    @classmethod
    def called(cls, name: str) -> Role:
        """The role of that name; raises InvalidInputError with those there are."""
        try:
            return cls(name)
        except ValueError:
            raise InvalidInputError(f"unknown role {name!r}: choose from {', '.join(cls)}") from None


@dataclass(frozen=True)
class Scope:
    """The services that some patterns cover; ``*`` also covers slashes. Without a pattern it covers none."""

    patterns: tuple[str, ...]

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Self:
        """A scope of `patterns` such as ``payments/*``; raises InvalidInputError."""
        kept = tuple(dict.fromkeys(patterns))
        for pattern in kept:
            if not pattern or pattern != pattern.strip() or not pattern.isprintable():
                raise InvalidInputError(f"pattern {pattern!r} cannot be used: give a name, or a pattern as payments/*")
            if len(pattern) > LONGEST_PATTERN:
                raise InvalidInputError(f"pattern {pattern[:20]!r}… is longer than {LONGEST_PATTERN} characters")
        if len(kept) > MOST_PATTERNS:
            raise InvalidInputError(f"{len(kept)} patterns are too many: give at most {MOST_PATTERNS}")
        return cls(kept)

    @property
    def is_everything(self) -> bool:
        """Whether no service, known or to come, is outside."""
        return "*" in self.patterns

    def covers(self, service: str) -> bool:
        """Whether a service is inside."""
        return self.is_everything or self._expression.fullmatch(service) is not None

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return _compiled(self.patterns)

    def __str__(self) -> str:
        return "every service" if self.is_everything else ", ".join(self.patterns) or "no service"


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)) or r"(?!)")


EVERYTHING = Scope(("*",))


@dataclass(frozen=True)
class Caller:
    """Somebody who asks for something.

    `kind` is how they are known: ``open`` (nobody has to sign in), ``key``, ``jwt``, ``login`` or ``cli``; `id` tells
    callers of a kind apart, for limits and the audit log.
    """

    kind: str
    id: str
    name: str
    role: Role
    scope: Scope

    def lacks(self, role: Role) -> str:
        """Why they may not do what needs `role`; empty where they may."""
        return (
            ""
            if self.role.includes(role)
            else f"this needs the role {role}, and {self.name!r} has the role {self.role}"
        )

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


OPEN = Caller("open", "anybody", "anybody", Role.ADMIN, EVERYTHING)
"""Whoever asks, where nobody has to sign in."""
