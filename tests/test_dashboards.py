"""The dashboards for Grafana: whole as files, and every query of theirs answered by what it is made for.

There is no Grafana here. What it does with a file is checked piece by piece: PromQL by a real Prometheus that scraped a
real server, addresses by that server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import yaml
from api.conftest import NOW, OPEN_INCIDENT, make_runtime, samples
from api.test_plugin import Server
from api.test_scraping import Scraper
from openapi_schema_validator import OAS31Validator
from support.grafana import BOARDS, FOLDER, INFINITY, PROMETHEUS, filled_in, panels, targets, texts, variables
from support.guides import page
from support.servers import wait_until

from observatory.access import Role, authenticator_of
from observatory.api.routes.monitoring import expected_ranges
from observatory.model import Delivery, DeliveryState, IncidentChanges, LikelyCause, Service
from observatory.store.tables.states import KeptState

GRID = 24
OF_GRAFANA = {"__timeFrom", "__timeTo", "__range", "__url_time_range", "__value.raw"}
SOURCES = {"prometheus": PROMETHEUS, "infinity": INFINITY}
EVERY_FILE = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)

REF = {
    "type": "object",
    "required": ["type", "uid"],
    "properties": {"type": {"enum": [PROMETHEUS, INFINITY, "grafana"]}, "uid": {"type": "string"}},
    "additionalProperties": False,
}
POSITION = {
    "type": "object",
    "required": ["x", "y", "w", "h"],
    "properties": {
        "x": {"type": "integer", "minimum": 0, "exclusiveMaximum": GRID},
        "y": {"type": "integer", "minimum": 0},
        "w": {"type": "integer", "minimum": 1, "maximum": GRID},
        "h": {"type": "integer", "minimum": 1},
    },
    "additionalProperties": False,
}
PROPERTY = {"type": "object", "required": ["id", "value"], "additionalProperties": True}
FIELDS = {
    "type": "object",
    "required": ["defaults", "overrides"],
    "properties": {
        "defaults": {
            "type": "object",
            "properties": {
                "unit": {"type": "string"},
                "min": {"type": "number"},
                "max": {"type": "number"},
                "noValue": {"type": "string"},
                "color": {"type": "object", "required": ["mode"]},
                "custom": {"type": "object"},
                "mappings": {"type": "array", "items": {"properties": {"type": {"const": "value"}}}},
                "thresholds": {
                    "type": "object",
                    "required": ["mode", "steps"],
                    "properties": {
                        "mode": {"const": "absolute"},
                        "steps": {"type": "array", "minItems": 1, "items": {"required": ["color", "value"]}},
                    },
                },
            },
            "additionalProperties": False,
        },
        "overrides": {
            "type": "array",
            "items": {
                "required": ["matcher", "properties"],
                "properties": {
                    "matcher": {"properties": {"id": {"const": "byName"}, "options": {"type": "string"}}},
                    "properties": {"type": "array", "minItems": 1, "items": PROPERTY},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
PANEL = {
    "type": "object",
    "required": ["id", "type", "title", "gridPos"],
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "type": {"enum": ["row", "stat", "table", "timeseries", "state-timeline"]},
        "title": {"type": "string", "minLength": 1},
        "description": {"type": "string"},
        "gridPos": POSITION,
        "datasource": REF,
        "targets": {"type": "array", "minItems": 1},
        "options": {"type": "object"},
        "fieldConfig": FIELDS,
        "transformations": {"type": "array"},
        "collapsed": {"type": "boolean"},
        "panels": {"type": "array"},
    },
    "additionalProperties": False,
    "if": {"properties": {"type": {"const": "row"}}},
    "then": {"required": ["collapsed", "panels"], "properties": {"targets": False}},
    "else": {"required": ["datasource", "targets", "options", "fieldConfig", "transformations"]},
}
LINK = {
    "type": "object",
    "required": [
        "title", "type", "icon", "tooltip", "url", "tags", "asDropdown", "targetBlank", "includeVars", "keepTime",
    ],
    "properties": {"type": {"enum": ["link", "dashboards"]}, "title": {"minLength": 1}},
}  # fmt: skip
BOARD = {
    "type": "object",
    "required": [
        "__inputs",
        "__requires",
        "title",
        "uid",
        "schemaVersion",
        "panels",
        "templating",
        "annotations",
        "id",
    ],
    "properties": {
        "__inputs": {"const": []},
        "__elements": {"const": {}},
        "__requires": {
            "type": "array",
            "items": {
                "required": ["type", "id", "name", "version"],
                "properties": {"type": {"enum": ["grafana", "datasource", "panel"]}},
                "additionalProperties": {"type": "string"},
            },
        },
        "annotations": {"type": "object", "required": ["list"]},
        "description": {"type": "string"},
        "editable": {"const": True},
        "fiscalYearStartMonth": {"const": 0},
        "graphTooltip": {"enum": [0, 1, 2]},
        "id": {"type": "null"},
        "links": {"type": "array", "items": LINK},
        "liveNow": {"type": "boolean"},
        "panels": {"type": "array", "minItems": 1, "items": PANEL},
        "refresh": {"type": "string", "pattern": "^[0-9]+[smh]$"},
        "schemaVersion": {"const": 39},
        "tags": {"type": "array", "items": {"type": "string"}},
        "templating": {"type": "object", "required": ["list"]},
        "time": {"type": "object", "required": ["from", "to"]},
        "timepicker": {"type": "object"},
        "timezone": {"const": "browser"},
        "title": {"type": "string", "minLength": 1},
        "uid": {"type": "string", "minLength": 8, "maxLength": 40},
        "version": {"type": "integer"},
        "weekStart": {"type": "string"},
    },
    "additionalProperties": False,
}
"""What Grafana's own schema of dashboards (kind `dashboard`) has, as far as these files use it, and nothing else."""


