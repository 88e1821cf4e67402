"""Who sees some services sees nothing of the others, whatever they ask."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from support.servers import wait_until
from support.shop import NOON

from observatory.access import Caller, Role, Scope, authenticator_of, operator_for, scoped
from observatory.access.gate import Arrival, Visitor, gate_of
from observatory.access.readers import reader_for
from observatory.access.sessions import hash_of
from observatory.config import Settings
from observatory.errors import ForbiddenError, NotSignedInError, UnknownServiceError
from observatory.model import (
    Anomaly,
    Call,
    Change,
    ChangeKind,
    Cycle,
    End,
    EventKind,
    ExternalAlert,
    Failure,
    Fault,
    Feedback,
    IncidentChanges,
    IncidentEvent,
    LikelyCause,
    Service,
    Severity,
    Silence,
    Verdict,
)
from observatory.runtime import Runtime
from observatory.runtime.feed import Look
from observatory.runtime.incidents import IncidentTracker
from observatory.runtime.reader import FeedReader, Operator, Reader, WorkerState
from observatory.store.engine.database import Statement
from observatory.store.reader import (
    AlertsWriter,
    ChangesWriter,
    FeedbackWriter,
    NamesWriter,
    OperatorStore,
    RemarksReader,
    SilencesWriter,
)

OURS, THEIRS = "payments/api", "shop/secret-project"
HOUR = timedelta(hours=1)
WAIT = 30


def anomaly(service: str) -> Anomaly:
    return Anomaly(service, NOON, NOON, NOON, True, Severity.HIGH, 2.0, "seasonal", f"{service}: slow", ())


def deployed(service: str) -> Change:
    return Change(f"c-{service[:4]}", service, NOON, ChangeKind.DEPLOYMENT, "2", f"{service}: faster", "", "ci")


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    settings: dict[str, Any] = {
        "services": {THEIRS: {"team": "strangers"}},
        "users": {"strangers@example.com": {"services": [THEIRS]}},
        "include": (THEIRS, "*"),
        "schedule": {"nightly": {"notebook": "incident_report", "every": "1d", "parameters": {"service": THEIRS}}},
    }
    found = Runtime(Settings(store=":memory:", worker=False, **settings), clock=lambda: NOON)
    store = found.store
    store.register([Service(OURS, "demo", team="us"), Service(THEIRS, "demo", team="strangers")])
    frame = found.sources[0].history(NOON - HOUR, NOON, 60, ["shop/cart"]).frame
    for name in (OURS, THEIRS):
        store.write_samples(frame.assign(service_name=name))
    store.write_anomalies([anomaly(OURS), anomaly(THEIRS)])
    store.write_calls([(THEIRS, OURS), (OURS, "payments/db")])
    IncidentTracker(store).follow(NOON, {})
    (incident,) = store.incidents.read()
    blamed = tuple(LikelyCause(name, 4.0, True, f"caller {THEIRS} is ill") for name in (OURS, THEIRS))
    kinds = [kind for kind in get_args(EventKind) if kind not in ("joined", "worse", "better", "cause")]
    said = [IncidentEvent(incident.id, NOON, kind, f"ask {THEIRS}", "key:ann") for kind in kinds]
    blames = IncidentEvent(incident.id, NOON, "cause", f"likeliest cause: {OURS}: {THEIRS} is ill", service_name=OURS)
    changed = replace(incident, causes=blamed, assignee=f"owners of {THEIRS}")
    store.incidents.change(incident.id, lambda held: IncidentChanges((changed,), (*said, blames)))
    store.write_calls(
        [
            Call(OURS, "ours.example", callee_is=End.EXTERNAL),
            Call("user", OURS, caller_is=End.USER),
            Call(THEIRS, "strangers.example", callee_is=End.EXTERNAL),
            Call(THEIRS, "strangers", callee_is=End.DATABASE),
        ],
        NOON,
    )
    store.write_faults([Fault(OURS, "cascade", NOON, NOON, ("cpu_usage",), THEIRS)])
    store.write_faults([Fault(THEIRS, "cascade", NOON, NOON, ("cpu_usage",), THEIRS)])
    store.feedback.write([Feedback(name, Verdict.RIGHT, NOON, NOON, NOON, "seasonal") for name in (OURS, THEIRS)])
    store.changes.write([deployed(OURS), deployed(THEIRS)])
    for name in (OURS, THEIRS, ""):
        told = ExternalAlert(name, NOON, name, f"slow {name}", Severity.LOW, name, "", "ci", NOON, NOON + HOUR)
        store.alerts.write([told])
    silences = {"s-ours": (OURS,), "s-theirs": (THEIRS,), "s-all": (OURS, THEIRS)}
    store.silences.write(
        Silence(key, f"for {names[-1]}", "ann", NOON, NOON - HOUR, NOON + HOUR, names)
        for key, names in silences.items()
    )
    for name in (OURS, THEIRS):
        store.register([Service("before/" + name, "demo")])
        store.names.rename("before/" + name, name + "-2", NOON)
        store.names.remove([name + "-2"], NOON, [name + "-2"])
    store.remarks.record("demo", NOON, [f"{THEIRS} is partial"])
    failures = [Failure(f"detect {THEIRS}", "x"), Failure(f"detect {OURS}", "y"), Failure("collect", f"no {THEIRS}")]
    store.write_cycle(Cycle(NOON, 1.0, 2, 2, 2, (*failures, Failure(f"eu: {THEIRS}", "z")), (f"{THEIRS}: left out",)))
    found.failures = tuple(failures)
    found.worker.error = f"OSError: {THEIRS}"
    yield found
    found.worker.error = None
    found.close()


def ann(role: Role, *patterns: str) -> Caller:
    return Caller("key", "1", "ann", role, Scope.of(patterns or ["payments/*"]))


@pytest.fixture(scope="module")
def ours(runtime: Runtime) -> Reader:
    return scoped(runtime, ann(Role.VIEWER))


@pytest.fixture(scope="module")
def operated(runtime: Runtime) -> Operator:
    return operator_for(runtime, ann(Role.OPERATOR))


def looked(feed: FeedReader) -> list[Look]:
    """What a subscriber is called with."""
    looks: list[Look] = []
    feed.subscribe(looks.append, 3600)
    feed.refresh()
    wait_until(lambda: looks, WAIT, "a look")
    feed.unsubscribe(looks.append)
    return looks


def refused(ask: Callable[[], Any]) -> str:
    with pytest.raises(ForbiddenError) as raised:
        ask()
    return str(raised.value)


STORE: dict[str, Callable[[Any], Any]] = {
    "url": lambda s: s.url,
    "revision": lambda s: s.revision,
    "metrics": lambda s: s.metrics,
    "changes": lambda s: (s.changes.read(), s.changes.read(services=[OURS, THEIRS]), s.changes.get("c-shop")),
    "feedback": lambda s: s.feedback.read(),
    "alerts": lambda s: (s.alerts.read(), s.alerts.read(services=[OURS, THEIRS])),
    "silences": lambda s: (s.silences.read(), s.silences.get("s-ours")),
    "names": lambda s: s.names.rules(),
    "remarks": lambda s: s.remarks.about("demo", NOON - HOUR, NOON),
    "runs": lambda s: refused(lambda: s.runs),
    "schedulers": lambda s: refused(lambda: s.schedulers),
    "services": lambda s: s.services(),
    "service": lambda s: s.service(OURS),
    "calls": lambda s: s.calls(),
    "graph": lambda s: s.graph(everything=True),
    "history": lambda s: s.history(OURS, NOON - HOUR, NOON),
    "history_of_all": lambda s: [
        s.history_of_all(NOON - HOUR, NOON, names).to_csv() for names in (None, [OURS, THEIRS])
    ],
    "buckets": lambda s: s.buckets(OURS, NOON - HOUR, NOON, 300),
    "resolution": lambda s: s.resolution(NOON - HOUR, 60),
    "trends": lambda s: s.trends(NOON - HOUR, NOON, 300, ["cpu_usage"]).to_csv(),
    "latest": lambda s: s.latest(NOON - HOUR).to_csv(),
    "sample_counts": lambda s: s.sample_counts().to_csv(),
    "newest": lambda s: (s.newest(), s.newest(THEIRS)),
    "oldest": lambda s: (s.oldest(), s.oldest(THEIRS)),
    "anomalies": lambda s: (s.anomalies(), s.anomalies(services=[OURS, THEIRS])),
    "incidents": lambda s: [(one, s.incidents.events(one.id)) for one in s.incidents.read()],
    "faults": lambda s: s.faults(),
    "cycles": lambda s: s.cycles(),
    "register": lambda s: s.register([Service(OURS, "demo", team="us")]),
}
READER: dict[str, Callable[[Any], Any]] = {
    "settings": lambda r: r.settings,
    "clock": lambda r: r.clock(),
    "is_live": lambda r: r.is_live,
    "store": lambda r: [ask(r.store) for name, ask in STORE.items() if name in public(r.store)],
    "failures": lambda r: r.failures,
    "worker": lambda r: r.worker.error,
    "feed": lambda r: looked(r.feed),
    "parts": lambda r: vars(r.parts),
    "overview": lambda r: r.overview(),
    "history": lambda r: r.history(OURS, NOON - HOUR, NOON),
    "exemplars": lambda r: r.exemplars(OURS, NOON - HOUR, NOON),
    "source_names": lambda r: r.source_names,
    "collect": lambda r: refused(r.collect),
}
"""How each thing is asked for: what is added must be added here, and shown to give nothing away."""


def public(thing: Any) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


@pytest.mark.slow
@pytest.mark.parametrize("who", ["ours", "operated"])
def test_nothing_that_can_be_asked_tells_of_other_services(who: str, request: pytest.FixtureRequest) -> None:
    reader = request.getfixturevalue(who)
    answers = {name: repr(ask(reader)) for name, ask in READER.items() if name in public(reader)}
    for name, text in answers.items():
        assert THEIRS not in text, name
        assert "strangers" not in text, name
    assert all(OURS in answers[name] for name in ("overview", "history", "store", "feed", "failures"))


def test_what_nobody_opened_is_closed(ours: Reader, operated: Operator, runtime: Runtime) -> None:
    """Each part has what its protocol has, and not a name more."""
    writes = {"register", "source_names", "collect"}
    pairs: list[tuple[Any, Any, set[str]]] = [
        (ours, Reader, set(READER) - writes),
        (operated, Operator, set(READER)),
        (ours.store, OperatorStore, set(STORE) - writes),
        (operated.store, OperatorStore, set(STORE)),
        (ours.feed, FeedReader, public(ours.feed)),
        (ours.worker, WorkerState, public(ours.worker)),
        (ours.store.changes, ChangesWriter, {"read", "get"}),
        (operated.store.changes, ChangesWriter, {"read", "get", "write"}),
        (ours.store.feedback, FeedbackWriter, {"read"}),
        (operated.store.feedback, FeedbackWriter, {"read", "write"}),
        (ours.store.alerts, AlertsWriter, {"read"}),
        (operated.store.alerts, AlertsWriter, {"read", "write"}),
        (ours.store.silences, SilencesWriter, {"read", "get"}),
        (operated.store.silences, SilencesWriter, {"read", "get", "write"}),
        (ours.store.names, NamesWriter, {"rules"}),
        (operated.store.names, NamesWriter, {"rules", "rename", "merge", "remove", "allow", "restore"}),
        (ours.store.remarks, RemarksReader, public(ours.store.remarks)),
    ]
    for thing, protocol, asked in pairs:
        assert public(thing) == asked
        assert asked <= public(protocol)
    assert not issubclass(type(ours), Runtime)
    assert not {"sources", "next_fault", "pipeline", "before_close"} & public(operated)


def test_the_whole_runtime_satisfies_what_is_read(runtime: Runtime) -> None:
    assert public(Operator) <= public(runtime)
    assert public(OperatorStore) <= public(runtime.store)
    for name, member in inspect.getmembers(OperatorStore, inspect.isfunction):
        if not name.startswith("_"):
            given = inspect.signature(getattr(type(runtime.store), name)).parameters
            assert list(inspect.signature(member).parameters) == list(given), name


def test_what_is_outside_of_all_services_is_seen_with_the_service_at_its_other_end(ours: Reader) -> None:
    assert [(call.caller, call.callee) for call in ours.store.graph()] == [
        (OURS, "ours.example"),
        (OURS, "payments/db"),
        ("user", OURS),
    ]


def test_who_sees_everything_gets_the_runtime_itself(runtime: Runtime) -> None:
    assert scoped(runtime, ann(Role.VIEWER, "*")) is runtime
    assert operator_for(runtime, ann(Role.OPERATOR, "*")) is runtime


def test_counts_are_those_of_what_is_seen(ours: Reader) -> None:
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
        lambda r: r.history(THEIRS, NOON - HOUR, NOON),
        lambda r: r.collect(THEIRS),
        lambda r: r.store.service(THEIRS),
        lambda r: r.store.history(THEIRS, NOON, NOON),
        lambda r: r.store.buckets(THEIRS, NOON, NOON, 60),
    ],
)
def test_other_services_do_not_exist(operated: Operator, ask: Any) -> None:
    with pytest.raises(UnknownServiceError) as raised:
        ask(operated)
    unknown = UnknownServiceError(THEIRS, [OURS])
    assert str(raised.value) == str(unknown)


def test_other_services_cannot_be_written_of_nor_all_be_collected(operated: Operator, runtime: Runtime) -> None:
    def kept() -> Any:
        return runtime.store.services(), runtime.store.feedback.read(), runtime.store.changes.read()

    before = kept()
    with pytest.raises(ForbiddenError, match="outside of what you may see: payments/"):
        operated.store.register([Service(OURS), Service("shop/new")])
    with pytest.raises(ForbiddenError, match="outside of what you may see: payments/"):
        operated.store.feedback.write([Feedback(THEIRS, Verdict.MISSED, NOON, NOON, NOON)])
    with pytest.raises(ForbiddenError, match="outside of what you may see: payments/"):
        operated.store.changes.write([deployed(THEIRS)])
    with pytest.raises(ForbiddenError, match="every service"):
        operated.collect()
    assert kept() == before


def test_a_viewer_is_given_nothing_that_writes(runtime: Runtime) -> None:
    for patterns in (["payments/*"], ["*"]):
        with pytest.raises(ForbiddenError, match="needs the role operator, and 'ann' has the role viewer"):
            operator_for(runtime, ann(Role.VIEWER, *patterns))


def visitor(runtime: Runtime, subject: str) -> Visitor:
    """Whom the gate lets in after a sign-in."""
    session, _ = authenticator_of(runtime).sign_in(subject)
    return gate_of(runtime).identify(Arrival("GET", "localhost", session=hash_of(session)))


def test_a_page_shows_what_its_visitor_may_see_until_the_key_is_revoked(runtime: Runtime) -> None:
    keys = authenticator_of(runtime).keys
    _, text = keys.create("ann", Role.VIEWER, ["payments/*"])
    who = visitor(runtime, keys.session(text))
    page = reader_for(runtime, who)
    assert reader_for(runtime, who) is page
    assert [status.name for status in page.overview().services] == [OURS]
    keys.revoke("ann")
    for ask in (page.overview, lambda: page.store.services()):
        with pytest.raises(NotSignedInError, match="revoked"):
            ask()
    look = looked(page.feed)[-1]
    assert (look.overview, look.events) == (None, ())
    assert "revoked" in look.error


def test_a_page_that_nobody_had_to_sign_in_for_ends_with_the_first_key() -> None:
    runtime = Runtime(Settings(store=":memory:", worker=False), clock=lambda: NOON)
    try:
        page = reader_for(runtime, gate_of(runtime).identify(Arrival("GET", "localhost", "127.0.0.1")))
        assert page.overview().services == ()
        authenticator_of(runtime).keys.create("first", Role.VIEWER, ["payments/*"])
        with pytest.raises(NotSignedInError, match="sign in by now"):
            page.overview()
        assert looked(page.feed)[-1].overview is None
    finally:
        runtime.close()


def test_a_page_ends_when_what_its_visitor_may_do_changes(runtime: Runtime) -> None:
    keys = authenticator_of(runtime).keys
    key, text = keys.create("ann", Role.OPERATOR, ["payments/*"])
    page = reader_for(runtime, visitor(runtime, keys.session(text)))
    assert page.overview().services
    runtime.store._database.write([Statement("UPDATE api_keys SET role = 'viewer' WHERE id = ?", [key.id])])
    keys._known.forget()
    with pytest.raises(NotSignedInError, match="has changed"):
        page.overview()


def test_panels_own_login_is_asked_whatever_the_settings_say(runtime: Runtime) -> None:
    authenticator_of(runtime).asks_panel = True
    with pytest.raises(NotSignedInError):
        gate_of(runtime).identify(Arrival("GET", "localhost", "127.0.0.1"))
    session = authenticator_of(runtime).sign_in_at_panel("ann")
    with pytest.raises(ForbiddenError, match="may do nothing here"):
        gate_of(runtime).identify(Arrival("GET", "localhost", session=hash_of(session)))


def test_two_runtimes_of_a_process_do_not_share_who_signed_in(runtime: Runtime) -> None:
    other = Runtime(Settings(store=":memory:", worker=False), clock=lambda: NOON)
    try:
        assert authenticator_of(other) is authenticator_of(other)
        assert authenticator_of(other) is not authenticator_of(runtime)
    finally:
        other.close()
