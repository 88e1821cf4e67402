"""Rules about names: which services go by another name than their source's, and which are not watched.

>>> rules = NameRules((NameRule(RuleKind.RENAME, "cart", "shop/cart"), NameRule(RuleKind.EXCLUDE, "shop/old-*")))
>>> rules.name_of("cart"), rules.excluding("shop/old-api")
('shop/cart', 'shop/old-*')
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
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


class Overlap(StrEnum):
    """What becomes of times at which two services that are joined both have a sample.

    `REFUSE` joins nothing then. `COMBINE` makes one sample of both: rates, resources and counts add up, ratios are
    weighted by requests, quantiles are missing where both had requests. `KEEP` takes that of the service that stays.
    """

    REFUSE = "refuse"
    COMBINE = "combine"
    KEEP = "keep"


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
        name = self._exact.get(name, name)
        if self._any_deploy is None or not self._any_deploy.fullmatch(name):
            return name
        return apply_renames(name, self.deploys)

    def names_for(self, name: str) -> list[str]:
        """Names by which a source may know the service `name`, as far as they can be listed."""
        return [name, *(old for old, new in self._exact.items() if new == name)]

    def has_deploys(self, name: str) -> bool:
        """Whether the names of deploys become `name`."""
        return any(rule.becomes == name for rule in self.of(RuleKind.DEPLOY))

    def excluding(self, name: str) -> str | None:
        """The pattern by which a service is excluded; None where it is not."""
        return next((rule.pattern for rule in self._excluded if covers(rule.pattern, name)), None)

    def renaming(self, old: str, new: str, at: datetime) -> NameRules:
        """Rules after which `old` is called `new`, and what was called `old` already as well."""
        kept = []
        for rule in self.rules:
            if rule.kind in (RuleKind.RENAME, RuleKind.DEPLOY) and rule.becomes == old:
                rule = replace(rule, becomes=new)
            if rule.kind is not RuleKind.RENAME or rule.pattern not in (old, new):
                kept.append(rule)
        return NameRules((*kept, NameRule(RuleKind.RENAME, old, new, at)))

    def recognising(self, deploys: Renames, at: datetime) -> NameRules:
        """Rules with those of deploys that are new."""
        known = {rule.pattern for rule in self.of(RuleKind.DEPLOY)}
        new = [
            NameRule(RuleKind.DEPLOY, pattern, becomes.replace("$$", "$"), at)
            for pattern, becomes in deploys
            if pattern not in known
        ]
        return NameRules((*self.rules, *new)) if new else self

    def excluding_also(self, patterns: Iterable[str], at: datetime) -> NameRules:
        """Rules after which services that `patterns` cover are not watched."""
        known = {rule.pattern for rule in self._excluded}
        new = [
            NameRule(RuleKind.EXCLUDE, pattern, "", at) for pattern in dict.fromkeys(patterns) if pattern not in known
        ]
        return NameRules((*self.rules, *new))

    def restoring(self, name: str) -> NameRules:
        """Rules without what was said of a name or pattern: it is watched, and goes by its own name.

        Deploys that became `name` are services of their own from then on.
        """
        kept = []
        for rule in self.rules:
            if rule.kind is RuleKind.DEPLOY and rule.becomes == name:
                rule = replace(rule, kind=RuleKind.APART)
            if rule.kind not in (RuleKind.EXCLUDE, RuleKind.RENAME) or rule.pattern != name:
                kept.append(rule)
        return NameRules(tuple(kept))

    @cached_property
    def apart(self) -> tuple[str, ...]:
        """Stems whose deploys stay apart."""
        return tuple(rule.becomes for rule in self.of(RuleKind.APART))

    @cached_property
    def _exact(self) -> dict[str, str]:
        return {rule.pattern: rule.becomes for rule in self.of(RuleKind.RENAME)}

    @cached_property
    def _any_deploy(self) -> re.Pattern[str] | None:
        """Most names are no deploy's: one look tells so."""
        patterns = [f"(?:{pattern})" for pattern, _ in self.deploys]
        return re.compile("|".join(patterns)) if patterns else None

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
