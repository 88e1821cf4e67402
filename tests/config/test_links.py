"""Links that cannot be are refused when settings are read."""

from __future__ import annotations

from typing import Any

import pytest

from observatory.config.links import LinkSettings, wants_traces


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"url": "javascript:alert(1)"}, "must begin with https"),
        ({"url": "ftp://logs.example"}, "must begin with https"),
        ({"url": "https://{service}.example/"}, "must begin with https"),
        ({"url": "https://me:secret@logs.example/"}, "must begin with https"),
        ({"url": "https://logs.example/{pod}"}, r"\{pod\} is not known"),
        ({"url": "https://logs.example/{start_m}"}, r"\{start_m\} is not known"),
        ({"url": "https://grafana.example", "preset": "grafana_loki"}, "needs the uid of the data source"),
        ({"url": "https://logs.example/", "query": "x"}, "go with a preset"),
        ({"url": "https://logs.example/", "preset": "splunk"}, "preset"),
        ({}, "url"),
    ],
)
def test_what_cannot_be_is_refused(facts: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LinkSettings(**facts)


def test_links_that_lead_to_a_trace_want_one() -> None:
    logs = LinkSettings(url="https://logs.example/{name}")
    assert not wants_traces({"logs": logs})
    assert wants_traces({"logs": logs, "traces": LinkSettings(url="https://jaeger.example", preset="jaeger")})
    assert wants_traces({"own": LinkSettings(url="https://traces.example/{trace_id}")})
