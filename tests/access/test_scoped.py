"""Who sees some services sees nothing of the others, whatever they ask."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.shop import NOON

from observatory.access import Caller, Role, Scope, authenticator_of, scoped
from observatory.access.scoped import ScopedStore
from observatory.access.session import runtime_for
from observatory.config import Settings
from observatory.errors import ForbiddenError, NotSignedInError, UnknownServiceError
from observatory.model import Anomaly, Cycle, Failure, Fault, Service, Severity
from observatory.runtime import Runtime

OURS, THEIRS = "payments/api", "shop/secret-project"


def anomaly(service: str) -> Anomaly:
    return Anomaly(service, NOON, NOON, NOON, True, Severity.HIGH, 2.0, "seasonal", f"{service}: slow", ())


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    found = Runtime(Settings(store=":memory:", worker=False), clock=lambda: NOON)
    store = found.store
    store.register([Service(OURS, team="us"), Service(THEIRS, team="them")])
    frame = found.sources[0].history(NOON - timedelta(hours=1), NOON, 60, ["shop/cart"]).frame
    for name in (OURS, THEIRS):
        store.write_samples(frame.assign(service_name=name))
    store.write_anomalies([anomaly(OURS), anomaly(THEIRS)])
    store.write_calls([(THEIRS, OURS), (OURS, "payments/db")])
    store.write_faults([Fault(OURS, "cascade", NOON, NOON, ("cpu_usage",), THEIRS)])
    store.write_faults([Fault(THEIRS, "cascade", NOON, NOON, ("cpu_usage",), THEIRS)])
    failures = [Failure(f"detect {THEIRS}", "x"), Failure(f"detect {OURS}", "y"), Failure("collect", f"no {THEIRS}")]
    store.write_cycle(Cycle(NOON, 1.0, 2, 2, 2, (*failures, Failure(f"eu: {THEIRS}", "z")), (f"{THEIRS}: left out",)))
    found.failures = tuple(failures)
    found.worker.error = f"OSError: {THEIRS}"
    yield found
    found.worker.error = None
    found.close()


@pytest.fixture(scope="module")
def ours(runtime: Runtime) -> Runtime:
    return scoped(runtime, Caller("key", "1", "ann", Role.OPERATOR, Scope.of(["payments/*"])))


def test_who_sees_everything_gets_the_runtime_itself(runtime: Runtime) -> None:
    assert scoped(runtime, Caller("key", "1", "ann", Role.VIEWER, Scope(("*",)))) is runtime


def test_nothing_that_can_be_read_tells_of_other_services(ours: Runtime) -> None:
    hour = timedelta(hours=1)
    store = ours.store
    answers: list[Any] = [
        ours.overview(),
        ours.failures,
        ours.worker.error,
        ours.settings,
        ours.history(OURS, NOON - hour, NOON),
        store.services(),
        store.calls(),
        store.history(OURS, NOON - hour, NOON),
        store.buckets(OURS, NOON - hour, NOON, 300),
        store.history_of_all(NOON - hour, NOON).to_csv(),
        store.history_of_all(NOON - hour, NOON, [OURS, THEIRS]).to_csv(),
        store.trends(NOON - hour, NOON, 300, ["cpu_usage"]).to_csv(),
        store.latest(NOON - hour).to_csv(),
        store.sample_counts().to_csv(),
        store.anomalies(),
        store.anomalies(services=[OURS, THEIRS]),
        store.faults(),
        store.cycles(),
    ]
    text = repr(answers)
    assert OURS in text
    assert THEIRS not in text
    assert "secret" not in text.replace("SecretStr", "").replace("_secret", "")


def test_counts_are_those_of_what_is_seen(ours: Runtime) -> None:
    overview = ours.overview()
    assert [status.name for status in overview.services] == [OURS]
    assert sum(overview.counts.values()) == 1
    assert (overview.open_anomalies, overview.anomalies_24h) == (1, 1)
    assert overview.last_cycle is not None
    assert (overview.last_cycle.services, overview.last_cycle.samples, overview.last_cycle.anomalies) == (1, 1, 1)
    assert [failure.what for failure in overview.last_cycle.failures] == [
        f"detect {OURS}",
        "collect",
        "a part of the cycle",
    ]
    assert ours.store.newest() == ours.store.newest(OURS) == NOON.replace(second=0)
    assert ours.store.oldest() is not None
    assert ours.store.newest(THEIRS) is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.history(THEIRS, NOON - timedelta(hours=1), NOON),
        lambda r: r.collect(THEIRS),
        lambda r: r.store.service(THEIRS),
        lambda r: r.store.history(THEIRS, NOON, NOON),
        lambda r: r.store.buckets(THEIRS, NOON, NOON, 60),
    ],
)
def test_other_services_do_not_exist(ours: Runtime, ask: Any) -> None:
    with pytest.raises(UnknownServiceError) as raised:
        ask(ours)
    unknown = UnknownServiceError(THEIRS, [OURS])
    assert str(raised.value) == str(unknown)


def test_other_services_cannot_be_registered_nor_all_be_collected(ours: Runtime, runtime: Runtime) -> None:
    before = runtime.store.services()
    with pytest.raises(ForbiddenError, match="outside of what you may see: payments/"):
        ours.store.register([Service(OURS), Service("shop/new")])
    with pytest.raises(ForbiddenError, match="every service"):
        ours.collect()
    assert runtime.store.services() == before


def test_what_nobody_opened_is_closed() -> None:
    reachable = {name for name, _ in inspect.getmembers(ScopedStore) if not name.startswith("_")}
    assert not reachable & {
        "write_samples",
        "write_anomalies",
        "write_calls",
        "archive",
        "keys",
        "note",
        "backup",
        "info",
        "maintain",
    }


def test_a_page_shows_what_its_user_may_see_until_the_key_is_revoked(runtime: Runtime) -> None:
    keys = authenticator_of(runtime).keys
    assert runtime_for(runtime, None) is runtime
    _, text = keys.create("ann", Role.VIEWER, ["payments/*"])
    user = keys.session(text)
    page = runtime_for(runtime, user)
    assert runtime_for(runtime, user) is page
    assert [status.name for status in page.overview().services] == [OURS]
    for nobody in (None, "", "guest", "ann", user + "x"):
        with pytest.raises(NotSignedInError):
            runtime_for(runtime, nobody)
    keys.revoke("ann")
    for ask in (page.overview, lambda: page.store.services()):
        with pytest.raises(NotSignedInError, match="revoked"):
            ask()


def test_panels_own_login_is_asked_whatever_the_settings_say(runtime: Runtime) -> None:
    with pytest.raises(NotSignedInError):
        runtime_for(runtime, None, panel_login=True)
    with pytest.raises(ForbiddenError, match="may do nothing here"):
        runtime_for(runtime, "ann", panel_login=True)
