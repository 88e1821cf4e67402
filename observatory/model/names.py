"""Rules about names: which services go by another name than their source's, and which are not watched.

>>> rules = NameRules((NameRule(RuleKind.RENAME, "cart", "shop/cart"), NameRule(RuleKind.EXCLUDE, "shop/old-*")))
>>> rules.name_of("cart"), rules.excluding("shop/old-api")
('shop/cart', 'shop/old-*')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache

Renames = tuple[tuple[str, str], ...]
"""Pairs of a pattern (RE2, the whole name) and its replacement, in which ``$`` is ``$$``; applied in order."""
Span = tuple[datetime, datetime]
"""Times of the first and the last sample."""


class RuleKind(StrEnum):
    """What a rule does: `RENAME` is of one name, `DEPLOY` of all names a pattern (RE2) matches.

    `APART` is a deploy's pattern that somebody took back: it is not recognised again. `EXCLUDE` has a shell pattern.
    """

    RENAME = "rename"
    DEPLOY = "deploy"
    APART = "apart"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class NameRule:
    """One rule: `becomes` is the name that services get, empty where they are excluded."""

    kind: RuleKind
    pattern: str
    becomes: str = ""
    made_at: datetime | None = None


@dataclass(frozen=True)
class NameRules:
    """All rules of a store."""

    rules: tuple[NameRule, ...] = ()

    def of(self, *kinds: RuleKind) -> tuple[NameRule, ...]:
        """Those of some kinds."""
        return tuple(rule for rule in self.rules if rule.kind in kinds)

    @cached_property
    def renames(self) -> Renames:
        """Renames as a source takes them: those that people made come first."""
        own = tuple((re.escape(rule.pattern), rule.becomes.replace("$", "$$")) for rule in self.of(RuleKind.RENAME))
        return (*own, *self.deploys)

    @cached_property
    def deploys(self) -> Renames:
        """Only those of deploys."""
        return tuple((rule.pattern, rule.becomes.replace("$", "$$")) for rule in self.of(RuleKind.DEPLOY))

    def name_of(self, name: str) -> str:
        """What a service is called that its source calls `name`."""
        exact = self._exact.get(name)
        return apply_renames(name if exact is None else exact, self.deploys)

    def names_for(self, name: str) -> list[str]:
        """Names by which a source may know the service `name`, as far as they can be listed."""
        return [name, *(old for old, new in self._exact.items() if new == name)]

    def has_deploys(self, name: str) -> bool:
        """Whether the names of deploys become `name`."""
        return any(rule.becomes == name for rule in self.of(RuleKind.DEPLOY))

    def excluding(self, name: str) -> str | None:
        """The pattern by which a service is excluded; None where it is not."""
        return next((rule.pattern for rule in self._excluded if covers(rule.pattern, name)), None)

    @cached_property
    def _exact(self) -> dict[str, str]:
        return {rule.pattern: rule.becomes for rule in self.of(RuleKind.RENAME)}

    @cached_property
    def _excluded(self) -> tuple[NameRule, ...]:
        return self.of(RuleKind.EXCLUDE)


def covers(pattern: str, name: str) -> bool:
    """Whether a shell pattern covers a whole name; ``*`` also covers slashes, and a name covers itself."""
    return pattern == name or fnmatchcase(name, pattern)


def is_pattern(text: str) -> bool:
    """Whether a text has the signs of a shell pattern."""
    return bool(set(text) & set("*?["))


def apply_renames(name: str, renames: Renames) -> str:
    """What `renames` make of a name."""
    for pattern, replacement in renames:
        if _compiled(pattern).fullmatch(name):
            name = replacement.replace("$$", "$")
    return name


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