@EVERY_FILE
def test_it_is_what_grafana_reads(board: dict[str, Any]) -> None:
    OAS31Validator(BOARD).validate(board)


def test_there_is_one_for_the_fleet_for_a_service_and_for_an_incident() -> None:
    assert BOARDS.keys() == {"fleet", "service", "incident"}
    assert len({board["uid"] for board in BOARDS.values()}) == len({board["title"] for board in BOARDS.values()}) == 3


@EVERY_FILE
def test_panels_have_ids_of_their_own_and_lie_beside_each_other(board: dict[str, Any]) -> None:
    found = panels(board)
    assert len({panel["id"] for panel in found}) == len(found)
    for panel in found:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= GRID, panel["title"]
    for one, other in combinations((panel["gridPos"] for panel in found), 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart or below, (one, other)


@EVERY_FILE
def test_data_sources_are_chosen_by_variables_and_none_is_hard_coded(board: dict[str, Any]) -> None:
    """``__inputs`` are filled in by an import only: a file that is provisioned would ask ``${DS_PROMETHEUS}``."""
    uids = {f"${{{name}}}": kind for name, kind in SOURCES.items()} | {"-- Grafana --": "grafana"}
    found = re.findall(r'"datasource": \{"type": "([^"]+)", "uid": "([^"]+)"\}', str(board).replace("'", '"'))
    assert found
    assert [(kind, uid) for kind, uid in found if uids.get(uid) != kind] == []
    chosen = {one["name"]: one["query"] for one in board["templating"]["list"] if one["type"] == "datasource"}
    assert chosen == SOURCES


@EVERY_FILE
def test_every_variable_is_there_before_it_is_used(board: dict[str, Any]) -> None:
    known = set(OF_GRAFANA)
    for variable in board["templating"]["list"]:
        asked = [name for text in texts({k: v for k, v in variable.items() if k != "name"}) for name in variables(text)]
        assert set(asked) - {"__all"} <= known, variable["name"]
        known.add(variable["name"])
    used = {
        name for text in texts({k: board[k] for k in ("panels", "links", "annotations")}) for name in variables(text)
    }
    assert {name for name in used if not name.startswith("__data.fields.")} <= known


@EVERY_FILE
def test_what_a_panel_speaks_of_is_what_its_queries_give(board: dict[str, Any]) -> None:
    for panel in panels(board):
        columns = {column["text"] for target in panel.get("targets", ()) for column in target.get("columns", ())}
        legends = {target["legendFormat"] for target in panel.get("targets", ()) if "legendFormat" in target}
        by_label = {"healthy", "degraded", "poor", "critical", "unknown"} if "{{band}}" in legends else set()
        for override in panel.get("fieldConfig", {}).get("overrides", ()):
            assert override["matcher"]["options"] in columns | legends | by_label, panel["title"]
        for name in (name for text in texts(panel) for name in variables(text)):
            if name.startswith("__data.fields."):
                assert name.removeprefix("__data.fields.") in columns, panel["title"]
        refs = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(refs)) == len(refs)


