"""Links lead to the right place at the right time, whatever a service is called."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from support.destinations import an_incident
from support.hostile import TEXTS
from support.incidents import NOON, at

from observatory.analysis.links import incident_links, links_of, trace_links
from observatory.config.links import LinkSettings

HOUR = timedelta(hours=1)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def one(service: str = "shop/cart", **facts: str) -> str:
    (link,) = links_of({"logs": LinkSettings(**facts)}, service, NOON, NOON + HOUR)  # type: ignore[arg-type]
    return link.url


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_a_template_is_filled_with_names_and_times() -> None:
    address = one(url="https://x.example/{namespace}/{name}?s={service}&a={start}&b={end_ms}&c={start_s}&d={end_ns}")
    assert urlsplit(address).path == "/shop/cart"
    assert query_of(address) == {
        "s": "shop/cart",
        "a": "2026-03-01T12:00:00Z",
        "b": "1772370000000",
        "c": "1772366400",
        "d": "1772370000000000000",
    }


def test_explore_of_grafana_gets_its_query_and_range() -> None:
    query = query_of(one(url="https://g.example/", preset="grafana_loki", datasource="uid1"))
    (pane,) = json.loads(query["panes"]).values()
    assert query["schemaVersion"] == "1"
    assert pane["range"] == {"from": "1772366400000", "to": "1772370000000"}
    assert pane["queries"][0]["expr"] == '{service_name="cart"}'
    assert pane["queries"][0]["datasource"] == {"type": "loki", "uid": "uid1"}
    own = one(url="https://g.example", preset="grafana_loki", datasource="u", query='{app="{name}",ns="{namespace}"}')
    (pane,) = json.loads(query_of(own)["panes"]).values()
    assert pane["queries"][0]["expr"] == '{app="cart",ns="shop"}'


def test_jaeger_kibana_and_datadog_get_theirs() -> None:
    assert one(url="https://j.example/", preset="jaeger") == (
        "https://j.example/search?service=cart&start=1772366400000000&end=1772370000000000&limit=20"
    )
    kibana = unquote(one(url="https://k.example", preset="kibana"))
    assert "_g=(time:(from:'2026-03-01T12:00:00Z',to:'2026-03-01T13:00:00Z'))" in kibana
    assert """query:'service.name:"cart"'""" in kibana
    datadog = query_of(one(url="https://app.datadoghq.com", preset="datadog"))
    assert datadog == {"query": "service:cart", "from_ts": "1772366400000", "to_ts": "1772370000000"}


def test_a_trace_has_links_of_its_own() -> None:
    links = {
        "jaeger": LinkSettings(url="https://j.example", preset="jaeger"),
        "tempo": LinkSettings(url="https://g.example", preset="grafana_tempo", datasource="t", title="Tempo"),
        "own": LinkSettings(url="https://t.example/{trace_id}?at={start_s}"),
        "logs": LinkSettings(url="https://l.example/{name}"),
    }
    found = {link.title: link.url for link in trace_links(links, "shop/cart", TRACE, NOON)}
    assert found.keys() == {"Jaeger", "Tempo", "Own"}
    assert found["Jaeger"] == f"https://j.example/trace/{TRACE}"
    assert found["Own"] == f"https://t.example/{TRACE}?at=1772365800"
    (pane,) = json.loads(query_of(found["Tempo"])["panes"]).values()
    assert pane["queries"][0]["query"] == TRACE
    assert [link.title for link in links_of(links, "shop/cart", NOON, NOON)] == ["Jaeger", "Tempo", "Logs"]


def test_links_are_for_the_services_they_name() -> None:
    links = {"logs": LinkSettings(url="https://l.example/", services=("pay/*",))}
    assert links_of(links, "shop/cart", NOON, NOON) == []
    assert len(links_of(links, "pay/api", NOON, NOON)) == 1


def test_those_of_an_incident_show_its_time_and_a_while_around_it() -> None:
    links = {"logs": LinkSettings(url="https://l.example/{name}?a={start}&b={end}")}
    (link,) = incident_links(links, an_incident(), at(8))
    assert urlsplit(link.url).path == "/cart"
    assert query_of(link.url) == {"a": "2026-03-01T11:50:00Z", "b": "2026-03-01T12:08:00Z"}
    assert incident_links({}, an_incident(), NOON) == []


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("preset", ["", "grafana_loki", "grafana_tempo", "jaeger", "kibana", "datadog"])
def test_no_name_of_a_service_leads_elsewhere(text: str, preset: str) -> None:
    name = text.encode("utf-8", "replace").decode()
    more = {"datasource": "u"} if preset.startswith("grafana") else {}
    url = "https://host.example" if preset else "https://host.example/{name}?q={service}"
    address = one(f"shop/{name}", url=url, preset=preset, **more)
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("https", "host.example")
    assert address.isascii()
    assert not set(address) & set("<>\"'` \n\r\t") or preset == "kibana"
    if preset.startswith("grafana"):
        (pane,) = json.loads(query_of(address)["panes"]).values()
        assert len(pane["queries"]) == 1
