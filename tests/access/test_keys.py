"""A key is shown once, kept as a salted hash, and refused once it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support.shop import Clock

from observatory.access.keys import ApiKeys
from observatory.access.permissions import Role, Scope
from observatory.errors import InvalidInputError, NotFoundError, NotSignedInError
from observatory.store import Store, open_store


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with open_store(":memory:") as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(store: Store, clock: Clock) -> ApiKeys:
    for key in store.keys.all():
        if key.revoked_at is None:
            store.keys.revoke(key.id, clock())
    return ApiKeys(store, clock)


def test_a_key_opens_what_it_was_made_for(keys: ApiKeys) -> None:
    key, text = keys.create("grafana", Role.OPERATOR, ["shop/*", "payments/api"])
    caller = keys.caller(text)
    assert (caller.kind, caller.id, caller.name, caller.role) == ("key", key.id, "grafana", Role.OPERATOR)
    assert [caller.scope.covers(name) for name in ("shop/cart", "payments/api", "payments/x", "shop")] == [
        True,
        True,
        False,
        False,
    ]


def test_the_secret_is_kept_nowhere_and_equal_secrets_would_not_show(keys: ApiKeys, store: Store) -> None:
    _, one = keys.create("one", Role.VIEWER, ["*"])
    _, two = keys.create("two", Role.VIEWER, ["*"])
    kept = [key for key in store.keys.all() if key.revoked_at is None]
    for text in (one, two):
        assert text[17:] not in repr(kept)
    assert len({key.salt for key in kept}) == 2


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t.upper(), lambda t: "obs_", str.swapcase]
)
def test_what_is_nearly_a_key_is_none(keys: ApiKeys, change: object) -> None:
    _, text = keys.create("near", Role.VIEWER, ["*"])
    with pytest.raises(NotSignedInError, match="unknown"):
        keys.caller(change(text))  # type: ignore[operator]


def test_the_secret_of_one_key_does_not_open_another(keys: ApiKeys) -> None:
    _, one = keys.create("one", Role.VIEWER, ["*"])
    _, two = keys.create("two", Role.ADMIN, ["*"])
    with pytest.raises(NotSignedInError, match="unknown"):
        keys.caller(two[:17] + one[17:])


def test_a_key_expires(keys: ApiKeys, clock: Clock) -> None:
    _, text = keys.create("short", Role.VIEWER, ["*"], timedelta(hours=1))
    clock.forward(minutes=59)
    keys.caller(text)
    clock.forward(minutes=1)
    with pytest.raises(NotSignedInError, match="expired at 2026-03-01 13:00 UTC"):
        keys.caller(text)


def test_a_revoked_key_is_refused_and_stays_in_the_list(keys: ApiKeys) -> None:
    key, text = keys.create("gone", Role.VIEWER, ["*"])
    session = keys.session(text)
    keys.revoke("gone")
    for refused in (lambda: keys.caller(text), lambda: keys.caller_of_session(session)):
        with pytest.raises(NotSignedInError, match="revoked"):
            refused()
    assert key.id in [kept.id for kept in keys.all()]
    assert keys.any()
    with pytest.raises(NotFoundError, match="no key 'gone' in use"):
        keys.revoke("gone")


def test_rotating_replaces_the_secret_and_ends_sessions(keys: ApiKeys, clock: Clock) -> None:
    key, old = keys.create("turn", Role.VIEWER, ["shop/*"], timedelta(days=1))
    session = keys.session(old)
    clock.forward(hours=1)
    again, new = keys.rotate(key.id)
    assert again.expires_at == clock() + timedelta(days=1)
    assert keys.caller(new).id == key.id
    with pytest.raises(NotSignedInError, match="unknown"):
        keys.caller(old)
    with pytest.raises(NotSignedInError, match="sign in again"):
        keys.caller_of_session(session)
    assert keys.caller_of_session(keys.session(new)).scope == Scope(("shop/*",))


def test_a_key_made_or_revoked_by_another_process_is_known_soon(
    keys: ApiKeys, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = ApiKeys(store, clock)
    keys.any()
    monkeypatch.setattr("observatory.access.snapshot.UNKNOWN_FRESH", -1.0)
    _, text = elsewhere.create("elsewhere", Role.VIEWER, ["*"])
    keys.caller(text)
    elsewhere.revoke("elsewhere")
    monkeypatch.setattr("observatory.access.snapshot.FRESH", -1.0)
    with pytest.raises(NotSignedInError, match="revoked"):
        keys.caller(text)


def test_the_last_use_is_remembered_to_the_minute(keys: ApiKeys, store: Store, clock: Clock) -> None:
    key, text = keys.create("used", Role.VIEWER, ["*"])

    def last_used() -> datetime | None:
        return next(kept.last_used_at for kept in store.keys.all() if kept.id == key.id)

    assert last_used() is None
    keys.caller(text)
    assert last_used() == datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)
    clock.forward(seconds=30)
    keys.caller(text)
    assert last_used() == datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)
    clock.forward(seconds=30)
    keys.caller(text)
    assert last_used() == datetime(2026, 3, 1, 12, 1, 20, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", " a", "a" * 81, "a\nb", "a;b", "<script>"])
def test_names_that_would_confuse_are_refused(keys: ApiKeys, name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be used"):
        keys.create(name, Role.VIEWER, ["*"])


@pytest.mark.parametrize("patterns", [[], [""], ["a "], ["a\n"], ["a" * 201], [f"a{i}" for i in range(101)]])
def test_patterns_that_cannot_be_meant_are_refused(keys: ApiKeys, patterns: list[str]) -> None:
    with pytest.raises(InvalidInputError):
        keys.create("a", Role.VIEWER, patterns)


def test_two_keys_in_use_have_two_names(keys: ApiKeys) -> None:
    keys.create("same", Role.VIEWER, ["*"])
    with pytest.raises(InvalidInputError, match="'same' is in use"):
        keys.create("same", Role.VIEWER, ["*"])
    keys.revoke("same")
    keys.create("same", Role.VIEWER, ["*"])
