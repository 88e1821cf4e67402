"""Sessions of the dashboard: kept in the store, and ended in every process that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from observatory.access import Role, authenticator_of
from observatory.access.authentication import Authenticator
from observatory.access.gate import Access, Arrival, Gate, gate_of
from observatory.access.sessions import hash_of
from observatory.access.tokens import granted
from observatory.config import Settings
from observatory.config.users import UserSettings
from observatory.errors import ForbiddenError, MisdirectedError, NotSignedInError
from observatory.runtime import Runtime

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runtime(clock: Clock) -> Iterator[Runtime]:
    made = Runtime(Settings(store=":memory:", worker=False, hosts=("obs.example",)), clock=clock)
    yield made
    made.close()


@pytest.fixture
def authenticator(runtime: Runtime) -> Authenticator:
    return authenticator_of(runtime)


@pytest.fixture
def session(authenticator: Authenticator) -> str:
    """The hash of a session that a key began."""
    _, text = authenticator.keys.create("ann", Role.OPERATOR, ["shop/*"])
    return hash_of(authenticator.sign_in(authenticator.keys.session(text))[0])


def test_it_lasts_as_long_as_the_settings_say(authenticator: Authenticator, session: str, clock: Clock) -> None:
    assert authenticator.caller_of_session(session).name == "ann"
    clock.now += timedelta(hours=12)
    with pytest.raises(NotSignedInError, match="no longer signed in"):
        authenticator.caller_of_session(session)
    _, text = authenticator.keys.create("bob", Role.VIEWER, ["*"])
    authenticator.sign_in(authenticator.keys.session(text))
    assert [found.role for found in authenticator.sessions._store.all()] == ["viewer"], "the old one is forgotten"


@pytest.mark.parametrize("end", ["sign-out", "revoke", "rotate", "expire"])
def test_whatever_ends_it_ends_it_elsewhere_too(
    runtime: Runtime, authenticator: Authenticator, session: str, clock: Clock, end: str
) -> None:
    elsewhere = Authenticator(runtime)  # as another process has it
    assert elsewhere.caller_of_session(session).role is Role.OPERATOR
    if end == "sign-out":
        authenticator.sessions.end(session)
    elif end == "revoke":
        authenticator.keys.revoke("ann")
    elif end == "rotate":
        authenticator.keys.rotate("ann")
    else:
        clock.now += timedelta(days=1)
    elsewhere.sessions._known.forget()  # after two seconds
    elsewhere.keys._known.forget()
    with pytest.raises(NotSignedInError):
        elsewhere.caller_of_session(session)


def test_nothing_that_is_kept_opens_it(authenticator: Authenticator, session: str) -> None:
    (kept,) = authenticator.sessions._store.all()
    assert kept.id_hash == session
    for text in (kept.id_hash, kept.subject, ""):
        with pytest.raises(NotSignedInError):
            authenticator.caller_of_session(hash_of(text))


def test_a_session_of_another_way_to_sign_in_is_worth_nothing(authenticator: Authenticator, session: str) -> None:
    authenticator.asks_panel = True
    with pytest.raises(NotSignedInError, match="another way"):
        authenticator.caller_of_session(session)


def test_a_user_whose_services_change_signs_in_again(authenticator: Authenticator) -> None:
    authenticator.asks_panel = True
    users = {"ann": UserSettings(role="viewer", services=("shop/*",))}
    authenticator.settings = authenticator.settings.model_copy(update={"users": users})
    session = hash_of(authenticator.sign_in_at_panel("ann"))
    assert authenticator.caller_of_session(session) == granted("ann", "login", {}, users)
    wider = {"ann": UserSettings(role="viewer", services=("*",))}
    authenticator.settings = authenticator.settings.model_copy(update={"users": wider})
    with pytest.raises(NotSignedInError, match="has changed"):
        authenticator.caller_of_session(session)


@pytest.fixture
def gate(runtime: Runtime) -> Gate:
    return gate_of(runtime)


@pytest.mark.parametrize(
    ("arrival", "access"),
    [
        (Arrival("GET", "127.0.0.1:5006"), Access.READ),
        (Arrival("GET", "obs.example"), Access.READ),
        (Arrival("GET", "[::1]:5006", origin="http://[::1]:5006"), Access.READ),
        (Arrival("POST", "localhost", origin="http://localhost", site="same-origin"), Access.WRITE),
        (Arrival("GET", "127.0.0.1:5006", origin="https://obs.example"), Access.READ),
        (Arrival("GET", "localhost", site="cross-site", mode="navigate", destination="document"), Access.READ),
        (Arrival("GET", "evil.example", authorization="Bearer x"), Access.READ),
        (Arrival("GET", "evil.example", site="cross-site"), Access.PUBLIC),
    ],
)
def test_what_comes_from_here_or_is_a_link_passes(gate: Gate, arrival: Arrival, access: Access) -> None:
    gate.look(arrival, access)


@pytest.mark.parametrize(
    ("arrival", "error"),
    [
        (Arrival("GET", "evil.example"), MisdirectedError),
        (Arrival("GET", "localhost.evil.example"), MisdirectedError),
        (Arrival("GET", "127.0.0.1:99999"), MisdirectedError),
        (Arrival("GET", ""), MisdirectedError),
        (Arrival("GET", "localhost", site="cross-site", mode="no-cors"), ForbiddenError),
        (Arrival("GET", "localhost", site="same-site", mode="cors"), ForbiddenError),
        (Arrival("GET", "localhost", site="nonsense"), ForbiddenError),
        (Arrival("GET", "localhost", site="cross-site", mode="navigate", destination="iframe"), ForbiddenError),
        (Arrival("POST", "localhost", site="cross-site", mode="navigate", destination="document"), ForbiddenError),
        (Arrival("GET", "localhost", origin="null"), ForbiddenError),
        (Arrival("GET", "localhost:5006", origin="http://localhost:5007"), ForbiddenError),
        (Arrival("GET", "localhost", origin="https://obs.example.evil"), ForbiddenError),
        (Arrival("GET", "localhost", origin="file://localhost"), ForbiddenError),
        (Arrival("GET", "localhost", origin="http://[::1"), ForbiddenError),
    ],
)
def test_what_another_site_causes_or_means_is_refused(gate: Gate, arrival: Arrival, error: type[Exception]) -> None:
    with pytest.raises(error):
        gate.look(arrival, Access.READ)