@EVERY_FILE
def test_links_lead_to_the_dashboards_that_there_are_with_their_variables(board: dict[str, Any]) -> None:
    uids = {other["uid"]: other for other in BOARDS.values()}
    addresses = [text for text in texts(board["panels"]) if text.startswith("/d/")]
    assert addresses
    for address in addresses:
        uid, _, query = address.removeprefix("/d/").partition("/?")
        known = {variable["name"] for variable in uids[uid]["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", query)) <= known
        assert {name for name in variables(query) if not name.startswith("__")} <= known
    assert {link["type"] for link in board["links"]} == {"dashboards", "link"}
    assert all(link["url"].startswith("${observatory}") for link in board["links"] if link["type"] == "link")


@EVERY_FILE
def test_what_it_needs_is_named(board: dict[str, Any]) -> None:
    named = {(one["type"], one["id"]) for one in board["__requires"]}
    used = {("panel", panel["type"]) for panel in panels(board) if panel["type"] != "row"}
    assert named == used | {("grafana", "grafana"), ("datasource", PROMETHEUS), ("datasource", INFINITY)}


@EVERY_FILE
def test_annotations_have_the_columns_that_grafana_wants(board: dict[str, Any]) -> None:
    asked = [one for one in board["annotations"]["list"] if "builtIn" not in one]
    assert asked
    for one in asked:
        assert one["target"]["format"] == "dataframe"
        assert [column["text"] for column in one["target"]["columns"]] == ["time", "timeEnd", "title", "text", "tags"]


def test_the_files_of_the_guide_are_what_grafana_provisions() -> None:
    sources, boards = (yaml.safe_load(block.text) for block in page("grafana").blocks if block.language == "yml")
    (source,) = sources["datasources"]
    assert (source["type"], source["jsonData"]["allowedHosts"]) == (INFINITY, [source["url"]])
    (provider,) = boards["providers"]
    assert provider["options"]["path"].endswith(str(FOLDER.relative_to(FOLDER.parents[1])))


# -- every query, asked --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server in which each kind of thing happened, a key to it, and a Prometheus that scrapes it."""
    made = make_runtime(str(tmp_path_factory.mktemp("store") / "observatory.duckdb"))
    store = made.store
    few = samples().query("service_name == 'shop/cart'").tail(5).assign(service_name="shop/new")
    store.register([Service("shop/new", "demo")])
    store.write_samples(few)
    store.states.write([KeptState("shop/cart", made.settings.detector, "f", NOW, NOW, b"x")])
    sent = Delivery("log", OPEN_INCIDENT, 1, "opened", NOW, DeliveryState.SENT, NOW, NOW, 1, "")
    store.notifications.settle([sent])
    cause = LikelyCause("shop/cart", 3.0, True, "p95 rose first", "latency_p95", NOW - timedelta(minutes=30))
    store.incidents.change(OPEN_INCIDENT, lambda held: IncidentChanges((replace(held, causes=(cause,)),)))
    _, key = authenticator_of(made).keys.create("grafana", Role.VIEWER, ["*"])
    server = Server(made)
    with Scraper(f"127.0.0.1:{server.port}", key) as prometheus:
        wait_until(lambda: prometheus.ask("observatory_services"), 60, "a scrape", prometheus.log)
        expected_ranges(made).wait()
        store.register([Service("shop/newer", "demo")])  # what has changed is read anew
        wanted = (
            "observatory_service_latency_p95_upper_seconds and on () increase(observatory_cycles_skipped_total[1h])"
        )
        wait_until(lambda: prometheus.ask(wanted), 60, "bands, and two scrapes", prometheus.log)
        yield SimpleNamespace(url=f"http://127.0.0.1:{server.port}", key=key, prometheus=prometheus)
    server.stop()
    made.close()


