"""Rules about names follow each other, and can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from observatory.model import NameRule, NameRules, RuleKind, apply_renames, covers

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_a_name_follows_however_often_it_changes() -> None:
    rules = NameRules().renaming("a", "b", NOW).renaming("x", "b", NOW).renaming("b", "c", NOW)
    assert [rules.name_of(name) for name in ("a", "x", "b", "c", "d")] == ["c", "c", "c", "c", "d"]
    back = rules.renaming("c", "a", NOW)
    assert [back.name_of(name) for name in ("a", "x", "b", "c")] == ["a"] * 4


def test_sources_get_patterns_of_whole_names() -> None:
    rules = NameRules().renaming("a.b$", "c$1", NOW).recognising((("web-[0-9a-f]{7}", "w$$b"),), NOW)
    assert rules.name_of("a.b$") == apply_renames("a.b$", rules.renames) == "c$1"
    assert apply_renames("axb$", rules.renames) == "axb$"
    assert rules.name_of("web-3f9ab12") == apply_renames("web-3f9ab12", rules.renames) == "w$b"
    assert rules.names_for("c$1") == ["c$1", "a.b$"]
    assert rules.has_deploys("w$b")


def test_what_was_said_of_a_name_can_be_taken_back() -> None:
    deploys = (("web-[0-9a-f]{7}", "web"),)
    rules = NameRules().renaming("a", "b", NOW).excluding_also(["old-*", "a[1]"], NOW).recognising(deploys, NOW)
    assert rules.excluding("old-api") == "old-*"
    assert rules.excluding("a[1]") == "a[1]", "a name that looks like a pattern"
    assert rules.restoring("old-*").excluding("old-api") is None
    assert rules.restoring("old-api") == rules
    assert rules.restoring("a").name_of("a") == "a"
    apart = rules.restoring("web")
    assert (apart.name_of("web-3f9ab12"), apart.apart) == ("web-3f9ab12", ("web",))
    assert apart.recognising(deploys, NOW).name_of("web-3f9ab12") == "web", "asked for by somebody"


def test_the_same_is_said_once() -> None:
    rules = NameRules((NameRule(RuleKind.EXCLUDE, "x", "", NOW),))
    assert rules.excluding_also(["x", "x"], NOW) == rules
    assert rules.renaming("a", "b", NOW).renaming("a", "b", NOW).of(RuleKind.RENAME) == (
        NameRule(RuleKind.RENAME, "a", "b", NOW),
    )


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [("shop/*", "shop/a/b", True), ("shop/*", "ashop/a", False), ("*", "x", True), ("A", "a", False), ("?", "x", True)],
)
def test_patterns_cover_whole_names(pattern: str, name: str, found: bool) -> None:
    assert covers(pattern, name) is found
