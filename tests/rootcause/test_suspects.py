"""A suspect says in words and in points why it is one."""

from __future__ import annotations

import pandas as pd
import pytest
from support.faults import END, SHOP_CALLS, START, fault, quiet_shop

from observatory.errors import InvalidInputError
from observatory.rootcause import Contribution, Suspect, suspects


def by_name(frames: dict[str, pd.DataFrame], **more: object) -> dict[str, Suspect]:
    return {suspect.service: suspect for suspect in suspects(frames, START, END, SHOP_CALLS, **more)}  # type: ignore[arg-type]


def test_the_guilty_one_is_clear_and_names_metric_deviation_and_onset() -> None:
    guilty = suspects(fault("db"), START, END, SHOP_CALLS)[0]
    assert (guilty.service, guilty.metric, guilty.onset) == ("db", "cpu_usage", START)
    assert guilty.clear
    assert guilty.deviation > 10
    assert "CPU rose to 1." in guilty.reason
    assert "from a usual 0.4" in guilty.reason
    assert "callers cart, catalog are affected too" in guilty.reason


def test_points_add_up_and_name_who_passed_them_on() -> None:
    for suspect in by_name(fault("db")).values():
        assert sum(part.points for part in suspect.contributions) == pytest.approx(suspect.score)
    guilty = by_name(fault("db"))["db"]
    assert {part.service for part in guilty.contributions if part.kind == "neighbour"} >= {"cart", "catalog"}
    assert {part.metric for part in guilty.contributions if part.kind == "metric"} >= {"cpu_usage", "latency_p95"}


def test_a_caller_is_explained_by_its_callee_and_passes_suspicion_on() -> None:
    caller = by_name(fault("db"))["catalog"]
    assert "largely explained by its callee db" in caller.reason
    assert any(part.kind == "walk" and part.points < 0 for part in caller.contributions)


def test_without_a_graph_nobody_passes_anything_on() -> None:
    for suspect in suspects(fault("db"), START, END):
        assert {part.kind for part in suspect.contributions} <= {"metric"}


def test_a_metric_that_falls_has_a_negative_deviation() -> None:
    frames = quiet_shop()
    frames["web"].loc[START:END, "request_rate"] /= 20
    web = by_name(frames)["web"]
    assert web.metric == "request_rate"
    assert web.deviation < 0
    assert "request rate fell to" in web.reason


def test_who_stopped_reporting_and_who_is_new_say_so() -> None:
    frames = quiet_shop()
    frames["db"] = frames["db"].loc[: START - pd.Timedelta(minutes=1)]
    frames["mail"] = frames["mail"].loc[START:]
    found = by_name(frames)
    assert "stopped reporting during the incident" in found["db"].reason
    assert "first seen in the incident" in found["mail"].reason


def test_latency_and_errors_alone_that_stop_may_be_no_requests() -> None:
    frames = quiet_shop()
    frames["db"] = frames["db"].loc[: START - pd.Timedelta(minutes=1), ["error_rate", "latency_p95"]]
    silent = by_name(frames)["db"]
    assert "no requests reported" in silent.reason
    assert not silent.clear


def test_what_is_known_besides_raises_a_service_and_counts_as_much_as_it_says() -> None:
    deployed = Contribution("known", 4.0, "version 1.3 since 04:47")
    plain = by_name(quiet_shop())["mail"]
    raised = by_name(quiet_shop(), known={"mail": [deployed], "stranger": [deployed]})["mail"]
    assert raised.score > plain.score
    assert deployed in raised.contributions
    assert "version 1.3 since 04:47" in raised.reason


def test_negative_points_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"'mail' has -1\.0 points"):
        by_name(quiet_shop(), known={"mail": [Contribution("known", -1.0, "it was never this one")]})
