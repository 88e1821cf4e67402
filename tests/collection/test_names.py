"""What sources say goes by the names that services have here, and what is excluded stays away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from observatory.catalog import METRICS
from observatory.collection.backfill import backfill
from observatory.collection.collect import collect_once, discover
from observatory.collection.importing import ImportOptions, import_file
from observatory.errors import InvalidInputError
from observatory.model import Collected, Renames, Service, apply_renames
from observatory.store import Store

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
Values = dict[str, float]


class Listed:
    """A source with a list of services, each with the values of all metrics that it is given."""

    name, asks = "listed", "everything"

    def __init__(self, *names: str, **values: Values) -> None:
        self.values: dict[str, Values] = {name: {"request_rate": 1.0} for name in names} | values
        self.asked: list[Sequence[str] | None] = []
        self.calls: list[tuple[str, str]] = []

    def discover(self) -> list[Service]:
        return [Service(name, self.name) for name in sorted(self.values)]

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        self.asked.append(services)
        rows = [
            {"service_name": name, "timestamp": pd.Timestamp(at), **dict.fromkeys(METRICS), **values}
            for name, values in sorted(self.values.items())
            if services is None or name in services
        ]
        frame = pd.DataFrame(rows, columns=["service_name", "timestamp", *METRICS])
        return Collected(frame.astype(dict.fromkeys(METRICS, float)), (), (), 1)

    def history(self, start: datetime, end: datetime, step: float, services: Sequence[str] | None = None) -> Collected:
        times = pd.date_range(start, end, freq=f"{step:.0f}s")
        frames = [self.collect(at.to_pydatetime(), services).frame for at in times]
        return Collected(pd.concat(frames, ignore_index=True), (), (), 1)

    def graph(self) -> list[tuple[str, str]]:
        return self.calls


class Renaming(Listed):
    """The same, which sums up by the names it was told."""

    renames: Renames = ()

    def use_renames(self, renames: Renames) -> None:
        self.renames = renames

    def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
        answer = super().collect(at, None)
        named = answer.frame.assign(service_name=[apply_renames(n, self.renames) for n in answer.frame["service_name"]])
        frame = named.groupby(["service_name", "timestamp"], as_index=False)[list(METRICS)].sum(min_count=1)
        self.asked[-1] = services
        return Collected(frame if services is None else frame[frame["service_name"].isin(services)], (), (), 1)


def rates(store: Store, service: str) -> list[float]:
    return list(store.history(service, NOW - 24 * HOUR, NOW + 24 * HOUR)["request_rate"])


@pytest.mark.parametrize("kind", [Listed, Renaming])
def test_a_renamed_service_gets_what_its_source_has_of_it(store: Store, kind: type[Listed]) -> None:
    source = kind("cart", "web")
    collect_once([source], store, NOW)
    store.names.rename("cart", "shop/cart", NOW)
    collect_once([source], store, NOW + HOUR)
    assert store.service_names() == ["shop/cart", "web"]
    assert rates(store, "shop/cart") == [1.0, 1.0]
    collect_once([source], store, NOW + 2 * HOUR, ["shop/cart"])
    assert rates(store, "shop/cart") == [1.0, 1.0, 1.0]
    assert len(rates(store, "web")) == 2
    assert discover([source], store) == []
    backfill([source], store, NOW - HOUR, NOW, 3600, ["shop/cart"])
    assert rates(store, "shop/cart") == [1.0] * 4
    assert store.service_names() == ["shop/cart", "web"]


@pytest.mark.parametrize("kind", [Listed, Renaming])
def test_merged_services_add_up_from_then_on(store: Store, kind: type[Listed]) -> None:
    source = kind("a", "b", "c")
    collect_once([source], store, NOW)
    from observatory.model import Overlap

    store.names.merge(["b"], "a", NOW, Overlap.COMBINE)
    collect_once([source], store, NOW + HOUR)
    assert rates(store, "a") == [2.0, 2.0]
    assert rates(store, "c") == [1.0, 1.0]


def test_what_cannot_be_combined_is_missing(store: Store) -> None:
    source = Listed(
        a={"request_rate": 30.0, "error_rate": 0.1, "latency_p95": 0.2}, b={"request_rate": 10.0, "latency_p95": 0.4}
    )
    source.values["b"]["error_rate"] = 0.5
    collect_once([source], store, NOW)
    from observatory.model import Overlap

    store.names.merge(["b"], "a", NOW, Overlap.KEEP)
    collect_once([source], store, NOW + HOUR)
    last = store.history("a", NOW + HOUR, NOW + HOUR).iloc[0]
    assert (last["request_rate"], last["error_rate"]) == (40.0, pytest.approx(0.2))
    assert pd.isna(last["latency_p95"])


def test_what_is_excluded_does_not_come_back(store: Store, tmp_path: Path) -> None:
    source = Listed("old-api", "old-web", "web")
    collect_once([source], store, NOW)
    store.names.remove(["old-api", "old-web"], NOW, exclude=["old-*"])
    collect_once([source], store, NOW + HOUR)
    backfill([source], store, NOW - HOUR, NOW, 3600)
    assert discover([source], store) == []
    assert store.service_names() == ["web"]
    assert set(store.sample_counts().index) == {"web"}
    file = tmp_path / "history.csv"
    file.write_text("service,time,request_rate\nold-db,2026-03-04T10:00:00Z,1\n")
    with pytest.raises(InvalidInputError, match=r"'old-db' is excluded by 'old-\*': `observatory services restore`"):
        import_file(store, file, ImportOptions(), NOW)
    store.names.restore("old-*")
    collect_once([source], store, NOW + 2 * HOUR)
    assert store.service_names() == ["old-api", "old-web", "web"]


def test_a_removed_service_that_may_return_does(store: Store) -> None:
    source = Listed("a", "b")
    collect_once([source], store, NOW)
    store.names.remove(["a"], NOW)
    assert store.service_names() == ["b"]
    collect_once([source], store, NOW + HOUR)
    assert rates(store, "a") == [1.0]


@pytest.mark.parametrize("kind", [Listed, Renaming])
def test_a_second_deploy_joins_the_first(store: Store, kind: type[Listed]) -> None:
    source = kind("web", **{"shop/cart-3f9ab12": {"request_rate": 5.0}})
    collect_once([source], store, NOW)
    assert store.service_names() == ["shop/cart-3f9ab12", "web"], "a name alone says nothing"
    source.values["shop/cart-b81c0de"] = {"request_rate": 1.0}
    report = collect_once([source], store, NOW + HOUR)
    assert store.service_names() == ["shop/cart", "web"]
    assert rates(store, "shop/cart") == [5.0, 6.0]
    (said,) = report.warnings
    assert said.startswith("shop/cart: shop/cart-3f9ab12, shop/cart-b81c0de are its deploys, and one service from now")
    del source.values["shop/cart-3f9ab12"]
    source.values["shop/cart-0a1b2c3"] = {"request_rate": 2.0}
    assert collect_once([source], store, NOW + 2 * HOUR).warnings == ()
    assert store.service_names() == ["shop/cart", "web"]
    collect_once([source], store, NOW + 3 * HOUR, ["shop/cart"])
    assert rates(store, "shop/cart") == [5.0, 6.0, 3.0, 3.0]
    assert store.service("shop/cart-b81c0de").name == "shop/cart", "a link to a deploy leads to its service"


def test_deploys_that_were_taken_apart_stay_apart(store: Store) -> None:
    source = Listed("cart-3f9ab12", "cart-b81c0de")
    collect_once([source], store, NOW)
    assert store.service_names() == ["cart"]
    store.names.restore("cart")
    store.names.remove(["cart"], NOW)
    collect_once([source], store, NOW + HOUR)
    assert store.service_names() == ["cart-3f9ab12", "cart-b81c0de"]


def test_history_of_many_deploys_is_that_of_one_service(store: Store) -> None:
    class Deploys(Listed):
        def collect(self, at: datetime, services: Sequence[str] | None = None) -> Collected:
            number = (at - (NOW - 24 * HOUR)) // (2 * HOUR)
            self.values = {f"cart-{number:x}f9ab{number:x}c": {"request_rate": 1.0}, "web": {"request_rate": 1.0}}
            return super().collect(at, services)

    report = backfill([Deploys()], store, NOW - 24 * HOUR, NOW, 3600)
    assert store.service_names() == ["cart", "web"]
    assert rates(store, "cart") == [1.0] * 25
    assert any("and one service from now on" in text for text in report.warnings)
    again = backfill([Deploys()], store, NOW - 24 * HOUR, NOW, 3600, again=True)
    assert store.service_names() == ["cart", "web"]
    assert not again.warnings


def test_an_import_of_deploys_is_recognised(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    rows = [f"cart-{text},2026-03-04T1{place}:00:00Z,1" for place, text in enumerate(["3f9ab12", "b81c0de"])]
    file.write_text("\n".join(["service,time,request_rate", *rows]))
    report = import_file(store, file, ImportOptions(), NOW)
    assert store.service_names() == ["cart"]
    assert "one service from now on" in report.warnings[0]