VALUES = {
    "job": ".*",
    "service": "shop/cart",
    "incident": OPEN_INCIDENT,
    "__range": "3600s",
    "__timeFrom": str(int((NOW - timedelta(hours=24)).timestamp() * 1000)),
    "__timeTo": str(int(NOW.timestamp() * 1000)),
}
EXPRESSIONS = [(name, where, target) for name in BOARDS for where, target in targets(BOARDS[name], PROMETHEUS)]
ADDRESSES = [(name, where, target) for name in BOARDS for where, target in targets(BOARDS[name], INFINITY)]
KINDS: dict[str, tuple[type, ...]] = {"timestamp_epoch": (int,), "number": (int, float), "string": (str, bool)}


def ids(queries: list[tuple[str, str, Any]]) -> list[str]:
    return [f"{name}: {where}" for name, where, _ in queries]


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.parametrize(("board", "where", "target"), EXPRESSIONS, ids=ids(EXPRESSIONS))
def test_every_expression_has_an_answer(served: SimpleNamespace, board: str, where: str, target: Any) -> None:
    assert "$__rate_interval" not in target["expr"]  # of gauges there is nothing to rate
    assert served.prometheus.ask(filled_in(target["expr"], VALUES))


@pytest.mark.servers
@pytest.mark.slow
def test_the_expression_of_the_guide_is_understood(served: SimpleNamespace) -> None:
    (expression,) = [block.text for block in page("grafana").blocks if block.language == "promql"]
    served.prometheus.ask(expression)  # whatever is above its band
    assert served.prometheus.ask(expression.replace(" > ", " > bool "))


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.parametrize("board", BOARDS)
def test_every_variable_has_values(served: SimpleNamespace, board: str) -> None:
    for variable in BOARDS[board]["templating"]["list"]:
        if variable.get("datasource", {}).get("type") == PROMETHEUS:
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", filled_in(variable["query"]["query"], VALUES))
            assert found
            address = f"{served.prometheus.url}/api/v1/label/{found[2]}/values"
            values = requests.get(address, {"match[]": found[1]}, timeout=30).json()["data"]
            assert set(values) & {"observatory", "shop/cart"}


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.parametrize(("board", "where", "target"), ADDRESSES, ids=ids(ADDRESSES))
def test_every_address_has_rows_with_the_columns_that_are_shown(
    served: SimpleNamespace, board: str, where: str, target: Any
) -> None:
    options = target["url_options"]
    assert (target["type"], target["source"], target["parser"], options["method"]) == ("json", "url", "backend", "GET")
    assert not variables(target["url"].replace("$incident", ""))  # what is in params is escaped, what is in paths not
    answer = requests.get(
        served.url + filled_in(target["url"], VALUES),
        {param["key"]: filled_in(param["value"], VALUES) for param in options["params"]},
        headers={"Authorization": f"Bearer {served.key}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    rows = answer.json()
    assert isinstance(rows, list)
    assert rows
    for column in target["columns"]:
        values = [row[column["selector"]] for row in rows]
        assert all(value is None or isinstance(value, KINDS[column["type"]]) for value in values), column
    times = [column["selector"] for column in target["columns"] if column["type"] == "timestamp_epoch"]
    if target["format"] in ("dataframe", "timeseries"):
        assert times[0] == "time"
        assert all(row[name] is not None for row in rows for name in times)
